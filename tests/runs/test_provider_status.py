"""Status of providers after runs: last success, last failure with its cause, end of an
open circuit.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from discovery.clients import provider_status
from discovery.models import Provider
from tests.runs.provider_rows import fail_to_store, row

pytestmark = pytest.mark.usefixtures("no_status_writes_yet")

WORLD = ("--world", "small", "--seed", "2")
USED_PROVIDERS = {"dexscreener", "geckoterminal", "jupiter", "helius", "prices"}


def test_a_run_stores_the_last_success_of_every_provider_it_used(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    began = timezone.now()
    answer = discover("--max-tokens=3", profiles=True)
    assert (answer["status"], answer["errors"]) == ("completed", [])
    rows = {row.name: row for row in Provider.objects.all()}
    assert set(rows) == USED_PROVIDERS
    for name, provider in rows.items():
        assert began <= provider.last_success_at <= timezone.now(), name
        assert (provider.last_failure_at, provider.last_cause, provider.open_until) == (
            None,
            "",
            None,
        ), name


def test_a_token_source_that_is_down_is_stored_with_cause_and_open_circuit(
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 2)
    market = use_market(*WORLD)
    market.fault("geckoterminal", "503", count=10**6)
    answer = discover("--max-tokens=3")
    assert answer["status"] == "completed"
    assert {error["step"] for error in answer["errors"]} == {"find_tokens"}
    assert all(
        error["message"].startswith("geckoterminal/") for error in answer["errors"]
    )
    down = row("geckoterminal")
    assert (down.last_success_at, down.last_cause) == (None, "server error (HTTP 503)")
    # Half of the timeout of a request, or that doubled by a probe that failed.
    open_for = (down.open_until - down.last_failure_at).total_seconds()
    half = settings.PROVIDER_PATIENCE_SECONDS / 2
    assert open_for == pytest.approx(half, abs=1.5) or open_for == pytest.approx(
        2 * half, abs=1.5
    )
    others = Provider.objects.filter(open_until=None, last_failure_at=None)
    assert {provider.name for provider in others} == {
        "dexscreener",
        "jupiter",
        "helius",
    }


def test_a_provider_that_responds_again_is_stored_with_a_closed_circuit(
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    market = use_market(*WORLD)
    settings.PROVIDER_PATIENCE_SECONDS = 2
    market.fault("geckoterminal", "503", count=10**6)
    discover("--max-tokens=1")
    assert row("geckoterminal").open_until is not None
    market.clear_faults()
    answer = discover("--max-tokens=1")
    assert (answer["status"], answer["errors"]) == (
        "completed",
        [],
    )  # the run waited for the breaker
    again = row("geckoterminal")
    assert again.open_until is None
    assert again.last_success_at > again.last_failure_at
    assert again.last_cause == "server error (HTTP 503)"


def test_a_refused_key_is_stored_as_the_cause_and_the_run_continues_without_it(
    use_market: Callable, discover: Callable, settings: Any
) -> None:
    use_market(*WORLD)
    settings.HELIUS_API_KEY = "bad-5ecret-key"
    answer = discover("--max-tokens=1")
    assert answer["status"] == "completed"
    refused = row("helius")
    assert refused.last_success_at is None
    assert "refused" in refused.last_cause
    assert "key" in refused.last_cause
    assert "5ecret" not in refused.last_cause
    assert row("solana_rpc").last_success_at is not None


def test_a_provider_without_its_key_loses_its_row(
    use_market: Callable, discover: Callable, settings: Any
) -> None:
    use_market(*WORLD, source="solana_rpc")
    Provider.objects.create(
        name="helius", last_failure_at=timezone.now(), last_cause="the key was refused"
    )
    assert discover("--max-tokens=1")["status"] == "completed"
    assert not Provider.objects.filter(pk="helius").exists()


def test_failed_status_writes_do_not_affect_a_run(
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(provider_status, "_store", fail_to_store)
    monkeypatch.setattr(
        provider_status, "close_connection", lambda: None
    )  # it holds the test's transaction
    use_market(*WORLD)
    answer = discover("--max-tokens=2")
    assert (answer["status"], answer["errors"]) == ("completed", [])
    assert "provider status not stored" in caplog.text
