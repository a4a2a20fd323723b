"""Steps that belong to no run: added once, claimed, repeated and closed like those of a
run, and sharing the workers with it.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync
from django.db.models import F
from django.db.models.functions import Now

from discovery.domain.run_params import Params
from discovery.jobs import (
    heartbeats,
    lone_steps,
    maintenance,
    run_lifecycle,
    step_queue,
    step_runner,
)
from discovery.jobs.step_context import StepContext
from discovery.jobs.step_queue import StepUsage
from discovery.models import Config, Heartbeat, Run, RunStep
from discovery.models.enums import RunStatus, StepKind, Trigger
from tests.factories import WalletFactory, address
from tests.runs.started_runs import complete

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The keys of the steps that were sent to workers, in this order."""
    keys: list[str] = []

    def send(_task: object, arguments: list[int], _queue: object) -> bool:
        keys.append(RunStep.objects.get(pk=arguments[0]).key)
        return True

    with patch("discovery.jobs.broker.send", send):
        yield keys


@pytest.fixture
def places() -> Callable[[int], None]:
    """`places(3)`: workers can hold so many steps."""

    def make(count: int) -> None:
        heartbeats.write_heartbeat("worker:test:1", {"concurrency": count + 1})

    return make


def start_run() -> Run:
    return run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.API, triggered_by="test"
        )
    )


def start_analysis(tokens: int) -> Run:
    """A run of workers with so many pending token steps."""
    run = start_run()
    run.steps.update(status="done", completed_at=Now())
    Run.objects.filter(pk=run.pk).update(status="running", stage="analyse")
    keys = [address(number) for number in range(tokens)]
    step_queue.add_steps(run.pk, StepKind.TOKEN, keys)
    run_lifecycle.advance(run.pk)
    return run


def claimed(step: RunStep, worker: str = "a") -> step_queue.Claim:
    claim = step_queue.claim_step(step.pk, worker)
    assert claim is not None
    return claim


def silence(step: RunStep) -> None:
    """Let the step's heartbeat be older than a living worker's."""
    RunStep.objects.filter(pk=step.pk).update(
        heartbeat_at=F("heartbeat_at") - timedelta(seconds=91)
    )


def test_of_one_kind_and_key_one_step_is_open(sent: list[str]) -> None:
    first = lone_steps.add_lone_step(StepKind.PROFILE, address(1))
    assert lone_steps.add_lone_step(StepKind.PROFILE, address(1)).pk == first.pk
    assert complete(claimed(first), {}, {})
    assert lone_steps.add_lone_step(StepKind.PROFILE, address(1)).pk != first.pk


def test_the_work_on_a_lone_step_gets_its_payload_and_the_configured_parameters(
    sent: list[str], config: Config
) -> None:
    Config.objects.update(max_tokens=7, max_requests_per_run=100)
    step = lone_steps.add_lone_step(
        StepKind.REFRESH, address(1), {"wallets": [address(1)]}
    )
    context = StepContext(None, claimed(step))
    assert context.payload == {"wallets": [address(1)]}
    assert context.params.max_tokens == 7
    assert context.meter.max_calls is None


def test_a_lone_step_of_a_dead_worker_goes_to_another_one(sent: list[str]) -> None:
    step = lone_steps.add_lone_step(StepKind.PROFILE, address(1))
    claimed(step)
    maintenance.sweep()
    assert RunStep.objects.get().status == "running"  # its heartbeat is fresh
    silence(step)
    maintenance.sweep()
    assert sent == [address(1), address(1)]
    assert claimed(step, "b").attempt == 2


def test_a_wallet_whose_workers_died_three_times_says_so(sent: list[str]) -> None:
    wallet = WalletFactory(number=1, profile_requested_at=Now())
    step = lone_steps.add_lone_step(StepKind.PROFILE, wallet.pk)
    for _ in range(3):
        claimed(step)
        silence(step)
        maintenance.sweep()
    wallet.refresh_from_db()
    assert wallet.profile_error == "its worker died 3 times"
    assert wallet.profile_requested_at is None


def test_a_lone_step_that_was_sent_and_lost_is_sent_again(sent: list[str]) -> None:
    lone_steps.add_lone_step(StepKind.PUMPS)
    RunStep.objects.update(enqueued_at=F("enqueued_at") - timedelta(seconds=11))
    with patch("discovery.jobs.broker.waiting_messages", lambda: 0):
        maintenance.sweep()
    assert sent == ["", ""]


def test_a_step_that_the_broker_did_not_take_waits_for_the_sweeper() -> None:
    with patch("discovery.jobs.broker.send", lambda *_: False):
        step = lone_steps.add_lone_step(StepKind.PUMPS)
    step.refresh_from_db()
    assert (step.status, step.enqueued_at) == ("pending", None)


