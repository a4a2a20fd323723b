-- The creator of a token.
ALTER TABLE "discovery_run_tokens" ADD COLUMN "creator" varchar(44) DEFAULT '' NOT NULL;
