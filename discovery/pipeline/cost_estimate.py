"""The expected cost of a run under the settings in force, and how many tokens fit
between two scheduled runs.
"""

import msgspec
from django.conf import settings

from discovery.analysis.estimate import Estimate, Source, estimate_run
from discovery.clients.rate_limits import calls_per_second
from discovery.domain.run_errors import ErrorCode, WarningSink
from discovery.models import Config
from discovery.pipeline.find_tokens import TokenSearchResult


class ScheduleEstimate(msgspec.Struct, frozen=True):
    """Calls and time that a run over so many tokens is expected to use. `fits`: before
    the next scheduled run.
    """

    tokens: int
    total_calls: int
    helius_credits: int
    seconds: int
    source: str
    fits: bool
    tokens_that_fit: int


def expected_source() -> Source:
    """Return the source of transactions that a run would use: Helius if there is a key."""
    return "helius" if settings.HELIUS_API_KEY else "solana_rpc"


def estimate_cost(
    source: Source,
    tokens: int,
    *,
    given: bool,
    profiles: bool = True,
    control_wallets: int = 0,
) -> Estimate:
    """Return the expected cost of a run over `tokens` tokens. given: it gets them
    instead of searching. control_wallets: their maximum.
    """
    return estimate_run(
        source,
        tokens=tokens,
        skips_search=given,
        with_profiles=profiles,
        control_wallets=control_wallets,
        has_batches=source == "helius" or settings.MARKET != "live",
        calls_per_second=calls_per_second(),
    )


def estimate_against_schedule(
    tokens: int, *, profiles: bool, control_wallets: int = 0
) -> ScheduleEstimate:
    """Return the expected cost of a search run, compared with the time between two
    scheduled runs. One query.
    """
    source = expected_source()
    cost = estimate_cost(
        source,
        tokens,
        given=False,
        profiles=profiles,
        control_wallets=control_wallets,
    )
    available_seconds = _seconds_between_runs(Config.load())
    seconds_per_token = max(1, cost.seconds // max(1, tokens))
    return ScheduleEstimate(
        tokens=tokens,
        total_calls=cost.total_calls,
        helius_credits=cost.helius_credits,
        seconds=cost.seconds,
        source=source,
        fits=cost.seconds <= available_seconds,
        tokens_that_fit=max(1, available_seconds // seconds_per_token),
    )


def limit_to_schedule(
    result: TokenSearchResult, source: str, warnings: WarningSink
) -> TokenSearchResult:
    """Return the tokens whose analysis ends before the next scheduled run begins, most
    promising first.
    """
    if not result.tokens:
        return result
    config = Config.load()
    cost_of_one = estimate_cost(
        "helius" if source == "helius" else "solana_rpc", 1, given=False
    )
    room = max(1, _seconds_between_runs(config) // max(1, cost_of_one.seconds))
    excess = len(result.tokens) - room
    if excess <= 0:
        return result
    warnings.add(
        f"{len(result.tokens)} tokens would take longer than the {config.hours} h between runs at the rate limit of "
        f"{source}: the {room} most promising are analysed",
        code=ErrorCode.PLAN_CUT,
    )
    funnel = {**result.funnel, "token_over_schedule": excess}
    return msgspec.structs.replace(result, tokens=result.tokens[:room], funnel=funnel)


def _seconds_between_runs(config: Config) -> int:
    return int(config.interval.total_seconds())