def test_lone_steps_are_sent_by_urgency_then_by_age(
    sent: list[str], places: Callable[[int], None]
) -> None:
    places(1)
    lone_steps.add_lone_step(StepKind.OUTCOMES, "first")
    for kind, key in [
        (StepKind.OUTCOMES, "second"),
        (StepKind.REFRESH, "refresh"),
        (StepKind.PUMPS, "pumps"),
        (StepKind.PROFILE, "old"),
        (StepKind.PROFILE, "new"),
    ]:
        lone_steps.add_lone_step(kind, key)
    places(6)
    lone_steps.enqueue_lone_steps()
    assert sent == ["first", "old", "new", "pumps", "refresh", "second"]


def test_many_profiles_that_are_added_at_once_wait_for_all_other_work(
    sent: list[str], places: Callable[[int], None]
) -> None:
    places(1)
    many = [address(number) for number in range(21)]
    lone_steps.add_lone_steps(StepKind.PROFILE, many)
    assert sent == [many[0]]
    lone_steps.add_lone_step(StepKind.REFRESH, address(50), {"wallets": [address(50)]})
    places(2)
    lone_steps.enqueue_lone_steps()
    assert sent == [many[0], address(50)]


def test_without_a_run_lone_steps_have_every_place(
    sent: list[str], places: Callable[[int], None]
) -> None:
    places(4)
    for number in range(6):
        lone_steps.add_lone_step(StepKind.PROFILE, address(number))
    assert len(sent) == 4


def test_beside_a_run_lone_steps_have_a_third_of_the_places(
    sent: list[str], places: Callable[[int], None]
) -> None:
    places(6)
    for number in range(10, 20):
        lone_steps.add_lone_step(StepKind.PROFILE, address(number))
    for step in RunStep.objects.lone().enqueued():
        complete(claimed(step), {}, {})
    run = start_analysis(tokens=10)
    lone_steps.enqueue_lone_steps()
    assert run.steps.open().enqueued().count() == 4
    assert RunStep.objects.lone().open().enqueued().count() == 2


@pytest.mark.parametrize("capacity", [1, 2])
def test_neither_a_run_nor_lone_steps_starve_on_a_small_worker(
    capacity: int, sent: list[str], places: Callable[[int], None]
) -> None:
    places(capacity)
    for number in range(10, 20):
        lone_steps.add_lone_step(StepKind.PROFILE, address(number))
    run = start_analysis(tokens=10)
    for _ in range(3):
        for step in RunStep.objects.open().enqueued():
            complete(claimed(step), {}, {})
        run_lifecycle.advance(run.pk)
        lone_steps.enqueue_lone_steps()
    assert run.steps.filter(kind="token", status="done").count() >= 2
    assert RunStep.objects.lone().filter(status="done").count() >= 3


def test_lone_steps_outlive_the_run_beside_them(sent: list[str]) -> None:
    run = start_run()
    step = lone_steps.add_lone_step(StepKind.PROFILE, address(1))
    claim = claimed(step)
    run_lifecycle.close(run.pk, RunStatus.CANCELLED)
    assert step_queue.heartbeat([StepUsage(claim, {})]) is True
    assert complete(claim, {}, {})


def test_the_next_lone_step_is_sent_when_one_ends(
    sent: list[str], places: Callable[[int], None]
) -> None:
    places(1)
    steps = [
        lone_steps.add_lone_step(StepKind.REFRESH, address(number))
        for number in range(2)
    ]
    assert sent == [address(0)]
    with patch.dict(step_runner.WORK_OF_KIND, {StepKind.REFRESH: nothing}):
        async_to_sync(step_runner.run_step)(steps[0].pk, "a")
    assert sent == [address(0), address(1)]


async def nothing(step: StepContext, _providers: object) -> None:
    """Complete the step."""
    from asgiref.sync import sync_to_async

    await sync_to_async(step.store)(lambda: None, counts={})


def test_a_step_of_a_kind_without_work_fails_with_the_reason(sent: list[str]) -> None:
    step = lone_steps.add_lone_step(StepKind.OUTCOMES, address(1))
    work = {
        kind: each
        for kind, each in step_runner.WORK_OF_KIND.items()
        if kind != StepKind.OUTCOMES
    }
    with patch.dict(step_runner.WORK_OF_KIND, work, clear=True):
        async_to_sync(step_runner.run_step)(step.pk, "a")
    step.refresh_from_db()
    assert step.status == "failed"
    assert step.error == (
        "this version of the program has no work for steps of the kind 'outcomes'"
    )


def test_workers_are_counted_by_the_clock_of_the_database() -> None:
    heartbeats.write_heartbeat("worker:test:1", {"concurrency": 4})
    assert Heartbeat.objects.alive().count() == 1
    Heartbeat.objects.update(at=F("at") - timedelta(seconds=61))
    assert Heartbeat.objects.alive().count() == 0
