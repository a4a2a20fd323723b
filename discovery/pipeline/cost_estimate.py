"""What a run is expected to cost with the settings in force, and how many tokens fit between two scheduled runs."""

from collections.abc import Callable

import msgspec
from django.conf import settings

from discovery.analysis.estimate import Estimate, Source, estimate_run
from discovery.clients.provider_clients import pace
from discovery.models import Config
from discovery.pipeline.find_tokens import TokenSearchResult


def estimate_cost(source: Source, tokens: int, *, given: bool, profiles: bool = True) -> Estimate:
    """What a run over `tokens` tokens is expected to cost with the settings in force."""
    return estimate_run(
        source,
        tokens=tokens,
        skips_search=given,
        with_profiles=profiles,
        has_batches=source == "helius" or settings.MARKET != "live",
        calls_per_second=pace(),
    )


def limit_to_schedule(
    found: TokenSearchResult, source: str, complain: Callable[[str, str, str], None]
) -> TokenSearchResult:
    """The tokens whose analysis ends before the next scheduled run would begin, most promising first."""
    if not found.tokens:
        return found
    hours = Config.load().schedule_hours or 6
    seconds = estimate_cost("helius" if source == "helius" else "solana_rpc", 1, given=False).seconds
    most = max(1, hours * 3600 // max(1, seconds))
    over = len(found.tokens) - most
    if over <= 0:
        return found
    complain(
        "find_tokens",
        "plan_cut",
        f"{len(found.tokens)} tokens would take longer than the {hours} h between runs at the pace of {source}: "
        f"the {most} most promising are analysed",
    )
    return msgspec.structs.replace(
        found, tokens=found.tokens[:most], funnel={**found.funnel, "token_over_schedule": over}
    )
