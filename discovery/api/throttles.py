"""Limits of calls a minute: for each key or user, else for each address. Writing is
counted apart from reading.

Calls are counted in the shared cache, for all processes together. No call is refused
while the cache is unreachable.
"""

import logging
import time
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework import permissions, throttling
from rest_framework.request import Request

from discovery.api.auth import Caller

log = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 60
CACHE_PAUSE_SECONDS: Final = 10
"""Calls are not counted for so long after the cache did not respond: waiting for it
would slow down every call.
"""


class CallerThrottle(throttling.BaseThrottle):
    """Limit the calls in each minute of the clock."""

    _cache_silent_until = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call. Return False if it is one too many."""
        caller = request.auth
        if not isinstance(caller, Caller) or not caller.bucket:
            return self.allow_anonymous(request)
        if request.method in permissions.SAFE_METHODS:
            return self.count(f"{caller.bucket}:read") <= settings.API_THROTTLE_READ
        return self.count(f"{caller.bucket}:write") <= settings.API_THROTTLE_WRITE

    def allow_anonymous(self, request: Request) -> bool:
        """Count a call without valid credentials by its address. Return False if it is
        one too many.
        """
        calls = self.count(f"address:{self.get_ident(request)}")
        return calls <= settings.API_THROTTLE_ANONYMOUS

    def wait(self) -> float:
        """Return the seconds to the next minute of the clock, above 0 and at most 60."""
        return WINDOW_SECONDS - time.time() % WINDOW_SECONDS

    def count(self, bucket: str) -> int:
        """Return the number of calls in this minute, with this one; 0 if the cache does
        not respond, or did not within the last CACHE_PAUSE_SECONDS.

        bucket: the name under which the calls are counted.
        """
        now = time.time()
        if now < CallerThrottle._cache_silent_until:
            return 0
        try:
            calls = _increment(f"throttle:{bucket}:{int(now // WINDOW_SECONDS)}")
        except (RedisError, OSError) as error:
            self._note_silence(now, error)
            return 0
        if CallerThrottle._cache_silent_until:
            CallerThrottle._cache_silent_until = 0.0
            log.info("calls are counted again")
        return calls

    def _note_silence(self, now: float, error: Exception) -> None:
        if not CallerThrottle._cache_silent_until:
            log.warning(
                "calls are not counted: the cache is unreachable",
                extra={"cause": str(error)[:200]},
            )
        CallerThrottle._cache_silent_until = now + CACHE_PAUSE_SECONDS


def _increment(key: str) -> int:
    cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
    try:
        calls: int = cache.incr(key)
    except ValueError:  # it expired in between
        return 1
    return calls
