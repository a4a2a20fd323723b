"""A whole run in this process: find tokens, analyse them side by side, close the run.

What it does is in the database while it happens. Whatever ends it (an error, a spent budget, a cancel, Ctrl-C), the run
is closed with what was found and why it ended.
"""

import asyncio
import logging
import os
import socket
import time
from typing import Final, Protocol

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

from discovery.analysis.params import Params
from discovery.analysis.plan import Estimate, Source, estimate
from discovery.domain.findings import Candidate
from discovery.models import DiscoveryRun
from discovery.models.choices import RunStage, RunStatus, StepKind
from discovery.providers.errors import ProviderError
from discovery.runs import ledger, steps, store
from discovery.runs.analyse_token import TokenResult, analyse_token
from discovery.runs.budget import BudgetSpent, RunMeter
from discovery.runs.find_tokens import Found, NothingAnswered, look_up, search
from discovery.runs.wiring import Providers, open_providers, pace

log = logging.getLogger(__name__)

TOKENS_AT_ONCE: Final = 6
BEAT_SECONDS: Final = 2.0
CLOSE_ATTEMPTS: Final = 3


class Reporter(Protocol):
    """Told of progress while a run goes on."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def tokens_found(self, tokens: list[Candidate]) -> None:
        """The tokens that will be analysed."""

    def token_done(self, mint: str, result: TokenResult | None) -> None:
        """One token is done; None = it failed."""


class Cancelled(Exception):
    """Somebody asked to cancel the run."""


class Outcome:
    """What the run found, for whoever started it here."""

    def __init__(self) -> None:
        self.results: list[TokenResult] = []
        self.candidates: list[Candidate] = []


async def conduct(run: DiscoveryRun, params: Params, reporter: Reporter, *, schedule_hours: int = 6) -> Outcome:
    """Carry out a queued run to its end. The run is closed whatever happens; what is no outcome of a run is raised.

    schedule_hours: hours between scheduled runs; a search is cut to what fits in between.
    """
    meter = RunMeter(params.max_requests_per_run)
    work = _Work(run, params, meter, reporter, schedule_hours)
    await sync_to_async(ledger.begin)(run)
    status = RunStatus.FAILED
    try:
        status = await work.carry_out()
    except Cancelled:
        status = RunStatus.CANCELLED
        work.complain("run", "cancelled", "cancelled on request")
    except (asyncio.CancelledError, KeyboardInterrupt):
        status = RunStatus.CANCELLED
        work.complain("run", "cancelled", "interrupted from the terminal")
        raise
    except NothingAnswered as error:
        work.complain("find_tokens", "nothing_answered", str(error))
    except BudgetSpent as error:
        # Spent before any token was analysed: a clean end, with nothing found and the reason said.
        status = RunStatus.COMPLETED
        work.add({"budget": 1})
        work.complain("run", "budget", str(error))
    except Exception as error:
        work.complain("run", "internal", f"{type(error).__name__}: the log has the details")
        log.exception("run failed", extra={"run_id": str(run.pk)})
        raise
    finally:
        await sync_to_async(_close)(run, status, work)
    return work.outcome


def _close(run: DiscoveryRun, status: RunStatus, work: "_Work") -> None:
    """Close the run, on a new connection where the old one is gone: what ended the run may be that it went."""
    for attempt in range(1, CLOSE_ATTEMPTS + 1):
        try:
            ledger.close(run, status, usage=work.meter.usage(), funnel=work.funnel, errors=work.errors)
        except DatabaseError:
            if attempt == CLOSE_ATTEMPTS:
                raise
            connection.close()
        else:
            return


class _Work:
    """One run while it is carried out."""

    def __init__(
        self,
        run: DiscoveryRun,
        params: Params,
        meter: RunMeter,
        reporter: Reporter,
        schedule_hours: int,
    ) -> None:
        self.run = run
        self.params = params
        self.meter = meter
        self.reporter = reporter
        self.schedule_hours = schedule_hours
        self.funnel: dict[str, int] = {}
        self.outcome = Outcome()
        self.worker = f"{socket.gethostname()}:{os.getpid()}"
        self.errors: list[dict[str, str]] = []  # not yet in the database

    async def carry_out(self) -> RunStatus:
        shared = await _store_answers()
        if not shared:
            self.reporter.note("Valkey/Redis is out of reach: the pace of providers is kept by this process alone")
        async with open_providers(self.meter, shared=shared) as providers:
            main = asyncio.ensure_future(self._stages(providers))
            beat = asyncio.ensure_future(self._beat(main))
            try:
                await main
            except asyncio.CancelledError:
                if beat.done() and not beat.cancelled() and beat.exception() is None:
                    raise Cancelled from None
                raise
            finally:
                beat.cancel()
                await asyncio.gather(beat, return_exceptions=True)
        tried = bool(self.outcome.candidates) and "budget" not in self.funnel
        return RunStatus.FAILED if tried and not self.outcome.results else RunStatus.COMPLETED

    async def _beat(self, main: "asyncio.Future[None]") -> None:
        """Say that the run is alive; end it when somebody asked for that. A lost connection is made anew."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if await sync_to_async(self._tell)():
                    main.cancel()
                    return
            except DatabaseError as error:
                log.warning("heartbeat not stored", extra={"run_id": str(self.run.pk), "cause": type(error).__name__})
                await sync_to_async(connection.close)()

    def _tell(self) -> bool:
        """Errors and heartbeat into the database; whether the run is to end."""
        # The event loop appends while this thread stores: only what was stored is taken off.
        taken = list(self.errors)
        ledger.add_errors(self.run.pk, taken)
        del self.errors[: len(taken)]
        return ledger.beat(self.run.pk, self.meter.usage())

    async def _stages(self, providers: Providers) -> None:
        self.reporter.note(providers.helius_note)
        now = int(time.time())
        found = await self._find(providers, now)
        tokens = self._that_fit(found.tokens, providers.source)
        self.funnel.update(found.funnel)
        self.outcome.candidates = tokens
        await sync_to_async(store.store_candidates)(self.run.pk, tokens)
        await sync_to_async(ledger.set_stage)(
            self.run.pk, RunStage.ANALYSE, steps_total=len(tokens), funnel=self.funnel
        )
        self.reporter.tokens_found(tokens)
        # With a limit of calls one token after the other: many begun and none done would use it up for nothing.
        gate = asyncio.Semaphore(TOKENS_AT_ONCE if self.params.max_requests_per_run is None else 1)

        async def one(token: Candidate) -> None:
            async with gate:
                await self._token(providers, token, now)

        tasks = [asyncio.ensure_future(one(token)) for token in tokens]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        await sync_to_async(ledger.set_stage)(self.run.pk, RunStage.FINISH)

    async def _find(self, providers: Providers, now: int) -> Found:
        if self.run.given_mints:
            return await look_up(providers, list(self.run.given_mints), self.complain)
        return await search(providers, self.params, now, self.complain)

    def _that_fit(self, tokens: list[Candidate], source: str) -> list[Candidate]:
        """Tokens whose analysis ends before the next scheduled run would begin, most promising first."""
        if self.run.given_mints or not tokens:
            return tokens
        seconds = plan_for("helius" if source == "helius" else "solana_rpc", 1, given=False).seconds
        most = max(1, self.schedule_hours * 3600 // max(1, seconds))
        if len(tokens) > most:
            self.funnel["token_over_schedule"] = len(tokens) - most
            self.complain(
                "find_tokens",
                "plan_cut",
                f"{len(tokens)} tokens would take longer than the {self.schedule_hours} h between runs "
                f"at the pace of {source}: the {most} most promising are analysed",
            )
        return tokens[:most]

    async def _token(self, providers: Providers, token: Candidate, now: int) -> None:
        def problem(what: str, cause: str) -> None:
            self.complain(f"token {token.mint}", "incomplete", f"{what}: {cause}")

        mint, step = token.mint, f"token {token.mint}"
        claim, give_back = sync_to_async(steps.claim), sync_to_async(steps.give_back)
        while await claim(self.run.pk, StepKind.TOKEN, mint, self.worker):
            try:
                result = await analyse_token(
                    token,
                    self.params,
                    providers.histories(problem),
                    providers.prices,
                    now=now,
                    problem=problem,
                )
                stored = await sync_to_async(store.store_token)(self.run.pk, result)
            except ProviderError as error:
                if await give_back(self.run.pk, StepKind.TOKEN, mint, str(error), retry=error.retryable):
                    continue
                self._lost(mint, error.code, str(error), "tokens_failed")
            except BudgetSpent as error:
                await give_back(self.run.pk, StepKind.TOKEN, mint, str(error), retry=False)
                self._lost(mint, "budget", str(error), "budget")
            except Exception as error:
                # A fault of ours or of what a provider made us store costs this token, never the others.
                log.exception("token failed", extra={"run_id": str(self.run.pk), "mint": mint})
                if isinstance(error, OperationalError | InterfaceError):
                    await sync_to_async(connection.close)()
                cause = f"{type(error).__name__}: the log has the details"
                if await give_back(self.run.pk, StepKind.TOKEN, mint, cause, retry=isinstance(error, OperationalError)):
                    continue
                self._lost(mint, "internal", f"{step}: {cause}", "tokens_failed")
            else:
                if stored:
                    self.add(result.funnel)
                    self.outcome.results.append(result)
                self.reporter.token_done(mint, result)
            return

    def _lost(self, mint: str, code: str, message: str, counted_as: str) -> None:
        """A token that could not be analysed: said and counted."""
        self.complain(f"token {mint}", code, message)
        self.add({counted_as: 1})
        self.reporter.token_done(mint, None)

    def add(self, funnel: dict[str, int]) -> None:
        """Count into the run's funnel."""
        for name, count in funnel.items():
            self.funnel[name] = self.funnel.get(name, 0) + count

    def complain(self, step: str, code: str, message: str) -> None:
        """Something was lost: into the run's errors with the next heartbeat, or when the run is closed."""
        self.errors.append(ledger.error(step, code, message))


async def _store_answers() -> bool:
    """Whether the shared store of the pace is there."""
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
    try:
        await client.ping()
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
    return True


def plan_for(source: Source, tokens: int, *, given: bool) -> Estimate:
    """What a run over `tokens` tokens is expected to cost with the settings in force."""
    return estimate(
        source,
        tokens=tokens,
        given=given,
        batches=source == "helius" or settings.MARKET != "live",
        calls_per_second=pace(),
    )
