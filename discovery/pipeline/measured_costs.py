"""What the last runs really used: the costs of a search, a token, a wallet and a control
wallet, from the usage that their steps stored.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Sum

from discovery.analysis.estimate import Source, UnitCosts, UnitUse, provider_of
from discovery.domain.usage import sum_usage
from discovery.models import Run, RunControl, RunToken
from discovery.models.enums import StepKind

MAX_RUNS: Final = 5
_STEPS: Final = """
SELECT steps.kind, steps.payload ? 'arm', provider.key,
       SUM((provider.value->>'calls')::bigint), SUM(COALESCE((provider.value->>'credits')::bigint, 0))
FROM discovery_run_steps steps CROSS JOIN LATERAL jsonb_each(steps.usage) provider
WHERE steps.run_id = ANY(%s) GROUP BY 1, 2, 3
"""
_COUNTS: Final = """
SELECT kind, payload ? 'arm', COUNT(*) FROM discovery_run_steps
WHERE run_id = ANY(%s) AND status = 'done' GROUP BY 1, 2
"""


class LastRuns(msgspec.Struct, frozen=True):
    """Means of the last completed runs of a source: what they used and took."""

    runs: int
    tokens: float
    calls: int
    credits: int
    seconds: int


class MeasuredCosts(msgspec.Struct, frozen=True):
    """The costs by the last runs, assumptions where those measured nothing; and what the
    runs used, None before the first.
    """

    costs: UnitCosts
    last_runs: LastRuns | None


class _Group(msgspec.Struct):
    """The steps of one kind: how many were done, and what all of them used."""

    count: int = 0
    calls: dict[str, float] = {}
    credits: float = 0.0

    def mean(self, assumed: UnitUse) -> UnitUse:
        if not self.count:
            return assumed
        return UnitUse(self.calls, self.credits).times(1 / self.count)


_GroupKey = tuple[str, bool]


def measured_costs(source: Source, assumed: UnitCosts) -> MeasuredCosts:
    """Return the costs by the last completed runs of the source, MAX_RUNS at most. Five
    queries.
    """
    runs = list(
        Run.objects.completed()
        .filter(source=source, tokens_analyzed__gt=0)
        .order_by("-started_at")[:MAX_RUNS]
    )
    if not runs:
        return MeasuredCosts(assumed, None)
    last_runs = _last_runs(runs)
    groups = _groups([run.pk for run in runs])
    tokens = groups.get((StepKind.TOKEN, False), _Group())
    if not tokens.count:
        # Their steps were deleted after RETENTION_STEPS_DAYS.
        return MeasuredCosts(assumed, last_runs)
    found = _found(runs)
    wallets = groups.get((StepKind.WALLET, False), _Group())
    controls = groups.get((StepKind.WALLET, True), _Group())
    finds = groups.get((StepKind.FIND, False), _Group())
    is_search = not any(run.given_mints for run in runs)
    search = finds.mean(assumed.search) if is_search else assumed.search
    costs = UnitCosts(
        search=search,
        named=assumed.named,
        token=tokens.mean(assumed.token),
        wallet=wallets.mean(assumed.wallet),
        control=controls.mean(wallets.mean(assumed.control)),
        buyers=found.buyers / tokens.count,
        wallets=found.wallets / tokens.count,
        control_share=_control_share(runs, assumed.control_share),
        found_tokens=_found_tokens(runs),
        seconds_per_call=_seconds_per_call(runs, provider_of(source)),
        runs=len(runs),
    )
    return MeasuredCosts(costs, last_runs)


class _Found(msgspec.Struct, frozen=True):
    buyers: int
    wallets: int


def _found(runs: Sequence[Run]) -> _Found:
    tokens = RunToken.objects.filter(run__in=runs)
    buyers = tokens.aggregate(total=Sum("early_buyers"))["total"] or 0
    return _Found(buyers, sum(map(_wallets_of, runs)))


def _wallets_of(run: Run) -> int:
    return (run.new_wallets or 0) + (run.updated_wallets or 0)


def _groups(run_ids: list[UUID]) -> dict[_GroupKey, _Group]:
    groups: dict[_GroupKey, _Group] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [run_ids])
        for kind, is_control, count in cursor.fetchall():
            groups[kind, is_control] = _Group(count, {})
        cursor.execute(_STEPS, [run_ids])
        for kind, is_control, provider, calls, credits_used in cursor.fetchall():
            group = groups.setdefault((kind, is_control), _Group(0, {}))
            group.calls[provider] = float(calls)
            group.credits += float(credits_used)
    return groups


def _control_share(runs: Sequence[Run], assumed: float) -> float:
    """Return the control wallets that were found, of those that the runs might have
    had.
    """
    possible = sum(
        min(run.params.control_wallets, _wallets_of(run))
        for run in runs
        if run.params.profile_immediately
    )
    if not possible:
        return assumed
    found = RunControl.objects.filter(run__in=runs).count()
    return min(1.0, found / possible)


def _found_tokens(runs: Iterable[Run]) -> float | None:
    """Return the mean number of tokens that pass the filters; None if a search found as
    many as it might, or none searched.
    """
    counts: list[int] = []
    for run in runs:
        if run.given_mints:
            continue
        funnel: dict[str, Any] = run.funnel or {}
        found = (run.tokens_analyzed or 0) + funnel.get("token_over_schedule", 0)
        found += funnel.get("tokens_failed", 0)
        if found >= run.params.max_tokens:
            return None
        counts.append(found)
    return sum(counts) / len(counts) if counts else None


def _seconds_per_call(runs: Iterable[Run], provider: str) -> float | None:
    """Return the mean seconds of a call of the source of transactions, None without a
    call.
    """
    calls, seconds = 0, 0.0
    for run in runs:
        calls += sum_usage([run.usage]).get(provider, {}).get("calls", 0)
        seconds += float(run.duration_seconds or 0)
    return seconds / calls if calls else None


def _last_runs(runs: Sequence[Run]) -> LastRuns:
    calls = credits_used = 0
    for counts in sum_usage(run.usage for run in runs).values():
        calls += counts["calls"]
        credits_used += counts["credits"]
    seconds = sum(float(run.duration_seconds or 0) for run in runs)
    return LastRuns(
        runs=len(runs),
        tokens=sum(run.tokens_analyzed or 0 for run in runs) / len(runs),
        calls=round(calls / len(runs)),
        credits=round(credits_used / len(runs)),
        seconds=round(seconds / len(runs)),
    )
