"""The answers: alive, ready, and everything in detail."""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from health import checks
from health.bounded import BOUND_SECONDS, Check, Late, side_by_side
from health.caller import operator_asks
from health.findings import Finding, Status, moment, worst
from walltrack.logs import redact

log = logging.getLogger(__name__)

_MOST_ERRORS: Final = 5
# Which checks an asking answers, so that each of them is told of where the asking itself fails.
_ANSWERS: Final = {
    "parts": ("workers", "canary", "beat", "tick", "providers"),
    "runs": ("scheduler", "runs"),
}
last_writes: dict[str, Status] = {}


def live(_request: HttpRequest) -> HttpResponse:
    """The process is up; nothing is asked."""
    return _json({"status": "pass"})


def ready(_request: HttpRequest) -> HttpResponse:
    """Requests can be served: database, migrations, broker. 503 where not."""
    started = time.monotonic()
    found = _findings(side_by_side(_asked("database", "migrations", "broker")))
    return _json(_page(found, operator=False, started=started))


def detailed(request: HttpRequest) -> HttpResponse:
    """All that is known, in states and times; in words for operators. 503 where something fails."""
    started = time.monotonic()
    asked = _asked("database", "migrations", "broker", "parts", "runs")
    if identity := operator_asks(request):
        asked["operator"] = identity
    answers = side_by_side(asked)
    operator = answers.pop("operator", False) is True
    found = _findings(answers)
    now = timezone.now()
    found |= {"api_auth": checks.api_auth(now), "transport": checks.transport(now)}
    runs = answers["runs"] if isinstance(answers["runs"], checks.Runs) else None
    page = _page(found, operator=operator, started=started)
    page["scheduler"] = _scheduler(runs, operator=operator)
    page["last_discovery_run"] = _last_run(runs, operator=operator)
    _tell(page["status"], found)
    return _json(page)


def _asked(*names: str) -> dict[str, Check]:
    return {name: Check(getattr(checks, name), key=name) for name in names}


def _findings(answers: Mapping[str, Any]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for name, answer in answers.items():
        match answer:
            case Finding():
                found[name] = answer
            case checks.Runs():
                found |= answer.findings
            case dict():
                found |= answer
            case _:
                found |= _unanswered(name, answer)
    return found


def _unanswered(name: str, answer: object) -> dict[str, Finding]:
    now = timezone.now()
    why = f"no answer within {BOUND_SECONDS:g} s" if isinstance(answer, Late) else f"{type(answer).__name__}: {answer}"
    if name in _ANSWERS:
        unknown = Finding(status="warn", time=now, output=f"not known: {why}")
        return dict.fromkeys(_ANSWERS[name], unknown)
    return {name: Finding(status="fail", time=now, output=f"out of reach: {why}")}


def _page(found: Mapping[str, Finding], *, operator: bool, started: float) -> dict[str, Any]:
    return {
        "status": worst(found.values()),
        "version": settings.VERSION,
        "instance": settings.INSTANCE_NAME,
        "market": settings.MARKET,
        "time": moment(timezone.now()),
        "duration_ms": round((time.monotonic() - started) * 1000),
        "checks": {name: _shown(finding, operator=operator) for name, finding in found.items()},
    }


def _shown(finding: Finding, *, operator: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"status": finding.status, "time": moment(finding.time)}
    if finding.last_seen:
        shown["last_seen"] = moment(finding.last_seen)
    if operator:
        shown["output"] = redact(" ".join(finding.output.split()))
        if finding.facts:
            shown["facts"] = finding.facts
    return shown


def _scheduler(runs: checks.Runs | None, *, operator: bool) -> dict[str, Any]:
    names = ("enabled", "reason", "schedule_hours", "next_run", "last_run", "overdue_seconds", "running")
    if runs is None:
        return dict.fromkeys(names) | {"reason": "not known"}
    shown = {name: getattr(runs.view, name) for name in names}
    shown |= {name: moment(shown[name]) for name in ("next_run", "last_run")}
    return shown | ({"note": runs.view.note} if operator else {})


def _last_run(runs: checks.Runs | None, *, operator: bool) -> dict[str, Any] | None:
    if runs is None or runs.last is None:
        return None
    last = runs.last
    shown: dict[str, Any] = {
        "id": last.id,
        "status": last.status,
        "trigger_type": last.trigger_type,
        "started_at": moment(last.started_at),
        "completed_at": moment(last.completed_at),
        "duration_seconds": last.duration_seconds,
        "tokens_analyzed": last.tokens_analyzed,
        "new_wallets": last.new_wallets,
        "updated_wallets": last.updated_wallets,
        "errors": len(last.errors),
    }
    return shown | ({"error_messages": [redact(error) for error in last.errors[:_MOST_ERRORS]]} if operator else {})


def _tell(status: Status, found: Mapping[str, Finding]) -> None:
    """Into the log, once for each change: who may not sign in still finds the words there."""
    before = last_writes.get("detailed", "pass")
    last_writes["detailed"] = status
    if status == before:
        return
    level = {"pass": logging.INFO, "warn": logging.WARNING, "fail": logging.ERROR}[status]
    words = {name: " ".join(finding.output.split()) for name, finding in found.items() if finding.status != "pass"}
    log.log(level, "health: %s", status, extra={"checks": words} if words else {})


def _json(page: dict[str, Any]) -> HttpResponse:
    answer = JsonResponse(
        page,
        status=503 if page["status"] == "fail" else 200,
        content_type="application/health+json",
        headers={"Cache-Control": "no-store"},
    )
    # Django would write an error for each 503, at every probe; the change is told once above.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
