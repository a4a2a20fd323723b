"""The circuit breakers of providers in Valkey or Redis, shared by all processes and
machines.
"""

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import redis.asyncio
from redis.commands.core import AsyncScript

from discovery.clients.redis_fallback import RedisFallback
from discovery.providers.breaker import (
    FAILURE_THRESHOLD,
    FAILURE_TTL_SECONDS,
    POLL_SECONDS,
    PROBE_SECONDS,
    BreakerStore,
    Pause,
)

CACHE_SECONDS: Final = 1.0
"""A state from the server is reused for this long. A call before every request would be
expensive.
"""

# As LocalBreakerStore, in microseconds of the server's clock. KEYS[1] = the state:
# failures in a row, openings in a row, `until` while open (absent = closed), the probe,
# `lease`, when the probe is lost, and the last cause. ARGV[1] = the id of the request.
_STATE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local state = redis.call('HMGET', KEYS[1], 'failures', 'openings', 'until', 'probe', 'lease', 'cause')
local failures, openings = tonumber(state[1] or '0'), tonumber(state[2] or '0')
local opened = state[3] and tonumber(state[3])
local probe, lease, cause = state[4] or '', tonumber(state[5] or '0'), state[6] or ''
local function whole(number) return string.format('%.0f', number) end
"""
# ARGV[2] = the lease of a probe, [3] = the wait for one. Returns microseconds to wait,
# failures, 1 if open, the cause.
_TRY_ACQUIRE: Final = (
    _STATE
    + """
if not opened then return {'0', failures, 0, cause} end
if now < opened then return {whole(opened - now), failures, 1, cause} end
if probe ~= '' and probe ~= ARGV[1] and now < lease then return {ARGV[3], failures, 1, cause} end
redis.call('HSET', KEYS[1], 'probe', ARGV[1], 'lease', whole(now + tonumber(ARGV[2])))
return {'0', failures, 1, cause}
"""
)
_RECORD_SUCCESS: Final = (
    _STATE
    + """
redis.call('DEL', KEYS[1])
return opened and 1 or 0
"""
)
# ARGV[2] = the cause, [3] = FAILURE_THRESHOLD, [4] = the first open time, [5] = the
# longest, [6] = FAILURE_TTL in milliseconds. Returns the microseconds for which this
# opened the circuit.
_RECORD_FAILURE: Final = (
    _STATE
    + """
if opened and probe ~= ARGV[1] then return '0' end
redis.call('HSET', KEYS[1], 'failures', failures + 1, 'cause', ARGV[2], 'probe', '')
redis.call('PEXPIRE', KEYS[1], ARGV[6])
if not opened and failures + 1 < tonumber(ARGV[3]) then return '0' end
local open_for = math.min(tonumber(ARGV[5]), tonumber(ARGV[4]) * 2 ^ openings)
redis.call('HSET', KEYS[1], 'openings', openings + 1, 'until', whole(now + open_for))
return whole(open_for)
"""
)
_RELEASE: Final = (
    _STATE
    + """
