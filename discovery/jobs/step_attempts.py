"""How an attempt at a step ends that did not complete it: failed, tried again, or given
back.
"""

import logging
from typing import Final

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError

from discovery.clients.connections import close_connection
from discovery.clients.usage import BudgetExhausted
from discovery.domain.run_errors import ErrorCode, run_error
from discovery.jobs import step_queue
from discovery.jobs.step_context import StepContext
from discovery.jobs.step_work import UnknownKind
from discovery.models.enums import StepKind
from discovery.pipeline.find_tokens import NothingAnswered
from discovery.providers.errors import CircuitOpen, ProviderError

log = logging.getLogger(__name__)

CONNECTION_ERRORS: Final = (OperationalError, InterfaceError)


class _Failure(msgspec.Struct, frozen=True):
    """Why an attempt failed, and whether another one may succeed."""

    code: str
    cause: str
    is_retryable: bool
    min_pause_seconds: float = 0.0


async def fail_attempt(step: StepContext, error: Exception) -> None:
    """End an attempt by an error: the step is tried again, or has failed."""
    failure = _expected_failure(error)
    if failure is None:
        # A bug, or data that cannot be stored, costs this step and never the others.
        log.error("step failed", exc_info=error)
        failure = await _unexpected_failure(error)
    await _store(step, failure)


async def release(step: StepContext) -> None:
    """Return a step to the queue; the attempt does not count."""
    await sync_to_async(step_queue.release)(step.claim, step.meter.usage())


def _expected_failure(error: Exception) -> _Failure | None:
    """Return the meaning of an error that providers, budget or time cause; None for any
    other.
    """
    match error:
        case CircuitOpen():
            # An attempt before the circuit closes again would be spent for nothing.
            return _Failure(error.code, str(error), True, error.wait_seconds)
        case ProviderError():
            return _Failure(error.code, str(error), error.retryable)
        case NothingAnswered():
            return _Failure(ErrorCode.NOTHING_ANSWERED, str(error), True)
        case UnknownKind():
            return _Failure(ErrorCode.INTERNAL, str(error), False)
        case BudgetExhausted():
            return _Failure(ErrorCode.BUDGET, str(error), False)
        case TimeoutError():
            cause = f"no provider answered for {settings.STEP_SILENCE_SECONDS} s"
            return _Failure(ErrorCode.TIMEOUT, cause, True)
        case _:
            return None


async def _unexpected_failure(error: Exception) -> _Failure:
    is_connection_lost = isinstance(error, CONNECTION_ERRORS)
    if is_connection_lost:
        await sync_to_async(close_connection)()
    cause = f"{type(error).__name__}: the log has the details"
    return _Failure(ErrorCode.INTERNAL, cause, is_connection_lost)


async def _store(step: StepContext, failure: _Failure) -> None:
    claim = step.claim
    log.warning(
        "step not completed",
        extra={
            "code": str(failure.code),
            "cause": failure.cause,
            "step": claim.name,
            "attempt": claim.attempt,
        },
    )
    errors = [run_error(claim.name, failure.code, failure.cause)]
    if claim.kind == StepKind.FIND:
        # The warnings of the search say why nothing answered; for other steps the last
        # cause is enough.
        errors = [*step.warnings.entries, *errors]
    pause_seconds = settings.PROVIDER_PATIENCE_SECONDS / 4 * claim.attempt
    await sync_to_async(step_queue.fail_or_retry)(
        claim,
        step.meter.usage(),
        code=failure.code,
        cause=failure.cause,
        is_retryable=failure.is_retryable,
        pause_seconds=max(failure.min_pause_seconds, pause_seconds),
        errors=errors,
    )
