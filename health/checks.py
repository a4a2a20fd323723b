"""The health checks. Each one queries one server, over a connection of its own."""

from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from discovery.models.database_time import database_now
from discovery.reads.credit_stop import credit_stop
from discovery.reads.freshness import freshness
from discovery.reads.health import (
    LastRun,
    active_run,
    heartbeats,
    last_run,
    provider_states,
    run_dead_seconds,
)
from discovery.reads.scheduler import SchedulerView, scheduler_view
from health.connection import dedicated_connection
from health.deadlines import Deadline
from health.evaluation import (
    evaluate_heartbeats,
    evaluate_providers,
    evaluate_runs,
    evaluate_scheduler,
)
from health.results import CheckResult
from health.watchlist import evaluate_watchlist
from walltrack import clock
from walltrack.startup_checks import missing_proxy_warning

BROKER_TIMEOUT_SECONDS: Final = 1.5
LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
MAX_MIGRATION_NAMES: Final = 3


class RunsReport(NamedTuple):
    """The schedule, the last run, and the results of the checks `scheduler` and `runs`."""

    scheduler: SchedulerView
    last_run: LastRun | None
    results: dict[str, CheckResult]


def database(deadline: Deadline) -> CheckResult:
    """Check that the database answers a query. Raises Error or TimeoutError."""
    with dedicated_connection(deadline) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return CheckResult(
        status="pass", time=timezone.now(), output="the database answers queries"
    )


def migrations(deadline: Deadline) -> CheckResult:
    """Check that no migration is pending. Raises Error or TimeoutError."""
    with dedicated_connection(deadline) as connection:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return CheckResult(
            status="pass", time=timezone.now(), output="no migration is pending"
        )
    names = [
        f"{migration.app_label}.{migration.name}"
        for migration, _ in plan[:MAX_MIGRATION_NAMES]
    ]
    if len(plan) > MAX_MIGRATION_NAMES:
        names.append("…")
    return CheckResult(
        status="fail",
        time=timezone.now(),
        output=f"{len(plan)} pending ({', '.join(names)}): run `manage.py migrate`",
    )


def broker(_deadline: Deadline) -> CheckResult:
    """Check that Redis or Valkey responds. Raises RedisError or OSError."""
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
        socket_timeout=BROKER_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    with client:
        client.ping()
    return CheckResult(status="pass", time=timezone.now(), output="the broker responds")


def components(deadline: Deadline) -> dict[str, CheckResult]:
    """Check workers, canary, beat, tick and providers by their last reports, and the
    ages of the watchlist. Raises Error or TimeoutError.
    """
    with dedicated_connection(deadline):
        latest, seen = heartbeats(), provider_states()
        ages = freshness(clock.now())
        now = database_now()
    results = evaluate_heartbeats(latest, now)
    results["providers"] = evaluate_providers(seen, timezone.now())
    results["watchlist"] = evaluate_watchlist(ages, seen, clock.now())
    return results


def runs(deadline: Deadline) -> RunsReport:
    """Check the schedule, the active run and the last run. Raises Error or
    TimeoutError.
    """
    now = clock.now()
    with dedicated_connection(deadline):
        scheduler, last, active = scheduler_view(now), last_run(), active_run()
        stop = credit_stop(now)
        heartbeat_now = database_now()
    results = {
        "scheduler": evaluate_scheduler(scheduler, stop, now),
        "runs": evaluate_runs(active, last, run_dead_seconds(), heartbeat_now, now),
    }
    return RunsReport(scheduler, last, results)


def api_auth(now: datetime) -> CheckResult:
    """Warn if the API is open to everybody."""
    if settings.API_AUTH_ENABLED:
        return CheckResult(status="pass", time=now, output="the API requires a key")
    return CheckResult(
        status="warn",
        time=now,
        output="API_AUTH_ENABLED=false: everybody who reaches the server can start runs and change the configuration",
    )


def transport(now: datetime) -> CheckResult:
    """Warn if passwords travel unencrypted, or if https cannot work with the proxies
    that are configured.
    """
    url = urlsplit(settings.PUBLIC_URL)
    if url.scheme == "https":
        return _https_result(now)
    is_local = url.hostname in LOCAL_HOSTS
    return CheckResult(
        status="pass" if is_local else "warn",
        time=now,
        output=f"plain http ({settings.PUBLIC_URL}): passwords and cookies travel unencrypted",
    )


def _https_result(now: datetime) -> CheckResult:
    warning = missing_proxy_warning()
    if warning:
        return CheckResult(status="warn", time=now, output=warning)
    return CheckResult(status="pass", time=now, output="https")
