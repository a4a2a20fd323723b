"""An executor whose step was reaped and taken by another stores nothing: no profile, no
list of pumps, no error. Neither does one that comes back after the other is done.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db.models import F

from discovery.domain.findings import Candidate
from discovery.jobs import lone_steps, step_queue, step_reaper, step_runner, step_work
from discovery.models import Pumps, RunStep, Wallet
from discovery.models.enums import StepKind
from discovery.pipeline.find_tokens import NothingAnswered, TokenSearchResult
from discovery.pipeline.profile_wallet import WalletResult, profile_wallet
from discovery.providers.errors import ServerFailed
from tests.factories import WalletFactory, address
from tests.markets import RunningMarket
from tests.runs.started_runs import MINT, complete
from tests.runs.workers import WORLD, true_rows

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[..., Awaitable[Any]]


@pytest.fixture(autouse=True)
def no_messages() -> Iterator[None]:
    with patch("discovery.jobs.broker.send", lambda *_: True):
        yield


def supersede(step: RunStep) -> step_queue.Claim:
    """Reap the running step and return the claim of its next executor."""
    RunStep.objects.filter(pk=step.pk).update(
        heartbeat_at=F("heartbeat_at") - timedelta(hours=1)
    )
    assert step_reaper.reap(None) == []
    claim = step_queue.claim_step(step.pk, "next")
    assert claim is not None
    return claim


def run_superseded(
    step: RunStep, name: str, work: Work, *, then: Callable[[step_queue.Claim], Any]
) -> None:
    """Run the step while `step_work.<name>` is replaced by `work`, before whose end
    another executor takes the step. then: what that one does meanwhile.
    """

    async def overtaken(*arguments: Any, **named: Any) -> Any:
        claim = await sync_to_async(supersede)(step)
        await sync_to_async(then)(claim)
        return await work(*arguments, **named)

    with patch.object(step_work, name, overtaken):
        async_to_sync(step_runner.run_step)(step.pk, "first")


def holds(_: step_queue.Claim) -> None:
    """The next executor works on the step."""


def finishes(claim: step_queue.Claim) -> None:
    """The next executor is done."""
    assert complete(claim, {}, {})


async def fails(*_: Any, **__: Any) -> None:
    raise ServerFailed("helius", "server error (HTTP 503)")


async def breaks(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError


@pytest.fixture
def requested(use_market: Callable[..., RunningMarket]) -> tuple[Wallet, RunStep]:
    """A wallet of a market, and the step that profiles it."""
    use_market(*WORLD)
    wallet = Wallet.objects.create(address=true_rows()[0][0])
    return wallet, lone_steps.add_lone_step(StepKind.PROFILE, wallet.pk)


@pytest.mark.parametrize("then", [holds, finishes])
def test_a_superseded_executor_cannot_store_a_profile(
    then: Callable[[step_queue.Claim], None], requested: tuple[Wallet, RunStep]
) -> None:
    wallet, step = requested
    results: list[WalletResult] = []

    async def profiled(*arguments: Any, **named: Any) -> WalletResult:
        results.append(await profile_wallet(*arguments, **named))
        return results[-1]

    run_superseded(step, "profile_wallet", profiled, then=then)
    assert results[0].cycles
    wallet.refresh_from_db()
    assert (wallet.profiled_at, wallet.profile, wallet.verdict_reason) == (
        None,
        {},
        "",
    )


def test_an_executor_that_keeps_its_claim_stores_the_profile_with_its_judgement(
    requested: tuple[Wallet, RunStep],
) -> None:
    wallet, step = requested
    async_to_sync(step_runner.run_step)(step.pk, "first")
    wallet.refresh_from_db()
    assert wallet.profiled_at is not None
    assert wallet.verdict_reason != ""
    step.refresh_from_db()
    assert (step.status, step.usage["helius"]["calls"] > 0) == ("done", True)


@pytest.mark.parametrize("work", [fails, breaks])
@pytest.mark.parametrize("then", [holds, finishes])
def test_a_superseded_executor_cannot_store_an_error(
    work: Work, then: Callable[[step_queue.Claim], None]
) -> None:
    wallet = WalletFactory(number=1)
    step = lone_steps.add_lone_step(StepKind.PROFILE, address(1))
    RunStep.objects.update(attempt=1)  # the superseded attempt is the second of three
    run_superseded(step, "profile_wallet", work, then=then)
    wallet.refresh_from_db()
    step.refresh_from_db()
    assert wallet.profile_error == ""
    assert step.claimed_by.startswith("next:")
    assert (step.status, step.error) == (
        ("running", "its worker died") if then is holds else ("done", "")
    )


@pytest.mark.parametrize("then", [holds, finishes])
def test_a_superseded_executor_cannot_store_pumps(
    then: Callable[[step_queue.Claim], None],
) -> None:
    Pumps.objects.create(pk=1)
    step = lone_steps.add_lone_step(StepKind.PUMPS)

    async def found(*_: Any, **__: Any) -> TokenSearchResult:
        return TokenSearchResult(tokens=[Candidate(MINT)], funnel={})

    run_superseded(step, "search", found, then=then)
    row = Pumps.objects.get()
    assert (row.tokens, row.answered_at) == ([], None)


def test_a_superseded_executor_cannot_store_why_there_are_no_pumps() -> None:
    Pumps.objects.create(pk=1)
    step = lone_steps.add_lone_step(StepKind.PUMPS)

    async def nothing(*_: Any, **__: Any) -> None:
        raise NothingAnswered("no source of tokens answered")

    run_superseded(step, "search", nothing, then=holds)
    assert Pumps.objects.get().problem == ""


def test_a_profile_that_fails_for_good_says_why_on_the_wallet() -> None:
    wallet = WalletFactory(number=1)
    step = lone_steps.add_lone_step(StepKind.PROFILE, address(1))
    Wallet.objects.update(profile_requested_at=step.created_at)
    for _ in range(3):
        RunStep.objects.update(available_at=None)
        with patch.object(step_work, "profile_wallet", fails):
            async_to_sync(step_runner.run_step)(step.pk, "a")
    wallet.refresh_from_db()
    step.refresh_from_db()
    assert (step.status, step.attempt) == ("failed", 3)
    assert "server error (HTTP 503)" in wallet.profile_error
    assert wallet.profile_requested_at is None


def test_pumps_that_no_source_answers_leave_the_last_list_and_say_why() -> None:
    Pumps.objects.create(pk=1, tokens=[{"mint": MINT}])
    step = lone_steps.add_lone_step(StepKind.PUMPS)

    async def nothing(*_: Any, **__: Any) -> None:
        raise NothingAnswered("no source of tokens answered")

    with patch.object(step_work, "search", nothing):
        async_to_sync(step_runner.run_step)(step.pk, "a")
    row = Pumps.objects.get()
    assert (row.tokens, row.problem) == (
        [{"mint": MINT}],
        "no source of tokens answered",
    )
    assert row.answered_at is not None
