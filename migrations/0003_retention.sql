ALTER TABLE "feeds" ADD COLUMN "pruned_to" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "feeds" ADD COLUMN "swept_to" bigint DEFAULT -9007199254740991 NOT NULL;--> statement-breakpoint
-- Which tenants have events that are old enough to be pruned: seen by where each feed begins.
CREATE POLICY finder ON feeds FOR SELECT TO perennial_finder USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, pruned_to) ON feeds TO perennial_finder;
