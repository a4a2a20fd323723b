#!/usr/bin/env bash
# Builds the image, brings the whole stack up, asks it how it is, takes it down. Touches nothing of another stack:
# its project, image tag and ports are its own. Without a Docker engine it says so and succeeds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

lab=$PWD/../shared/compose-lab # an engine with stand-in images, for machines that reach no registry
stop_lab=
work=$(mktemp -d)
export COMPOSE_PROJECT_NAME=walltrack-check-$$ WALLTRACK_TAG=check-$$

free_ports() {
    python3 -c 'import socket
taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(each.getsockname()[1] for each in taken))'
}

have_engine() {
    docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1
}

find_engine() {
    have_engine && return
    [ -x "$lab/up" ] && [ "$(id -u)" -eq 0 ] || return
    local running=yes settings
    DOCKER_HOST=unix:///tmp/compose-lab/docker.sock docker info >/dev/null 2>&1 || running=
    settings=$("$lab/up" --only python:3.13-slim-trixie postgres:17 valkey/valkey:8 docker/dockerfile:1 \
        2>"$work/engine.log") || { tail -n 3 "$work/engine.log" && return 1; }
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
        docker compose down --volumes --timeout 5 >/dev/null 2>&1 || true
        docker image rm "walltrack:$WALLTRACK_TAG" >/dev/null 2>&1 || true
    fi
    [ -z "$stop_lab" ] || "$lab/down" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT

say() { printf '  ✓ %s (%d s)\n' "$1" "$SECONDS"; }
wrong() {
    printf '  ✗ %s\n' "$1" >&2
    exit 1
}
page() { curl --silent --show-error --max-time 10 --output "$work/page" --write-out '%{http_code}' "$@"; }

if ! find_engine; then
    echo "SKIPPED: containers (no Docker engine)"
    exit 0
fi

mkdir "$work/copy"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    if [ -e "$file" ]; then cp --parents "$file" "$work/copy/"; fi
done
cd "$work/copy"

if SECRET_KEY='' POSTGRES_PASSWORD=x docker compose config --quiet 2>"$work/refusal"; then wrong "starts without a SECRET_KEY"; fi
grep -q 'Set SECRET_KEY' "$work/refusal" || wrong "does not say that SECRET_KEY is missing"
if SECRET_KEY=x POSTGRES_PASSWORD='' docker compose config --quiet 2>"$work/refusal"; then wrong "starts without a POSTGRES_PASSWORD"; fi
grep -q 'Set POSTGRES_PASSWORD' "$work/refusal" || wrong "does not say that POSTGRES_PASSWORD is missing"
say "compose refuses to start without secrets"

read -r port ui_port < <(free_ports)
secret() { python3 -c 'import secrets; print(secrets.token_hex(32))'; }
printf '%s\n' "SECRET_KEY=$(secret)" "POSTGRES_PASSWORD=$(secret)" "PORT=$port" "UI_PORT=$ui_port" >.env
docker compose build --quiet
say "image built"
docker compose up --detach --wait --wait-timeout 120 >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2 && wrong "not healthy"; }
say "all six services are healthy"

[ "$(page "http://127.0.0.1:$port/health/detailed")" = 200 ] || wrong "health: $(cat "$work/page")"
for address in "127.0.0.1:$port" "127.0.0.1:$ui_port"; do
    [ "$(page --location "http://$address/")" = 200 ] || wrong "no page on $address"
    [ "$(page "http://$address/static/admin/css/base.css")" = 200 ] || wrong "no style sheet on $address"
done
say "both ports serve pages with their style sheets, health has nothing that fails"

docker compose run --rm -T walltrack-app python manage.py migrate --check >/dev/null 2>&1 || wrong "migrations are pending"
docker compose run --rm -T walltrack-app python manage.py migrate >"$work/migrate" 2>&1 || wrong "$(cat "$work/migrate")"
[ "$(docker compose exec -T walltrack-app id -u)" -ne 0 ] || wrong "runs as root"
say "migrations are applied and may be run again; nothing runs as root"

docker compose stop walltrack-app >/dev/null 2>&1
[ "$(page "http://127.0.0.1:$ui_port/health/ready")" = 200 ] || wrong "the dashboard needs the app"
started=$SECONDS
docker compose stop walltrack-worker walltrack-beat >/dev/null 2>&1
[ $((SECONDS - started)) -lt 40 ] || wrong "worker or beat had to be killed"
[ "$(page "http://127.0.0.1:$ui_port/health/detailed")" = 503 ] || wrong "a stopped worker is not seen"
grep -q '"workers": {"status": "fail"' "$work/page" || wrong "health: $(cat "$work/page")"
say "the dashboard works while the app is down; worker and beat stop in time, and health says so"
