"""Run a step from its claim to its end: completed, failed, back in the queue for another
attempt, or released. Wallets of a run are claimed several at a time.

Results and warnings are stored in one transaction with the completion, so a step that
runs again reports them once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from discovery.clients.connections import close_connection, redis_available
from discovery.clients.provider_clients import Providers, open_providers
from discovery.clients.usage import use_meter
from discovery.domain.usage import sum_usage
from discovery.jobs import hung_process, lone_steps, run_lifecycle, step_queue
from discovery.jobs.step_attempts import fail_attempt, release
from discovery.jobs.step_context import StepContext, StepGroup
from discovery.jobs.step_queue import Claim, ClaimLost
from discovery.jobs.step_work import (
    SOURCE_OF_KIND,
    WORK_OF_KIND,
    UnknownKind,
    score_and_close,
)
from discovery.jobs.wallet_steps import profile_wallets
from discovery.jobs.worker_places import WALLETS_AT_ONCE
from discovery.models import Run
from discovery.models.enums import StepKind
from walltrack.logs import bind

log = logging.getLogger(__name__)

STEP_HEARTBEAT_SECONDS: Final = 2.0


async def run_step(
    step_id: int, worker: str, providers: Providers | None = None
) -> None:
    """Claim a step and run it, then send workers what they can take next, however the
    step ended. Return at once if it cannot be claimed.

    providers: clients that are open already; None = open some for this step.
    """
    claim = await sync_to_async(step_queue.claim_step)(step_id, worker)
    if claim is None:
        return
    with bind(run_id=str(claim.run_id or ""), step=claim.name):
        group = await sync_to_async(_begin)(claim)
        await _StepExecution(group, providers).run()
        await sync_to_async(_move_on)(group.first.run)


def _begin(claim: Claim) -> StepGroup:
    """Return the step, with the next wallets of its run if it is one of them."""
    if claim.run_id is None:
        return StepGroup([StepContext(None, claim)])
    if claim.kind == StepKind.FIND:
        run_lifecycle.mark_running(claim.run_id)
    run = Run.objects.get(pk=claim.run_id)
    claims = [claim]
    if claim.kind == StepKind.WALLET and run.params.max_requests_per_run is None:
        claims += step_queue.claim_siblings(claim, WALLETS_AT_ONCE - 1)
    return StepGroup([StepContext(run, each) for each in claims])


def _move_on(run: Run | None) -> None:
    """Fill the place that has become free. A run in the foreground has no worker's place."""
    if run is None:
        run_lifecycle.advance_active()
        lone_steps.enqueue_lone_steps()
        return
    run_lifecycle.advance(run.pk)
    if not run.in_foreground:
        lone_steps.enqueue_lone_steps()


class _StepExecution:
    """One attempt at steps that were claimed together, with a heartbeat beside the work."""

    def __init__(self, group: StepGroup, providers: Providers | None) -> None:
        self.group = group
        self._providers = providers
        # Why the work was cancelled from here; None unless it was.
        self._stop: ClaimLost | TimeoutError | None = None

    async def run(self) -> None:
        """Work, and end the attempt by what became of it. Raises CancelledError if this
        process is stopping.
        """
        first = self.group.first
        if first.params.max_requests_per_run is not None:
            first.meter.used_calls = await sync_to_async(self._calls_of_other_steps)()
        try:
            with use_meter(first.meter):
                await self._work_with_heartbeat()
        except ClaimLost:
            await self._release()
        except asyncio.CancelledError:
            await self._release()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the steps
            for step in list(self.group.open):
                await fail_attempt(step, error)

    def _calls_of_other_steps(self) -> int:
        steps = self.group.first.owning_run.steps
        usage = sum_usage(steps.values_list("usage", flat=True))
        return sum(counts["calls"] for counts in usage.values())

    async def _release(self) -> None:
        for step in self.group.open:
            await release(step)

    async def _work_with_heartbeat(self) -> None:
        """Work until done. Raises ClaimLost if a heartbeat says that the work must stop,
        TimeoutError if no provider answers for STEP_SILENCE_SECONDS.
        """
        work = asyncio.ensure_future(self._work())
        watchers = [
            asyncio.ensure_future(self._write_heartbeats(work)),
            asyncio.ensure_future(self._watch_silence(work)),
        ]
        try:
            await work
        except asyncio.CancelledError:
            if self._stop is not None:
                raise self._stop from None
            raise
        finally:
            # One cancellation is enough: what the work has paid for is being stored.
            if not work.cancelling():
                work.cancel()
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(work, *watchers, return_exceptions=True)

    async def _write_heartbeats(self, work: "asyncio.Task[None]") -> None:
        """Write a heartbeat every STEP_HEARTBEAT_SECONDS; cancel the work and return
        when it must stop.
        """
        while True:
            await asyncio.sleep(STEP_HEARTBEAT_SECONDS)
            hung_process.still_works()
            try:
                goes_on = await self._write_heartbeat()
            except DatabaseError as error:
                log.warning(
                    "step heartbeat was not stored",
                    extra={"cause": type(error).__name__},
                )
                await sync_to_async(close_connection)()
                continue
            if not goes_on:
                self._stop = ClaimLost()
                work.cancel()
                return

    async def _write_heartbeat(self) -> bool:
        """Return False if the work must stop."""
        usage = self.group.usage()
        if not usage:
            return True  # all steps have ended: the work returns now
        return await sync_to_async(step_queue.heartbeat)(usage)

    async def _watch_silence(self, work: "asyncio.Task[None]") -> None:
        """Cancel the work once no provider has answered any of its steps for
        STEP_SILENCE_SECONDS. Waiting in a rate limit is no silence while answers arrive,
        however long it takes.
        """
        while True:
            meters = [step.meter for step in self.group.open]
            silent_seconds = min((meter.silent_seconds for meter in meters), default=0)
            remaining_seconds = settings.STEP_SILENCE_SECONDS - silent_seconds
            if remaining_seconds <= 0:
                self._stop = TimeoutError()
                work.cancel()
                return
            await asyncio.sleep(remaining_seconds)

    async def _work(self) -> None:
        step = self.group.first
        if step.claim.kind == StepKind.FINISH:
            await sync_to_async(score_and_close)(step)
            return
        if step.claim.kind == StepKind.WALLET:
            async with self._open_providers() as providers:
                await profile_wallets(self.group, providers)
            return
        work = WORK_OF_KIND.get(step.claim.kind)
        if work is None:
            raise UnknownKind(step.claim.kind)
        async with self._open_providers() as providers:
            await work(step, providers)

    @asynccontextmanager
    async def _open_providers(self) -> AsyncIterator[Providers]:
        if self._providers is not None:
            yield self._providers
            return
        run, kind = self.group.first.run, self.group.first.claim.kind
        source = SOURCE_OF_KIND.get(kind, "") if run is None else run.source
        async with open_providers(
            source=source, shared=await redis_available()
        ) as providers:
            yield providers
