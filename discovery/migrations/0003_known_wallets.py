"""Put the wallets that the earlier system found on the watchlist, unprofiled, so that runs count them as known."""

from django.db import migrations

INSERT = """
INSERT INTO discovery_wallets (address, status, first_discovered_at, last_discovered_at, discovery_count, label, note)
SELECT wallet_address, 'insufficient_data', min(coalesce(found.created_at, run.started_at)),
       max(coalesce(found.created_at, run.started_at)), count(DISTINCT run_id), '', ''
FROM discovery_run_wallets found JOIN discovery_runs run ON run.id = found.run_id
WHERE wallet_address <> ''
GROUP BY wallet_address
ON CONFLICT (address) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("discovery", "0002_runs_wallets_trades")]

    # Going back removes nothing: the migration that created the table drops it.
    operations = [migrations.RunSQL(INSERT, migrations.RunSQL.noop)]
