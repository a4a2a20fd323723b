"""Runs through real workers: the same wallets to the lamport, whatever is killed on the way."""

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import redis as redis_client
from markets import RunningMarket
from workers import Worker, environment, wait_for, workers

from discovery.analysis.params import Params
from discovery.models import DiscoveryRun, DiscoveryRunWallet, DiscoveryWallet
from discovery.models.choices import Trigger
from discovery.runs import ledger, upkeep
from simmarket import truth, worlds

pytestmark = pytest.mark.django_db(transaction=True)
SEED = 2


@pytest.fixture
def market(use_market: Callable) -> RunningMarket:
    return use_market("--world", "small", "--seed", str(SEED))


@pytest.fixture
def env(market: RunningMarket, settings) -> dict[str, str]:
    settings.STEP_DEAD_SECONDS = 5
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    return environment(market.urls())


def start(**more) -> DiscoveryRun:
    return ledger.start(Params(), trigger=Trigger.API, triggered_by="test", **more)


def over(run: DiscoveryRun) -> Callable[[], bool]:
    return lambda: DiscoveryRun.objects.get(pk=run.pk).completed_at is not None


def assert_true(run: DiscoveryRun) -> None:
    """The run found what the world knows to be true, each wallet once and to the lamport."""
    run.refresh_from_db()
    assert (run.status, run.errors) == ("completed", [])
    world = worlds.build("small", SEED)
    pumped = truth.pumped(world)
    expected = {
        (buyer.address, mint, buyer.realised_lamports, buyer.cost_lamports, buyer.profit_pct)
        for mint, token in truth.tokens(world).items()
        if mint in pumped
        for buyer in token.early_buyers.values()
        if buyer.qualified
    }
    rows = DiscoveryRunWallet.objects.filter(run=run).values_list(
        "wallet_address", "source_token", "realised_lamports", "cost_lamports", "profit_pct"
    )
    assert sorted(rows) == sorted(expected)
    wallets = {address for address, *_ in expected}
    assert run.new_wallets + run.updated_wallets == len(wallets)
    assert set(DiscoveryWallet.objects.values_list("discovery_count", flat=True)) == {1}
    assert set(run.steps.values_list("status", flat=True)) == {"done"}
    assert run.steps.filter(kind="finish").count() == 1
    assert run.profiled_wallets == len(wallets)
    scored = DiscoveryWallet.objects.filter(score__gt=Decimal(0)).count()
    assert scored >= 6


def test_a_run_goes_through_workers(env: dict[str, str], tmp_path: Path) -> None:
    with workers(2, env, tmp_path):
        run = start()
        assert wait_for(over(run), 90), [worker.read_text()[-3000:] for worker in tmp_path.glob("*.log")]
        assert_true(run)
        claimed = {token.rsplit(":", 1)[0] for token in run.steps.values_list("claimed_by", flat=True)}
        assert len(claimed) == 2  # both have worked


def test_a_killed_worker_costs_time_and_nothing_else(env: dict[str, str], tmp_path: Path) -> None:
    with workers(2, env, tmp_path) as both:
        run = start()
        victim: Worker = random.choice(both)
        assert wait_for(lambda: run.steps.filter(status="done").count() > random.randint(2, 40), 60)
        victim.kill()
        assert wait_for(over(run), 120, meanwhile=upkeep.sweep)
        assert_true(run)


def test_an_emptied_broker_costs_time_and_nothing_else(env: dict[str, str], tmp_path: Path, settings) -> None:
    with workers(1, env, tmp_path):
        run = start()
        assert wait_for(lambda: run.steps.filter(status="done").count() > 3, 60)
        redis_client.Redis.from_url(settings.REDIS_URL).flushall()
        assert wait_for(over(run), 120, meanwhile=upkeep.sweep)
        assert_true(run)


def test_a_market_that_is_down_for_a_while_costs_time_and_nothing_else(
    env: dict[str, str], market: RunningMarket, tmp_path: Path
) -> None:
    with workers(2, env, tmp_path):
        run = start()
        assert wait_for(lambda: run.steps.filter(status="done").count() > 3, 60)
        market.fault("*", "503", count=10**9)
        refused = market.stats()["faults"]
        assert wait_for(lambda: market.stats()["faults"] != refused, 30)
        wait_for(lambda: False, 5)  # how long it is down is what is tested
        market.clear_faults()
        assert wait_for(over(run), 120, meanwhile=upkeep.sweep)
        assert_true(run)


def test_a_stopped_worker_lets_go_of_its_steps_at_once(env: dict[str, str], tmp_path: Path) -> None:
    with workers(1, env, tmp_path) as (worker,):
        run = start()
        assert wait_for(lambda: run.steps.filter(kind="token", status="running").exists(), 60)
        worker.stop()
        assert not run.steps.filter(status="running").exists()
        assert set(run.steps.filter(status="pending").values_list("attempt", flat=True)) == {0}


def test_a_cancel_takes_effect_within_five_seconds_and_keeps_what_was_found(
    env: dict[str, str], tmp_path: Path
) -> None:
    with workers(1, env, tmp_path):
        run = start()
        assert wait_for(lambda: run.steps.filter(kind="token", status="done").count() >= 2, 60)
        ledger.request_cancel(run.pk)
        assert wait_for(over(run), 5)
        run.refresh_from_db()
        assert run.status == "cancelled"
        assert run.tokens_analyzed >= 2
