#!/bin/sh
# What a container does: `web`, `worker`, `beat`, or any command as it is given.
set -eu

case ${1:-web} in
web | worker | beat) python -m walltrack.guards ;;
esac

case ${1:-web} in
web)
    # An advisory lock lets several web containers start at once: the first migrates, the others find it done.
    python manage.py migrate --noinput
    python manage.py first_operator
    # The heartbeat files of gunicorn's workers lie in memory: on a slow disk they would look dead.
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
    # The schedule is in the database; nothing is written here.
    exec celery -A walltrack beat --pidfile= --loglevel "${LOG_LEVEL:-info}"
    ;;
*)
    exec "$@"
    ;;
esac
