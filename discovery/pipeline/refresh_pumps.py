"""Refresh the list of tokens that pass the filters at this moment, when somebody looks
at it.
"""

import time
from typing import Any, Final

import msgspec
from asgiref.sync import sync_to_async
from django.utils import timezone

from discovery.clients.connections import redis_available
from discovery.clients.provider_clients import open_providers
from discovery.domain.run_errors import WarningSink
from discovery.models import Config, Pumps
from discovery.pipeline.find_tokens import NothingAnswered, TokenSearchResult, search

MAX_PROBLEM_LENGTH: Final = 1000


async def refresh_pumps() -> None:
    """Search and save the result. If no source answers, the last list stays and the
    cause is saved.
    """
    config = await sync_to_async(Config.load)()
    warnings = WarningSink("find_tokens")
    result: TokenSearchResult | None = None
    try:
        async with open_providers(
            source="solana_rpc", shared=await redis_available()
        ) as providers:
            result = await search(providers, config.params, int(time.time()), warnings)
    except NothingAnswered as error:
        warnings.add(str(error))
    await sync_to_async(_save)(
        result, "; ".join(warnings.messages)[:MAX_PROBLEM_LENGTH]
    )


def _save(result: TokenSearchResult | None, problem: str) -> None:
    now = timezone.now()
    values: dict[str, Any] = {"problem": problem, "answered_at": now}
    if result is not None:
        tokens = [msgspec.to_builtins(token) for token in result.tokens]
        values |= {"tokens": tokens, "funnel": result.funnel, "refreshed_at": now}
    Pumps.objects.update_or_create(pk=1, defaults=values)
