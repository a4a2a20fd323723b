"""The lists of test_incomplete_lists.py, read by workers: the same wallets to the
lamport.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis as redis_client

from discovery.domain.run_params import Params
from discovery.jobs import maintenance, run_lifecycle
from discovery.models import Config, Run
from discovery.models.enums import Trigger
from tests.runs.test_incomplete_lists import BY_TIME, ODD_NODE, SIGNATURES
from tests.runs.workers import (
    WORLD,
    environment,
    found_rows,
    over,
    true_rows,
    wait_for,
    workers,
)

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = {"solana_rpc": "none", "helius": "simulated"}
FAULTS = {
    "solana_rpc": [
        ("rpc", SIGNATURES, "short_page", 30),
        ("rpc", SIGNATURES, "empty_page", 1),
        ("rpc", SIGNATURES, "duplicate_rows", 1000),
        ("rpc", SIGNATURES, "shuffled_rows", 1000),
        ("rpc", SIGNATURES, "-32016", 2),
        ("rpc", SIGNATURES, "-32019", 2),
        ("rpc", "getTransaction", "-32011", 2),
    ],
    "helius": [
        ("helius", BY_TIME, "short_page", 30),
        ("helius", BY_TIME, "empty_page", 1),
        ("helius", BY_TIME, "duplicate_rows", 1000),
        ("helius", BY_TIME, "shuffled_rows", 1000),
    ],
}


def prepare(settings) -> str:
    """Return the token that is analysed, without profiles."""
    settings.STEP_DEAD_SECONDS = 5
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    Config.load()
    Config.objects.update(profile_immediately=False)
    return min(mint for _, mint, *_ in true_rows())


def completed_run(mint: str) -> Run:
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(),
            trigger=Trigger.API,
            triggered_by="ana",
            mints=(mint,),
        )
    )
    assert wait_for(over(run), 90, meanwhile=maintenance.sweep)
    run.refresh_from_db()
    return run


def assert_same_rows(run: Run, mint: str) -> None:
    assert (run.status, run.errors) == ("completed", [])
    assert found_rows(run) == tuple(row for row in true_rows() if row[1] == mint)


@pytest.mark.parametrize("source", ["solana_rpc", "helius"])
def test_odd_answers_cost_workers_calls_only(
    source: str, use_market: Callable, settings, tmp_path: Path
) -> None:
    market = use_market(*WORLD, source=source)
    mint = prepare(settings)
    env = environment(market.urls(), HELIUS_API_KEY=KEYS[source])
    with workers(1, env, tmp_path):
        for provider, match, kind, count in FAULTS[source]:
            market.fault(provider, kind, match=match, count=count)
            run = completed_run(mint)
            market.clear_faults()
            assert run.source == source
            assert_same_rows(run, mint)


@pytest.mark.parametrize("source", ["solana_rpc", "helius"])
def test_a_node_that_repeats_shuffles_and_caps_every_page_costs_workers_calls_only(
    source: str, use_market: Callable, settings, tmp_path: Path
) -> None:
    market = use_market(*ODD_NODE, source=source)
    mint = prepare(settings)
    env = environment(market.urls(), HELIUS_API_KEY=KEYS[source])
    with workers(1, env, tmp_path):
        assert_same_rows(completed_run(mint), mint)
