-- Wallets that the earlier system found.
INSERT INTO discovery_wallets (address, status, first_discovered_at, last_discovered_at, discovery_count, label, note)
SELECT wallet_address, 'insufficient_data', min(coalesce(found.created_at, run.started_at)),
       max(coalesce(found.created_at, run.started_at)), count(DISTINCT run_id), '', ''
FROM discovery_run_wallets found JOIN discovery_runs run ON run.id = found.run_id
WHERE wallet_address <> ''
GROUP BY wallet_address
ON CONFLICT (address) DO NOTHING
;
