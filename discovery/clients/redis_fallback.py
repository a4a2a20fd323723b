"""Scripts on a Redis server that may be unreachable."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

UNAVAILABLE_SECONDS: Final = 5.0
"""A server that did not respond is not called for this long.

A timeout at every call would be slower than any rate limit.
"""


class RedisFallback:
    """Runs scripts, or returns None while the server is unreachable, so that the caller
    falls back to local state.

    what: the content of the server, for the log.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._unavailable_until = 0.0
        self._is_logged = False

    async def run(
        self, script: AsyncScript, keys: Sequence[str], args: Sequence[str | float]
    ) -> Any | None:
        """Return the script's result, None while the server is unreachable."""
        if self._clock() < self._unavailable_until:
            return None
        try:
            result = await script(keys=keys, args=args)
        except (RedisError, OSError) as error:
            self._unavailable_until = self._clock() + UNAVAILABLE_SECONDS
            self._log_once(error)
            return None
        self._is_logged = False
        return result

    def _log_once(self, error: Exception) -> None:
        if not self._is_logged:
            log.warning(
                "%s is unreachable", self._what, extra={"cause": type(error).__name__}
            )
            self._is_logged = True
