"""Whatever befalls a run at whatever moment costs time and nothing else."""

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from discovery.jobs.heartbeats import worker_name
from tests.faults.outcome import Counted, Outcome, assert_same, disturbed
from tests.faults.servers import Broker, Gate
from tests.markets import RunningMarket
from tests.runs.workers import environment, wait_for

Tell = Callable[[str, Outcome, str], None]
DOWN_SECONDS = 30


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    ours = Broker(folder)
    ours.start()
    yield ours
    ours.kill()


def stays_down(seconds: float) -> None:
    """How long something is down is what is tested."""
    wait_for(lambda: False, seconds)


def test_a_second_undisturbed_run_leaves_the_same(
    env: dict[str, str],
    undisturbed: Outcome,
    counted: Counted,
    tell: Tell,
    tmp_path: Path,
) -> None:
    with disturbed(env, tmp_path) as run:
        outcome = run.outcome(counted)
    assert_same(outcome, undisturbed)
    assert outcome.again == 0
    tell("nothing", outcome, "")


@pytest.mark.parametrize("nth", range(10))
def test_one_of_two_workers_is_killed(
    nth: int,
    env: dict[str, str],
    undisturbed: Outcome,
    counted: Counted,
    chance: random.Random,
    tell: Tell,
    tmp_path: Path,
) -> None:
    steps = chance.randrange(len(undisturbed.steps) - 1)
    pause = chance.uniform(0, 0.3) if steps < len(undisturbed.steps) - 10 else 0
    with disturbed(env, tmp_path) as run:
        victim = chance.choice(run.workers)
        run.wait_until_done(steps)
        stays_down(pause)  # not always just behind the end of a step
        victim.kill()
        assert not run.is_over(), "it was too quick for this moment: take another seed"
        held = run.run.steps.filter(
            status="running",
            claimed_by__startswith=f"{worker_name(victim.process.pid)}:",
        )
        when = f"after {run.done()} of {len(undisturbed.steps)} steps; it held {held.count()}"
        outcome = run.outcome(counted)
    assert_same(outcome, undisturbed)
    tell(f"worker killed ({nth + 1})", outcome, when)


@pytest.mark.parametrize("nth", range(3))
def test_the_broker_is_killed_and_comes_back_empty(
    nth: int,
    market: RunningMarket,
    broker: Broker,
    undisturbed: Outcome,
    counted: Counted,
    chance: random.Random,
    tell: Tell,
    tmp_path: Path,
) -> None:
    steps, down = chance.randrange(len(undisturbed.steps) - 10), chance.uniform(0, 10)
    with disturbed(environment(market.urls(), REDIS_URL=broker.url), tmp_path) as run:
        run.wait_until_done(steps)
        assert broker.keys() > 0
        broker.kill()
        assert not run.is_over()
        stays_down(down)
        broker.start()
        when = f"after {steps} steps, away for {down:.1f} s"
        outcome = run.outcome(counted)
        assert [worker.process.poll() for worker in run.workers] == [None, None], (
            run.logs()
        )  # nobody starts them again
    assert_same(outcome, undisturbed)
    tell(f"broker killed and empty ({nth + 1})", outcome, when)


@pytest.mark.parametrize("how", ["answers 503", "says nothing", "refuses connections"])
def test_the_market_is_away_for_half_a_minute(
    how: str,
    env: dict[str, str],
    market: RunningMarket,
    undisturbed: Outcome,
    counted: Counted,
    chance: random.Random,
    tell: Tell,
    tmp_path: Path,
) -> None:
    steps = chance.randrange(1, len(undisturbed.steps) // 2)
    with contextlib.closing(Gate(market.url)) as gate:
        behind = RunningMarket(gate.url, market.pid)
        with disturbed({**env, **behind.urls()}, tmp_path) as run:
            run.wait_until_done(steps)
            match how:
                case "answers 503":
                    market.fault("*", "503", count=10**9)
                    stays_down(DOWN_SECONDS)
                    market.clear_faults()
                case "says nothing":
                    with market.held():
                        stays_down(DOWN_SECONDS)
                case _:
                    gate.shut()
                    stays_down(DOWN_SECONDS)
                    gate.open()
            assert not run.is_over()
            when = f"for {DOWN_SECONDS} s after {steps} steps"
            outcome = run.outcome(counted)
    assert_same(outcome, undisturbed)
    tell(f"market {how}", outcome, when)
