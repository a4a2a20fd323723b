"""The checks: each asks one thing of one server over a connection of its own."""

from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from discovery.reads.health import LastRun, active_run, heartbeats, last_run, providers_seen, run_dead_seconds
from discovery.reads.scheduler import SchedulerView, scheduler_view
from health.bounded import Deadline
from health.connection import own_connection
from health.findings import Finding
from health.judgement import judge_heartbeats, judge_providers, judge_runs, judge_scheduler
from walltrack.guards import https_without_proxy

BROKER_SECONDS: Final = 1.5


class Runs(NamedTuple):
    """What the runs and the schedule look like."""

    view: SchedulerView
    last: LastRun | None
    findings: dict[str, Finding]


def database(deadline: Deadline) -> Finding:
    """The database takes a query. May raise: Error, TimeoutError."""
    with own_connection(deadline) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Finding(status="pass", time=timezone.now(), output="answers")


def migrations(deadline: Deadline) -> Finding:
    """No migration is pending. May raise: Error, TimeoutError."""
    with own_connection(deadline) as connection:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        words = f"{len(plan)} pending ({names}{', …' if len(plan) > 3 else ''}): run `manage.py migrate`"
        return Finding(status="fail", time=timezone.now(), output=words)
    return Finding(status="pass", time=timezone.now(), output="none pending")


def broker(_deadline: Deadline) -> Finding:
    """Redis or Valkey answers. May raise: RedisError, OSError."""
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=BROKER_SECONDS,
        socket_timeout=BROKER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    with client:
        client.ping()
    return Finding(status="pass", time=timezone.now(), output="answers")


def parts(deadline: Deadline) -> dict[str, Finding]:
    """Workers, canary, beat, tick and providers, as they last told. May raise: Error, TimeoutError."""
    with own_connection(deadline):
        signs, seen = heartbeats(), providers_seen()
    now = timezone.now()
    return {**judge_heartbeats(signs, now), "providers": judge_providers(seen, now)}


def runs(deadline: Deadline) -> Runs:
    """The schedule, the active and the last run. May raise: Error, TimeoutError."""
    with own_connection(deadline):
        now = timezone.now()
        view, last, active = scheduler_view(now), last_run(), active_run()
    findings = {
        "scheduler": judge_scheduler(view, now),
        "runs": judge_runs(active, last, now, run_dead_seconds()),
    }
    return Runs(view, last, findings)


def api_auth(now: datetime) -> Finding:
    """An open API is a warning."""
    if settings.API_AUTH_ENABLED:
        return Finding(status="pass", time=now, output="the API asks for a key")
    words = "API_AUTH_ENABLED=false: everybody who reaches the server may start runs and change the configuration"
    return Finding(status="warn", time=now, output=words)


def transport(now: datetime) -> Finding:
    """Plain http is for this machine alone."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme == "https":
        circle = https_without_proxy()
        return Finding(status="warn" if circle else "pass", time=now, output=circle or "https")
    here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    words = f"plain http ({settings.PUBLIC_URL}): passwords and cookies are not protected on the way"
    return Finding(status="pass" if here else "warn", time=now, output=words)
