"""A whole run in this process, without a worker: the same steps, claimed and stored the same way."""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Final

from asgiref.sync import sync_to_async
from django.db.models import Q
from django.utils import timezone

from discovery.clients.provider_clients import open_providers
from discovery.clients.usage import RunMeter, metered
from discovery.jobs import run_errors, run_lifecycle
from discovery.jobs.step_runner import carry_out, redis_available, worker_name
from discovery.models import Run, RunStep
from discovery.models.enums import ACTIVE_RUN_STATUSES, RunStatus, StepKind, StepStatus

log = logging.getLogger(__name__)

STEPS_AT_ONCE: Final = 6
PAUSE_SECONDS: Final = 0.5


async def run_inline(run: Run) -> None:
    """Carry out a run started `in_foreground` to its end. Whatever ends this, the run is closed with what it found."""
    try:
        opening = RunMeter(run.max_requests_per_run)
        async with AsyncExitStack() as stack:
            with metered(opening):
                providers = await stack.enter_async_context(open_providers(shared=await redis_available()))
            # What asking who answers has used belongs to the search.
            await sync_to_async(run.steps.filter(kind=StepKind.FIND).update)(usage=opening.usage())
            doing: dict[int, asyncio.Task[None]] = {}
            try:
                while (ready := await sync_to_async(_ready)(run)) is not None:
                    at_once = STEPS_AT_ONCE if run.max_requests_per_run is None else 1
                    for step_id in ready:
                        if step_id not in doing and len(doing) < at_once:
                            doing[step_id] = asyncio.ensure_future(carry_out(step_id, worker_name(), providers))
                    if doing:
                        done, _ = await asyncio.wait(
                            doing.values(), timeout=PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED
                        )
                        for task in done:
                            task.result()
                        doing = {step_id: task for step_id, task in doing.items() if not task.done()}
                    else:
                        await asyncio.sleep(PAUSE_SECONDS)  # a step given back waits for its time
            finally:
                for task in doing.values():
                    task.cancel()
                await asyncio.gather(*doing.values(), return_exceptions=True)
    except BaseException as ended:
        interrupted = isinstance(ended, asyncio.CancelledError | KeyboardInterrupt)
        code, words = "internal", f"{type(ended).__name__}: the log has the details"
        if interrupted:
            code, words = "cancelled", "interrupted from the terminal"
        status = RunStatus.CANCELLED if interrupted else RunStatus.FAILED
        await sync_to_async(_close)(run, status, [run_errors.run_error("run", code, words)])
        raise


def _ready(run: Run) -> list[int] | None:
    """Steps that may be begun, None where the run is over. Says that this process lives."""
    active = Run.objects.filter(pk=run.pk, status__in=ACTIVE_RUN_STATUSES)
    if not active.update(heartbeat_at=timezone.now()):
        return None
    if active.filter(cancel_requested_at__isnull=False).exists():
        run_lifecycle.advance(run.pk)
    due = Q(available_at__isnull=True) | Q(available_at__lte=timezone.now())
    pending = RunStep.objects.filter(due, run=run, status=StepStatus.PENDING).order_by("pk")
    return list(pending.values_list("pk", flat=True)[:STEPS_AT_ONCE])


def _close(run: Run, status: RunStatus, errors: list[dict[str, str]]) -> None:
    """Close the run, on a new connection where the old one is gone: what ended the run may be that it went."""
    from django.db import DatabaseError, connection

    for last in (False, False, True):
        try:
            run_lifecycle.close(run.pk, status, errors)
        except DatabaseError:
            if last:
                raise
            connection.close()
        else:
            return
