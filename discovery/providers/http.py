"""Requests to providers: timeouts, retries with jitter, deadline, rate limit, circuit
breaker, usage.
"""

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol

import aiohttp
import msgspec

from discovery.providers.breaker import Breaker, LocalBreakerStore, counts_as_failure
from discovery.providers.errors import (
    CircuitOpen,
    ProviderError,
    RateLimited,
    Unreachable,
)
from discovery.providers.limits import RateLimiter
from discovery.providers.responses import (
    Classify,
    Response,
    classify_json,
    classify_status,
)

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
DEADLINE_SECONDS: Final = 60.0
"""For one request with all its retries and pauses. Waiting for the rate limiter does
not count.
"""
MAX_ATTEMPTS: Final = 24
"""The deadline ends a request earlier, unless responses arrive at once."""
MAX_BACKOFF_SECONDS: Final = 5.0
FIRST_BACKOFF_SECONDS: Final = 0.25
DEFAULT_PAUSE_SECONDS: Final = 2.0
"""After a 429 without Retry-After, or with 0 (GeckoTerminal): long enough to matter,
short enough for a retry.
"""


class Meter(Protocol):
    """Counts the usage of a run; may refuse the next call by raising an exception
    (budget exhausted).
    """

    def charge(self, provider: str, calls: int) -> None:
        """Count calls before they are made. What this raises ends the request."""

    def add_credits(self, provider: str, credits_used: int) -> None:
        """Count the credits that a response cost."""

    def add_rate_limit(self, provider: str) -> None:
        """Count a 429."""


class Observer:
    """Receives the result of every request, and ignores it unless a subclass does more.

    Methods must neither block nor raise: the request waits for them.
    """

    def request_succeeded(self, provider: str) -> None:
        """A response arrived."""

    def request_failed(self, provider: str, error: ProviderError) -> None:
        """The request ended with that error."""

    def circuit_opened(self, provider: str, seconds: float) -> None:
        """The provider's circuit opened for that many seconds."""

    def circuit_closed(self, provider: str) -> None:
        """The provider's circuit closed."""


class _Request(msgspec.Struct, frozen=True):
    """One request with everything that its attempts share."""

    id: str
    path: str
    params: Mapping[str, str]
    json: Any
    calls: int
    classify: Classify


