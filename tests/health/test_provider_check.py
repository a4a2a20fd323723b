"""/health/detailed reports of providers the state that workers have stored."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.utils import timezone

from discovery.clients import provider_status
from discovery.clients.provider_status import StatusReporter, report_status
from discovery.models import Provider
from discovery.providers.errors import (
    KeyRefused,
    QuotaUsedUp,
    ServerFailed,
    Unreachable,
)

SERVER_ERROR = ServerFailed("jupiter", "server error (HTTP 503)")
ReportStatus = Callable[[Callable[[StatusReporter], None]], None]


@pytest.fixture
def report(healthy_system: None, monkeypatch: pytest.MonkeyPatch) -> ReportStatus:
    """`report(lambda reporter: …)`: a worker of a healthy system stores the status that
    it reports.
    """
    monkeypatch.setattr(provider_status, "last_writes", {})

    def run(write: Callable[[StatusReporter], None]) -> None:
        async def main() -> None:
            async with report_status() as reporter:
                write(reporter)
                await asyncio.sleep(0)

        async_to_sync(main)()

    return run


@pytest.fixture
def check(get_health_as_operator: Any) -> Callable[[], dict[str, Any]]:
    """`check()`: the check `providers` as operators see it."""
    return lambda: get_health_as_operator()["checks"]["providers"]


def test_providers_that_respond_pass_with_their_last_success(
    report: ReportStatus, check: Any
) -> None:
    before = timezone.now().replace(microsecond=0)

    def respond(reporter: StatusReporter) -> None:
        reporter.request_succeeded("helius")
        reporter.request_succeeded("jupiter")

    report(respond)
    result = check()
    assert (result["status"], result["output"]) == (
        "pass",
        "the last request to each provider succeeded",
    )
    assert set(result["facts"]) == {"helius", "jupiter"}
    for facts in result["facts"].values():
        assert facts["status"] == "pass"
        assert datetime.fromisoformat(facts["last_success"]) >= before
        assert (facts["last_failure"], facts["open_until"]) == (None, None)
    assert datetime.fromisoformat(result["last_seen"]) >= before


def test_an_open_circuit_warns_with_its_cause_and_end(
    report: ReportStatus, check: Any, get_health: Any
) -> None:
    def open_circuit(reporter: StatusReporter) -> None:
        reporter.request_failed("jupiter", SERVER_ERROR)
        reporter.circuit_opened("jupiter", 45)

    report(open_circuit)
    result = check()
    until = Provider.objects.get(pk="jupiter").open_until
    assert result["status"] == "warn"
    assert result["output"].startswith("jupiter: circuit open for another 4")
    assert result["output"].endswith(
        "after repeated failures (server error (HTTP 503))"
    )
    assert result["facts"]["jupiter"]["status"] == "warn"
    assert datetime.fromisoformat(
        result["facts"]["jupiter"]["open_until"]
    ) == until.replace(microsecond=0)
    assert result["facts"]["helius"]["status"] == "pass"
    # A restart does not help against a failing provider, so the status code stays 200.
    health = get_health()
    assert (health["status"], health["code"]) == ("warn", 200)


def test_a_provider_warns_after_its_circuit_until_it_responds(
    report: ReportStatus, check: Any
) -> None:
    def open_circuit(reporter: StatusReporter) -> None:
        reporter.request_failed("jupiter", SERVER_ERROR)
        reporter.circuit_opened("jupiter", 5)

    report(open_circuit)
    with time_machine.travel(timezone.now() + timedelta(seconds=6)):
        assert (
            check()["output"]
            == "jupiter: last failed 6 s ago (server error (HTTP 503))"
        )


def test_a_closed_circuit_passes_at_once(report: ReportStatus, check: Any) -> None:
    def open_and_close_circuit(reporter: StatusReporter) -> None:
        reporter.request_failed("jupiter", SERVER_ERROR)
        reporter.circuit_opened("jupiter", 45)
        reporter.request_succeeded("jupiter")
        reporter.circuit_closed("jupiter")

    report(open_and_close_circuit)
    assert check()["status"] == "pass"


@pytest.mark.parametrize(
    "error",
    [
        KeyRefused("helius", "key or access refused (HTTP 401)"),
        QuotaUsedUp("helius", "the plan's quota is used up"),
        Unreachable("helius", "no answer in time"),
    ],
    ids=lambda error: error.code,
)
def test_a_provider_that_refuses_or_fails_warns_with_the_cause(
    error: Any, report: ReportStatus, check: Any
) -> None:
    report(lambda reporter: reporter.request_succeeded("helius"))
    report(lambda reporter: reporter.request_failed("helius", error))
    result = check()
    assert result["status"] == "warn"
    assert result["output"] == f"helius: last failed 0 s ago ({error.cause})"
    assert result["facts"]["helius"]["last_success"] is not None


def test_anonymous_callers_see_no_provider_and_no_cause(
    report: ReportStatus, get_health: Any
) -> None:
    report(lambda reporter: reporter.request_failed("jupiter", SERVER_ERROR))
    result = get_health()["checks"]["providers"]
    assert result["status"] == "warn"
    assert set(result) <= {"status", "time", "last_seen"}
