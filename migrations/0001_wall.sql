-- The wall between tenants. The application acts as perennial_app, which owns nothing and bypasses nothing;
-- row-level security shows it one tenant's rows, and none where no tenant is named. perennial_finder sees,
-- across tenants, only the columns that say whose credential this is and who has something due.
-- Both roles are made, and granted to whoever logs in, before the migrations run (src/db/migrate.ts).
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
       AND a.attname = 'tenant_id' AND NOT a.attisdropped
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY one_tenant ON %I TO perennial_app
         USING (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')::uuid)
         WITH CHECK (tenant_id = NULLIF(current_setting(''app.tenant_id'', true), '''')::uuid)', name);
  END LOOP;
END
$$;
--> statement-breakpoint
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
-- The nil UUID is the administrator's scope: it sees the list of tenants and nothing of theirs.
CREATE POLICY own_row_or_administrator ON tenants TO perennial_app
  USING (
    id = NULLIF(current_setting('app.tenant_id', true), '')::uuid
    OR current_setting('app.tenant_id', true) = '00000000-0000-0000-0000-000000000000'
  );
--> statement-breakpoint
CREATE POLICY finder ON tenants FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON api_keys FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON customer_lifecycles FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON events FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON deliveries FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON recomputations FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON calibration_schedules FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON idempotency_keys FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (id, slug, status) ON tenants TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, id, key_hash, scopes, expires_at, revoked_at) ON api_keys TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON customer_lifecycles TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, recorded_at, position) ON events TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON deliveries TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON recomputations TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON calibration_schedules TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, created_at) ON idempotency_keys TO perennial_finder;
