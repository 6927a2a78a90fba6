CREATE TABLE "backtests" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"policy_key" text NOT NULL,
	"policy_version" integer,
	"horizon_days" integer NOT NULL,
	"segment_by" text,
	"cuts" text NOT NULL,
	"policies" text NOT NULL,
	"calibrations" text NOT NULL,
	"status" text NOT NULL,
	"cursor" uuid,
	"customers_done" integer NOT NULL,
	"customers_total" integer,
	"tally" "bytea",
	"report" text,
	"failures" integer NOT NULL,
	"due_at" timestamp (3) with time zone,
	"claim_token" uuid,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "backtests_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "customer_tags" (
	"tenant_id" uuid NOT NULL,
	"tag" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"customer_id" uuid NOT NULL,
	CONSTRAINT "customer_tags_tenant_id_tag_created_at_customer_id_pk" PRIMARY KEY("tenant_id","tag","created_at","customer_id")
);
--> statement-breakpoint
CREATE TABLE "duplicate_keys" (
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"customer_id" uuid NOT NULL,
	"name" text,
	CONSTRAINT "duplicate_keys_tenant_id_kind_key_customer_id_pk" PRIMARY KEY("tenant_id","kind","key","customer_id")
);
--> statement-breakpoint
CREATE TABLE "duplicate_pairs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"first_id" uuid NOT NULL,
	"second_id" uuid NOT NULL,
	"reasons" text[] NOT NULL,
	"score" smallint NOT NULL,
	"found_at" timestamp (3) with time zone NOT NULL,
	"dismissed_at" timestamp (3) with time zone,
	"dismissed_by" text,
	CONSTRAINT "duplicate_pairs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "duplicate_walks" (
	"tenant_id" uuid PRIMARY KEY NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"customer_id" uuid NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "customer_merge_rows" (
	"tenant_id" uuid NOT NULL,
	"merge_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"row_id" uuid NOT NULL,
	CONSTRAINT "customer_merge_rows_tenant_id_merge_id_kind_row_id_pk" PRIMARY KEY("tenant_id","merge_id","kind","row_id")
);
--> statement-breakpoint
CREATE TABLE "customer_merges" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"survivor_id" uuid NOT NULL,
	"merged_id" uuid NOT NULL,
	"before" json,
	"after" json,
	"merged" json,
	"identities" json,
	"moved" json NOT NULL,
	"sequence" bigint NOT NULL,
	"lifecycle_version" integer NOT NULL,
	"merged_by" text NOT NULL,
	"reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"undone_by" text,
	"undo_reason" text,
	"undone_at" timestamp (3) with time zone,
	CONSTRAINT "customer_merges_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "customer_predictions" (
	"tenant_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"computed_at" timestamp (3) with time zone NOT NULL,
	"calibration_version" integer NOT NULL,
	"model" text NOT NULL,
	"p_alive" double precision NOT NULL,
	"expected_orders_30" double precision NOT NULL,
	"expected_orders_90" double precision NOT NULL,
	"expected_orders_365" double precision NOT NULL,
	CONSTRAINT "customer_predictions_tenant_id_customer_id_pk" PRIMARY KEY("tenant_id","customer_id")
);
--> statement-breakpoint
CREATE TABLE "customer_values" (
	"tenant_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"currency" char(3) NOT NULL,
	"historic_minor" bigint NOT NULL,
	"future_minor" bigint NOT NULL,
	CONSTRAINT "customer_values_tenant_id_customer_id_currency_pk" PRIMARY KEY("tenant_id","customer_id","currency")
);
--> statement-breakpoint
CREATE TABLE "model_fits" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"status" text NOT NULL,
	"stage" text,
	"calibration_version" integer,
	"attempts" integer NOT NULL,
	"requested_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"due_at" timestamp (3) with time zone,
	CONSTRAINT "model_fits_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "prediction_walks" (
	"tenant_id" uuid PRIMARY KEY NOT NULL,
	"due_at" timestamp (3) with time zone,
	"cursor" uuid,
	"started_at" timestamp (3) with time zone,
	"customers_done" integer NOT NULL,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "policy_previews" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"policy_id" uuid NOT NULL,
	"policy_revision" integer NOT NULL,
	"policy" jsonb NOT NULL,
	"effective_from" timestamp (3) with time zone,
	"backfill" boolean NOT NULL,
	"policy_version" integer NOT NULL,
	"calibration_version" integer NOT NULL,
	"status" text NOT NULL,
	"failure" text,
	"cursor" uuid,
	"tally" json NOT NULL,
	"due_at" timestamp (3) with time zone,
	"created_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "policy_previews_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "shadow_counts" (
	"tenant_id" uuid NOT NULL,
	"policy_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"from_stage" text NOT NULL,
	"to_stage" text NOT NULL,
	"event_type" text NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "shadow_counts_pk" PRIMARY KEY("tenant_id","policy_id","kind","from_stage","to_stage","event_type")
);
--> statement-breakpoint
CREATE TABLE "shadow_customers" (
	"tenant_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"policy_id" uuid NOT NULL,
	"stage" text NOT NULL,
	"stage_since" timestamp (3) with time zone NOT NULL,
	"live_stage" text NOT NULL,
	"live_since" timestamp (3) with time zone NOT NULL,
	"differs" boolean NOT NULL,
	"differs_since" timestamp (3) with time zone,
	"basis" json,
	"flows" json NOT NULL,
	"due_at" timestamp (3) with time zone,
	"as_of" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "shadow_customers_tenant_id_customer_id_policy_id_pk" PRIMARY KEY("tenant_id","customer_id","policy_id")
);
--> statement-breakpoint
CREATE TABLE "shadow_marks" (
	"tenant_id" uuid NOT NULL,
	"policy_id" uuid NOT NULL,
	"marked_at" timestamp (3) with time zone NOT NULL,
	"customer_id" uuid NOT NULL,
	"version" integer NOT NULL,
	CONSTRAINT "shadow_marks_pk" PRIMARY KEY("tenant_id","policy_id","marked_at","customer_id","version")
);
--> statement-breakpoint
CREATE TABLE "shadow_transitions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"policy_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"from_stage" text,
	"to_stage" text NOT NULL,
	"effective_at" timestamp (3) with time zone NOT NULL,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	"superseded_at" timestamp (3) with time zone,
	"cause" text NOT NULL,
	"cause_id" text,
	"policy_version" integer,
	"calibration_version" integer NOT NULL,
	"evidence" json NOT NULL,
	"actor" text,
	"reason" text,
	CONSTRAINT "shadow_transitions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "shadows" (
	"tenant_id" uuid NOT NULL,
	"policy_id" uuid NOT NULL,
	"policy" jsonb NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"status" text NOT NULL,
	"started_by" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"stopped_at" timestamp (3) with time zone,
	"fill" text NOT NULL,
	"cursor" uuid,
	"customers_filled" integer NOT NULL,
	"filled_at" timestamp (3) with time zone,
	"policy_seen" integer NOT NULL,
	"calibration_seen" integer NOT NULL,
	"due_at" timestamp (3) with time zone,
	"claim_token" uuid,
	CONSTRAINT "shadows_tenant_id_policy_id_pk" PRIMARY KEY("tenant_id","policy_id")
);
--> statement-breakpoint
DROP INDEX "transitions_customer_idx";--> statement-breakpoint
ALTER TABLE "policies" DROP CONSTRAINT "policies_tenant_id_version_pk";--> statement-breakpoint
ALTER TABLE "policies" ALTER COLUMN "version" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "policies" ALTER COLUMN "activated_by" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "tags" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "merged_into" uuid;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "calibrations" ADD COLUMN "models" jsonb;--> statement-breakpoint
ALTER TABLE "policies" ADD COLUMN "id" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
ALTER TABLE "policies" ADD COLUMN "name" text;--> statement-breakpoint
ALTER TABLE "policies" ADD COLUMN "status" text DEFAULT 'retired' NOT NULL;--> statement-breakpoint
ALTER TABLE "policies" ADD COLUMN "status_changes" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "policies" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "policies" ADD CONSTRAINT "policies_tenant_id_id_pk" PRIMARY KEY("tenant_id","id");--> statement-breakpoint
ALTER TABLE "touchpoints" ADD COLUMN "satisfaction_scale" text;--> statement-breakpoint
ALTER TABLE "touchpoints" ADD COLUMN "satisfaction_score" smallint;--> statement-breakpoint
ALTER TABLE "backtests" ADD CONSTRAINT "backtests_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_tags" ADD CONSTRAINT "customer_tags_tenant_id_customer_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","customer_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "duplicate_keys" ADD CONSTRAINT "duplicate_keys_tenant_id_customer_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","customer_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "duplicate_pairs" ADD CONSTRAINT "duplicate_pairs_tenant_id_first_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","first_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "duplicate_pairs" ADD CONSTRAINT "duplicate_pairs_tenant_id_second_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","second_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "duplicate_walks" ADD CONSTRAINT "duplicate_walks_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_merge_rows" ADD CONSTRAINT "customer_merge_rows_tenant_id_merge_id_customer_merges_tenant_id_id_fk" FOREIGN KEY ("tenant_id","merge_id") REFERENCES "public"."customer_merges"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_merges" ADD CONSTRAINT "customer_merges_tenant_id_survivor_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","survivor_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_merges" ADD CONSTRAINT "customer_merges_tenant_id_merged_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","merged_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_predictions" ADD CONSTRAINT "customer_predictions_tenant_id_customer_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","customer_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_values" ADD CONSTRAINT "customer_values_tenant_id_customer_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","customer_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "model_fits" ADD CONSTRAINT "model_fits_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "prediction_walks" ADD CONSTRAINT "prediction_walks_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "policy_previews" ADD CONSTRAINT "policy_previews_tenant_id_policy_id_policies_tenant_id_id_fk" FOREIGN KEY ("tenant_id","policy_id") REFERENCES "public"."policies"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadow_customers" ADD CONSTRAINT "shadow_customers_tenant_id_customer_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","customer_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadow_transitions" ADD CONSTRAINT "shadow_transitions_tenant_id_customer_id_customers_tenant_id_id_fk" FOREIGN KEY ("tenant_id","customer_id") REFERENCES "public"."customers"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shadows" ADD CONSTRAINT "shadows_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "backtests_policy_idx" ON "backtests" USING btree ("tenant_id","policy_key","id");--> statement-breakpoint
CREATE INDEX "backtests_due_idx" ON "backtests" USING btree ("due_at","tenant_id") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "backtests_open_idx" ON "backtests" USING btree ("tenant_id","due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "customer_tags_customer_idx" ON "customer_tags" USING btree ("tenant_id","customer_id");--> statement-breakpoint
CREATE INDEX "duplicate_keys_customer_idx" ON "duplicate_keys" USING btree ("tenant_id","customer_id");--> statement-breakpoint
CREATE UNIQUE INDEX "duplicate_pairs_customers_key" ON "duplicate_pairs" USING btree ("tenant_id","first_id","second_id");--> statement-breakpoint
CREATE INDEX "duplicate_pairs_second_idx" ON "duplicate_pairs" USING btree ("tenant_id","second_id");--> statement-breakpoint
CREATE INDEX "duplicate_pairs_open_idx" ON "duplicate_pairs" USING btree ("tenant_id","score","id") WHERE dismissed_at is null;--> statement-breakpoint
CREATE INDEX "duplicate_walks_due_idx" ON "duplicate_walks" USING btree ("due_at","tenant_id");--> statement-breakpoint
CREATE INDEX "customer_merges_survivor_idx" ON "customer_merges" USING btree ("tenant_id","survivor_id","created_at","id");--> statement-breakpoint
CREATE INDEX "customer_merges_merged_idx" ON "customer_merges" USING btree ("tenant_id","merged_id","created_at","id");--> statement-breakpoint
CREATE INDEX "customer_predictions_alive_idx" ON "customer_predictions" USING btree ("tenant_id","p_alive","customer_id");--> statement-breakpoint
CREATE INDEX "customer_predictions_orders_idx" ON "customer_predictions" USING btree ("tenant_id","expected_orders_90","customer_id");--> statement-breakpoint
CREATE INDEX "customer_values_future_idx" ON "customer_values" USING btree ("tenant_id","currency","future_minor","customer_id");--> statement-breakpoint
CREATE INDEX "model_fits_due_idx" ON "model_fits" USING btree ("due_at","tenant_id") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "prediction_walks_due_idx" ON "prediction_walks" USING btree ("due_at","tenant_id") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "policy_previews_due_idx" ON "policy_previews" USING btree ("due_at","tenant_id") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "policy_previews_created_idx" ON "policy_previews" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "policy_previews_policy_idx" ON "policy_previews" USING btree ("tenant_id","policy_id");--> statement-breakpoint
CREATE INDEX "shadow_customers_due_idx" ON "shadow_customers" USING btree ("tenant_id","policy_id","due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "shadow_customers_differs_idx" ON "shadow_customers" USING btree ("tenant_id","policy_id","live_stage","stage","customer_id") WHERE differs;--> statement-breakpoint
CREATE INDEX "shadow_customers_stage_idx" ON "shadow_customers" USING btree ("tenant_id","policy_id","stage","live_stage","customer_id") WHERE differs;--> statement-breakpoint
CREATE INDEX "shadow_transitions_customer_idx" ON "shadow_transitions" USING btree ("tenant_id","customer_id","effective_at","id");--> statement-breakpoint
CREATE INDEX "shadows_due_idx" ON "shadows" USING btree ("due_at","tenant_id") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "shadows_running_idx" ON "shadows" USING btree ("tenant_id","policy_id") WHERE status = 'running';--> statement-breakpoint
CREATE INDEX "customer_attribute_facts_history_idx" ON "customer_attribute_facts" USING btree ("tenant_id","customer_id","effective_at","id");--> statement-breakpoint
CREATE INDEX "customers_changed_idx" ON "customers" USING btree ("tenant_id","updated_at","id");--> statement-breakpoint
CREATE INDEX "customers_merged_idx" ON "customers" USING btree ("tenant_id","merged_into") WHERE merged_into is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "policies_version_idx" ON "policies" USING btree ("tenant_id","version");--> statement-breakpoint
CREATE INDEX "policies_created_idx" ON "policies" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "policies_status_idx" ON "policies" USING btree ("tenant_id","status","created_at","id");--> statement-breakpoint
CREATE INDEX "transitions_customer_idx" ON "transitions" USING btree ("tenant_id","customer_id","effective_at","id","recorded_at","superseded_at","to_stage");