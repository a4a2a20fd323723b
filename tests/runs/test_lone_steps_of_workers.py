"""Twelve profiles that were requested arrive, whatever is killed or lost on the way."""

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis as redis_client

from discovery import services
from discovery.jobs import broker, maintenance
from discovery.models import RunStep, Wallet
from tests.markets import RunningMarket
from tests.runs.workers import (
    WORLD,
    Worker,
    environment,
    lone_completions_counted,
    true_rows,
    wait_for,
    workers,
)

PROFILES = 12
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def market(use_market: Callable) -> RunningMarket:
    return use_market(*WORLD)


@pytest.fixture
def env(market: RunningMarket, settings) -> dict[str, str]:
    settings.STEP_DEAD_SECONDS = 5
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    return environment(market.urls())


@pytest.fixture
def completions(db: None) -> Iterator[Callable[[], Counter[int]]]:
    with lone_completions_counted() as count:
        yield count


def request_profiles() -> None:
    """Twelve wallets of the market, each with a request for its profile."""
    addresses = sorted({wallet for wallet, *_ in true_rows()})[:PROFILES]
    assert len(addresses) == PROFILES
    Wallet.objects.bulk_create(Wallet(address=address) for address in addresses)
    for address in addresses:
        services.request_profile(address, by="test")


def pool_processes(worker: Worker) -> list[int]:
    path = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def are_at_work() -> bool:
    return RunStep.objects.running().count() >= 2


def assert_all_arrive(completions: Callable[[], Counter[int]]) -> None:
    """Each wallet has its profile and its judgement, by one step that was stored once."""
    assert wait_for(
        lambda: not RunStep.objects.open().exists(), 120, meanwhile=maintenance.sweep
    )
    steps = list(RunStep.objects.values_list("pk", "kind", "status"))
    assert [row[1:] for row in steps] == [("profile", "done")] * PROFILES
    assert completions() == Counter(pk for pk, *_ in steps)
    wallets = Wallet.objects.profiled().exclude(verdict_reason="")
    assert wallets.filter(profile_error="", profile_requested_at=None).count() == (
        PROFILES
    )


def test_a_killed_worker_loses_no_profile(
    env: dict[str, str],
    market: RunningMarket,
    completions: Callable[[], Counter[int]],
    tmp_path: Path,
) -> None:
    with workers(1, env, tmp_path) as (worker,), market.held():
        request_profiles()
        assert wait_for(are_at_work, 30)
        worker.kill()
    (tmp_path / "next").mkdir()
    with workers(1, env, tmp_path / "next"):
        assert_all_arrive(completions)


def test_killed_pool_processes_lose_no_profile(
    env: dict[str, str],
    market: RunningMarket,
    completions: Callable[[], Counter[int]],
    tmp_path: Path,
) -> None:
    with workers(1, env, tmp_path) as (worker,):
        with market.held():
            request_profiles()
            assert wait_for(are_at_work, 30)
            for pid in pool_processes(worker):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert_all_arrive(completions)


def test_an_emptied_broker_loses_no_profile(
    env: dict[str, str],
    completions: Callable[[], Counter[int]],
    tmp_path: Path,
    settings,
) -> None:
    request_profiles()  # before any worker: the messages wait in the broker
    assert broker.waiting_messages() == 1  # without a worker one place is assumed
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    with workers(1, env, tmp_path):
        assert_all_arrive(completions)


def test_an_emptied_broker_loses_no_profile_while_others_are_at_work(
    env: dict[str, str],
    market: RunningMarket,
    completions: Callable[[], Counter[int]],
    tmp_path: Path,
    settings,
) -> None:
    with workers(1, env, tmp_path):
        with market.held():
            request_profiles()
            assert wait_for(are_at_work, 30)
            redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
        assert_all_arrive(completions)
