"""The JSON document of the health endpoints (application/health+json)."""

import time
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from discovery.reads.health import LastRun
from discovery.reads.scheduler import SchedulerView
from health.checks import RunsReport
from health.deadlines import CHECK_TIMEOUT_SECONDS, TimedOut
from health.results import CheckResult, iso_utc, worst_status
from walltrack.logs import redact

MAX_ERRORS: Final = 5
SCHEDULER_FIELDS: Final = (
    "enabled",
    "reason",
    "schedule_hours",
    "next_run",
    "last_run",
    "overdue_seconds",
    "running",
)
# The results that are unknown if a check of several components fails.
_RESULTS_OF_CHECK: Final = {
    "components": ("workers", "canary", "beat", "tick", "providers", "watchlist"),
    "runs": ("scheduler", "runs"),
}


def collect_results(outcomes: Mapping[str, Any]) -> dict[str, CheckResult]:
    """Return the results of all checks by name, from what `run_checks` returned."""
    results: dict[str, CheckResult] = {}
    for name, outcome in outcomes.items():
        match outcome:
            case CheckResult():
                results[name] = outcome
            case RunsReport():
                results |= outcome.results
            case dict():
                results |= outcome
            case _:
                results |= _failed_results(name, outcome)
    return results


def _failed_results(name: str, outcome: object) -> dict[str, CheckResult]:
    now = timezone.now()
    reason = f"{type(outcome).__name__}: {outcome}"
    if isinstance(outcome, TimedOut):
        reason = f"no answer within {CHECK_TIMEOUT_SECONDS:g} s"
    if name in _RESULTS_OF_CHECK:
        unknown = CheckResult(status="warn", time=now, output=f"not known: {reason}")
        return dict.fromkeys(_RESULTS_OF_CHECK[name], unknown)
    return {name: CheckResult(status="fail", time=now, output=f"unreachable: {reason}")}


def build_report(
    results: Mapping[str, CheckResult], *, is_operator: bool, started: float
) -> dict[str, Any]:
    """Return the document of these results. `started` is the monotonic time at which
    the request began.
    """
    return {
        "status": worst_status(results.values()),
        "version": settings.VERSION,
        "instance": settings.INSTANCE_NAME,
        "market": settings.MARKET,
        "time": iso_utc(timezone.now()),
        "duration_ms": round((time.monotonic() - started) * 1000),
        "checks": {
            name: _check_fields(result, is_operator=is_operator)
            for name, result in results.items()
        },
    }


def _check_fields(result: CheckResult, *, is_operator: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"status": result.status, "time": iso_utc(result.time)}
    if result.last_seen:
        fields["last_seen"] = iso_utc(result.last_seen)
    if not is_operator:
        return fields
    fields["output"] = redact(" ".join(result.output.split()))
    if result.facts:
        fields["facts"] = result.facts
    return fields


def runs_fields(outcome: object, *, is_operator: bool) -> dict[str, Any]:
    """Return the document's `scheduler` and `last_discovery_run`, from the outcome of
    the check `runs`.
    """
    if not isinstance(outcome, RunsReport):
        return {
            "scheduler": dict.fromkeys(SCHEDULER_FIELDS) | {"reason": "not known"},
            "last_discovery_run": None,
        }
    return {
        "scheduler": _scheduler_fields(outcome.scheduler, is_operator=is_operator),
        "last_discovery_run": _last_run_fields(
            outcome.last_run, is_operator=is_operator
        ),
    }


def _scheduler_fields(scheduler: SchedulerView, *, is_operator: bool) -> dict[str, Any]:
    fields = {name: getattr(scheduler, name) for name in SCHEDULER_FIELDS}
    fields["next_run"] = iso_utc(scheduler.next_run)
    fields["last_run"] = iso_utc(scheduler.last_run)
    if is_operator:
        fields["note"] = scheduler.note
    return fields


def _last_run_fields(
    run: LastRun | None, *, is_operator: bool
) -> dict[str, Any] | None:
    if run is None:
        return None
    fields: dict[str, Any] = {
        "id": run.id,
        "status": run.status,
        "trigger_type": run.trigger_type,
        "started_at": iso_utc(run.started_at),
        "completed_at": iso_utc(run.completed_at),
        "duration_seconds": run.duration_seconds,
        "tokens_analyzed": run.tokens_analyzed,
        "new_wallets": run.new_wallets,
        "updated_wallets": run.updated_wallets,
        "errors": len(run.errors),
    }
    if is_operator:
        fields["error_messages"] = [redact(error) for error in run.errors[:MAX_ERRORS]]
    return fields
