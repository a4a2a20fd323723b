# shellcheck shell=bash
# What the checks of the containers share. Sourced, never run. Each check has a project, image tags and ports of its own
# and a clean copy of the checkout, $work/copy, in which it is; nothing of another stack is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

checkout=$PWD
lab=$PWD/../shared/compose-lab # an engine with stand-in images, for machines that reach no registry
images=(python:3.13-slim-trixie postgres:17 valkey/valkey:8 docker/dockerfile:1)
stop_lab=
others=() # containers beside those of compose, removed at the end
work=$(mktemp -d)
export COMPOSE_PROJECT_NAME=walltrack-check-$$

say() { printf '  ✓ %s (%d s)\n' "$1" "$SECONDS"; }
wrong() {
    printf '  ✗ %s\n' "$1" >&2
    exit 1
}

have_engine() {
    docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1
}

find_engine() {
    have_engine && return
    [ -x "$lab/up" ] && [ "$(id -u)" -eq 0 ] || return
    local running=yes settings
    DOCKER_HOST=unix:///tmp/compose-lab/docker.sock docker info >/dev/null 2>&1 || running=
    settings=$("$lab/up" --only "${images[@]}" 2>"$work/engine.log") || { tail -n 3 "$work/engine.log" && return 1; }
    eval "$settings"
    [ "$running" ] || stop_lab=yes
    have_engine
}

clean_up() {
    local code=$?
    if [ -e "$work/copy/.env" ]; then
        cd "$work/copy"
        if [ "$code" -ne 0 ]; then
            docker compose ps --all
            docker compose logs --tail 30
        fi >&2
        [ "${#others[@]}" -eq 0 ] || docker rm --force --volumes "${others[@]}" >/dev/null 2>&1 || true
        # The first file alone: it knows every volume.
        COMPOSE_FILE=docker-compose.yml docker compose --profile '*' down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || true
        docker images --quiet --filter "reference=walltrack:check-$$*" | xargs -r docker image rm --force >/dev/null 2>&1
    fi
    [ -z "$stop_lab" ] || "$lab/down" >/dev/null 2>&1 || true
    rm -rf "$work"
}

# Ends the script where there is no engine; else goes to a copy of what is committed or about to be.
begin() {
    trap clean_up EXIT
    if ! find_engine; then
        echo "SKIPPED: $1 (no Docker engine)"
        exit 0
    fi
    mkdir "$work/copy"
    (
        cd "$checkout"
        git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
            if [ -e "$file" ]; then cp --parents "$file" "$work/copy/"; fi
        done
    )
    cd "$work/copy"
    read -r PORT UI_PORT < <(free_ports)
    # Over what .env says: the file stays as it was made.
    export PORT UI_PORT WALLTRACK_TAG=check-$$
    app=http://127.0.0.1:$PORT
    ui=http://127.0.0.1:$UI_PORT
}

free_ports() {
    python3 -c 'import socket
taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(each.getsockname()[1] for each in taken))'
}

# The two commands of somebody who has nothing but Docker.
make_env() {
    docker build --quiet --tag "walltrack:$WALLTRACK_TAG" . >/dev/null
    docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/checkout" "walltrack:$WALLTRACK_TAG" \
        python manage.py init_env --folder /checkout >"$work/init_env" 2>&1 || wrong "$(cat "$work/init_env")"
}

setting() { sed -n "s/^$1=//p" .env; }

up() {
    docker compose up --detach --wait --wait-timeout 120 "$@" >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2 && wrong "not healthy"; }
}

manage() { docker compose exec -T walltrack-app python manage.py "$@"; }

# The status of an answer; its body is in $work/page, its headers in $work/headers.
page() {
    curl --silent --show-error --max-time 20 --output "$work/page" --dump-header "$work/headers" --write-out '%{http_code}' "$@"
}

# An expression over the last answer `d`, a JSON document.
field() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$work/page" "$1"; }

