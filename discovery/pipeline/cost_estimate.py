"""The expected cost of a run under the settings in force, what of it fits between two
scheduled runs and into the month, and the cost of a month.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

import msgspec
from django.conf import settings

from discovery.analysis.estimate import (
    DEFAULT_MAX_BUYERS,
    Estimate,
    RunSize,
    Source,
    UnitCosts,
    assumed_costs,
    estimate_run,
    largest_fit,
)
from discovery.clients.helius_access import NO_KEY
from discovery.clients.rate_limits import calls_per_second
from discovery.domain.run_errors import ErrorCode, WarningSink
from discovery.domain.run_params import Params
from discovery.models import Config, Run
from discovery.models.enums import Trigger
from discovery.pipeline.credit_budget import (
    CreditBudget,
    credit_budget,
    has_credit_limit,
    refusal,
)
from discovery.pipeline.find_tokens import TokenSearchResult
from discovery.pipeline.measured_costs import LastRuns, measured_costs
from discovery.pipeline.upkeep_cost import UpkeepCost, upkeep_cost

DAYS_OF_MONTH: Final = 31
"""A month of the forecast is one of the longest: a plan must last for it."""

Cut = Literal["", "time", "credits"]


class CostPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run, and a month of scheduled runs and upkeep, are expected to use.

    run: the run as asked for. scheduled: a scheduled run, over as many tokens as fit
    between two runs and into the month. cut: what limits it, "" = nothing.
    interval_seconds: between two scheduled runs. runs_per_month: 0 while the schedule is
    off. budget: None without a limit of credits. last_runs: what runs really used, None
    before the first.
    """

    run: Estimate
    scheduled: Estimate
    cut: Cut
    interval_seconds: int
    runs_per_month: int
    upkeep: UpkeepCost
    budget: CreditBudget | None
    last_runs: LastRuns | None

    @property
    def month_calls(self) -> int:
        """Calls of a month."""
        return self.runs_per_month * self.scheduled.total_calls + self.upkeep.calls

    @property
    def month_credits(self) -> int:
        """Credits of a month."""
        return self.runs_per_month * self.scheduled.helius_credits + self.upkeep.credits

    @property
    def month_minutes(self) -> int:
        """Minutes in which runs are active in a month."""
        return self.runs_per_month * self.scheduled.seconds // 60

    @property
    def fits(self) -> bool:
        """Return True if a scheduled run is not cut."""
        return not self.cut

    @property
    def monthly_credits(self) -> int:
        """The plan of the key, 0 = no limit."""
        return 0 if self.budget is None else self.budget.monthly

    @property
    def exceeds_month(self) -> bool:
        """Return True if the run as asked for takes more than runs may still use."""
        if self.budget is None:
            return False
        return self.run.helius_credits > self.budget.left_for_runs


def expected_source() -> Source:
    """Return the source of transactions that a run would use: Helius if there is a key
    and the last run could use it. One query with a key.
    """
    if not settings.HELIUS_API_KEY:
        return "solana_rpc"
    last = (
        Run.objects.completed()
        .exclude(source="")
        .order_by("-started_at")
        .values_list("source", "source_note")
        .first()
    )
    if last is None or last[1] == NO_KEY:
        return "helius"
    return as_source(last[0])


def as_source(name: str) -> Source:
    """Return the source that is stored with a run under this name."""
    if name == "helius_rpc":
        return "helius_rpc"
    return "helius" if name == "helius" else "solana_rpc"


def run_size(params: Params, *, named: int = 0, leftovers: int = 0) -> RunSize:
    """Return the size of a run with these parameters. named: tokens that it is given."""
    return RunSize(
        tokens=named or params.max_tokens,
        is_named=bool(named),
        has_profiles=params.profile_immediately,
        control_wallets=params.control_wallets,
        max_early_buyers=getattr(params, "max_early_buyers", DEFAULT_MAX_BUYERS),
        leftovers=0 if named else leftovers,
    )


class Estimator(msgspec.Struct, frozen=True):
    """Estimates runs of one source by the costs that are known of it."""

    source: Source
    costs: UnitCosts
    rates: Mapping[str, float]
    last_runs: LastRuns | None

    def estimate(self, size: RunSize) -> Estimate:
        """Return what the run is expected to use."""
        return estimate_run(self.source, size, self.costs, self.rates)


def load_estimator(
    source: Source, max_early_buyers: int = DEFAULT_MAX_BUYERS
) -> Estimator:
    """Return the estimator of a source: by its last runs, else by assumptions. Six
    queries at most.
    """
    assumed = assumed_costs(
        source,
        has_batches=settings.MARKET != "live",
        max_buyers=max_early_buyers,
    )
    measured = measured_costs(source, assumed)
    return Estimator(source, measured.costs, calls_per_second(), measured.last_runs)


