"""Runs that something befalls at a moment of chance, beside one that nothing befalls
(`make faults`).
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from django.conf import settings
from django.core.management import call_command

from tests.faults.outcome import Counted, Outcome, disturbed
from tests.markets import RunningMarket
from tests.markets import market as run_market
from tests.runs.workers import WORLD, completions_counted, environment

SEED = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().randrange(10**6))
TABLE = pytest.StashKey[list[tuple[str, Outcome, float, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = []


def pytest_report_header() -> str:
    return f"faults: FAULTS_SEED={SEED} repeats the moments of chance"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    terminalreporter.section(f"what befell each run (FAULTS_SEED={SEED})")
    terminalreporter.line(
        f"{'what':<34}{'seconds':>8}{'undisturbed':>13}{'steps again':>13}  when"
    )
    for what, outcome, undisturbed, when in sorted(
        config.stash[TABLE], key=lambda row: row[0]
    ):
        terminalreporter.line(
            f"{what:<34}{outcome.seconds:>8.1f}{undisturbed:>13.1f}{outcome.again:>13}  {when}"
        )


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """The same for a test whenever the seed is, in whatever order tests run."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="session")
def market() -> Iterator[RunningMarket]:
    """One for all runs: a world's times are those of its server."""
    with run_market(*WORLD) as running:
        yield running
        assert running.stats()["unhandled_count"] == 0, running.stats()["unhandled"]


@pytest.fixture
def env(transactional_db: None, market: RunningMarket) -> dict[str, str]:
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    return environment(market.urls())


@pytest.fixture
def counted(transactional_db: None) -> Iterator[Counted]:
    with completions_counted() as count:
        yield count


@pytest.fixture(scope="session")
def _kept() -> list[Outcome]:
    return []


@pytest.fixture
def undisturbed(
    env: dict[str, str], counted: Counted, _kept: list[Outcome], tmp_path: Path
) -> Outcome:
    """The outcome of a run without faults. It is computed once, and its rows are deleted
    before the test's own run.
    """
    if not _kept:
        folder = tmp_path / "undisturbed"
        folder.mkdir()
        with disturbed(env, folder) as run:
            _kept.append(run.outcome(counted))
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
        redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    return _kept[0]


@pytest.fixture
def tell(
    request: pytest.FixtureRequest, undisturbed: Outcome
) -> Callable[[str, Outcome, str], None]:
    """`tell("worker killed", outcome, "after 12 steps")`: a line of the table."""
    table = request.config.stash[TABLE]
    return lambda what, outcome, when: table.append(
        (what, outcome, undisturbed.seconds, when)
    )
