"""A step whose database or provider refuses for a moment: it goes on, or waits its
time.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.utils import timezone

from discovery.domain.run_params import Params
from discovery.jobs import run_lifecycle, step_queue, step_runner
from discovery.jobs.step_context import StepContext, StepGroup
from discovery.models.enums import Trigger
from discovery.providers.errors import CircuitOpen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def step() -> step_runner._StepExecution:
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.API, triggered_by="test"
        )
    )
    claim = step_queue.claim_step(run.steps.get().pk, "w:1")
    assert claim is not None
    group = StepGroup([StepContext(run, claim)])
    return step_runner._StepExecution(group, None)


def test_after_a_heartbeat_that_was_refused_comes_the_next(
    step: step_runner._StepExecution, monkeypatch
) -> None:
    beats: list[int] = []

    def refused_first(*_: Any) -> bool:
        beats.append(len(beats))
        if len(beats) == 1:
            raise OperationalError("the server closed the connection")
        return len(beats) < 3

    monkeypatch.setattr(step_runner, "STEP_HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(step_queue, "heartbeat", refused_first)

    async def beaten() -> bool:
        running: asyncio.Future[None] = asyncio.ensure_future(asyncio.sleep(30))
        await asyncio.wait_for(step._write_heartbeats(running), 10)
        await asyncio.gather(running, return_exceptions=True)
        return running.cancelled()

    assert async_to_sync(beaten)()
    assert len(beats) == 3


def test_a_step_that_lost_the_database_is_given_back(
    step: step_runner._StepExecution, monkeypatch
) -> None:
    async def lost(_: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(step_runner._StepExecution, "_work", lost)
    async_to_sync(step.run)()
    row = step.group.first.owning_run.steps.get()
    assert (row.status, row.error_code, row.claimed_by) == ("pending", "internal", "")


def test_a_step_that_met_an_open_breaker_waits_until_it_may_ask_again(
    step: step_runner._StepExecution, monkeypatch
) -> None:
    async def refused(_: Any) -> None:
        raise CircuitOpen("jupiter", "left alone", 77.0)

    monkeypatch.setattr(step_runner._StepExecution, "_work", refused)
    async_to_sync(step.run)()
    row = step.group.first.owning_run.steps.get()
    assert row.status == "pending"
    assert (
        timedelta(seconds=70)
        < row.available_at - timezone.now()
        <= timedelta(seconds=77)
    )
