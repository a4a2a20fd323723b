#!/usr/bin/env bash
# Replicas that start together, a stop in the middle of a run, data over a `down`.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
begin "containers, restarts"

make_env
sed -i -e 's/^MARKET=.*/MARKET=simulated/' -e 's/^#COMPOSE_PROFILES=/COMPOSE_PROFILES=/' .env
read -r first < <(python3 -c 'import socket
for first in range(20100, 30000, 10):
    try:
        taken = [socket.create_server(("127.0.0.1", first + n)) for n in range(3)]
    except OSError:
        continue
    print(first)
    break')
PORT=$first-$((first + 2)) up --scale walltrack-app=3
[ "$(docker compose ps --quiet walltrack-app | wc -l)" = 3 ] || wrong "not three of walltrack-app"
docker compose logs --no-log-prefix walltrack-app walltrack-dashboard >"$work/start.log" 2>&1
for migration in contenttypes.0001_initial auth.0001_initial sessions.0001_initial; do
    [ "$(grep -c "Applying $migration\.\.\. OK" "$work/start.log")" = 1 ] || wrong "$migration was not applied once: $(grep Applying "$work/start.log")"
done
[ "$(grep -c 'Applying' "$work/start.log")" = "$(sql 'SELECT count(*) FROM django_migrations')" ] || wrong "a migration was applied twice"
[ "$(grep -c 'The first operator is' "$work/start.log")" = 1 ] || wrong "the first operator was made twice"
for n in 0 1 2; do expect 200 "http://127.0.0.1:$((first + n))/health/ready"; done
say "three replicas and the dashboard start together: each migration once, one first operator"

PORT=$first up
app=http://127.0.0.1:$first
PORT=$first
key=$(manage create_api_key robot --scope run 2>/dev/null)
found() { sql "SELECT md5(string_agg(wallet_address || ' ' || source_token || ' ' || profit_pct, ';' ORDER BY wallet_address, source_token)) FROM discovery_run_wallets WHERE run_id = '$1'"; }
start_run() {
    api 202 POST "$app/api/discovery/run"
    run=$(field 'd["run_id"]')
}
start_run
until_true 120 "a run ends" run_is "$app" "$run" completed
undisturbed=$run

at_work() {
    api 200 GET "$app/api/discovery/runs/$run"
    [ "$(field 'd["status"] == "running" and 0 < d["progress"]["done"] < d["progress"]["total"]')" = True ]
}
start_run
until_true 60 "the run is at work" at_work
started=$SECONDS
docker compose stop >/dev/null 2>&1
[ "$(docker compose ps --all --format '{{.ExitCode}}' walltrack-worker)" != 137 ] || wrong "the worker had to be killed"
say "stopped in the middle of a run in $((SECONDS - started)) s"
up
until_true 150 "the run that was interrupted ends" run_is "$app" "$run" completed
[ -n "$(found "$run")" ] && [ "$(found "$run")" = "$(found "$undisturbed")" ] || wrong "the interrupted run found other wallets"
say "up again, it ends by itself and found what an undisturbed run finds, to the digit"

before=$(sql 'SELECT md5(string_agg(r::text, $$;$$ ORDER BY id)) FROM discovery_runs r')
docker compose down >/dev/null 2>&1
up
[ "$(sql 'SELECT md5(string_agg(r::text, $$;$$ ORDER BY id)) FROM discovery_runs r')" = "$before" ] || wrong "runs are not as before"
api 200 GET "$app/api/discovery/runs/$undisturbed"
say "data, logins and keys survive down and up"
