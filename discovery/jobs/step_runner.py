"""Run one step from its claim to its end: completed, failed, back in the queue for
another attempt, or released.

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
from django.db import DatabaseError, InterfaceError, OperationalError

from discovery.clients.connections import close_connection, redis_available
from discovery.clients.provider_clients import Providers, open_providers
from discovery.clients.usage import BudgetExhausted, use_meter
from discovery.domain.run_errors import ErrorCode, run_error
from discovery.domain.usage import sum_usage
from discovery.jobs import lone_steps, run_lifecycle, step_queue
from discovery.jobs.step_context import StepContext
from discovery.jobs.step_queue import Claim, ClaimLost
from discovery.jobs.step_work import (
    SOURCE_OF_KIND,
    WORK_OF_KIND,
    UnknownKind,
    score_and_close,
)
from discovery.models import Run
from discovery.models.enums import StepKind
from discovery.pipeline.find_tokens import NothingAnswered
from discovery.providers.errors import CircuitOpen, ProviderError
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
        step = await sync_to_async(_begin)(claim)
        await _StepExecution(step, providers).run()
        await sync_to_async(_move_on)(step.run)


def _begin(claim: Claim) -> StepContext:
    if claim.run_id is None:
        return StepContext(None, claim)
    run_lifecycle.mark_running(claim.run_id)
    return StepContext(Run.objects.get(pk=claim.run_id), claim)


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
    """One attempt at a claimed step, with a heartbeat beside the work."""

    def __init__(self, step: StepContext, providers: Providers | None) -> None:
        self.step = step
        self._providers = providers

    async def run(self) -> None:
        """Work, and end the attempt by what became of it. Raises CancelledError if this
        process is stopping.
        """
        if self.step.params.max_requests_per_run is not None:
            self.step.meter.used_calls = await sync_to_async(
                self._calls_of_other_steps
            )()
        try:
            with use_meter(self.step.meter):
                await self._work_with_heartbeat()
        except ClaimLost:
            await self._release()
        except asyncio.CancelledError:
            await self._release()
            raise
        except ProviderError as error:
            # An attempt before the circuit closes again would be spent for nothing.
            pause = error.wait_seconds if isinstance(error, CircuitOpen) else 0.0
            await self._fail(
                error.code,
                str(error),
                is_retryable=error.retryable,
                min_pause_seconds=pause,
            )
        except NothingAnswered as error:
            await self._fail(ErrorCode.NOTHING_ANSWERED, str(error), is_retryable=True)
        except UnknownKind as error:
            await self._fail(ErrorCode.INTERNAL, str(error), is_retryable=False)
        except BudgetExhausted as error:
            await self._fail(ErrorCode.BUDGET, str(error), is_retryable=False)
        except TimeoutError:
            await self._fail(
                ErrorCode.TIMEOUT,
                f"not done within {settings.STEP_SECONDS} s",
                is_retryable=True,
            )
        except Exception as error:
            # A bug, or data that cannot be stored, costs this step and never the
            # others.
            log.exception("step failed")
            await self._fail_unexpectedly(error)

    def _calls_of_other_steps(self) -> int:
        steps = self.step.owning_run.steps
        usage = sum_usage(steps.values_list("usage", flat=True))
        return sum(counts["calls"] for counts in usage.values())

    async def _release(self) -> None:
        await sync_to_async(step_queue.release)(
            self.step.claim, self.step.meter.usage()
        )

    async def _fail_unexpectedly(self, error: Exception) -> None:
        is_connection_lost = isinstance(error, OperationalError | InterfaceError)
        if is_connection_lost:
            await sync_to_async(close_connection)()
        cause = f"{type(error).__name__}: the log has the details"
        await self._fail(ErrorCode.INTERNAL, cause, is_retryable=is_connection_lost)

    async def _fail(
        self,
        code: str,
        cause: str,
        *,
        is_retryable: bool,
        min_pause_seconds: float = 0.0,
    ) -> None:
        claim = self.step.claim
        log.warning(
            "step not completed",
            extra={"code": str(code), "cause": cause, "attempt": claim.attempt},
        )
        errors = [run_error(claim.name, code, cause)]
        if claim.kind == StepKind.FIND:
            # The warnings of the search say why nothing answered; for other steps the
            # last cause is enough.
            errors = [*self.step.warnings.entries, *errors]
        await sync_to_async(step_queue.fail_or_retry)(
            claim,
            self.step.meter.usage(),
            code=code,
            cause=cause,
            is_retryable=is_retryable,
            pause_seconds=max(
                min_pause_seconds,
                settings.PROVIDER_PATIENCE_SECONDS / 4 * claim.attempt,
            ),
            errors=errors,
        )

    async def _work_with_heartbeat(self) -> None:
        """Work until done, for STEP_SECONDS at most. Raises ClaimLost if a heartbeat
        says that the work must stop.
        """
        work = asyncio.ensure_future(self._work())
        heartbeat = asyncio.ensure_future(self._write_heartbeats(work))
        try:
            async with asyncio.timeout(settings.STEP_SECONDS):
                await work
        except asyncio.CancelledError:
            was_stopped_by_heartbeat = heartbeat.done() and not heartbeat.cancelled()
            if was_stopped_by_heartbeat and heartbeat.exception() is None:
                raise ClaimLost from None
            raise
        finally:
            for task in (work, heartbeat):
                task.cancel()
            await asyncio.gather(work, heartbeat, return_exceptions=True)

    async def _write_heartbeats(self, work: "asyncio.Future[None]") -> None:
        """Write a heartbeat every STEP_HEARTBEAT_SECONDS; cancel the work and return
        when it must stop.
        """
        while True:
            await asyncio.sleep(STEP_HEARTBEAT_SECONDS)
            try:
                goes_on = await sync_to_async(step_queue.heartbeat)(
                    self.step.claim, self.step.meter.usage()
                )
            except DatabaseError as error:
                log.warning(
                    "step heartbeat was not stored",
                    extra={"cause": type(error).__name__},
                )
                await sync_to_async(close_connection)()
                continue
            if not goes_on:
                work.cancel()
                return

    async def _work(self) -> None:
        if self.step.claim.kind == StepKind.FINISH:
            await sync_to_async(score_and_close)(self.step)
            return
        work = WORK_OF_KIND.get(self.step.claim.kind)
        if work is None:
            raise UnknownKind(self.step.claim.kind)
        async with self._open_providers() as providers:
            await work(self.step, providers)

    @asynccontextmanager
    async def _open_providers(self) -> AsyncIterator[Providers]:
        if self._providers is not None:
            yield self._providers
            return
        run, kind = self.step.run, self.step.claim.kind
        source = SOURCE_OF_KIND.get(kind, "") if run is None else run.source
        async with open_providers(
            source=source, shared=await redis_available()
        ) as providers:
            yield providers
