DROP INDEX "policy_previews_policy_idx";--> statement-breakpoint
CREATE INDEX "policy_previews_status_idx" ON "policy_previews" USING btree ("tenant_id","status","id");--> statement-breakpoint
CREATE INDEX "policy_previews_policy_idx" ON "policy_previews" USING btree ("tenant_id","policy_id","status","id");