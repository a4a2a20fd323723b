"""Runs against simulated markets."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from django.core.management import call_command

from discovery.clients import provider_status
from discovery.models import Config
from tests.markets import CALLS_PER_SECOND, RunningMarket, market


@pytest.fixture(scope="session")
def _markets() -> Iterator[Callable[..., RunningMarket]]:
    with ExitStack() as stack:
        running: dict[tuple[str, ...], RunningMarket] = {}

        def start(*arguments: str) -> RunningMarket:
            if arguments not in running:
                running[arguments] = stack.enter_context(market(*arguments))
            return running[arguments]

        yield start


@pytest.fixture
def use_market(
    _markets: Callable[..., RunningMarket], settings: Any
) -> Iterator[Callable[..., RunningMarket]]:
    """`use_market("--world", "small", source="helius")`: start or reuse a market and
    point the settings at it.
    """
    used: list[RunningMarket] = []

    def use(*arguments: str, source: str = "helius") -> RunningMarket:
        found = _markets(*arguments)
        for name, url in found.urls().items():
            setattr(settings, name, url)
        settings.MARKET = "simulated"
        settings.PROVIDER_RPS = CALLS_PER_SECOND
        settings.PROVIDER_PATIENCE_SECONDS = 8
        settings.RETENTION_CACHE_HOURS = 0
        settings.HELIUS_API_KEY = "simulated" if source == "helius" else ""
        _close_breakers(settings.REDIS_URL)
        used.append(found)
        return found

    yield use
    for found in used:
        found.clear_faults()
        assert found.stats()["unhandled_count"] == 0, found.stats()["unhandled"]


def _close_breakers(redis_url: str) -> None:
    """What another test's market refused says nothing of this one's."""
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter("*:breaker:*"):
            client.delete(key)


@pytest.fixture
def discover(db: None) -> Callable[..., dict[str, Any]]:
    """`discover(*options)`: the command's JSON answer. `profiles=True`: with the
    profiles of the wallets found.
    """

    def run(*options: str, profiles: bool = False) -> dict[str, Any]:
        Config.load()
        Config.objects.update(profile_immediately=profiles)
        out = io.StringIO()
        call_command("discover", "--json", *options, stdout=out)
        return json.loads(out.getvalue())

    return run


@pytest.fixture
def no_status_writes_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start like a new process, which has written no status of a provider."""
    monkeypatch.setattr(provider_status, "last_writes", {})
