#!/usr/bin/env bash
# The database of the earlier WallTrack under replicas that start together, a stop in the middle of a run, a rollback,
# data over a `down`.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
begin "containers, restarts"

make_env
# No run but those that are started here.
sed -i -e 's/^MARKET=.*/MARKET=simulated/' -e 's/^#COMPOSE_PROFILES=/COMPOSE_PROFILES=/' \
    -e 's/^DISCOVERY_SCHEDULER_ENABLED=.*/DISCOVERY_SCHEDULER_ENABLED=false/' .env
read -r first < <(python3 -c 'import socket
for first in range(20100, 30000, 10):
    try:
        taken = [socket.create_server(("127.0.0.1", first + n)) for n in range(3)]
    except OSError:
        continue
    print(first)
    break')
up postgres
earlier_sql "$WALLTRACK_TAG" | docker compose exec -T postgres psql --username walltrack --dbname walltrack --quiet --set ON_ERROR_STOP=1
PORT=$first-$((first + 2)) up --scale walltrack-app=3
[ "$(docker compose ps --quiet walltrack-app | wc -l)" = 3 ] || wrong "not three of walltrack-app"
docker compose logs --no-log-prefix walltrack-app walltrack-dashboard >"$work/start.log" 2>&1
for migration in contenttypes.0001_initial auth.0001_initial sessions.0001_initial discovery.0001_adopt_earlier_tables; do
    [ "$(grep -c "Applying $migration\.\.\. OK" "$work/start.log")" = 1 ] || wrong "$migration was not applied once: $(grep Applying "$work/start.log")"
done
twice=$(grep -o 'Applying [^ ]*\.\.\. OK' "$work/start.log" | sort | uniq --repeated)
[ -z "$twice" ] || wrong "applied twice: $twice"
[ "$(grep -c 'The first operator is' "$work/start.log")" = 1 ] || wrong "the first operator was made twice"
for n in 0 1 2; do expect 200 "http://127.0.0.1:$((first + n))/health/ready"; done
say "three replicas and the dashboard start together: each migration once, one first operator"

PORT=$first
app=http://127.0.0.1:$PORT
up
key=$(manage create_api_key robot --scope run 2>/dev/null)
adopted
say "the earlier system's tables are adopted where they are: runs, wallets and configuration as they were"

found() { sql "SELECT md5(string_agg(wallet_address || ' ' || source_token || ' ' || profit_pct, ';' ORDER BY wallet_address, source_token)) FROM discovery_run_wallets WHERE run_id = '$1'"; }
start_run() { # wide enough to take some seconds; what was adopted is narrow
    api 202 POST "$app/api/discovery/run" --data '{"min_price_change_pct": 100, "min_volume_usd": 50000, "max_token_age_hours": 72,
        "early_window_minutes": 30, "min_profit_pct": 50, "max_tokens": 20, "profile_immediately": true}'
    run=$(field 'd["run_id"]')
}
start_run
until_true 120 "a run ends" run_is "$app" "$run" completed
[ "$(field 'd["new_wallets"] > 20')" = True ] || wrong "a run that finds too little: $(cat "$work/page")"
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

history() { sql "SELECT count(*), md5(string_agg(concat_ws(' ', id, status, started_at, completed_at, new_wallets, updated_wallets, funnel, errors), ';' ORDER BY id)) FROM discovery_runs"; }
tag=$WALLTRACK_TAG
kept=$(history)
runs_everywhere() { # runs_everywhere TAG VERSION: all four services run it, with the history as it was
    local image service
    image=$(docker image inspect --format '{{.Id}}' "walltrack:$1")
    for service in app dashboard worker beat; do
        [ "$(docker inspect --format '{{.Image}}' "$(docker compose ps --quiet "walltrack-$service")")" = "$image" ] || wrong "walltrack-$service does not run $1"
    done
    [ "$(version)" = "$2" ] || wrong "health tells version $(version), not $2"
    [ "$(history)" = "$kept" ] || wrong "runs are not as before"
    api 200 GET "$app/api/discovery/runs/$undisturbed"
}
next_release 'SELECT of_no_such_column'
WALLTRACK_TAG=$tag-broken docker compose build walltrack-app >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2 && wrong "not built"; }
if WALLTRACK_TAG=$tag-broken docker compose run --rm -T --no-deps walltrack-app web >"$work/refused" 2>&1; then wrong "starts over a migration that failed"; fi
grep -q 'CommandError: migration discovery.9999_of_the_next_release failed: .*of_no_such_column' "$work/refused" || wrong "a failed migration says: $(tail -n 3 "$work/refused")"
if grep -q Traceback "$work/refused"; then wrong "a failed migration ends with a traceback"; fi
expect 200 "$app/health/ready"
[ "$(history)" = "$kept" ] || wrong "runs are not as before"
say "a migration that fails stops the start with its cause; what ran goes on"

next_release 'ALTER TABLE discovery_runs ADD COLUMN of_the_next_release integer'
export WALLTRACK_TAG=$tag-new
docker compose build walltrack-app walltrack-dashboard >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2 && wrong "not built"; }
up
runs_everywhere "$tag-new" "$tag-new"
[ "$(sql 'SELECT count(of_the_next_release) FROM discovery_runs')" = 0 ] || wrong "not migrated"
WALLTRACK_TAG=$tag up --no-build
runs_everywhere "$tag" unreleased
expect 200 "$app/health/ready"
up --no-build
runs_everywhere "$tag-new" "$tag-new"
say "a newer image, back to the one before and forward again: everywhere, with the history as it was"

docker compose down >/dev/null 2>&1
up
[ "$(history)" = "$kept" ] || wrong "runs are not as before"
log_in "$app"
api 200 GET "$app/api/discovery/runs/$undisturbed"
say "data, logins and keys survive down and up"