expect() {
    local status=$1 got
    shift
    got=$(page "$@") || wrong "no answer: $*"
    [ "$got" = "$status" ] || wrong "$got instead of $status: $* $(head -c 400 "$work/page")"
}

api() { # api STATUS METHOD URL [curl options]
    local status=$1 method=$2 url=$3
    shift 3
    expect "$status" --request "$method" --header "Authorization: Bearer $key" --header 'Content-Type: application/json' "$url" "$@"
}

# Asks again until a command succeeds: until_true SECONDS WORDS COMMAND…
until_true() {
    local deadline=$((SECONDS + $1)) words=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || wrong "in vain: $words $(head -c 600 "$work/page" 2>/dev/null)"
        sleep 0.5
    done
}

run_is() { # run_is BASE ID STATUS
    api 200 GET "$1/api/discovery/runs/$2"
    [ "$(field 'd["status"]')" = "$3" ]
}

# Logs in as the first operator of .env; `cookies` holds the session. log_in BASE [HOST]
log_in() {
    local base=$1 host=${2:-${1#http://}}
    cookies=$work/cookies-$RANDOM
    expect 200 --cookie-jar "$cookies" --header "Host: $host" "$base/admin/login/"
    expect 302 --cookie "$cookies" --cookie-jar "$cookies" --header "Host: $host" --header "Origin: http://$host" \
        --data-urlencode "username=$(setting ADMIN_USERNAME)" --data-urlencode "password=$(setting ADMIN_PASSWORD)" \
        --data-urlencode "csrfmiddlewaretoken=$(awk '$6 ~ /_csrf$/ { print $7 }' "$cookies")" "$base/admin/login/?next=/admin/"
    expect 200 --cookie "$cookies" --header "Host: $host" "$base/api/discovery/status"
}

# What the earlier WallTrack leaves in its database, with the policies of Supabase on it.
earlier_sql() {
    docker run --rm --volume "$PWD/tests:/checkout/tests:ro" --env PYTHONPATH=/checkout "walltrack:$1" \
        python -c 'from tests.adoption import adoption_databases; print(adoption_databases.EARLIER)'
    printf '%s\n' 'CREATE ROLE visitor;' 'ALTER TABLE discovery_runs ENABLE ROW LEVEL SECURITY;' \
        'CREATE POLICY look ON discovery_runs TO visitor USING (EXISTS (SELECT 1' 'FROM discovery_config));'
}

# The earlier runs are closed and kept, its configuration is in force.
adopted() {
    until_true 90 "runs that were left running are closed" idle
    [ "$(sql "SELECT string_agg(status, ' ' ORDER BY started_at) FROM discovery_runs WHERE started_at < '2025-12-01'")" = 'completed completed failed failed failed' ] ||
        wrong "earlier runs: $(sql 'SELECT status, started_at FROM discovery_runs')"
    [ "$(sql 'SELECT schedule_hours, updated_by FROM discovery_config')" = '12|ana' ] || wrong "the configuration was overwritten"
    api 200 GET "$app/api/discovery/runs"
    [ "$(field 'len(d["runs"])')" = 5 ] || wrong "$(cat "$work/page")"
    api 200 GET "$app/api/discovery/wallets"
    [ "$(field 'len(d["wallets"])')" = 3 ] || wrong "$(cat "$work/page")"
}

idle() { [ "$(sql "SELECT count(*) FROM discovery_runs WHERE status IN ('queued', 'running')")" = 0 ]; }

# A release after this one: a migration that the one before does not know. next_release SQL
next_release() {
    cat >discovery/migrations/9999_of_the_next_release.py <<PY
from django.db import migrations

LAST = sorted(path.stem for path in __import__("pathlib").Path(__file__).parent.glob("0*.py"))[-1]


class Migration(migrations.Migration):
    dependencies = [("discovery", LAST)]
    operations = [migrations.RunSQL("$1")]
PY
}

version() {
    expect 200 "$app/health/detailed"
    field 'd["version"]'
}

sql() { docker compose exec -T postgres psql --username walltrack --dbname walltrack --no-align --tuples-only --command "$1"; }
