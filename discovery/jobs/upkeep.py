"""Upkeep of the watchlist: wallets whose profile is too old are read again, and outcomes
that are due are measured, within a budget of provider calls a day.

Planned every 20 seconds as steps that belong to no run. Wallets to follow come first, then
pinned ones and wallets to watch, then the others; the oldest profile first.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Min, Q

from discovery.domain.usage import sum_usage
from discovery.jobs.lone_steps import add_lone_step
from discovery.models import Config, Outcome, RunStep, Wallet
from discovery.models.enums import OPEN_STEP_STATUSES, StepKind, StepStatus
from discovery.pipeline.credit_budget import credit_budget, has_credit_limit
from discovery.providers.batches import batches
from walltrack import clock

WALLETS_PER_STEP: Final = 20
MAX_OPEN_WALLETS: Final = 200
"""Wallets that wait for a refresh at once; the next call plans more."""
CALLS_PER_WALLET: Final = 2
"""What a wallet in an open step is expected to need."""
RETRY_AFTER: Final = timedelta(hours=1)
"""A wallet that could not be read, or an outcome that could not be measured, is tried
again after this time.
"""
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
BURST: Final = 2
"""An hour may use twice its share of the day, so that arrears are made up."""
_KINDS: Final = (StepKind.REFRESH, StepKind.OUTCOMES)


def plan_upkeep(now: datetime | None = None) -> int:
    """Add the steps that are due, as far as the budget allows; return the number of
    wallets planned. Six queries without anything due.
    """
    now = now or clock.now()
    if _are_credits_used_up():
        return 0
    busy = _busy_wallets(now)
    room = min(remaining_calls(now) // CALLS_PER_WALLET, MAX_OPEN_WALLETS - len(busy))
    if room <= 0:
        return 0
    measured = _wallets_with_due_outcomes(now, busy, room)
    _add_steps(StepKind.OUTCOMES, measured, now)
    busy.update(measured)
    room -= len(measured)
    refreshed = _wallets_to_refresh(now, busy, room)
    _add_steps(StepKind.REFRESH, refreshed, now)
    return len(measured) + len(refreshed)


def _are_credits_used_up() -> bool:
    """Return True if the month's credits are used up: every call would be refused. One
    query with a limit of credits, none without.
    """
    if not has_credit_limit():
        return False
    budget = credit_budget(Config.load())
    return budget is not None and budget.is_used_up


def remaining_calls(now: datetime) -> int:
    """Return how many provider calls may be planned now. One query."""
    steps = RunStep.objects.lone().filter(
        kind__in=_KINDS, payload__planned_at__gte=(now - DAY).timestamp()
    )
    used_today = used_this_hour = 0
    hour_ago = (now - HOUR).timestamp()
    for status, usage, payload in steps.values_list("status", "usage", "payload"):
        calls = _calls(status, usage, payload)
        used_today += calls
        if payload["planned_at"] >= hour_ago:
            used_this_hour += calls
    per_day = settings.REFRESH.calls_per_day
    per_hour = max(per_day * BURST // 24, min(per_day, WALLETS_PER_STEP))
    return min(per_day - used_today, per_hour - used_this_hour)


def _calls(status: str, usage: dict[str, Any], payload: dict[str, Any]) -> int:
    """Return the calls of a step: an open one is expected to use some more."""
    used = sum(counts["calls"] for counts in sum_usage([usage]).values())
    if status not in OPEN_STEP_STATUSES:
        return used
    return max(used, CALLS_PER_WALLET * len(payload["wallets"]))


def _busy_wallets(now: datetime) -> set[str]:
    """Return the wallets of open steps, and of those that failed within RETRY_AFTER."""
    has_just_failed = Q(
        status=StepStatus.FAILED,
        payload__planned_at__gte=(now - RETRY_AFTER).timestamp(),
    )
    steps = RunStep.objects.lone().filter(kind__in=_KINDS)
    busy = steps.filter(Q(status__in=OPEN_STEP_STATUSES) | has_just_failed)
    addresses: set[str] = set()
    for payload in busy.values_list("payload", flat=True):
        addresses.update(payload["wallets"])
    return addresses


def _wallets_with_due_outcomes(
    now: datetime, busy: Iterable[str], maximum: int
) -> list[str]:
    """Return wallets with outcomes that are due, the oldest first."""
    paused = Wallet.objects.filter(
        refreshed_at__gt=now - RETRY_AFTER, profile_error__gt=""
    )
    due = (
        Outcome.objects.due(now)
        .exclude(snapshot__wallet_address__in=list(busy))
        .exclude(snapshot__wallet_address__in=paused.values("address"))
        .values("snapshot__wallet_address")
        .annotate(first_due=Min("due_at"))
        .order_by("first_due", "snapshot__wallet_address")
    )
    return list(due.values_list("snapshot__wallet_address", flat=True)[:maximum])


def _wallets_to_refresh(now: datetime, busy: Iterable[str], maximum: int) -> list[str]:
    """Return wallets whose profile is too old, the most valuable and oldest first."""
    if maximum <= 0:
        return []
    due = Wallet.objects.due_for_refresh(now, RETRY_AFTER)
    rows = due.exclude(address__in=list(busy)).most_valuable_first()
    return list(rows.values_list("address", flat=True)[:maximum])


def _add_steps(kind: StepKind, addresses: Sequence[str], now: datetime) -> None:
    for wallets in batches(addresses, WALLETS_PER_STEP):
        payload = {"wallets": list(wallets), "planned_at": now.timestamp()}
        add_lone_step(kind, wallets[0], payload)
