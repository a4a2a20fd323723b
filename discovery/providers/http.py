"""The one door to the network: timeouts, retries with jitter under a deadline, pace, breaker, meter and redaction."""

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import aiohttp
import msgspec

from discovery.providers.breaker import Breaker, LocalBreakerStore, is_failure
from discovery.providers.errors import (
    UNREADABLE,
    BadPayload,
    BadRequest,
    CircuitOpen,
    KeyRefused,
    NotFound,
    ProviderError,
    RateLimited,
    ServerFailed,
    Unreachable,
)
from discovery.providers.limits import RateLimiter

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
DEADLINE_SECONDS: Final = (
    60.0  # for one question with all its retries and pauses; its turn in the pace is no part of it
)
MAX_ATTEMPTS: Final = 24  # the deadline ends it before, unless answers come at once
MAX_BACKOFF_SECONDS: Final = 5.0
FIRST_BACKOFF_SECONDS: Final = 0.25
# A 429 without Retry-After, or with 0 (GeckoTerminal): long enough to matter, short enough to try again in a deadline.
UNSAID_PAUSE_SECONDS: Final = 2.0


class Meter(Protocol):
    """Counts what a run uses; may refuse the next call by raising (a spent budget)."""

    def charge(self, provider: str, calls: int) -> None:
        """Before every attempt."""

    def credit(self, provider: str, credits_used: int) -> None:
        """After an answer that cost credits."""

    def limited(self, provider: str) -> None:
        """After a 429."""


class Observer(Protocol):
    """Is told what became of each question. Must neither wait nor raise: the question waits for it."""

    def answered(self, provider: str) -> None:
        """An answer came."""

    def failed(self, provider: str, error: ProviderError) -> None:
        """The question ended with that error."""

    def opened(self, provider: str, seconds: float) -> None:
        """That opened the provider's breaker for so long."""

    def closed(self, provider: str) -> None:
        """That closed the provider's breaker."""


class Answer(msgspec.Struct, frozen=True):
    """A response that a provider module may read."""

    status: int
    body: bytes
    headers: Mapping[str, str]


Classify = Callable[[Answer], ProviderError | None]


