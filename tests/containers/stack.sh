#!/usr/bin/env bash
# The stack of docker-compose.yml from a clean checkout: it comes up, is asked all that it promises, and goes down.
# Without a Docker engine it says so and succeeds.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
begin containers

if SECRET_KEY='' POSTGRES_PASSWORD=x docker compose config --quiet 2>"$work/refusal"; then wrong "starts without a SECRET_KEY"; fi
grep -q 'Set SECRET_KEY' "$work/refusal" || wrong "does not say that SECRET_KEY is missing"
if SECRET_KEY=x POSTGRES_PASSWORD='' docker compose config --quiet 2>"$work/refusal"; then wrong "starts without a POSTGRES_PASSWORD"; fi
grep -q 'Set POSTGRES_PASSWORD' "$work/refusal" || wrong "does not say that POSTGRES_PASSWORD is missing"
say "compose refuses to start without secrets"

make_env
[ "$(stat --format %a .env)" = 600 ] || wrong ".env may be read by others"
say "docker build and docker run make .env"
docker compose build --no-cache walltrack-app walltrack-dashboard >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2 && wrong "not built"; }
say "built without a cache: $(docker image inspect --format '{{.Size}}' "walltrack:$WALLTRACK_TAG" | numfmt --to=si) bytes"

started=$SECONDS
up
[ $((SECONDS - started)) -le 90 ] || wrong "healthy only after $((SECONDS - started)) s"
say "all six services are healthy after $((SECONDS - started)) s"
image=$(docker image inspect --format '{{.Id}}' "walltrack:$WALLTRACK_TAG")
for service in app dashboard worker beat; do
    container=$(docker compose ps --quiet "walltrack-$service")
    [ "$(docker inspect --format '{{.Image}}' "$container")" = "$image" ] || wrong "walltrack-$service runs another image"
    [ "$(docker compose exec -T "walltrack-$service" id -u)" -ne 0 ] || wrong "walltrack-$service runs as root"
    [ "$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}}' "$container")" = true ] || wrong "walltrack-$service can write"
    if docker compose exec -T "walltrack-$service" sh -c 'touch /app/x || touch /venv/x' 2>/dev/null; then wrong "walltrack-$service can write"; fi
done
say "all four run the new image, not as root, on a root that is read only"

docker save "walltrack:$WALLTRACK_TAG" | tar -x -C "$(mkdir "$work/image" && echo "$work/image")"
find "$work/image" -type f -exec sh -c 'tar -xOf "$1" 2>/dev/null || cat "$1"' sh {} \; >"$work/layers"
for name in SECRET_KEY POSTGRES_PASSWORD ADMIN_PASSWORD; do
    [ -n "$(setting $name)" ] || wrong "no $name"
    if grep --quiet --fixed-strings --text "$(setting $name)" "$work/layers"; then wrong "$name is in the image"; fi
done
docker run --rm "walltrack:$WALLTRACK_TAG" sh -c 'test ! -e .env && test ! -e .git && test ! -e tests && test -e staticfiles' || wrong "a file too many in the image"
rm -rf "$work/image" "$work/layers"
say "no secret in any layer"

tables=$(sql "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE tablename IN ('discovery_runs', 'discovery_run_wallets', 'discovery_config')")
[ "$tables" = "discovery_config discovery_run_wallets discovery_runs" ] || wrong "tables: $tables"
docker compose run --rm -T walltrack-app python manage.py migrate --check >/dev/null 2>&1 || wrong "migrations are pending"
docker compose run --rm -T walltrack-app python manage.py migrate >"$work/migrate" 2>&1 || wrong "$(cat "$work/migrate")"
say "the tables are made; migrate may be run again"

expect 200 "$app/health/detailed"
[ "$(field 'd["scheduler"]["enabled"], d["scheduler"]["schedule_hours"], d["last_discovery_run"]')" = "(True, 6, None)" ] || wrong "$(cat "$work/page")"
for address in "$app" "$ui"; do
    expect 200 --location "$address/"
    expect 200 "$address/static/admin/css/base.css"
    expect 200 --header 'Host: anything.example' "$address/health"
    log_in "$address"
done
[ "$(sql 'SELECT count(*) FROM auth_user')" = 1 ] || wrong "more than one first operator"
say "health, pages and styles on both ports; the first operator of .env logs in"

key=$(manage create_api_key robot --scope admin 2>/dev/null)
reader=$(manage create_api_key reader --scope read 2>/dev/null)
for path in status runs stats config pumps wallets; do
    api 200 GET "$app/api/discovery/$path"
    expect 401 "$app/api/discovery/$path"
done
expect 403 --request POST --header "Authorization: Bearer $reader" "$app/api/discovery/run"
expect 200 --header "Authorization: Bearer $reader" --header 'Origin: https://pages.example' "$app/api/discovery/status"
if grep -qi '^access-control-allow-origin' "$work/headers"; then wrong "another site may read"; fi
say "the API: with a key, not without, not beyond its scope, not for other sites"

refused() { # refused WORDS docker-compose-run-options…
    local words=$1
    shift
    if docker compose run --rm -T --no-deps "$@" walltrack-app web >"$work/refused" 2>&1; then wrong "starts with $*"; fi
    grep -q -- "$words" "$work/refused" || wrong "$* is refused with: $(tail -n 3 "$work/refused")"
    if grep -q Traceback "$work/refused"; then wrong "$* is refused with a traceback"; fi
}
refused 'WallTrack does not start. SECRET_KEY: not set' --env SECRET_KEY=changeme-changeme-changeme-changeme
refused 'WallTrack does not start. DEBUG: true' --env DEBUG=true
refused "WallTrack does not start. ALLOWED_HOSTS: '\*'" --env 'ALLOWED_HOSTS=*'
refused 'WallTrack does not start. DATABASE_URL: its password' --env DATABASE_URL=postgresql://walltrack:changeme@postgres/walltrack
refused 'the database is unreachable: .*password authentication failed' --env DATABASE_URL=postgresql://walltrack:of-another@postgres/walltrack
docker compose run --rm -T --no-deps --env PUBLIC_URL=https://walltrack.example walltrack-app \
    python manage.py check --deploy --fail-level WARNING >"$work/check" 2>&1 || wrong "$(cat "$work/check")"
