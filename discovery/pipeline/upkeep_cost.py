"""What refreshes and outcomes are expected to use in a month."""

from datetime import timedelta
from typing import Final

import msgspec
from django.conf import settings
from django.db import connection
from django.db.models import Count

from discovery.analysis.estimate import Source
from discovery.models import Wallet
from discovery.models.enums import StepKind, VerdictChoice

CALLS_PER_REFRESH: Final = 1.3
"""Assumption before a day of refreshes was measured: a quiet wallet costs one call, and
what twenty wallets hold is valued in common calls.
"""
CREDITS_PER_CALL: Final = 3.0
"""Assumption: a quiet wallet costs 1 credit, one that traded 10 more per 100 rows."""
MEASURED_DAYS: Final = 7
_KINDS: Final = [str(StepKind.REFRESH), str(StepKind.OUTCOMES)]
_MEASURED: Final = """
SELECT COALESCE(EXTRACT(EPOCH FROM now() - MIN(steps.created_at)), 0),
  COALESCE(SUM((provider.value->>'calls')::bigint), 0),
  COALESCE(SUM(COALESCE((provider.value->>'credits')::bigint, 0)), 0)
FROM discovery_run_steps steps CROSS JOIN LATERAL jsonb_each(steps.usage) provider
WHERE steps.run_id IS NULL AND steps.kind = ANY(%s) AND steps.completed_at >= now() - make_interval(days => %s)
"""


class UpkeepCost(msgspec.Struct, frozen=True):
    """Calls and credits of refreshes and outcomes in a month. is_measured: by the last
    days, else by the number of wallets on the watchlist.
    """

    calls: int
    credits: int
    is_measured: bool


def upkeep_cost(source: Source, days: int) -> UpkeepCost:
    """Return the cost of so many days. Two queries at most."""
    measured = _measured(days)
    if measured is not None:
        return measured
    calls = round(_refreshes_per_day() * CALLS_PER_REFRESH)
    calls = min(calls, settings.REFRESH.calls_per_day) * days
    credits_used = 0 if source == "solana_rpc" else round(calls * CREDITS_PER_CALL)
    return UpkeepCost(calls, credits_used, is_measured=False)


def _measured(days: int) -> UpkeepCost | None:
    """Return the cost by the refreshes of the last days, None if there was less than a
    day of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEASURED, [_KINDS, MEASURED_DAYS])
        seconds, calls, credits_used = cursor.fetchone()
    measured_days = float(seconds) / timedelta(days=1).total_seconds()
    if measured_days < 1:
        return None
    share = days / measured_days
    return UpkeepCost(
        round(float(calls) * share),
        round(float(credits_used) * share),
        is_measured=True,
    )


def _refreshes_per_day() -> float:
    """Return the refreshes of a day by the rules of the verdicts. One query."""
    rules = settings.REFRESH
    ages = {VerdictChoice.FOLLOW: rules.follow, VerdictChoice.WATCH: rules.watch}
    counts = Wallet.objects.listed().not_blacklisted().values_list("verdict")
    day = timedelta(days=1)
    refreshes = 0.0
    for verdict, count in counts.annotate(count=Count("pk")).order_by():
        refreshes += count * (day / ages.get(verdict, rules.others))
    return refreshes
