"""What a step has paid for is kept when it is cut, and a step that works slowly is not
cut at all.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis as redis_client
from django.core.management import CommandError

from discovery.clients.transaction_cache import PORTION
from discovery.domain.run_params import Params
from discovery.jobs import maintenance, run_lifecycle
from discovery.models import Config, Run, Transaction
from discovery.models.enums import Trigger
from simmarket import worlds
from simmarket.worlds import expected_results as truth
from tests.markets import RunningMarket
from tests.runs.test_against_truth import figures, true_figures
from tests.runs.workers import environment, over, wait_for, workers

ROOT = Path(__file__).resolve().parents[2]
WORLD = ("--world", "small", "--seed", "2")
IN_FLIGHT = 32
"""Requests of a step that are under way at once."""


def token() -> str:
    return min(truth.pumped(worlds.build("small", 2)))


def kept_transactions() -> int:
    return Transaction.objects.exclude(signature__startswith="list:").count()


def fetched(node: RunningMarket) -> int:
    """Return how many transactions a market has served, batches included."""
    return node.stats()["served"].get("rpc", {}).get("getTransaction", 0)


def test_a_run_that_its_budget_cuts_twice_pays_for_no_transaction_twice(
    use_market: Callable, discover: Callable, settings
) -> None:
    market = use_market(*WORLD, "--no-batch", source="solana_rpc")
    settings.RETENTION_CACHE_HOURS = 24
    before = fetched(market)
    kept: list[int] = []
    for budget in (150, 150):
        cut = discover(
            "--all-buyers",
            f"--token={token()}",
            f"--max-requests-per-run={budget}",
        )
        assert [error["code"] for error in cut["errors"]] == ["budget"]
        kept.append(kept_transactions())
    answer = discover("--all-buyers", f"--token={token()}")
    expected = truth.tokens(worlds.build("small", 2))[token()]
    assert figures(answer, token()) == true_figures(expected)
    assert 0 < kept[0] < kept[1] < kept_transactions()
    paid_twice = fetched(market) - before - kept_transactions()
    assert 0 <= paid_twice <= 2 * IN_FLIGHT


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_twice_loses_a_portion_each_time(
    use_market: Callable, settings, tmp_path: Path
) -> None:
    node = use_market(*WORLD, "--no-batch", source="solana_rpc")
    settings.STEP_DEAD_SECONDS = 5
    settings.RETENTION_CACHE_HOURS = 24
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    env = environment(
        node.urls(),
        MARKET="live",  # transactions of a simulated market are not kept
        HELIUS_API_KEY="none",
        PROVIDER_RPS="120",
        WORKER_CONCURRENCY="1",
        RETENTION_CACHE_HOURS="24",
    )
    Config.load()
    Config.objects.update(profile_immediately=False)
    before = fetched(node)
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(),
            trigger=Trigger.API,
            triggered_by="ana",
            mints=(token(),),
        )
    )
    for number, calls in enumerate((100, 200)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with workers(1, env, folder):
            assert wait_for(
                lambda calls=calls: fetched(node) - before >= calls,
                60,
                meanwhile=maintenance.sweep,
            )
    with workers(1, env, tmp_path):
        assert wait_for(over(run), 120, meanwhile=maintenance.sweep)
    run.refresh_from_db()
    assert (run.status, run.errors) == ("completed", [])
    assert kept_transactions() > 200
    paid_twice = fetched(node) - before - kept_transactions()
    assert 0 <= paid_twice <= 2 * (PORTION + IN_FLIGHT)


def test_a_step_that_waits_for_its_turn_longer_than_a_silence_is_completed(
    use_market: Callable, discover: Callable, settings
) -> None:
    use_market(*WORLD, "--no-batch", source="solana_rpc")
    settings.PROVIDER_RPS = 100
    settings.STEP_SILENCE_SECONDS = 1
    answer = discover("--all-buyers", f"--token={token()}")
    assert (answer["status"], answer["errors"]) == ("completed", [])
    run = Run.objects.get()
    assert (run.completed_at - run.started_at).total_seconds() > 2
    assert set(run.steps.values_list("attempt", flat=True)) == {1}


def test_a_step_that_nobody_answers_is_given_up_and_says_how_long_it_waited(
    use_market: Callable, discover: Callable, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "discovery.jobs.step_runner.settings.PROVIDER_PATIENCE_SECONDS", 1
    )
    market = use_market(*WORLD, source="solana_rpc")
    settings.STEP_SILENCE_SECONDS = 1
    market.fault("rpc", "slow", match="getTransaction", count=100, seconds=8)
    with pytest.raises(CommandError):
        discover("--all-buyers", f"--token={token()}")
    run = Run.objects.get()
    (error,) = [error for error in run.errors if error["code"] == "timeout"]
    assert error["step"] == f"token {token()}"
    assert error["message"] == "no provider answered for 1 s"


def test_a_process_whose_loop_hangs_is_ended_by_the_kernel() -> None:
    hang = """
import time, django
django.setup()
from django.conf import settings
from discovery.jobs import hung_process
settings.STEP_SILENCE_SECONDS, hung_process.GRACE_SECONDS = 1, 0
with hung_process.ended_if_hung():
    hung_process.still_works()
    time.sleep(60)
"""
    ended = subprocess.run(
        [sys.executable, "-c", hang],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "walltrack.settings"},
        timeout=30,
        check=False,
    )
    assert ended.returncode == -signal.SIGALRM
