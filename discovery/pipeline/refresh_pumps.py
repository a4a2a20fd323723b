"""The tokens that pass the filters at this moment, looked up by a worker when somebody asks."""

import time
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.utils import timezone

from discovery.clients.provider_clients import open_providers
from discovery.jobs import run_lifecycle
from discovery.jobs.step_runner import redis_available
from discovery.models import Config, Pumps
from discovery.pipeline.find_tokens import NothingAnswered, TokenSearchResult, search


async def refresh() -> None:
    """Search and keep what was found; where nothing answered, the last list stays and the cause is told."""
    params = run_lifecycle.saved_params(await sync_to_async(Config.load)())
    problems: list[str] = []
    found: TokenSearchResult | None = None
    try:
        async with open_providers(source="solana_rpc", shared=await redis_available()) as providers:
            found = await search(
                providers, params, int(time.time()), lambda _step, _code, message: problems.append(message)
            )
    except NothingAnswered as error:
        problems.append(str(error))
    await sync_to_async(_keep)(found, "; ".join(problems)[:1000])


def _keep(found: TokenSearchResult | None, problem: str) -> None:
    now = timezone.now()
    values: dict[str, Any] = {"problem": problem, "answered_at": now}
    if found is not None:
        tokens = [msgspec.to_builtins(token) for token in found.tokens]
        values |= {"tokens": tokens, "funnel": found.funnel, "refreshed_at": now}
    Pumps.objects.update_or_create(pk=1, defaults=values)