def plan_cost(params: Params, *, named: int = 0) -> CostPlan:
    """Return the plan of a run with these parameters, and of a month with the schedule
    that is set. named: the number of tokens that the run is given, 0 = it searches.
    """
    config = Config.load()
    estimator = load_estimator(expected_source())
    size = run_size(params, named=named)
    searching = run_size(params)
    budget = credit_budget(config)
    seconds = interval_seconds(config)
    scheduled, cut = cut_to_fit(estimator, searching, seconds, _allowance(budget))
    runs_per_month = 0
    if config.is_schedule_on:
        runs_per_month = round(timedelta(days=DAYS_OF_MONTH) / config.interval)
    return CostPlan(
        run=estimator.estimate(size),
        scheduled=estimator.estimate(scheduled),
        cut=cut,
        interval_seconds=seconds,
        runs_per_month=runs_per_month,
        upkeep=upkeep_cost(estimator.source, DAYS_OF_MONTH),
        budget=budget,
        last_runs=estimator.last_runs,
    )


def _allowance(budget: CreditBudget | None) -> int | None:
    return None if budget is None else budget.allowance


def cut_to_fit(
    estimator: Estimator, size: RunSize, seconds: int, credits_left: int | None
) -> tuple[RunSize, Cut]:
    """Return the run over as many tokens as take at most so many seconds and credits
    (None = unlimited), and what limits it.
    """
    by_time = largest_fit(
        size, lambda each: estimator.estimate(each).seconds <= seconds
    )
    smallest, cut = by_time, _cut(size, by_time, "time")
    if credits_left is not None:
        by_credits = largest_fit(
            by_time,
            lambda each: estimator.estimate(each).helius_credits <= credits_left,
        )
        if by_credits.tokens < by_time.tokens:
            smallest, cut = size.with_tokens(by_credits.tokens), "credits"
    return smallest, cut


def _cut(size: RunSize, smaller: RunSize, cause: Cut) -> Cut:
    return cause if smaller.tokens < size.tokens else ""


def limit_to_schedule(
    result: TokenSearchResult, run: Run, source: str, warnings: WarningSink
) -> TokenSearchResult:
    """Return the tokens whose analysis, with the profiles that follow, ends before the
    next scheduled run begins, most promising first. Those of a scheduled run also fit into
    the credits of the month.
    """
    if not result.tokens:
        return result
    config = Config.load()
    estimator = load_estimator(as_source(source))
    found = msgspec.structs.replace(estimator.costs, found_tokens=None)
    estimator = msgspec.structs.replace(estimator, costs=found)
    asked = run_size(run.params)
    size = msgspec.structs.replace(asked, tokens=len(result.tokens))
    budget = None
    if run.trigger_type == Trigger.SCHEDULED:
        budget = credit_budget(config, without_run=run.pk)
    smaller, cut = cut_to_fit(
        estimator, size, interval_seconds(config), _allowance(budget)
    )
    if not cut:
        return result
    warnings.add(
        _cut_text(len(result.tokens), smaller, cut, source, config, budget),
        code=ErrorCode.PLAN_CUT,
    )
    excess = len(result.tokens) - smaller.tokens
    funnel = {**result.funnel, "token_over_schedule": excess}
    tokens = result.tokens[: smaller.tokens]
    return msgspec.structs.replace(result, tokens=tokens, funnel=funnel)


def _cut_text(
    found: int,
    smaller: RunSize,
    cut: Cut,
    source: str,
    config: Config,
    budget: CreditBudget | None,
) -> str:
    cause = f"would take longer than the {config.hours} h between runs at the rate limit of {source}"
    if cut == "credits" and budget is not None:
        cause = (
            f"would use more than the {budget.allowance:,} Helius credits that each of the {budget.slots} runs "
            f"until the end of the month may use, of the plan's {budget.monthly:,}"
        )
    return (
        f"{found} tokens, with the profiles of their wallets, {cause}: the {smaller.tokens} most promising are "
        f"analysed, with {smaller.control_wallets} control wallets at most"
    )


def admission_problem(config: Config) -> str:
    """Return why the scheduled run that is due must not start, "" if it may: the credits
    that are left this month do not suffice for the smallest run. Eight queries with a
    limit of credits, none without.
    """
    if not has_credit_limit():
        return ""
    estimator = load_estimator(expected_source())
    smallest = run_size(config.params).with_tokens(1)
    credits_needed = estimator.estimate(smallest).helius_credits
    return refusal(credit_budget(config), credits_needed)


def interval_seconds(config: Config) -> int:
    """Return the seconds between two scheduled runs."""
    return int(config.interval.total_seconds())