say "refuses default secrets, DEBUG, any host and a failed migration with the cause; check --deploy is clean with https"

sed -i -e 's/^MARKET=.*/MARKET=simulated/' -e 's/^#COMPOSE_PROFILES=/COMPOSE_PROFILES=/' -e 's/^DISCOVERY_HOUR_SECONDS=.*/DISCOVERY_HOUR_SECONDS=5/' \
    -e "s|^PUBLIC_URL=.*|PUBLIC_URL=http://walltrack.test:$PORT|" -e 's|^CORS_ALLOWED_ORIGINS=.*|CORS_ALLOWED_ORIGINS=https://pages.example|' .env
up
say "the profile 'simulated' and MARKET=simulated turn to the simulated market"
expect 200 --header 'Origin: https://pages.example' --header "Authorization: Bearer $key" "$app/api/discovery/status"
grep -qi '^access-control-allow-origin: https://pages.example' "$work/headers" || wrong "CORS: $(cat "$work/headers")"
expect 200 --header 'Origin: https://other.example' --header "Authorization: Bearer $key" "$app/api/discovery/status"
if grep -qi '^access-control-allow-origin' "$work/headers"; then wrong "CORS for everybody"; fi
expect 200 --request OPTIONS --header 'Origin: https://pages.example' --header 'Access-Control-Request-Method: POST' \
    --header 'Access-Control-Request-Headers: authorization,content-type' "$app/api/discovery/run"
grep -qi '^access-control-allow-headers:.*authorization' "$work/headers" || wrong "preflight: $(cat "$work/headers")"
log_in "$app" "walltrack.test:$PORT"
say "CORS as configured; login under another name over http"

in_history() { # in_history TRIGGER: $run has its page and stands in the history among those so triggered
    expect 200 --cookie "$cookies" "$ui/admin/discovery/runs/$run/"
    expect 200 --cookie "$cookies" "$ui/admin/discovery/overview?trigger_type=$1"
    grep -q "$run" "$work/page" || wrong "the run is not in the history page"
}
log_in "$ui"
expect 202 --cookie "$cookies" --request POST --header "X-CSRFToken: $(awk '$6 ~ /_csrf$/ { print $7 }' "$cookies")" "$ui/api/discovery/run"
run=$(field 'd["run_id"]')
for part in '' live overview pumps wallets/; do expect 200 --cookie "$cookies" "$ui/admin/discovery/$part"; done
until_true 120 "the run on the dashboard's port ends" run_is "$ui" "$run" completed
api 200 GET "$app/api/discovery/runs/$run"
[ "$(field 'd["triggered_by"], d["new_wallets"] > 0')" = "('$(setting ADMIN_USERNAME)', True)" ] || wrong "$(cat "$work/page")"
in_history api
say "the dashboard's port logs in and starts a run, which finds wallets"

api 200 GET "$app/api/discovery/config"
version=$(sed -n 's/^etag: //ip' "$work/headers" | tr -d '\r')
api 200 PATCH "$app/api/discovery/config" --header "If-Match: $version" --data '{"schedule_hours": 2}'
scheduled() {
    api 200 GET "$app/api/discovery/runs?trigger_type=scheduled&status=completed"
    [ "$(field 'len(d["runs"])')" -gt 0 ]
}
until_true 180 "a scheduled run" scheduled
run=$(field 'd["runs"][0]["id"]')
in_history scheduled
expect 200 "$app/health/detailed"
[ "$(field 'd["scheduler"]["enabled"], d["last_discovery_run"]["trigger_type"], d["scheduler"]["last_run"] is not None')" = "(True, 'scheduled', True)" ] || wrong "$(cat "$work/page")"
say "a scheduled run fired by itself, is stored and in the history; health shows scheduler and last run"

API_AUTH_ENABLED=false docker compose up --detach --wait --no-deps walltrack-dashboard >/dev/null 2>&1 || wrong "the dashboard does not start again"
for path in status runs stats config pumps wallets; do expect 200 "$ui/api/discovery/$path"; done
expect 401 "$app/api/discovery/runs"
say "API_AUTH_ENABLED=false opens the API where it is set"

docker compose stop walltrack-app >/dev/null 2>&1
expect 200 "$ui/health/ready"
started=$SECONDS
docker compose stop walltrack-worker walltrack-beat >/dev/null 2>&1
[ $((SECONDS - started)) -lt 40 ] || wrong "worker or beat had to be killed"
expect 503 "$ui/health/detailed"
grep -q '"workers": {"status": "fail"' "$work/page" || wrong "health: $(cat "$work/page")"
say "the dashboard works while the app is down; worker and beat stop in time, and health says so"
docker compose logs --no-log-prefix >"$work/all.log" 2>&1
for name in SECRET_KEY POSTGRES_PASSWORD ADMIN_PASSWORD; do
    if grep --quiet --fixed-strings "$(setting $name)" "$work/all.log"; then wrong "$name is in the logs"; fi
done
if grep --quiet --fixed-strings "$key" "$work/all.log"; then wrong "an API key is in the logs"; fi
say "no secret in the logs"
