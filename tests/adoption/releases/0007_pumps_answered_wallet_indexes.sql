-- When the pumps were last answered; indexes of the watchlist.
ALTER TABLE "discovery_pumps" ADD COLUMN "answered_at" timestamp with time zone NULL;
CREATE INDEX "discovery_wallets_flags" ON "discovery_wallets" USING gin ("flags");
CREATE INDEX "discovery_wallets_label" ON "discovery_wallets" ("label") WHERE NOT ("label" = '');
CREATE INDEX "discovery_wallets_address" ON "discovery_wallets" ("address" varchar_pattern_ops);
