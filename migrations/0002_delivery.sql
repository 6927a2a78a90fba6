CREATE TABLE "webhook_replays" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"scope" text NOT NULL,
	"event_types" text[] NOT NULL,
	"recorded_from" timestamp (3) with time zone NOT NULL,
	"recorded_to" timestamp (3) with time zone NOT NULL,
	"status" text NOT NULL,
	"cursor" text,
	"events_seen" integer NOT NULL,
	"deliveries_queued" integer NOT NULL,
	"due_at" timestamp (3) with time zone,
	"claim_token" uuid,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "webhook_replays_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoint_health" (
	"tenant_id" uuid NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"failures" integer NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"openings" integer NOT NULL,
	"open_until" timestamp (3) with time zone,
	"next_slot_ms" double precision,
	CONSTRAINT "webhook_endpoint_health_tenant_id_endpoint_id_pk" PRIMARY KEY("tenant_id","endpoint_id")
);
--> statement-breakpoint
DROP INDEX "delivery_attempts_delivery_idx";--> statement-breakpoint
ALTER TABLE "delivery_attempts" DROP CONSTRAINT "delivery_attempts_tenant_id_id_pk";--> statement-breakpoint
ALTER TABLE "delivery_attempts" DROP COLUMN "id";--> statement-breakpoint
ALTER TABLE "delivery_attempts" ADD CONSTRAINT "delivery_attempts_tenant_id_delivery_id_number_pk" PRIMARY KEY("tenant_id","delivery_id","number");--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "customer_id" uuid;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "sequence" bigint;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "replay_of" uuid;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "after_dead_letter" uuid;--> statement-breakpoint
ALTER TABLE "delivery_attempts" ADD COLUMN "endpoint_id" uuid;--> statement-breakpoint
-- An owner that is no superuser is bound by forced row-level security like everybody else.
ALTER TABLE "delivery_attempts" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "deliveries" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "delivery_attempts" a SET "endpoint_id" = d."endpoint_id"
  FROM "deliveries" d WHERE d."tenant_id" = a."tenant_id" AND d."id" = a."delivery_id";--> statement-breakpoint
ALTER TABLE "delivery_attempts" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "deliveries" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "delivery_attempts" ALTER COLUMN "endpoint_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "disabled_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "retired_secrets" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "filter" jsonb;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "filter_path" text;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "ordering" text DEFAULT 'none' NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "rate_limit_per_s" integer;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "headers" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "metadata" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_replays" ADD CONSTRAINT "webhook_replays_tenant_id_endpoint_id_webhook_endpoints_tenant_id_id_fk" FOREIGN KEY ("tenant_id","endpoint_id") REFERENCES "public"."webhook_endpoints"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_endpoint_health" ADD CONSTRAINT "webhook_endpoint_health_tenant_id_endpoint_id_webhook_endpoints_tenant_id_id_fk" FOREIGN KEY ("tenant_id","endpoint_id") REFERENCES "public"."webhook_endpoints"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "webhook_replays_due_idx" ON "webhook_replays" USING btree ("due_at","tenant_id") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "webhook_replays_endpoint_idx" ON "webhook_replays" USING btree ("tenant_id","endpoint_id","created_at","id");--> statement-breakpoint
CREATE INDEX "deliveries_order_idx" ON "deliveries" USING btree ("tenant_id","endpoint_id","customer_id","sequence","id") WHERE customer_id is not null and finished_at is null;--> statement-breakpoint
CREATE INDEX "deliveries_dead_idx" ON "deliveries" USING btree ("tenant_id","status","created_at","id") WHERE status in ('exhausted', 'discarded');--> statement-breakpoint
CREATE INDEX "deliveries_waiting_idx" ON "deliveries" USING btree ("tenant_id","endpoint_id","created_at") WHERE finished_at is null;--> statement-breakpoint
CREATE INDEX "delivery_attempts_endpoint_idx" ON "delivery_attempts" USING btree ("tenant_id","endpoint_id","started_at","delivery_id","number");--> statement-breakpoint
-- The wall of 0001, for what has come since.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['webhook_replays', 'webhook_endpoint_health']
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
CREATE POLICY finder ON webhook_replays FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, due_at) ON webhook_replays TO perennial_finder;