class ProviderClient:
    """Requests to one provider. Everything a provider module sends goes through `ask`."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        session: aiohttp.ClientSession,
        pacer: RateLimiter,
        meter: Meter,
        headers: Mapping[str, str] | None = None,
        secret_params: Mapping[str, str] | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        breaker: Breaker | None = None,
        observer: Observer | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self._base_url = base_url
        self._session = session
        self._pacer = pacer
        self._meter = meter
        self._headers = dict(headers or {})
        self._secret_params = dict(secret_params or {})
        self._deadline_seconds = deadline_seconds
        self._breaker = breaker or Breaker(provider, LocalBreakerStore(clock), sleep=sleep)
        self._observer = observer
        self._sleep = sleep
        self._clock = clock

    async def ask(
        self,
        path: str = "",
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        calls: int = 1,
        classify: Classify | None = None,
    ) -> Answer:
        """GET, or POST where there is `json`. Asked again while the error is retryable and the deadline allows.

        calls: what the request counts as against the pace and the budget (a batch counts each item).
        classify: what the provider means by an answer, asked before the status is judged; None = as HTTP says.
        Raises ProviderError, and whatever the meter raises for a spent budget.
        """
        question = uuid.uuid4().hex
        try:
            answer = await self._answer(question, path, params, json, calls, classify)
        except ProviderError as error:
            await self._ended(question, error)
            raise
        except BaseException:
            await self._breaker.release(question)
            raise
        await self._ended(question, None)
        return answer

    async def _answer(
        self,
        question: str,
        path: str,
        params: Mapping[str, str] | None,
        json: Any,
        calls: int,
        classify: Classify | None,
    ) -> Answer:
        left = self._deadline_seconds
        for attempt in range(1, MAX_ATTEMPTS + 1):
            left -= await self._turn(question, calls, left)
            self._meter.charge(self.provider, calls)
            began = self._clock()
            try:
                answer = await self._send(path, params, json, max(left, READ_SECONDS))
                error = classify(answer) if classify else None
                error = error or self._judge(answer, any_json=classify is None)
            except ProviderError as caught:
                error, answer = caught, None
            if error is None and answer is not None:
                return answer
            assert error is not None
            backoff = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)  # noqa: S311  jitter
            left -= self._clock() - began + max(backoff, await self._slow_down(error))
            if not error.retryable or attempt == MAX_ATTEMPTS or left < 0:
                raise error
            log.debug("asking again", extra={"provider": self.provider, "cause": error.cause, "attempt": attempt})
            # The pace makes the wait after a 429; the jitter keeps many waiting workers from waking at once.
            await self._sleep(backoff)
        raise AssertionError("the last attempt either returned or raised")

    async def _turn(self, question: str, calls: int, left: float) -> float:
        """Wait for the breaker and then for the pace; seconds waited for the breaker. Raises CircuitOpen."""
        waited = 0.0
        while True:
            waited += await self._breaker.wait(question, left - waited)
            await self._pacer.wait(calls)
            # The line may be long: the breaker opens while many stand in it.
            if await self._breaker.allows(question):
                return waited

    async def _ended(self, question: str, error: ProviderError | None) -> None:
        """Tell breaker and observer what became of a question. One that the breaker refused says nothing new."""
        if isinstance(error, CircuitOpen):
            return
        opened, closed = 0.0, False
        if error is not None and is_failure(error):
            opened = await self._breaker.failed(question, error.cause)
            if opened:
                told = {"provider": self.provider, "cause": error.cause, "seconds": opened}
                log.warning("provider left alone", extra=told)
        else:
            closed = await self._breaker.answered(question)
            if closed:
                log.info("provider is asked again", extra={"provider": self.provider})
        if self._observer is None:
            return
        if error is None:
            self._observer.answered(self.provider)
        else:
            self._observer.failed(self.provider, error)
        if opened:
            self._observer.opened(self.provider, opened)
        if closed:
            self._observer.closed(self.provider)

    async def _slow_down(self, error: ProviderError) -> float:
        """Seconds the provider wants to be left alone; a rate limit slows everybody who shares the pace."""
        if not isinstance(error, RateLimited):
            return 0.0
        self._meter.limited(self.provider)
        pause = error.wait_seconds or UNSAID_PAUSE_SECONDS
        # A ban of an hour is this question's error, not an hour in which the run stands still.
        await self._pacer.slow_down(min(pause, self._deadline_seconds))
        return pause

    async def _send(self, path: str, params: Mapping[str, str] | None, json: Any, seconds: float) -> Answer:
        """One attempt of at most `seconds`: a server that trickles would never run into the read timeout."""
        try:
            async with self._session.request(
                "GET" if json is None else "POST",
                f"{self._base_url}{path}",
                params={**(params or {}), **self._secret_params},
                data=None if json is None else msgspec.json.encode(json),
                headers=self._headers if json is None else {**self._headers, "Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
                allow_redirects=False,
            ) as response:
                return Answer(response.status, await response.read(), dict(response.headers))
        except TimeoutError:
            cause = "no answer in time"
        except aiohttp.ClientError as error:
            cause = f"connection failed ({type(error).__name__})"
        # Out here the client's own error is gone: its words carry the URL, and with it the key.
        raise Unreachable(self.provider, cause)

    def _judge(self, answer: Answer, *, any_json: bool) -> ProviderError | None:
        """What HTTP says. `any_json`: nobody has read the body yet; here it only has to be whole."""
        status = answer.status
        if 200 <= status < 300:
            return None if not any_json or _is_json(answer.body) else BadPayload(self.provider, "answer is not JSON")
        if status in {429, 418}:
            return RateLimited(self.provider, "too many requests", retry_after_seconds(answer))
        if status in {401, 403}:
            return KeyRefused(self.provider, f"key or access refused (HTTP {status})")
        if status == 404:
            return NotFound(self.provider, "not found")
        if status >= 500 or 300 <= status < 400:
            return ServerFailed(self.provider, f"server error (HTTP {status})")
        return BadRequest(self.provider, f"question refused (HTTP {status})")


def retry_after_seconds(answer: Answer) -> float | None:
    """`Retry-After` in seconds; None where absent, zero or not a number (a date is not worth its parser here)."""
    raw = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(raw)
    except ValueError:
        return None
    return seconds if 0 < seconds < 3600 else None


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except UNREADABLE:
        return False
    return True
