"""The expected cost of a run and of a month, as pages, API and commands show it."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from discovery.analysis.estimate import Estimate
from discovery.domain.cost_words import basis_text, last_runs_text, usage_text
from discovery.domain.display import counted, duration_text
from discovery.domain.run_params import Params
from discovery.pipeline.cost_estimate import (
    CostPlan,
    plan_cost,
)
from discovery.pipeline.credit_budget import (
    CreditBudget,
)

_CUTS: Final = {
    "time": "so that they end before the next one begins",
    "credits": "so that the credits last for the month",
}


class RunCost(msgspec.Struct, frozen=True):
    """What one run is expected to read and use."""

    tokens: int
    wallets: Annotated[int, Meta(description="Wallets found, which it profiles.")]
    control_wallets: int
    calls: Annotated[dict[str, int], Meta(description="By provider.")]
    total_calls: int
    helius_credits: int
    seconds: int


class MonthCost(msgspec.Struct, frozen=True):
    """What a month of 31 days is expected to use, with the schedule that is set."""

    runs: Annotated[int, Meta(description="0 while the schedule is off.")]
    calls: int
    helius_credits: int
    minutes: Annotated[int, Meta(description="In which a run is active.")]
    upkeep_calls: Annotated[int, Meta(description="Of refreshes and outcomes.")]
    upkeep_credits: int


class CreditsView(msgspec.Struct, frozen=True):
    """The Helius credits of this UTC month."""

    monthly: Annotated[int, Meta(description="MONTHLY_CREDITS.")]
    used: int
    kept_for_upkeep: Annotated[
        int,
        Meta(description="What refreshes and outcomes have not used of their share."),
    ]
    left_for_runs: int
    per_run: Annotated[
        int, Meta(description="What each scheduled run until the month's end may use.")
    ]


class MeasuredRuns(msgspec.Struct, frozen=True):
    """Means of the last completed runs of the same source: what they really used."""

    runs: int
    tokens: float
    calls: int
    helius_credits: int
    seconds: int


class PlanView(msgspec.Struct, frozen=True):
    """The expected cost of a run and of a month. Nothing is requested from a provider."""

    source: Annotated[
        str,
        Meta(
            description="Source of transactions: `helius`, `helius_rpc` (a key without transactions by time) or "
            "`solana_rpc`."
        ),
    ]
    measured_runs: Annotated[
        int,
        Meta(
            description="Runs that the costs of a token and a wallet are means of; 0 = assumptions."
        ),
    ]
    run: RunCost
    scheduled: Annotated[
        RunCost,
        Meta(
            description="A scheduled run: over as many tokens as fit between two runs and into the month."
        ),
    ]
    cut: Annotated[
        str,
        Meta(
            description="What limits a scheduled run: `time`, `credits`, or empty for nothing."
        ),
    ]
    month: MonthCost
    credits: Annotated[CreditsView | None, Meta(description="Null without a limit.")]
    last_runs: Annotated[
        MeasuredRuns | None, Meta(description="Null before the first run.")
    ]
    notes: Annotated[
        list[str], Meta(description="What the estimate assumes and warns of.")
    ]
    problems: Annotated[list[str], Meta(description="What does not fit.")]
    interval_seconds: int

    @property
    def run_text(self) -> str:
        """The run in words."""
        run = self.run
        return usage_text(run.total_calls, run.helius_credits, run.seconds)

    @property
    def month_text(self) -> str:
        """The month in words."""
        month = self.month
        return usage_text(month.calls, month.helius_credits, month.minutes * 60)

    @property
    def last_text(self) -> str:
        """What the last runs really used, "" before the first."""
        last = self.last_runs
        if last is None:
            return ""
        return usage_text(last.calls, last.helius_credits, last.seconds)


def cost_plan(params: Params, *, named: int = 0) -> PlanView:
    """Return the plan of a run with these parameters. named: tokens that it is given, 0 =
    it searches. At most twelve queries.
    """
    plan = plan_cost(params, named=named)
    last = plan.last_runs
    return PlanView(
        source=plan.run.source,
        measured_runs=plan.run.measured_runs,
        run=_run_cost(plan.run),
        scheduled=_run_cost(plan.scheduled),
        cut=plan.cut,
        month=MonthCost(
            runs=plan.runs_per_month,
            calls=plan.month_calls,
            helius_credits=plan.month_credits,
            minutes=plan.month_minutes,
            upkeep_calls=plan.upkeep.calls,
            upkeep_credits=plan.upkeep.credits,
        ),
        credits=None if plan.budget is None else _credits(plan.budget),
        last_runs=None
        if last is None
        else MeasuredRuns(
            last.runs, last.tokens, last.calls, last.credits, last.seconds
        ),
        notes=_notes(plan),
        problems=_problems(plan),
        interval_seconds=plan.interval_seconds,
    )


def _run_cost(run: Estimate) -> RunCost:
    return RunCost(
        tokens=run.tokens,
        wallets=run.wallets,
        control_wallets=run.control_wallets,
        calls=run.calls,
        total_calls=run.total_calls,
        helius_credits=run.helius_credits,
        seconds=run.seconds,
    )


def _credits(budget: CreditBudget) -> CreditsView:
    return CreditsView(
        monthly=budget.monthly,
        used=budget.used,
        kept_for_upkeep=budget.kept_for_upkeep,
        left_for_runs=budget.left_for_runs,
        per_run=budget.allowance,
    )


def _notes(plan: CostPlan) -> list[str]:
    notes = [basis_text(plan.run.measured_runs)]
    upkeep = "as the last days" if plan.upkeep.is_measured else "by the watchlist"
    notes.append(f"Refreshes and outcomes are counted {upkeep}")
    return notes


def _problems(plan: CostPlan) -> list[str]:
    problems: list[str] = []
    if plan.cut:
        asked = plan.run.tokens
        tokens = counted(plan.scheduled.tokens, "token")
        problems.append(
            f"Scheduled runs analyse about {tokens} instead of {asked}, the most promising first, {_CUTS[plan.cut]}"
        )
    if plan.cut == "time" and plan.run.source == "solana_rpc":
        problems.append("With a Helius key a run takes minutes")
    if plan.budget is None:
        return problems
    if plan.exceeds_month:
        problems.append(
            f"This run would use more than the {plan.budget.left_for_runs:,} credits that runs may still use this month"
        )
    if plan.runs_per_month and plan.month_credits > plan.budget.monthly:
        problems.append(
            f"A month would use {plan.month_credits:,} credits, more than the plan's {plan.budget.monthly:,}"
        )
    return problems


def plan_lines(plan: PlanView) -> list[str]:
    """Return the plan in words, a line for each fact."""
    run, month = plan.run, plan.month
    tokens = counted(run.tokens, "token")
    lines = [f"Plan for {tokens}, transactions from {plan.source}:"]
    calls = sorted(run.calls.items())
    lines += [f"  {name:<14} {count:>9,} calls" for name, count in calls]
    if run.helius_credits:
        lines.append(f"  {'helius':<14} {run.helius_credits:>9,} credits")
    lines.append(
        f"  a run: {plan.run_text}; {counted(run.wallets, 'wallet')} and "
        f"{counted(run.control_wallets, 'control wallet')} profiled"
    )
    if plan.last_runs is not None:
        lines.append(
            f"  {last_runs_text(plan.last_runs.runs)} took {plan.last_text}, on average"
        )
    if month.runs:
        every = duration_text(plan.interval_seconds)
        lines.append(
            f"  a month with a run every {every} ({month.runs:,} runs): {plan.month_text}, of which refreshes and "
            f"outcomes {counted(month.upkeep_calls, 'call')}"
        )
    if plan.credits is not None:
        lines.append(
            f"  this month {plan.credits.used:,} of {plan.credits.monthly:,} credits are used; "
            f"{plan.credits.left_for_runs:,} are left for runs"
        )
    lines += [f"  {note}." for note in plan.notes]
    lines += [f"  ! {problem}." for problem in plan.problems]
    return lines
