"""A whole run in this process, without a worker: the same steps, claimed and stored in
the same way.
"""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from typing import Final

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from discovery.clients.connections import redis_available
from discovery.clients.provider_clients import Providers, open_providers
from discovery.clients.usage import UsageMeter, use_meter
from discovery.domain.run_errors import ErrorCode, RunError, run_error
from discovery.jobs import run_lifecycle
from discovery.jobs.heartbeats import worker_name
from discovery.jobs.step_runner import run_step
from discovery.jobs.worker_places import WALLETS_AT_ONCE, leaders
from discovery.models import Run
from discovery.models.enums import RunStatus, StepKind

log = logging.getLogger(__name__)

MAX_CONCURRENT_STEPS: Final = 6
POLL_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 1.0
MAX_CLOSE_ATTEMPTS: Final = 3


async def run_inline(run: Run) -> None:
    """Run all steps of a run that was started in the foreground. Whatever ends this,
    the run is closed.

    Raises what ended it, CancelledError among them.
    """
    try:
        await _run_all_steps(run)
    except (asyncio.CancelledError, KeyboardInterrupt):
        error = run_error("run", ErrorCode.CANCELLED, "interrupted from the terminal")
        await sync_to_async(_close)(run, RunStatus.CANCELLED, error)
        raise
    except BaseException as cause:
        error = run_error(
            "run",
            ErrorCode.INTERNAL,
            f"{type(cause).__name__}: the log has the details",
        )
        await sync_to_async(_close)(run, RunStatus.FAILED, error)
        raise


async def _run_all_steps(run: Run) -> None:
    meter = UsageMeter(run.params.max_requests_per_run)
    async with AsyncExitStack() as stack:
        with use_meter(meter):
            providers = await stack.enter_async_context(
                open_providers(shared=await redis_available())
            )
        # The calls that opening the providers needed belong to the search.
        await sync_to_async(run.steps.filter(kind=StepKind.FIND).update)(
            usage=meter.usage()
        )
        tasks = _StepTasks(run, providers)
        ready_steps = sync_to_async(_Heartbeat(run).ready_steps)
        try:
            while (ready := await ready_steps()) is not None:
                tasks.start(ready)
                await tasks.wait()
        finally:
            await tasks.cancel()


class _StepTasks:
    """The steps of a run that this process works on at the moment."""

    def __init__(self, run: Run, providers: Providers) -> None:
        self._max_tasks = MAX_CONCURRENT_STEPS
        if run.params.max_requests_per_run is not None:
            # One step at a time, so that the limit of calls is exact.
            self._max_tasks = 1
        self._providers = providers
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def start(self, step_ids: list[int]) -> None:
        """Start steps while there is room; those that run already are skipped."""
        for step_id in step_ids:
            if step_id not in self._tasks and len(self._tasks) < self._max_tasks:
                step = run_step(step_id, worker_name(), self._providers)
                self._tasks[step_id] = asyncio.ensure_future(step)

    async def wait(self) -> None:
        """Wait for the next end of a step, POLL_SECONDS at most. Raises what a step
        raised.
        """
        if not self._tasks:
            await asyncio.sleep(
                POLL_SECONDS
            )  # a step that failed waits for its next attempt
            return
        done, _ = await asyncio.wait(
            self._tasks.values(),
            timeout=POLL_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in done:
            task.result()
        self._tasks = {
            step_id: task for step_id, task in self._tasks.items() if not task.done()
        }

    async def cancel(self) -> None:
        """Cancel what runs, and wait for its end."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


class _Heartbeat:
    """The heartbeat of the run, written now and then."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._next_at = 0.0

    def ready_steps(self) -> list[int] | None:
        """Write the heartbeat if it is time, and return the steps that may start, or None
        if the run has ended.
        """
        unfinished = Run.objects.unfinished().filter(pk=self._run.pk)
        if time.monotonic() >= self._next_at:
            unfinished.update(heartbeat_at=Now())
            self._next_at = time.monotonic() + HEARTBEAT_SECONDS
        state = unfinished.values_list("cancel_requested_at").first()
        if state is None:
            return None
        if state[0] is not None:
            run_lifecycle.advance(self._run.pk)
        due = self._run.steps.due().order_by("pk").values_list("pk", "kind")
        has_call_limit = self._run.params.max_requests_per_run is not None
        steps = leaders(
            due[: MAX_CONCURRENT_STEPS * WALLETS_AT_ONCE], has_call_limit=has_call_limit
        )
        return [step_id for step_id, _ in steps[:MAX_CONCURRENT_STEPS]]


def _close(run: Run, status: RunStatus, error: RunError) -> None:
    """Close the run, on a new connection if need be: a lost connection may be what
    ended the run.
    """
    for attempt in range(1, MAX_CLOSE_ATTEMPTS + 1):
        try:
            run_lifecycle.close(run.pk, status, [error])
        except DatabaseError:
            if attempt == MAX_CLOSE_ATTEMPTS:
                raise
            connection.close()
        else:
            return
