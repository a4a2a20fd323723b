"""The sentence of the report for the first page. It is computed at most once in ten
minutes, because the whole record is read for it.
"""

import logging
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from discovery.reads.report import DEFAULT_HORIZON_HOURS, report

CACHE_SECONDS: Final = 600
_CACHE_ERRORS: Final = (RedisError, OSError)
log = logging.getLogger(__name__)


def cached_sentence() -> str | None:
    """Return the sentence of the last ten minutes, None if there is none or the cache is
    unreachable. No query.
    """
    try:
        sentence: str | None = cache.get(_key())
    except _CACHE_ERRORS as error:
        _log_unreachable(error)
        return None
    return sentence


def current_sentence(now: datetime) -> str:
    """Return the sentence at `now`, the time of the product, at most ten minutes old. It
    is computed directly if the cache is unreachable.
    """
    known = cached_sentence()
    if known is not None:
        return known
    sentence = report(now).sentence
    try:
        cache.set(_key(), sentence, timeout=CACHE_SECONDS)
    except _CACHE_ERRORS as error:
        _log_unreachable(error)
    return sentence


def _key() -> str:
    """Return the key, which names what the sentence names."""
    terms = settings.FOLLOW
    return (
        f"report-sentence:{DEFAULT_HORIZON_HOURS}:"
        f"{terms.stake_lamports}:{terms.delay_seconds}"
    )


def _log_unreachable(error: Exception) -> None:
    log.warning(
        "the sentence of the report is not cached: the cache is unreachable",
        extra={"cause": str(error)[:200]},
    )
