#!/usr/bin/env bash
# What docs/deploy.md shows of others' programs, as it stands there: nginx with TLS before the stack, a PostgreSQL outside
# of it with PgBouncer between.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
begin "containers, proxies"

make_env
sed -i -e 's/^MARKET=.*/MARKET=simulated/' -e 's/^#COMPOSE_PROFILES=/COMPOSE_PROFILES=/' \
    -e 's/^DISCOVERY_SCHEDULER_ENABLED=.*/DISCOVERY_SCHEDULER_ENABLED=false/' .env
network=${COMPOSE_PROJECT_NAME}_default
proxy=$COMPOSE_PROJECT_NAME-nginx outside=$COMPOSE_PROJECT_NAME-outside pooler=$COMPOSE_PROJECT_NAME-pgbouncer
others+=("$proxy" "$outside" "$pooler")
tools=walltrack:$WALLTRACK_TAG-tools
docker build --quiet --tag "$tools" - >/dev/null <<'DOCKERFILE'
FROM python:3.13-slim-trixie
RUN apt-get update && apt-get install --yes --no-install-recommends nginx openssl pgbouncer
DOCKERFILE

block() { # block LANGUAGE SECTION: the page's block in that language
    python3 - "$1" "$2" <<'PY'
import pathlib, re, sys

language, title = sys.argv[1:]
section = next(part for part in re.split(r"^## ", pathlib.Path("docs/deploy.md").read_text(), flags=re.M) if part.startswith(title))
print(re.search(rf"^```{language}\n(.*?)^```", section, re.M | re.S)[1])
PY
}

# --- nginx ---

block ini 'TLS' >>.env
up
mkdir "$work/nginx"
{
    printf 'events {}\nhttp {\n'
    block nginx 'TLS' | sed 's|http://127.0.0.1:8080|http://walltrack-app:8000|' # nginx is in the network here
    printf '}\n'
} >"$work/nginx/nginx.conf"
read -r tls _ < <(free_ports)
docker run --detach --name "$proxy" --network "$network" --publish "127.0.0.1:$tls:443" --volume "$work/nginx:/ours:ro" "$tools" sh -c '
    folder=/etc/letsencrypt/live/walltrack.example && mkdir -p $folder &&
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=walltrack.example -keyout $folder/privkey.pem -out $folder/fullchain.pem &&
    exec nginx -c /ours/nginx.conf -g "daemon off;"' >/dev/null
site=https://walltrack.example
through=(--insecure --connect-to "walltrack.example:443:127.0.0.1:$tls")
answers() { [ "$(page "${through[@]}" "$site/health" 2>/dev/null)" = 200 ]; }
until_true 30 "nginx answers" answers
cookies=$work/cookies
expect 200 "${through[@]}" --cookie-jar "$cookies" "$site/admin/login/"
grep -qi '^strict-transport-security: ' "$work/headers" || wrong "no HSTS: $(cat "$work/headers")"
expect 302 "${through[@]}" --cookie "$cookies" --cookie-jar "$cookies" --header "Origin: $site" --header "Referer: $site/admin/login/" \
    --data-urlencode "username=$(setting ADMIN_USERNAME)" --data-urlencode "password=$(setting ADMIN_PASSWORD)" \
    --data-urlencode "csrfmiddlewaretoken=$(awk '$6 ~ /_csrf$/ { print $7 }' "$cookies")" "$site/admin/login/?next=/admin/"
if grep -i '^set-cookie:' "$work/headers" | grep -qvi '; secure'; then wrong "a cookie that is not secure"; fi
expect 200 "${through[@]}" --cookie "$cookies" "$site/admin/discovery/"
if grep -q 'not encrypted' "$work/page"; then wrong "the page says that it is not encrypted"; fi
expect 200 "${through[@]}" "$site/health/detailed"
[ "$(field 'd["checks"]["transport"]["status"]')" = pass ] || wrong "$(cat "$work/page")"
expect 301 --header 'Host: walltrack.example' "$app/admin/login/"
grep -qi "^location: $site/admin/login/" "$work/headers" || wrong "redirects to $(grep -i ^location "$work/headers")"
expect 200 --header 'Host: walltrack.example' "$app/health/ready"
manage check --deploy --fail-level WARNING >"$work/check" 2>&1 || wrong "$(cat "$work/check")"
say "nginx as shown: login over TLS, secure cookies, HSTS; plain http is redirected, but not health"
docker rm --force "$proxy" >/dev/null

# --- PgBouncer before a PostgreSQL outside ---

docker compose --profile '*' down --volumes >/dev/null 2>&1
sed -i -e '/^PUBLIC_URL=https/d' -e '/^TRUSTED_PROXY_COUNT=1/d' .env
docker compose create redis >/dev/null 2>&1 # makes the network
docker run --detach --name "$outside" --network "$network" --env POSTGRES_USER=walltrack --env POSTGRES_PASSWORD=of-its-own postgres:17 >/dev/null
outside_sql() { docker exec --interactive "$outside" psql --host 127.0.0.1 --username walltrack --no-align --tuples-only --set ON_ERROR_STOP=1 "$@"; }
outside_answers() { outside_sql --command 'SELECT 1' >/dev/null 2>&1; }
until_true 60 "the outside database is there" outside_answers
block sql 'External PostgreSQL' | outside_sql >/dev/null
mkdir "$work/pgbouncer"
printf '"walltrack" "of-its-own"\n' >"$work/pgbouncer/users"
printf '%s\n' '[databases]' "walltrack = host=$outside" '[pgbouncer]' 'listen_addr = 0.0.0.0' 'auth_type = scram-sha-256' \
    'auth_file = /ours/users' 'pool_mode = session' 'ignore_startup_parameters = options' 'unix_socket_dir =' >"$work/pgbouncer/ini"
chmod -R a+rX "$work" && docker run --detach --name "$pooler" --network "$network" --user nobody --volume "$work/pgbouncer:/ours:ro" "$tools" pgbouncer /ours/ini >/dev/null
direct=postgresql://walltrack:of-its-own@$outside:5432/walltrack
block ini 'External PostgreSQL' | sed "s|^DATABASE_URL=.*|DATABASE_URL=postgresql://walltrack:of-its-own@$pooler:6432/walltrack|" >>.env
echo "DATABASE_DIRECT_URL=$direct" >>.env
up
[ -z "$(docker compose ps --all --quiet postgres 2>/dev/null)" ] || wrong "the bundled database was started"
log_in "$app"
key=$(manage create_api_key robot --scope run 2>/dev/null)
api 202 POST "$app/api/discovery/run"
run=$(field 'd["run_id"]')
until_true 120 "a run through the pooler ends" run_is "$app" "$run" completed
address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$pooler")
came_from=$(outside_sql --command "SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE client_addr IS NOT NULL AND client_addr <> '127.0.0.1'")
[ "$came_from" = "$address" ] || wrong "sessions from $came_from, the pooler is $address"
docker stop "$pooler" >/dev/null
docker compose run --rm -T --no-deps walltrack-app python manage.py migrate >"$work/migrate" 2>&1 || wrong "without the pooler: $(cat "$work/migrate")"
say "PgBouncer as told: a run through the pooler, migrations around it"