class ProviderClient:
    """Sends requests to one provider. Every provider module uses `request` and nothing
    else.
    """

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        session: aiohttp.ClientSession,
        rate_limiter: RateLimiter,
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
        self._rate_limiter = rate_limiter
        self._meter = meter
        self._headers = dict(headers or {})
        self._secret_params = dict(secret_params or {})
        self._deadline_seconds = deadline_seconds
        self._breaker = breaker or Breaker(
            provider, LocalBreakerStore(clock), sleep=sleep
        )
        self._observer = observer or Observer()
        self._sleep = sleep
        self._clock = clock

    async def request(
        self,
        path: str = "",
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        calls: int = 1,
        classify: Classify | None = None,
    ) -> Response:
        """Send a GET, or a POST if `json` is given, and return the response.

        The secret parameters of the client are added to `params`. Retries while the
        error is retryable and the deadline allows.

        calls: weight of the request in the rate limit and the budget (a batch counts
        each item).
        classify: the provider's meaning of a response, which comes before the status;
        None = a 2xx must be JSON.
        Raises ProviderError, CircuitOpen if nothing was sent, and the meter's exception
        for an exhausted budget.
        """
        request = _Request(
            id=uuid.uuid4().hex,
            path=path,
            params=params or {},
            json=json,
            calls=calls,
            classify=classify or partial(classify_json, self.provider),
        )
        try:
            response = await self._send_with_retries(request)
        except ProviderError as error:
            await self._record_error(request, error)
            raise
        except BaseException:
            await self._breaker.release(request.id)
            raise
        await self._record_response(request)
        return response

    async def _send_with_retries(self, request: _Request) -> Response:
        """Send the request until a response arrives. Raises the error of the last
        attempt, CircuitOpen, or the meter's exception.
        """
        remaining_seconds = self._deadline_seconds
        for attempt in range(1, MAX_ATTEMPTS + 1):
            remaining_seconds -= await self._wait_for_turn(request, remaining_seconds)
            self._meter.charge(self.provider, request.calls)
            started = self._clock()
            result = await self._attempt(request, max(remaining_seconds, READ_SECONDS))
            if isinstance(result, Response):
                return result
            remaining_seconds -= self._clock() - started
            backoff = _backoff_seconds(attempt)
            remaining_seconds -= max(backoff, await self._slow_down(result))
            has_retries = attempt < MAX_ATTEMPTS and remaining_seconds >= 0
            if not (result.retryable and has_retries):
                raise result
            log.debug(
                "retrying",
                extra={
                    "provider": self.provider,
                    "cause": result.cause,
                    "attempt": attempt,
                },
            )
            # The rate limiter waits after a 429; the jitter keeps many waiting workers
            # from waking at once.
            await self._sleep(backoff)
        raise AssertionError("the last attempt either returned or raised")

    async def _wait_for_turn(self, request: _Request, timeout_seconds: float) -> float:
        """Wait for the circuit breaker and then for the rate limiter.

        Returns the seconds waited for the breaker. Raises CircuitOpen.
        """
        waited = 0.0
        while True:
            waited += await self._breaker.wait(request.id, timeout_seconds - waited)
            await self._rate_limiter.wait(request.calls)
            # The queue may be long: the circuit can open while requests wait in it.
            if await self._breaker.allows(request.id):
                return waited

    async def _attempt(
        self, request: _Request, timeout_seconds: float
    ) -> Response | ProviderError:
        """Send the request once. Returns the response, or the error that it means."""
        try:
            response = await self._send(request, timeout_seconds)
            error = request.classify(response)
        except ProviderError as caught:
            return caught
        return error or classify_status(self.provider, response) or response

    async def _send(self, request: _Request, timeout_seconds: float) -> Response:
        """Send once within `timeout_seconds`: a server that trickles would never exceed
        the read timeout.
        """
        method, body, headers = "GET", None, self._headers
        if request.json is not None:
            method, body = "POST", msgspec.json.encode(request.json)
            headers = {**self._headers, "Content-Type": "application/json"}
        try:
            async with self._session.request(
                method,
                f"{self._base_url}{request.path}",
                params={**request.params, **self._secret_params},
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(
                    total=timeout_seconds,
                    sock_connect=CONNECT_SECONDS,
                    sock_read=READ_SECONDS,
                ),
                allow_redirects=False,
            ) as response:
                return Response(
                    response.status, await response.read(), response.headers
                )
        except TimeoutError:
            cause = "no response in time"
        except aiohttp.ClientError as error:
            cause = f"connection failed ({type(error).__name__})"
        # Raised outside of the handlers: the message of aiohttp's error contains the
        # URL, and with it the key.
        raise Unreachable(self.provider, cause)

    async def _slow_down(self, error: ProviderError) -> float:
        """Return the pause in seconds that the provider demands. A 429 slows all users
        of the rate limit.
        """
        if not isinstance(error, RateLimited):
            return 0.0
        self._meter.add_rate_limit(self.provider)
        pause = error.wait_seconds or DEFAULT_PAUSE_SECONDS
        # A ban of an hour fails this request; it must not stop the run for an hour.
        await self._rate_limiter.slow_down(min(pause, self._deadline_seconds))
        return pause

    async def _record_response(self, request: _Request) -> None:
        is_closed = await self._breaker.record_success(request.id)
        self._observer.request_succeeded(self.provider)
        if is_closed:
            self._report_closed()

    async def _record_error(self, request: _Request, error: ProviderError) -> None:
        """Report how a request ended. One that the breaker refused was never sent and
        proves nothing.
        """
        if isinstance(error, CircuitOpen):
            return
        if counts_as_failure(error):
            open_seconds = await self._breaker.record_failure(request.id, error.cause)
            self._observer.request_failed(self.provider, error)
            if open_seconds:
                self._report_opened(error, open_seconds)
            return
        is_closed = await self._breaker.record_success(request.id)
        self._observer.request_failed(self.provider, error)
        if is_closed:
            self._report_closed()

    def _report_opened(self, error: ProviderError, open_seconds: float) -> None:
        details = {
            "provider": self.provider,
            "cause": error.cause,
            "seconds": open_seconds,
        }
        log.warning("circuit opened", extra=details)
        self._observer.circuit_opened(self.provider, open_seconds)

    def _report_closed(self) -> None:
        log.info("circuit closed", extra={"provider": self.provider})
        self._observer.circuit_closed(self.provider)


def _backoff_seconds(attempt: int) -> float:
    """Return the pause after an attempt: doubled from FIRST_BACKOFF_SECONDS to
    MAX_BACKOFF_SECONDS, then multiplied by a jitter of 0.5 to 1.5.
    """
    jitter = random.uniform(0.5, 1.5)  # noqa: S311  not a secret
    seconds = FIRST_BACKOFF_SECONDS * 2.0 ** (attempt - 1)
    return min(MAX_BACKOFF_SECONDS, seconds) * jitter
