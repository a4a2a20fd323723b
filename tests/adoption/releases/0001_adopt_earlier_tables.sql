-- The tables of the earlier system.
CREATE TABLE IF NOT EXISTS discovery_runs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    status VARCHAR(20) NOT NULL DEFAULT 'running',
    trigger_type VARCHAR(20) NOT NULL,
    triggered_by VARCHAR(100),
    min_price_change_pct DECIMAL(5,2),
    min_volume_usd DECIMAL(15,2),
    max_token_age_hours INTEGER,
    early_window_minutes INTEGER,
    min_profit_pct DECIMAL(5,2),
    max_tokens INTEGER,
    tokens_analyzed INTEGER DEFAULT 0,
    new_wallets INTEGER DEFAULT 0,
    updated_wallets INTEGER DEFAULT 0,
    profiled_wallets INTEGER DEFAULT 0,
    duration_seconds DECIMAL(10,2),
    errors JSONB DEFAULT '[]',
    created_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX IF NOT EXISTS idx_discovery_runs_started ON discovery_runs (started_at DESC);
CREATE INDEX IF NOT EXISTS idx_discovery_runs_status ON discovery_runs (status);
CREATE TABLE IF NOT EXISTS discovery_run_wallets (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id UUID NOT NULL REFERENCES discovery_runs (id) ON DELETE CASCADE,
    wallet_address VARCHAR(44) NOT NULL,
    source_token VARCHAR(44) NOT NULL,
    is_new BOOLEAN DEFAULT TRUE,
    initial_score DECIMAL(5,4),
    created_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX IF NOT EXISTS idx_drw_run ON discovery_run_wallets (run_id);
CREATE INDEX IF NOT EXISTS idx_drw_wallet ON discovery_run_wallets (wallet_address);
CREATE TABLE IF NOT EXISTS discovery_config (
    id INTEGER PRIMARY KEY DEFAULT 1,
    enabled BOOLEAN DEFAULT TRUE,
    schedule_hours INTEGER DEFAULT 6,
    min_price_change_pct DECIMAL(5,2) DEFAULT 100.0,
    min_volume_usd DECIMAL(15,2) DEFAULT 50000.0,
    max_token_age_hours INTEGER DEFAULT 72,
    early_window_minutes INTEGER DEFAULT 30,
    min_profit_pct DECIMAL(5,2) DEFAULT 50.0,
    max_tokens INTEGER DEFAULT 20,
    profile_immediately BOOLEAN DEFAULT TRUE,
    updated_at TIMESTAMPTZ DEFAULT NOW(),
    updated_by VARCHAR(100),
    CONSTRAINT single_config_row CHECK (id = 1)
);
DO $align$
DECLARE
    variant name;
BEGIN
    FOR variant IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'discovery_config'::regclass AND contype = 'c'
            AND (conname = 'single_config_row' OR pg_get_constraintdef(oid) LIKE 'CHECK ((id = 1))%')
    LOOP
        EXECUTE format('ALTER TABLE discovery_config DROP CONSTRAINT %I', variant);
    END LOOP;
    ALTER TABLE discovery_config ADD CONSTRAINT single_config_row CHECK (id = 1);
    FOR variant IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'discovery_run_wallets'::regclass AND contype = 'f'
            AND (conname = 'discovery_run_wallets_run_id_fkey' OR confrelid = 'discovery_runs'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE discovery_run_wallets DROP CONSTRAINT %I', variant);
    END LOOP;
    ALTER TABLE discovery_run_wallets ADD CONSTRAINT discovery_run_wallets_run_id_fkey
        FOREIGN KEY (run_id) REFERENCES discovery_runs (id) ON DELETE CASCADE;
END
$align$;
CREATE TEMPORARY TABLE added (model, label) AS VALUES
    ('discoveryrun', 'run'),
    ('discoveryrunwallet', 'wallet of a run'),
    ('discoveryconfig', 'configuration');
INSERT INTO django_content_type (app_label, model) SELECT 'discovery', model FROM added;
INSERT INTO auth_permission (content_type_id, codename, name)
SELECT id, action || '_' || model, 'Can ' || action || ' ' || label
FROM added JOIN django_content_type USING (model), unnest(ARRAY['add', 'change', 'delete', 'view']) action
WHERE app_label = 'discovery';
DROP TABLE added;
