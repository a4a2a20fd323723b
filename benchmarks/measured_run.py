"""`python -m benchmarks.measured_run WORKERS`: one run over all tokens, in this process or
by so many workers that are starting; prints what it took as JSON.
"""

import json
import sys
import time
from typing import Any

import django

START_SECONDS, RUN_SECONDS = 60, 3600
POLL_SECONDS = 0.05


class Statements:
    """Counts the statements of this process's connection."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, *arguments: Any) -> Any:
        """Count one and execute it."""
        self.count += 1
        return execute(*arguments)


def main(worker_count: int) -> None:
    """Print one line of JSON: seconds, calls to the slowest provider, statements (of a
    run in this process), steps.
    """
    from django.db import connection

    statements = Statements()
    if worker_count:
        _wait_for_workers(worker_count)
        run = _run_by_workers()
    else:
        with connection.execute_wrapper(statements):
            run = _run_here()
    run.refresh_from_db()
    assert run.status == "completed", run.errors
    usage = {name: counts["calls"] for name, counts in run.usage.items()}
    slowest = max(usage, key=lambda name: usage[name])
    print(
        json.dumps(
            {
                "seconds": float(run.duration_seconds),
                "calls": usage[slowest],
                "provider": slowest,
                "statements": statements.count,
                "steps": run.steps.count(),
            }
        )
    )


def _start(*, in_foreground: bool) -> Any:
    from discovery.domain.run_params import Params
    from discovery.jobs import run_lifecycle
    from discovery.models.enums import Trigger

    return run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(max_tokens=100),
            trigger=Trigger.MANUAL,
            triggered_by="benchmark",
            in_foreground=in_foreground,
        )
    )


def _run_here() -> Any:
    from asgiref.sync import async_to_sync

    from discovery.jobs.inline_runner import run_inline

    run = _start(in_foreground=True)
    async_to_sync(run_inline)(run)
    return run


def _run_by_workers() -> Any:
    from discovery.models import Run

    run = _start(in_foreground=False)
    ended = Run.objects.filter(pk=run.pk, completed_at__isnull=False)
    _wait(ended.exists, RUN_SECONDS)
    return run


def _wait_for_workers(count: int) -> None:
    from discovery.models import Heartbeat

    alive = Heartbeat.objects.filter(name__startswith="worker:")
    _wait(lambda: alive.count() >= count, START_SECONDS)


def _wait(is_true: Any, seconds: float) -> None:
    """Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))
