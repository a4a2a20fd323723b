"""The credits of Helius that the product counts are those that Helius charges."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from discovery.domain.usage import sum_usage
from discovery.jobs.lone_steps import add_lone_step
from discovery.jobs.step_runner import run_step
from discovery.models import Run, RunStep
from discovery.models.enums import StepKind
from tests.markets import EVERYTHING, RunningMarket

pytestmark = pytest.mark.django_db(transaction=True)
WORLD = ("--world", "small", "--seed", "2")


def charged(market: RunningMarket) -> int:
    return int(market.stats()["credits"]["helius"])


def counted(usage: dict[str, Any]) -> int:
    return int(usage["helius"]["credits"])


@pytest.mark.parametrize(
    ("options", "source"),
    [((), "helius"), (("--helius", "no-gtfa"), "helius_rpc")],
)
def test_a_run_counts_the_credits_that_helius_charges(
    options: tuple[str, ...],
    source: str,
    use_market: Callable[..., RunningMarket],
    discover: Callable[..., dict[str, Any]],
) -> None:
    market = use_market(*WORLD, *options)
    before = charged(market)
    found = discover(*EVERYTHING, "--max-tokens=2", profiles=True)
    run = Run.objects.get(pk=found["run_id"])
    assert run.source == source
    assert counted(run.usage) == charged(market) - before
    steps = sum_usage(run.steps.values_list("usage", flat=True))
    assert counted(steps) == counted(run.usage)


def test_a_node_without_batches_is_charged_as_it_counts(
    use_market: Callable[..., RunningMarket],
    discover: Callable[..., dict[str, Any]],
) -> None:
    market = use_market(*WORLD, "--helius", "no-gtfa", "--no-batch")
    before = charged(market)
    found = discover(*EVERYTHING, "--max-tokens=1")
    run = Run.objects.get(pk=found["run_id"])
    assert counted(run.usage) == charged(market) - before
    # A refused batch is a call that costs nothing.
    assert counted(run.usage) < run.usage["helius"]["calls"]


def test_work_of_no_run_counts_its_credits(
    use_market: Callable[..., RunningMarket],
    discover: Callable[..., dict[str, Any]],
) -> None:
    market = use_market(*WORLD)
    found = discover(*EVERYTHING, "--max-tokens=1")
    wallet = found["wallets"][0]["address"]
    before = charged(market)
    step = add_lone_step(StepKind.PROFILE, wallet)
    async_to_sync(run_step)(step.pk, "worker")
    stored = RunStep.objects.get(pk=step.pk)
    assert stored.status == "done", stored.error
    assert counted(stored.usage) == charged(market) - before > 0
