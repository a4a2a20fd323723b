"""The circuit breaker of a provider: one that keeps failing gets no requests for a
while, then a single probe.

Requests are counted, not attempts. The circuit opens when `FAILURE_THRESHOLD` requests
in a row, over all users of the store, ended because the provider was unreachable,
failed or rate limited until their timeout. Any response, a 404 too, resets the count
and closes an open circuit. When the open time has passed, one request is admitted as a
probe, with all its retries; the others wait for its result. A probe that fails opens
the circuit for twice as long.

The numbers, with P for the timeout of a request (60 s) and the three attempts of a
step, P/4 and P/2 apart:

- A request fails only when its next pause would pass P. That is 52 s at the earliest, so an outage of 45 s fails no
  request, counts nothing here and costs no step an attempt.
- First open for P/2: a request that arrives then can wait for the end and has half of its timeout left.
- A request that cannot wait so long is refused at once. If a step cannot work without the provider, the circuit is
  open for 3P/2 at most: less than the pauses of a step and the timeout of its third attempt together (7P/4), so no
  step can spend all its attempts on refusals. For the other providers 5P: the step continues without them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from discovery.providers.errors import (
    CircuitOpen,
    ProviderError,
    RateLimited,
    ServerFailed,
    Unreachable,
)

FAILURE_THRESHOLD: Final = 5
FIRST_OPEN_SECONDS: Final = 30.0
MAX_OPEN_FACTOR: Final = 10
"""The longest open time as a multiple of the first: 5 min."""
MAX_OPEN_FACTOR_REQUIRED: Final = 3
"""The same for a provider that a step cannot work without."""
PROBE_SECONDS: Final = 40.0
"""A probe without an attempt for so long is lost with its process. An attempt takes
less, with the pause after it.
"""
POLL_SECONDS: Final = 1.0
"""Interval at which waiting requests check whether a probe or an earlier request got
its response.
"""
FAILURE_TTL_SECONDS: Final = 900.0
"""Failures are forgotten when no other followed for so long."""


def counts_as_failure(error: ProviderError) -> bool:
    """Return True if the error counts against the provider; every other end shows that
    it responds.
    """
    return isinstance(error, Unreachable | ServerFailed | RateLimited)


class Pause(msgspec.Struct, frozen=True):
    """No request for `seconds`, unless a response arrives earlier. `cause`: the last
    failure in plain words.
    """

    seconds: float
    cause: str


class BreakerStore(Protocol):
    """Stores per provider the failures in a row, the end of the open time and the id of
    the probe request.
    """

    async def try_acquire(self, provider: str, request_id: str) -> Pause | None:
        """Return None if the request may be sent, as the probe if the open time has
        passed; else the pause.
        """

    async def record_success(self, provider: str, request_id: str) -> bool:
        """Record a response. Returns True if that closed an open circuit."""

    async def record_failure(
        self,
        provider: str,
        request_id: str,
        cause: str,
        *,
        first_seconds: float,
        max_seconds: float,
    ) -> float:
        """Record a failed request. Returns the seconds for which that opened the
        circuit, else 0.

        Requests that were sent before the circuit opened change nothing: only the probe
        opens it again.
        """

    async def release(self, provider: str, request_id: str) -> None:
        """Record that the request was abandoned; if it was the probe, another request
        may take its place.
        """


@dataclass
class _CircuitState:
    """The state of one provider. Times of the store's clock; `open_until` None =
    closed.
    """

    failures: int = 0
    openings: int = 0
    open_until: float | None = None
    probe: str = ""
    probe_until: float = 0.0
    cause: str = ""
    failed_at: float = 0.0


class LocalBreakerStore:
    """A BreakerStore for one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _CircuitState] = {}

    def _state(self, provider: str) -> _CircuitState:
        """Return the provider's state, a new one if its failures are forgotten."""
        state = self._states.get(provider)
        if state is None or self._clock() - state.failed_at > FAILURE_TTL_SECONDS:
            state = _CircuitState(failed_at=self._clock())
            self._states[provider] = state
        return state

    async def try_acquire(self, provider: str, request_id: str) -> Pause | None:
        """Return None if the request may be sent, else the pause.

        Once the open time has passed, the first request becomes the probe, for
        PROBE_SECONDS from its last call; the others get a pause of POLL_SECONDS.
        """
        state = self._state(provider)
        now = self._clock()
        if state.open_until is None:
            return None
        if now < state.open_until:
            return Pause(state.open_until - now, state.cause)
        is_taken = state.probe not in {"", request_id}
        if is_taken and now < state.probe_until:
            return Pause(POLL_SECONDS, state.cause)
        state.probe = request_id
        state.probe_until = now + PROBE_SECONDS
        return None

    async def record_success(self, provider: str, request_id: str) -> bool:
        """Reset the failures. Returns True if that closed an open circuit."""
        state = self._states.pop(provider, _CircuitState())
        return state.open_until is not None

    async def record_failure(
        self,
        provider: str,
        request_id: str,
        cause: str,
        *,
        first_seconds: float,
        max_seconds: float,
    ) -> float:
        """Record a failed request. Returns the seconds for which that opened the
        circuit, else 0: `first_seconds`, doubled for each opening up to `max_seconds`.
        """
        state = self._state(provider)
        now = self._clock()
        was_open = state.open_until is not None
        if was_open and state.probe != request_id:
            return 0.0
        state.failures += 1
        state.failed_at = now
        state.cause = cause
        state.probe = ""
        if not was_open and state.failures < FAILURE_THRESHOLD:
            return 0.0
        seconds: float = min(max_seconds, first_seconds * 2**state.openings)
        state.openings += 1
        state.open_until = now + seconds
        return seconds

    async def release(self, provider: str, request_id: str) -> None:
        """Let another request be the probe if this one was it."""
        state = self._states.get(provider, _CircuitState())
        if state.probe == request_id:
            state.probe = ""


