"""How often a caller may call: by key or person, by address for everybody else; changes apart from reading.

Counted in the shared cache, for all processes together. Where the cache is out of reach nobody is refused.
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
"""A cache that did not answer is left alone for so long: waiting for it would slow every call."""


class CallerThrottle(throttling.BaseThrottle):
    """At most so many calls in each minute of the clock."""

    _cache_silent_until = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call. False: it is one too many."""
        caller = request.auth if request.successful_authenticator else None
        if isinstance(caller, Caller) and caller.bucket:
            writes = request.method not in permissions.SAFE_METHODS
            most = settings.API_THROTTLE_WRITE if writes else settings.API_THROTTLE_READ
            return self.count(f"{caller.bucket}:{'write' if writes else 'read'}") <= most
        return self.allow_anonymous(request)

    def allow_anonymous(self, request: Request) -> bool:
        """Count a call of somebody who is nobody, or said to be somebody else."""
        return self.count(f"address:{self.get_ident(request)}") <= settings.API_THROTTLE_ANONYMOUS

    def wait(self) -> float:
        """Seconds to the next minute of the clock."""
        return WINDOW_SECONDS - time.time() % WINDOW_SECONDS

    def count(self, bucket: str) -> int:
        """How many calls of this minute there are with this one; 0 where the cache does not answer."""
        silence = CallerThrottle
        now = time.time()
        if now < silence._cache_silent_until:
            return 0
        key = f"throttle:{bucket}:{int(now // WINDOW_SECONDS)}"
        try:
            cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
            calls: int = cache.incr(key)
        except ValueError:  # it expired in between
            return 1
        except (RedisError, OSError) as error:
            if not silence._cache_silent_until:
                log.warning("calls are not counted: the cache is out of reach", extra={"cause": str(error)[:200]})
            silence._cache_silent_until = now + CACHE_PAUSE_SECONDS
            return 0
        if silence._cache_silent_until:
            silence._cache_silent_until = 0.0
            log.info("calls are counted again")
        return calls
