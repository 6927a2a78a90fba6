-- The wall between tenants, for who has which tag.
ALTER TABLE customer_tags ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE customer_tags FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON customer_tags TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
-- Countries are dated from here on: what customers have now, they are taken to have had from the beginning. The
-- walls are lifted for the owner, who else might see no rows, until this transaction ends.
ALTER TABLE customers NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE customer_attribute_facts NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
INSERT INTO customer_attribute_facts (tenant_id, customer_id, id, field, value, effective_at, recorded_at)
SELECT tenant_id, id, gen_random_uuid(), 'country', to_jsonb(country), created_at, now()
  FROM customers WHERE country IS NOT NULL;
--> statement-breakpoint
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE customer_attribute_facts FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
-- The wall between tenants for the tables of the models, and what the finder may see of their queues.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['model_fits', 'prediction_walks', 'customer_predictions', 'customer_values']
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
CREATE POLICY finder ON model_fits FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON prediction_walks FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON model_fits TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON prediction_walks TO perennial_finder;
--> statement-breakpoint
-- The wall of 0001, for what has come since.
ALTER TABLE backtests ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE backtests FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON backtests TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY finder ON backtests FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON backtests TO perennial_finder;
--> statement-breakpoint
-- Versions from before there were drafts: the newest is in force, and those before it were retired when the next
-- one came. An owner that is no superuser is bound by forced row-level security like everybody else.
ALTER TABLE policies NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
UPDATE policies p SET
  status = CASE WHEN n.next_by IS NULL THEN 'active' ELSE 'retired' END,
  status_changes = jsonb_build_array(jsonb_build_object('status', 'active', 'by', p.activated_by,
      'at', to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
    || CASE WHEN n.next_by IS NULL THEN '[]'::jsonb
            ELSE jsonb_build_array(jsonb_build_object('status', 'retired', 'by', n.next_by,
              'at', to_char(n.next_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) END
  FROM (SELECT tenant_id, version,
               lead(activated_by) OVER w AS next_by, lead(created_at) OVER w AS next_at
          FROM policies WINDOW w AS (PARTITION BY tenant_id ORDER BY version)) n
 WHERE n.tenant_id = p.tenant_id AND n.version = p.version;
--> statement-breakpoint
ALTER TABLE policies FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
-- The wall of 0001, for what has come since.
ALTER TABLE policy_previews ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE policy_previews FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON policy_previews TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY finder ON policy_previews FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON policy_previews TO perennial_finder;
--> statement-breakpoint
-- The wall of 0001, for the tables of policies in shadow.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY
    ARRAY['shadows', 'shadow_customers', 'shadow_transitions', 'shadow_marks', 'shadow_counts']
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
CREATE POLICY finder ON shadows FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
CREATE POLICY finder ON shadow_marks FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, policy_id, due_at, claim_token) ON shadows TO perennial_finder;
--> statement-breakpoint
GRANT SELECT (tenant_id, policy_id, marked_at) ON shadow_marks TO perennial_finder;
--> statement-breakpoint
-- The wall between tenants, for merges, what they moved, and who may be a duplicate of whom.
ALTER TABLE customer_merges ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE customer_merges FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON customer_merges TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
ALTER TABLE customer_merge_rows ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE customer_merge_rows FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON customer_merge_rows TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
ALTER TABLE duplicate_keys ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE duplicate_keys FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON duplicate_keys TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
ALTER TABLE duplicate_pairs ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE duplicate_pairs FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON duplicate_pairs TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
ALTER TABLE duplicate_walks ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE duplicate_walks FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY one_tenant ON duplicate_walks TO perennial_app
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY finder ON duplicate_walks FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON duplicate_walks TO perennial_finder;
--> statement-breakpoint
-- Tenants who were there before have all their customers looked at. The walls are lifted for the owner, who else
-- might see no rows, until this transaction ends.
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE duplicate_walks NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
INSERT INTO duplicate_walks (tenant_id, changed_at, customer_id, due_at)
SELECT id, '-infinity', '00000000-0000-0000-0000-000000000000', now() FROM tenants;
--> statement-breakpoint
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE duplicate_walks FORCE ROW LEVEL SECURITY;

