"""The health endpoints: live, ready and detailed."""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from health import checks
from health.caller import operator_check
from health.deadlines import Check, run_checks
from health.report import build_report, collect_results, runs_fields
from health.results import CheckResult, Status

log = logging.getLogger(__name__)

_READINESS_CHECKS: Final = {
    "database": Check(checks.database, key="database"),
    "migrations": Check(checks.migrations, key="migrations"),
    "broker": Check(checks.broker, key="broker"),
}
_DETAILED_CHECKS: Final = {
    **_READINESS_CHECKS,
    "components": Check(checks.components, key="components"),
    "runs": Check(checks.runs, key="runs"),
}
_LOG_LEVELS: Final[Mapping[Status, int]] = {
    "pass": logging.INFO,
    "warn": logging.WARNING,
    "fail": logging.ERROR,
}
_last_logged: dict[str, Status] = {}


def live(_request: HttpRequest) -> HttpResponse:
    """Answer that the process is up, without any check."""
    return _json_response({"status": "pass"})


def ready(_request: HttpRequest) -> HttpResponse:
    """Check what is needed to serve requests: database, migrations and broker. 503 if
    one of them fails.
    """
    started = time.monotonic()
    results = collect_results(run_checks(_READINESS_CHECKS))
    return _json_response(build_report(results, is_operator=False, started=started))


def detailed(request: HttpRequest) -> HttpResponse:
    """Report every check: states and times for everybody, texts for operators only. 503
    if one of them fails.
    """
    started = time.monotonic()
    requested = dict(_DETAILED_CHECKS)
    identity = operator_check(request)
    if identity is not None:
        requested["operator"] = identity
    outcomes = run_checks(requested)
    is_operator = outcomes.pop("operator", False) is True
    results = collect_results(outcomes)
    now = timezone.now()
    results["api_auth"] = checks.api_auth(now)
    results["transport"] = checks.transport(now)

    report = build_report(results, is_operator=is_operator, started=started)
    report |= runs_fields(outcomes["runs"], is_operator=is_operator)
    _log_change(report["status"], results)
    return _json_response(report)


def _log_change(status: Status, results: Mapping[str, CheckResult]) -> None:
    """Log a change of the overall status once, with the texts of the checks that do not
    pass.

    So the texts reach an operator who cannot sign in at the moment.
    """
    previous = _last_logged.get("detailed", "pass")
    _last_logged["detailed"] = status
    if status == previous:
        return
    outputs = {
        name: " ".join(result.output.split())
        for name, result in results.items()
        if result.status != "pass"
    }
    extra = {"checks": outputs} if outputs else {}
    log.log(_LOG_LEVELS[status], "health: %s", status, extra=extra)


def _json_response(report: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(
        report,
        status=503 if report["status"] == "fail" else 200,
        content_type="application/health+json",
        headers={"Cache-Control": "no-store"},
    )
    # Without this Django logs an error for each 503, at every probe; `_log_change` logs
    # the change once.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