class Breaker:
    """The circuit breaker of one provider. Open for `first_seconds`, then doubled up to
    `max_seconds`.
    """

    def __init__(
        self,
        provider: str,
        store: BreakerStore,
        *,
        first_seconds: float = FIRST_OPEN_SECONDS,
        max_seconds: float = FIRST_OPEN_SECONDS * MAX_OPEN_FACTOR,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.provider = provider
        self._store = store
        self._first_seconds = first_seconds
        self._max_seconds = max_seconds
        self._sleep = sleep

    async def wait(self, request_id: str, timeout_seconds: float) -> float:
        """Wait until the request may be sent. Returns the seconds waited, 0 while the
        circuit is closed.

        Raises CircuitOpen at once if the wait would exceed `timeout_seconds`.
        """
        waited = 0.0
        while True:
            pause = await self._store.try_acquire(self.provider, request_id)
            if pause is None:
                return waited
            if waited + pause.seconds > timeout_seconds:
                cause = f"circuit open after repeated failures, the last: {pause.cause}"
                raise CircuitOpen(self.provider, cause, pause.seconds)
            seconds = min(pause.seconds, POLL_SECONDS)
            await self._sleep(seconds)
            waited += seconds

    async def allows(self, request_id: str) -> bool:
        """Return True if the request may be sent now. Like `wait`, this makes it the
        probe once the open time has passed.
        """
        return await self._store.try_acquire(self.provider, request_id) is None

    async def record_success(self, request_id: str) -> bool:
        """Record a response. Returns True if that closed an open circuit."""
        return await self._store.record_success(self.provider, request_id)

    async def record_failure(self, request_id: str, cause: str) -> float:
        """Record a failed request. Returns the seconds for which that opened the
        circuit, else 0.
        """
        return await self._store.record_failure(
            self.provider,
            request_id,
            cause,
            first_seconds=self._first_seconds,
            max_seconds=self._max_seconds,
        )

    async def release(self, request_id: str) -> None:
        """Record that the request was abandoned, and release the probe slot if it held
        it.
        """
        await self._store.release(self.provider, request_id)
