#!/bin/sh
# Entrypoint of the containers: runs `web`, `worker`, `beat`, or any other command unchanged.
set -eu

case ${1:-web} in
web | worker | beat) python -m walltrack.startup_checks ;;
esac

case ${1:-web} in
web)
    # Several web containers may start at once: the first takes an advisory lock and migrates, the others wait for it.
    python manage.py migrate --noinput
    python manage.py first_operator
    # gunicorn's workers write their heartbeat files to memory: on a slow disk they would look dead.
    exec gunicorn walltrack.wsgi:application \
        --bind 0.0.0.0:8000 \
        --workers "${WEB_WORKERS:-2}" \
        --threads "${WEB_THREADS:-8}" \
        --timeout 60 \
        --graceful-timeout 25 \
        --keep-alive 5 \
        --max-requests 5000 \
        --max-requests-jitter 500 \
        --worker-tmp-dir /dev/shm \
        --no-control-socket \
        --access-logfile - \
        --access-logformat '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(L)s s' \
        --error-logfile -
    ;;
worker)
    exec celery -A walltrack worker --queues runs,steps,periodic --loglevel "${LOG_LEVEL:-info}"
    ;;
beat)
    # The schedule is in the database, so beat writes no file.
    exec celery -A walltrack beat --pidfile= --loglevel "${LOG_LEVEL:-info}"
    ;;
*)
    exec "$@"
    ;;
esac
