"""What workers write of providers is what /health/detailed says of them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.utils import timezone

from discovery.models import DiscoveryProvider
from discovery.providers.errors import KeyRefused, QuotaUsedUp, ServerFailed, Unreachable
from discovery.runs import provider_signs
from discovery.runs.provider_signs import ProviderSigns, told_in_rows

DOWN = ServerFailed("jupiter", "server error (HTTP 503)")
See = Callable[[Callable[[ProviderSigns], None]], None]


@pytest.fixture
def see(all_well: None, monkeypatch: pytest.MonkeyPatch) -> See:
    """`see(lambda signs: signs.answered("helius"))`: a worker of a healthy system sees that, and writes its rows."""
    monkeypatch.setattr(provider_signs, "_told", {})

    def run(what: Callable[[ProviderSigns], None]) -> None:
        async def main() -> None:
            async with told_in_rows() as signs:
                what(signs)
                await asyncio.sleep(0)

        async_to_sync(main)()

    return run


@pytest.fixture
def check(ask_as_operator: Any) -> Callable[[], dict[str, Any]]:
    """The check of providers as operators see it."""
    return lambda: ask_as_operator()["checks"]["providers"]


def test_providers_that_answer_pass_with_their_last_answer(see: See, check: Any) -> None:
    before = timezone.now().replace(microsecond=0)
    see(lambda signs: [signs.answered(name) for name in ("helius", "jupiter")] and None)
    found = check()
    assert (found["status"], found["output"]) == ("pass", "the last request to each provider succeeded")
    assert set(found["facts"]) == {"helius", "jupiter"}
    for facts in [*found["facts"].values()]:
        assert facts["status"] == "pass"
        assert datetime.fromisoformat(facts["last_success"]) >= before
        assert (facts["last_failure"], facts["open_until"]) == (None, None)
    assert datetime.fromisoformat(found["last_seen"]) >= before


def test_a_provider_left_alone_warns_with_its_cause_and_until_when(see: See, check: Any, ask: Any) -> None:
    def opens(signs: ProviderSigns) -> None:
        signs.failed("jupiter", DOWN)
        signs.opened("jupiter", 45)

    see(opens)
    found = check()
    until = DiscoveryProvider.objects.get(pk="jupiter").open_until
    assert found["status"] == "warn"
    assert found["output"].startswith("jupiter: circuit open for another 4")
    assert found["output"].endswith("after repeated failures (server error (HTTP 503))")
    assert found["facts"]["jupiter"]["status"] == "warn"
    assert datetime.fromisoformat(found["facts"]["jupiter"]["open_until"]) == until.replace(microsecond=0)
    assert found["facts"]["helius"]["status"] == "pass"
    assert (ask()["status"], ask()["code"]) == ("warn", 200)  # a provider is no reason to restart anything


def test_a_provider_whose_time_alone_is_over_still_warns_until_it_answers(see: See, check: Any) -> None:
    def opens(signs: ProviderSigns) -> None:
        signs.failed("jupiter", DOWN)
        signs.opened("jupiter", 5)

    see(opens)
    with time_machine.travel(timezone.now() + timedelta(seconds=6)):
        assert check()["output"] == "jupiter: last failed 6 s ago (server error (HTTP 503))"


def test_a_breaker_that_closed_passes_at_once(see: See, check: Any) -> None:
    def opens_and_closes(signs: ProviderSigns) -> None:
        signs.failed("jupiter", DOWN)
        signs.opened("jupiter", 45)
        signs.answered("jupiter")
        signs.closed("jupiter")

    see(opens_and_closes)
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
def test_a_provider_that_refuses_or_fails_warns_and_names_the_cause(error: Any, see: See, check: Any) -> None:
    see(lambda signs: signs.answered("helius"))
    see(lambda signs: signs.failed("helius", error))
    found = check()
    assert found["status"] == "warn"
    assert found["output"] == f"helius: last failed 0 s ago ({error.cause})"
    assert found["facts"]["helius"]["last_success"] is not None


def test_anonymous_callers_see_no_provider_and_no_cause(see: See, ask: Any) -> None:
    see(lambda signs: signs.failed("jupiter", DOWN))
    shown = ask()["checks"]["providers"]
    assert shown["status"] == "warn"
    assert set(shown) <= {"status", "time", "last_seen"}
