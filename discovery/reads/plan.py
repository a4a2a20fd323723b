"""What a run would cost, before it starts."""

import msgspec
from django.conf import settings

from discovery.models import Config
from discovery.pipeline.cost_estimate import estimate_cost


class PlanView(msgspec.Struct, frozen=True):
    """Calls and time that a run over so many tokens is expected to use. `fits`: before the next scheduled run."""

    tokens: int
    total_calls: int
    helius_credits: int
    seconds: int
    source: str
    fits: bool
    tokens_that_fit: int


def plan_view(tokens: int, *, profiles: bool, hours: int | None = None) -> PlanView:
    """The estimate with the settings in force; `hours` between runs, None = as saved (one query)."""
    source = "helius" if settings.HELIUS_API_KEY else "solana_rpc"
    plan = estimate_cost("helius" if source == "helius" else "solana_rpc", tokens, given=False, profiles=profiles)
    seconds = (Config.load().hours if hours is None else hours) * 3600
    each = max(1, plan.seconds // max(1, tokens))
    return PlanView(
        tokens=tokens,
        total_calls=plan.total_calls,
        helius_credits=plan.helius_credits,
        seconds=plan.seconds,
        source=source,
        fits=plan.seconds <= seconds,
        tokens_that_fit=max(1, seconds // each),
    )
