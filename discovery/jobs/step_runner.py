"""One step, from its claim to its end: done with what it stored, given back, failed, or let go because the run ends.

What a step finds is stored in one transaction with its completion; what it has to say of losses goes with that, so a
step that is done again says it once.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from redis.exceptions import RedisError

from discovery.clients.connections import close_connection
from discovery.clients.provider_clients import Providers, open_providers
from discovery.clients.usage import BudgetSpent, RunMeter, metered, total
from discovery.domain.findings import Candidate
from discovery.jobs import run_errors, run_lifecycle, step_queue
from discovery.models import Run
from discovery.models.enums import StepKind
from discovery.pipeline import finish, save_profile, save_token
from discovery.pipeline.analyse_token import analyse_token
from discovery.pipeline.cost_estimate import limit_to_schedule
from discovery.pipeline.find_tokens import NothingAnswered, TokenSearchResult, look_up, search
from discovery.pipeline.profile_wallet import profile_wallet
from discovery.providers.errors import CircuitOpen, ProviderError
from walltrack.logs import bind

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 2.0


def worker_name(pid: int | None = None) -> str:
    """A worker as it stands in claims and heartbeats: host and process, for a pool its parent's."""
    return f"{socket.gethostname()}:{pid or os.getpid()}"


class ClaimLost(Exception):
    """The claim was lost or the run is to end: nothing more is to be done here."""


async def carry_out(step_id: int, worker: str, providers: Providers | None = None) -> None:
    """Claim a step and carry it out; whatever becomes of it, the run moves on. `providers`: None = open some."""
    claim = await sync_to_async(step_queue.claim)(step_id, worker)
    if claim is None:
        return
    run = await sync_to_async(Run.objects.get)(pk=claim.run_id)
    with bind(run_id=str(run.pk), step=claim.name):
        await sync_to_async(run_lifecycle.begin)(run.pk)
        await _Step(run, claim, providers).carry_out()
        await sync_to_async(run_lifecycle.advance)(run.pk)