if probe == ARGV[1] then redis.call('HSET', KEYS[1], 'probe', '') end
return 0
"""
)


class _State(NamedTuple):
    """The state on the server. `seconds`: the pause before this request, 0 if it may be
    sent.
    """

    is_open: bool
    seconds: float
    failures: int
    cause: str

    @property
    def is_probe(self) -> bool:
        """Return True if the circuit is open and this request is its probe."""
        return self.is_open and not self.seconds


_CLOSED: Final = _State(is_open=False, seconds=0.0, failures=0, cause="")


class _CachedState(NamedTuple):
    """A state that is valid until `fresh_until`. `pause_until` None = closed. Times of
    this process's clock.
    """

    fresh_until: float
    failures: int
    pause_until: float | None
    cause: str

    @property
    def is_healthy(self) -> bool:
        """Return True if the circuit is closed and nothing failed."""
        return self.pause_until is None and not self.failures


class RedisBreakerStore:
    """A BreakerStore (discovery/providers/breaker.py) over one Redis connection pool.

    While the server is unreachable, `local` holds the breakers of this process.
    """

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        prefix: str,
        local: BreakerStore,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix = prefix
        self._try_acquire = client.register_script(_TRY_ACQUIRE)
        self._record_success = client.register_script(_RECORD_SUCCESS)
        self._record_failure = client.register_script(_RECORD_FAILURE)
        self._release = client.register_script(_RELEASE)
        self._local = local
        self._clock = clock
        self._redis = RedisFallback("the shared circuit breaker", clock)
        self._cache: dict[str, _CachedState] = {}
        self._probes: dict[str, str] = {}

    async def try_acquire(self, provider: str, request_id: str) -> Pause | None:
        """Return None if the request may be sent, else the pause.

        A state of the server is reused for CACHE_SECONDS: this process sees a circuit
        that another one opened or closed that much later.
        """
        cached = self._cached(provider)
        if cached is not None and self._probes.get(provider) != request_id:
            return self._cached_pause(cached)
        state = await self._load(provider, request_id)
        if state is None:
            self._cache.pop(provider, None)
            return await self._local.try_acquire(provider, request_id)
        if state.is_probe:
            # The other requests of this process wait for this one, without asking the
            # server.
            self._probes[provider] = request_id
            self._store(provider, state, pause_seconds=POLL_SECONDS)
            return None
        if not state.is_open:
            self._store(provider, state, pause_seconds=None)
            return None
        self._store(provider, state, pause_seconds=state.seconds)
        return Pause(state.seconds, state.cause)

    async def record_success(self, provider: str, request_id: str) -> bool:
        """Record a response. Returns True if that closed an open circuit.

        Calls the server only if there may be a failure to reset.
        """
        cached = self._cached(provider)
        if cached is not None and cached.is_healthy:
            return False  # there is nothing to reset on the server
        self._probes.pop(provider, None)
        was_open = await self._run(self._record_success, provider, request_id)
        if was_open is None:
            return await self._local.record_success(provider, request_id)
        self._store(provider, _CLOSED, pause_seconds=None)
        return bool(was_open)

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
        circuit, else 0. The next request of this process loads the new state.
        """
        self._remove_probe(provider, request_id)
        microseconds = await self._run(
            self._record_failure,
            provider,
            request_id,
            cause,
            FAILURE_THRESHOLD,
            round(first_seconds * 1_000_000),
            round(max_seconds * 1_000_000),
            round(FAILURE_TTL_SECONDS * 1000),
        )
        if microseconds is None:
            return await self._local.record_failure(
                provider,
                request_id,
                cause,
                first_seconds=first_seconds,
                max_seconds=max_seconds,
            )
        self._cache.pop(provider, None)
        return int(microseconds) / 1_000_000

    async def release(self, provider: str, request_id: str) -> None:
        """Record that the request was abandoned. Calls the server only if the request
        was its probe.
        """
        if self._remove_probe(provider, request_id):
            await self._run(self._release, provider, request_id)
            self._cache.pop(provider, None)
        await self._local.release(provider, request_id)

    async def _run(
        self, script: AsyncScript, provider: str, *args: str | float
    ) -> Any | None:
        """Return the script's result, None while the server is unreachable."""
        return await self._redis.run(
            script, [f"{self._prefix}:breaker:{provider}"], args
        )

    async def _load(self, provider: str, request_id: str) -> _State | None:
        """Try to acquire on the server. Returns its state, None while it is
        unreachable.
        """
        lease, poll = round(PROBE_SECONDS * 1_000_000), round(POLL_SECONDS * 1_000_000)
        row = await self._run(self._try_acquire, provider, request_id, lease, poll)
        if row is None:
            return None
        microseconds, failures, is_open, cause = row
        return _State(
            is_open=bool(is_open),
            seconds=int(microseconds) / 1_000_000,
            failures=int(failures),
            cause=_text(cause),
        )

    def _cached(self, provider: str) -> _CachedState | None:
        cached = self._cache.get(provider)
        if cached is None or self._clock() >= cached.fresh_until:
            return None
        return cached

    def _cached_pause(self, cached: _CachedState) -> Pause | None:
        if cached.pause_until is None:
            return None
        return Pause(cached.pause_until - self._clock(), cached.cause)

    def _store(
        self, provider: str, state: _State, *, pause_seconds: float | None
    ) -> None:
        now = self._clock()
        fresh_seconds = CACHE_SECONDS
        pause_until = None
        if pause_seconds is not None:
            fresh_seconds = min(CACHE_SECONDS, pause_seconds)
            pause_until = now + pause_seconds
        self._cache[provider] = _CachedState(
            fresh_until=now + fresh_seconds,
            failures=state.failures,
            pause_until=pause_until,
            cause=state.cause,
        )

    def _remove_probe(self, provider: str, request_id: str) -> bool:
        """Return True if the request was the probe of this process, which ends with
        this call.
        """
        was_probe = self._probes.get(provider) == request_id
        if was_probe:
            del self._probes[provider]
        return was_probe


def _text(raw: bytes | str) -> str:
    """Return the text. It is bytes unless REDIS_URL sets `decode_responses`."""
    if isinstance(raw, str):
        return raw
    return raw.decode(errors="replace")
