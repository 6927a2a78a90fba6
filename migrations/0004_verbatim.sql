ALTER TABLE "orders" ALTER COLUMN "lines" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "orders" ALTER COLUMN "refunds" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "customer_lifecycles" ALTER COLUMN "state" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "customer_lifecycles" ALTER COLUMN "outlook" SET DATA TYPE json;--> statement-breakpoint
ALTER TABLE "transitions" ALTER COLUMN "evidence" SET DATA TYPE json;