class _Step:
    """One claimed step."""

    def __init__(self, run: Run, claim: step_queue.Claim, providers: Providers | None) -> None:
        self.run, self.claim = run, claim
        self.params = run_lifecycle.run_params(run)
        self._providers = providers
        self.meter = RunMeter(self.params.max_requests_per_run)
        self.errors: list[dict[str, str]] = []

    async def carry_out(self) -> None:
        if self.params.max_requests_per_run is not None:
            self.meter.used_calls = await sync_to_async(self._used)()
        try:
            with metered(self.meter):
                await self._beating()
        except (ClaimLost, asyncio.CancelledError) as ended:
            await sync_to_async(step_queue.release)(self.claim, self.meter.usage())
            if isinstance(ended, asyncio.CancelledError):
                raise
        except (ProviderError, NothingAnswered, BudgetSpent) as error:
            code = error.code if isinstance(error, ProviderError) else _CODES[type(error)]
            retry = error.retryable if isinstance(error, ProviderError) else isinstance(error, NothingAnswered)
            # Left alone by everybody: an attempt before its time would be spent for nothing.
            wait = error.wait_seconds if isinstance(error, CircuitOpen) else 0.0
            await self._failed(code, str(error), retry=retry, least_pause=wait)
        except TimeoutError:
            await self._failed("timeout", f"not done within {settings.STEP_SECONDS} s", retry=True)
        except Exception as error:
            # A fault of ours or of what a provider made us store costs this step, never the others.
            log.exception("step failed")
            lost_database = isinstance(error, OperationalError | InterfaceError)
            if lost_database:
                await sync_to_async(close_connection)()
            await self._failed("internal", f"{type(error).__name__}: the log has the details", retry=lost_database)

    def _used(self) -> int:
        usage = total(self.run.steps.values_list("usage", flat=True))
        return sum(row["calls"] for row in usage.values())

    async def _failed(self, code: str, cause: str, *, retry: bool, least_pause: float = 0.0) -> None:
        def fail_or_retry() -> None:
            pause = max(least_pause, settings.PROVIDER_PATIENCE_SECONDS / 4 * self.claim.attempt)
            usage = self.meter.usage()
            # What the search lost on the way says why nothing answered; of the others the last cause is enough.
            before = self.errors if self.claim.kind == StepKind.FIND else []
            errors = [*before, run_errors.run_error(self.claim.name, code, cause)]
            step_queue.fail_or_retry(
                self.claim, usage, code=code, cause=cause, retry=retry, pause_seconds=pause, errors=errors
            )

        log.warning("step not done", extra={"code": code, "cause": cause, "attempt": self.claim.attempt})
        await sync_to_async(fail_or_retry)()

    async def _beating(self) -> None:
        """The work with its heartbeat beside it, which ends it where it is no longer wanted."""
        work = asyncio.ensure_future(self._work())
        beat = asyncio.ensure_future(self._beat(work))
        try:
            async with asyncio.timeout(settings.STEP_SECONDS):
                await work
        except asyncio.CancelledError:
            if beat.done() and not beat.cancelled() and beat.exception() is None:
                raise ClaimLost from None
            raise
        finally:
            for task in (work, beat):
                task.cancel()
            await asyncio.gather(work, beat, return_exceptions=True)

    async def _beat(self, work: "asyncio.Future[None]") -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if not await sync_to_async(step_queue.beat)(self.claim, self.meter.usage()):
                    work.cancel()
                    return
            except DatabaseError as error:
                log.warning("heartbeat not stored", extra={"cause": type(error).__name__})
                await sync_to_async(close_connection)()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Providers]:
        if self._providers is not None:
            yield self._providers
            return
        async with open_providers(source=self.run.source, shared=await redis_available()) as providers:
            yield providers

    async def _work(self) -> None:
        now = int(time.time())
        if self.claim.kind == StepKind.FINISH:
            if not await sync_to_async(finish.finish)(self.claim, now):
                raise ClaimLost
            return
        async with self._opened() as providers:
            match self.claim.kind:
                case StepKind.FIND:
                    await self._find(providers, now)
                case StepKind.TOKEN:
                    await self._token(providers, now)
                case StepKind.WALLET:
                    await self._wallet(providers, now)
                case _:
                    raise AssertionError(f"no such kind of step: {self.claim.kind}")

    async def _find(self, providers: Providers, now: int) -> None:
        if self.run.given_mints:
            found = await look_up(providers, list(self.run.given_mints), self.complain)
        else:
            found = await search(providers, self.params, now, self.complain)
            found = await sync_to_async(limit_to_schedule)(found, providers.source, self.complain)
        stored = await sync_to_async(self._store_found)(providers, found)
        if not stored:
            raise ClaimLost

    def _store_found(self, providers: Providers, found: TokenSearchResult) -> bool:
        return save_token.store_found(
            self.claim,
            self.meter.usage(),
            found,
            source=providers.source,
            source_note=providers.helius_note,
            errors=self.errors,
        )

    async def _token(self, providers: Providers, now: int) -> None:
        token: Candidate = await sync_to_async(save_token.candidate)(self.run.pk, self.claim.key)
        result = await analyse_token(
            token, self.params, providers.histories(self.problem), providers.prices, now=now, problem=self.problem
        )
        if not await sync_to_async(save_token.store_token)(self.claim, self.meter.usage(), result, self.errors):
            raise ClaimLost

    async def _wallet(self, providers: Providers, now: int) -> None:
        known = await sync_to_async(save_profile.load_wallet_context)(self.claim.key)
        result = await profile_wallet(self.claim.key, known, providers, now=now, problem=self.problem)
        if not await sync_to_async(save_profile.store_step)(self.claim, self.meter.usage(), result, self.errors):
            raise ClaimLost

    def complain(self, step: str, code: str, message: str) -> None:
        """Something was lost: into the run's errors with the step's completion."""
        self.errors.append(run_errors.run_error(step, code, message))

    def problem(self, what: str, cause: str) -> None:
        """The same, of what this step works on."""
        self.complain(self.claim.name, "incomplete", f"{what}: {cause}")


_CODES: Final[dict[type[Exception], str]] = {NothingAnswered: "nothing_answered", BudgetSpent: "budget"}


async def redis_available() -> bool:
    """Whether the shared store of the pace is there."""
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
    try:
        await client.ping()
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
    return True
