#!/usr/bin/env bash
# Every command of docs/deploy.md, in its order, as it stands there. Only ports, image tags and the passwords that a
# person would type are the check's own. After each block it is looked at what the page says of it.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
begin "containers, docs/deploy.md"

tag=$WALLTRACK_TAG
unset WALLTRACK_TAG # the page sets it in .env
password=another-good-password
outside=$COMPOSE_PROJECT_NAME-outside
export OUTSIDE=postgresql://postgres:of-its-own@$outside:5432/postgres EARLIER=postgresql://postgres:of-its-own@$outside:5432/earlier
others+=("$outside")

python3 - docs/deploy.md "$work/blocks" "$tag" <<'PY'
import pathlib, re, os, sys

page, folder, tag = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2]), sys.argv[3]
folder.mkdir()
own = {
    "--tag walltrack .": f"--tag walltrack:{tag} .",
    '/checkout" walltrack ': f'/checkout" walltrack:{tag} ',
    "WALLTRACK_TAG=latest": f"WALLTRACK_TAG={tag}",
    "WALLTRACK_TAG=2026-03-01": f"WALLTRACK_TAG={tag}-new",
    "localhost:8080": f"127.0.0.1:{os.environ['PORT']}",
    "exec walltrack-app python": "exec -T walltrack-app python",
}
count = 0
for section in re.split(r"^## ", page, flags=re.M)[1:]:
    name = re.sub(r"[^a-z]+", "-", section.splitlines()[0].lower()).strip("-")
    for number, block in enumerate(re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S), 1):
        for theirs, ours in own.items():
            block = block.replace(theirs, ours)
        count += 1
        (folder / f"{count:02}.{name}.{number}").write_text(block)
assert count >= 15, count
PY

runs() { sql "SELECT count(*) || ' ' || coalesce(md5(string_agg(id || status, ';' ORDER BY id)), '') FROM discovery_runs"; }
unchanged() { [ "$(runs)" = "$kept" ] || wrong "runs are not as before: $(runs), not $kept"; }

before() {
    case $1 in
    update-and-rollback.1) next_release 'ALTER TABLE discovery_runs ADD COLUMN of_the_next_release integer' ;;
    external-postgresql.1) start_outside ;;
    migration-from-the-earlier-walltrack.1)
        docker rm --force --volumes "$outside" >/dev/null
        sed -i -e '/^COMPOSE_FILE=/d' -e '/^DATABASE_URL=p/d' .env
        docker compose --profile '*' down --volumes --remove-orphans >/dev/null 2>&1
        docker compose create redis >/dev/null 2>&1 # makes the network
        start_outside
        docker exec "$outside" createdb --username postgres earlier
        earlier_sql "$tag" >"$work/earlier.sql"
        docker exec --interactive "$outside" psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname earlier <"$work/earlier.sql"
        ;;
    esac
}

start_outside() {
    docker run --detach --name "$outside" --network "${COMPOSE_PROJECT_NAME}_default" --env POSTGRES_PASSWORD=of-its-own postgres:17 >/dev/null
    until_true 60 "the outside database is there" outside_answers
}
outside_answers() { docker exec "$outside" psql --host 127.0.0.1 --username postgres --command 'SELECT 1' >/dev/null 2>&1; }

after() {
    case $1 in
    install.1)
        [ "$(stat --format %a .env)" = 600 ] || wrong ".env may be read by others"
        # The page's own words for trying it without the network; the tag is the check's.
        printf '%s\n' MARKET=simulated COMPOSE_PROFILES=simulated "WALLTRACK_TAG=$tag" >>.env
        ;;
    install.2) log_in "$ui" ;;
    verify.2)
        until_true 120 "the run ends" idle
        [ "$(sql "SELECT status FROM discovery_runs")" = completed ] || wrong "the run is $(sql "SELECT status FROM discovery_runs")"
        kept=$(runs)
        ;;
    redeploy.1) unchanged ;;
    backup-and-restore.1) sql "UPDATE discovery_runs SET status = 'failed'" >/dev/null ;;
    backup-and-restore.2) unchanged && log_in "$app" ;;
    update-and-rollback.1)
        [ "$(version)" = "$tag-new" ] || wrong "runs $(version)"
        [ "$(sql 'SELECT count(of_the_next_release) FROM discovery_runs')" = 0 ] || wrong "not migrated"
        unchanged
        ;;
    update-and-rollback.2)
        [ "$(version)" = "$tag" ] || wrong "runs $(version)"
        unchanged
        expect 200 "$app/health/ready"
        key=$(manage create_api_key robot --scope run 2>/dev/null)
        api 202 POST "$app/api/discovery/run"
        until_true 120 "a run of the older image over the newer database" idle
        [ "$(sql "SELECT count(*) FROM discovery_runs WHERE status = 'completed'")" = 2 ] || wrong "a run failed"
        kept=$(runs)
        ;;
    update-and-rollback.3)
        [ "$(version)" = "$tag-new" ] || wrong "runs $(version)"
        unchanged
        ;;
    passwords-and-keys.1)
        sed -i "s/^ADMIN_PASSWORD=.*/ADMIN_PASSWORD=$password/" .env # where log_in looks
        log_in "$app"
        ;;
    passwords-and-keys.4) log_in "$app" ;;
    scaling.1) [ "$(docker compose ps walltrack-worker | grep -c healthy)" = 3 ] || wrong "not three workers" ;;
    external-postgresql.1)
        [ -z "$(docker compose ps --all --quiet --orphans | xargs -r docker inspect --format '{{.Config.Image}}' | grep postgres)" ] || wrong "the bundled one still runs"
        sql() { docker exec "$outside" psql --username postgres --dbname postgres --no-align --tuples-only --command "$1"; }
        unchanged
        log_in "$app"
        api 202 POST "$app/api/discovery/run"
        until_true 120 "a run over the outside database" idle
        ;;
    migration-from-the-earlier-walltrack.1)
        sql() { docker compose exec -T postgres psql --username walltrack --dbname walltrack --no-align --tuples-only --command "$1"; }
        key=$(manage create_api_key robot --scope run 2>/dev/null)
        adopted
        log_in "$ui"
        ;;
    uninstall.1) [ -z "$(docker volume ls --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")" ] || wrong "data are left" ;;
    esac
}

for block in "$work"/blocks/*; do
    name=${block##*/}
    name=${name#*.}
    before "$name"
    printf '%s\n%s\n' "$password" "$password" >"$work/answers"
    bash -euo pipefail "$block" >"$work/said" 2>&1 <"$work/answers" || wrong "$name: $(tail -n 20 "$work/said")"
    after "$name"
    say "$name"
done
