"""What a run is expected to cost with the settings in force, and how many tokens fit between two scheduled runs."""

from collections.abc import Callable

import msgspec
from django.conf import settings

from discovery.analysis.estimate import Estimate, Source, estimate
from discovery.clients.provider_clients import pace
from discovery.models import DiscoveryConfig
from discovery.pipeline.find_tokens import Found


def plan_for(source: Source, tokens: int, *, given: bool, profiles: bool = True) -> Estimate:
    """What a run over `tokens` tokens is expected to cost with the settings in force."""
    return estimate(
        source,
        tokens=tokens,
        given=given,
        profiles=profiles,
        batches=source == "helius" or settings.MARKET != "live",
        calls_per_second=pace(),
    )


def that_fit(found: Found, source: str, complain: Callable[[str, str, str], None]) -> Found:
    """The tokens whose analysis ends before the next scheduled run would begin, most promising first."""
    if not found.tokens:
        return found
    hours = DiscoveryConfig.load().schedule_hours or 6
    seconds = plan_for("helius" if source == "helius" else "solana_rpc", 1, given=False).seconds
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
