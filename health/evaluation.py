"""Turn reports into check results: which component is silent, late or failing. Pure;
`now` is an argument.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from discovery.models.enums import WORKER_HEARTBEAT_PREFIX
from discovery.reads.credit_stop import CreditStop
from discovery.reads.health import (
    BEAT_DEAD_SECONDS,
    CANARY_DEAD_SECONDS,
    WORKER_DEAD_SECONDS,
    ActiveRunState,
    HeartbeatRow,
    LastRun,
    ProviderState,
)
from discovery.reads.scheduler import SchedulerView
from health.results import CheckResult, Status, age_text, iso_utc

NEVER_SEEN: Final = "has not been seen yet"
WORKER_FACTS: Final = ("active", "concurrency", "queues", "started_at")


class _PeriodicReport(NamedTuple):
    """A heartbeat that must arrive regularly, with the ages in seconds above which it
    warns and fails.
    """

    label: str
    warn_seconds: int
    fail_seconds: int
    remedy: str


_CANARY: Final = _PeriodicReport(
    label="the last message through the queue",
    warn_seconds=CANARY_DEAD_SECONDS,
    fail_seconds=CANARY_DEAD_SECONDS,
    remedy="workers do not consume: look at the workers check and their logs, restart walltrack-worker",
)
_BEAT: Final = _PeriodicReport(
    label="beat",
    warn_seconds=BEAT_DEAD_SECONDS,
    fail_seconds=BEAT_DEAD_SECONDS,
    remedy="start walltrack-beat, look at its log",
)
_TICK: Final = _PeriodicReport(
    label="the last tick",
    warn_seconds=BEAT_DEAD_SECONDS,
    fail_seconds=CANARY_DEAD_SECONDS,
    remedy="scheduled runs do not start: look at the beat and canary checks",
)


def evaluate_heartbeats(
    heartbeats: Mapping[str, HeartbeatRow], now: datetime
) -> dict[str, CheckResult]:
    """Return the results of the checks `workers`, `canary`, `beat` and `tick`."""
    workers = [
        heartbeat
        for name, heartbeat in heartbeats.items()
        if name.startswith(WORKER_HEARTBEAT_PREFIX)
    ]
    alive = [
        worker for worker in workers if _age_seconds(worker, now) < WORKER_DEAD_SECONDS
    ]
    delay_reason = _delay_reason(alive, now)
    canary = heartbeats.get("canary")
    return {
        "workers": _evaluate_workers(
            workers, alive, now, was_consumed=canary is not None
        ),
        "canary": _evaluate_periodic(_CANARY, canary, now, delay_reason),
        "beat": _evaluate_periodic(_BEAT, heartbeats.get("beat"), now, ""),
        "tick": _evaluate_periodic(_TICK, heartbeats.get("tick"), now, delay_reason),
    }


def _age_seconds(heartbeat: HeartbeatRow, now: datetime) -> float:
    return (now - heartbeat.at).total_seconds()


def _delay_reason(alive: Sequence[HeartbeatRow], now: datetime) -> str:
    """Return the reason why live workers may not have taken a message yet, or "" if
    there is none.

    With such a reason a message is late but not lost.
    """
    if not alive:
        return ""
    if all(map(_is_busy, alive)):
        return "every worker is busy"
    recently = now - timedelta(seconds=CANARY_DEAD_SECONDS)
    if min(map(_started_at, alive)) > recently:
        return "the workers have just started"
    return ""


def _is_busy(worker: HeartbeatRow) -> bool:
    return bool(
        worker.detail.get("active", 0) >= worker.detail.get("concurrency", math.inf)
    )


def _started_at(worker: HeartbeatRow) -> datetime:
    try:
        started = datetime.fromisoformat(str(worker.detail.get("started_at")))
    except ValueError:
        return worker.at - timedelta(days=1)
    if started.tzinfo is None:
        return started.replace(tzinfo=UTC)
    return started


def _evaluate_workers(
    workers: Sequence[HeartbeatRow],
    alive: Sequence[HeartbeatRow],
    now: datetime,
    *,
    was_consumed: bool,
) -> CheckResult:
    """Return the result of the check `workers`. `was_consumed`: a worker has consumed a
    message at some time.
    """
    if not workers:
        # A worker that stops in order deletes its own heartbeat.
        problem = "no worker is running" if was_consumed else f"a worker {NEVER_SEEN}"
        return CheckResult(
            status="fail",
            time=now,
            output=f"{problem}: start walltrack-worker",
        )
    newest = max(workers, key=lambda worker: worker.at)
    if not alive:
        age = age_text(_age_seconds(newest, now))
        return CheckResult(
            status="fail",
            time=now,
            output=f"the last worker was seen {age} ago: start walltrack-worker",
            last_seen=newest.at,
        )
    return CheckResult(
        status="pass",
        time=now,
        output="one worker" if len(alive) == 1 else f"{len(alive)} workers",
        last_seen=newest.at,
        facts={
            worker.name.removeprefix(WORKER_HEARTBEAT_PREFIX): _worker_facts(worker)
            for worker in alive
        },
    )


def _worker_facts(worker: HeartbeatRow) -> dict[str, Any]:
    detail = worker.detail
    known: dict[str, Any] = {
        name: detail[name] for name in WORKER_FACTS if name in detail
    }
    return {"last_seen": iso_utc(worker.at), **known}


def _evaluate_periodic(
    report: _PeriodicReport,
    heartbeat: HeartbeatRow | None,
    now: datetime,
    delay_reason: str,
) -> CheckResult:
    overdue_status: Status = "fail"
    explanation = report.remedy
    if delay_reason:
        overdue_status = "warn"
        explanation = delay_reason
    if heartbeat is None:
        return CheckResult(
            status=overdue_status,
            time=now,
            output=f"{report.label} {NEVER_SEEN}: {explanation}",
        )
    age_seconds = _age_seconds(heartbeat, now)
    output = f"{report.label}: {age_text(age_seconds)} ago"
    if age_seconds <= report.warn_seconds:
        return CheckResult(
            status="pass",
            time=now,
            output=output,
            last_seen=heartbeat.at,
        )
    return CheckResult(
        status=overdue_status if age_seconds > report.fail_seconds else "warn",
        time=now,
        output=f"{output}: {explanation}",
        last_seen=heartbeat.at,
    )


def evaluate_providers(
    providers: Sequence[ProviderState], now: datetime
) -> CheckResult:
    """Warn for each provider whose circuit is open or whose last request failed."""
    if not providers:
        return CheckResult(
            status="pass",
            time=now,
            output="no provider has been called yet",
        )
    facts: dict[str, Any] = {}
    troubles: list[str] = []
    for provider in providers:
        status: Status = "pass"
        trouble = _provider_trouble(provider, now)
        if trouble:
            status = "warn"
            troubles.append(f"{provider.name}: {trouble}")
        facts[provider.name] = _provider_facts(provider, status)
    successes = filter(None, [provider.last_success_at for provider in providers])
    return CheckResult(
        status="warn" if troubles else "pass",
        time=now,
        output="; ".join(troubles) or "the last request to each provider succeeded",
        last_seen=max(successes, default=None),
        facts=facts,
    )


def _provider_trouble(provider: ProviderState, now: datetime) -> str:
    if provider.is_circuit_open(now):
        assert provider.open_until is not None
        open_for = age_text((provider.open_until - now).total_seconds())
        trouble = f"circuit open for another {open_for} after repeated failures"
    elif provider.is_failing():
        assert provider.last_failure_at is not None
        age = age_text((now - provider.last_failure_at).total_seconds())
        trouble = f"last failed {age} ago"
    else:
        return ""
    if provider.cause:
        trouble += f" ({provider.cause})"
    return trouble


def _provider_facts(provider: ProviderState, status: Status) -> dict[str, Any]:
    return {
        "status": status,
        "last_success": iso_utc(provider.last_success_at),
        "last_failure": iso_utc(provider.last_failure_at),
        "open_until": iso_utc(provider.open_until),
    }


def evaluate_scheduler(
    scheduler: SchedulerView, stop: CreditStop | None, now: datetime
) -> CheckResult:
    """Warn if the schedule is off, has stopped for want of credits, or a run is overdue;
    fail once two intervals are missed.
    """
    if not scheduler.enabled:
        return CheckResult(
            status="warn",
            time=now,
            output=f"no scheduled run will start: {scheduler.reason}",
        )
    if scheduler.overdue_seconds:
        overdue = age_text(scheduler.overdue_seconds)
        is_missed = scheduler.overdue_seconds > 2 * scheduler.interval.total_seconds()
        return CheckResult(
            status="fail" if is_missed else "warn",
            time=now,
            output=f"a run is overdue by {overdue}: look at the beat, tick and workers checks",
        )
    if stop is not None:
        return CheckResult(status="warn", time=now, output=stop.reason)
    output = f"every {scheduler.schedule_hours} h; {_next_run(scheduler.next_run, now)}"
    if scheduler.note:
        output += f"; {scheduler.note}"
    return CheckResult(
        status="pass",
        time=now,
        output=output,
    )


def _next_run(next_run: datetime | None, now: datetime) -> str:
    if next_run is None:
        return "the first tick sets the next run"
    if next_run <= now:
        return "a run is due now"
    return f"next in {age_text((next_run - now).total_seconds())}"


def evaluate_runs(
    active: ActiveRunState | None,
    last: LastRun | None,
    dead_seconds: int,
    heartbeat_now: datetime,
    now: datetime,
) -> CheckResult:
    """Warn if the active run has sent no heartbeat for `dead_seconds`, or if none is
    active and the last one failed.

    heartbeat_now: by the database's clock, like heartbeats. now: by the clock of the
    market, like the times of runs.
    """
    if active is not None:
        return _evaluate_active_run(active, heartbeat_now, dead_seconds)
    if last is not None:
        return _evaluate_last_run(last, now)
    return CheckResult(
        status="pass",
        time=now,
        output="no run yet",
    )


def _evaluate_active_run(
    run: ActiveRunState, now: datetime, dead_seconds: int
) -> CheckResult:
    silent_seconds = (now - run.last_activity_at).total_seconds()
    status: Status = "pass"
    output = f"run {run.id} is {run.status}, stage {run.stage}"
    if silent_seconds > dead_seconds:
        status = "warn"
        output = (
            f"run {run.id} ({run.status}, stage {run.stage}) has stalled: no heartbeat for "
            f"{age_text(silent_seconds)}; look at the workers check, then cancel the run and start a new one"
        )
    return CheckResult(
        status=status,
        time=now,
        output=output,
        last_seen=run.last_activity_at,
        facts={"run": run.id, "stage": run.stage},
    )


def _evaluate_last_run(run: LastRun, now: datetime) -> CheckResult:
    ended_at = run.completed_at or run.started_at
    status: Status = "pass"
    output = (
        f"the last run {run.status} {age_text((now - ended_at).total_seconds())} ago"
    )
    if run.status == "failed":
        status = "warn"
        output = ": ".join([output, *run.errors[:1]])
    return CheckResult(
        status=status,
        time=now,
        output=output,
        last_seen=ended_at,
    )
