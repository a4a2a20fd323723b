"""The circuit breakers of providers in Valkey or Redis: one for all processes and machines that share it."""

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import redis.asyncio
from redis.commands.core import AsyncScript

from discovery.clients.redis_rate_limits import RedisFallback
from discovery.providers.breaker import (
    FORGOTTEN_SECONDS,
    LOOK_AGAIN_SECONDS,
    OPENS_AFTER,
    PROBE_SECONDS,
    BreakerStore,
    Pause,
)

KNOWN_SECONDS: Final = 1.0
"""How long the last look is believed: a look at every call would cost more than it tells."""

# As LocalBreakerStore, by the server's clock. KEYS[1] = what is kept: failures in a row, openings in a row, `until`
# when it is open (absent = closed), the probe and `lease`, how long it has for its next sign of life, the last cause.
# Moments in microseconds. ARGV[1] = the question.
_KEPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kept = redis.call('HMGET', KEYS[1], 'failures', 'openings', 'until', 'probe', 'lease', 'cause')
local failures, openings = tonumber(kept[1] or '0'), tonumber(kept[2] or '0')
local opened = kept[3] and tonumber(kept[3])
local probe, lease, cause = kept[4] or '', tonumber(kept[5] or '0'), kept[6] or ''
local function whole(number) return string.format('%.0f', number) end
"""
# ARGV[2] = the lease of a probe, [3] = the wait for one. Says: microseconds to wait, failures, whether open, the cause.
_TRY_ACQUIRE: Final = (
    _KEPT
    + """
if not opened then return {'0', failures, 0, cause} end
if now < opened then return {whole(opened - now), failures, 1, cause} end
if probe ~= '' and probe ~= ARGV[1] and now < lease then return {ARGV[3], failures, 1, cause} end
redis.call('HSET', KEYS[1], 'probe', ARGV[1], 'lease', whole(now + tonumber(ARGV[2])))
return {'0', failures, 1, cause}
"""
)
_ANSWERED: Final = (
    _KEPT
    + """
redis.call('DEL', KEYS[1])
return opened and 1 or 0
"""
)
# ARGV[2] = the cause, [3] = failures that open it, [4] = open for so long at first, [5] = at most, [6] = when all is
# forgotten (milliseconds). Says: microseconds for which this opened it.
_FAILED: Final = (
    _KEPT
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
    _KEPT
    + """
if probe == ARGV[1] then redis.call('HSET', KEYS[1], 'probe', '') end
return 0
"""
)


class _Known(NamedTuple):
    """What the last look said, believed until `fresh_until`. `pause_until` None = closed. Moments of this process."""

    fresh_until: float
    failures: int
    pause_until: float | None
    cause: str


class RedisBreakerStore:
    """A BreakerStore (discovery/providers/breaker.py) over one Redis connection pool.

    While the server is out of reach `alone` keeps the breakers of this process.
    """

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        prefix: str,
        alone: BreakerStore,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix = prefix
        self._try_acquire = client.register_script(_TRY_ACQUIRE)
        self._answered = client.register_script(_ANSWERED)
        self._failed = client.register_script(_FAILED)
        self._release = client.register_script(_RELEASE)
        self._alone = alone
        self._clock = clock
        self._reach = RedisFallback("the shared circuit breaker", clock)
        self._known: dict[str, _Known] = {}
        self._probes: dict[str, str] = {}

    async def _run(self, script: AsyncScript, provider: str, *args: str | float) -> Any | None:
        return await self._reach.run(script, [f"{self._prefix}:breaker:{provider}"], args)

    async def try_acquire(self, provider: str, question: str) -> Pause | None:
        """See BreakerStore."""
        known, now = self._fresh(provider), self._clock()
        if known is not None and self._probes.get(provider) != question:
            return None if known.pause_until is None else Pause(known.pause_until - now, known.cause)
        lease, again = round(PROBE_SECONDS * 1_000_000), round(LOOK_AGAIN_SECONDS * 1_000_000)
        said = await self._run(self._try_acquire, provider, question, lease, again)
        if said is None:
            self._known.pop(provider, None)
            return await self._alone.try_acquire(provider, question)
        seconds, failures, is_open, cause = int(said[0]) / 1_000_000, int(said[1]), bool(said[2]), _text(said[3])
        if is_open and not seconds:
            # This question is the probe, and the others of this process need not ask who is.
            self._probes[provider] = question
            self._know(provider, failures, LOOK_AGAIN_SECONDS, cause)
            return None
        self._know(provider, failures, seconds if is_open else None, cause)
        return Pause(seconds, cause) if is_open else None

    def _fresh(self, provider: str) -> _Known | None:
        known = self._known.get(provider)
        return known if known is not None and self._clock() < known.fresh_until else None

    def _know(self, provider: str, failures: int, pause_seconds: float | None, cause: str = "") -> None:
        now = self._clock()
        fresh = KNOWN_SECONDS if pause_seconds is None else min(KNOWN_SECONDS, pause_seconds)
        pause_until = None if pause_seconds is None else now + pause_seconds
        self._known[provider] = _Known(now + fresh, failures, pause_until, cause)

    async def answered(self, provider: str, question: str) -> bool:
        """See BreakerStore. Where nothing failed a moment ago there is nothing to tell the server."""
        known = self._fresh(provider)
        if known is not None and known.pause_until is None and not known.failures:
            return False
        self._probes.pop(provider, None)
        closed = await self._run(self._answered, provider, question)
        if closed is None:
            return await self._alone.answered(provider, question)
        self._know(provider, 0, None)
        return bool(closed)

    async def failed(
        self, provider: str, question: str, cause: str, first_seconds: float, most_seconds: float
    ) -> float:
        """See BreakerStore."""
        self._forget(provider, question)
        first, most = round(first_seconds * 1_000_000), round(most_seconds * 1_000_000)
        forgotten = round(FORGOTTEN_SECONDS * 1000)
        said = await self._run(self._failed, provider, question, cause, OPENS_AFTER, first, most, forgotten)
        if said is None:
            return await self._alone.failed(provider, question, cause, first_seconds, most_seconds)
        self._known.pop(provider, None)
        return int(said) / 1_000_000

    async def release(self, provider: str, question: str) -> None:
        """See BreakerStore."""
        if self._forget(provider, question):
            await self._run(self._release, provider, question)
            self._known.pop(provider, None)
        await self._alone.release(provider, question)

    def _forget(self, provider: str, question: str) -> bool:
        """Whether the question was the probe, which it is no more."""
        was_probe = self._probes.get(provider) == question
        if was_probe:
            del self._probes[provider]
        return was_probe


def _text(raw: bytes | str) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw
