"""The credits of a month: what is used, what runs may still use, and what refreshes and
outcomes keep.

Months are calendar months in UTC, by the clock of the database: then a plan starts again.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection

from discovery.models import Config
from discovery.models.enums import StepKind

UPKEEP_SHARE_DIVISOR: Final = 5
"""A fifth of the month's credits is kept for refreshes and outcomes."""
PROVIDER: Final = "helius"

_MONTH: Final = "(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')"
_CREDITS: Final = f"COALESCE((usage->'{PROVIDER}'->>'credits')::bigint, 0)"
# Runs hold their usage once they are closed; until then their steps do. A run belongs to
# the month of its end, so that one over midnight counts in full.
_USED: Final = f"""
SELECT now(), {_MONTH}, {_MONTH} + interval '1 month',
  (SELECT COALESCE(SUM({_CREDITS}), 0) FROM discovery_runs
   WHERE created_at >= {_MONTH} OR completed_at >= {_MONTH}),
  (SELECT COALESCE(SUM({_CREDITS}), 0) FROM discovery_run_steps
   WHERE run_id IN (SELECT id FROM discovery_runs WHERE stage IS NOT NULL AND status IN ('queued', 'running')
                    AND id IS DISTINCT FROM %s::uuid)),
  (SELECT COALESCE(SUM({_CREDITS}), 0) FROM discovery_run_steps
   WHERE run_id IS NULL AND kind = ANY(%s) AND (completed_at >= {_MONTH} OR completed_at IS NULL)),
  (SELECT COALESCE(SUM({_CREDITS}), 0) FROM discovery_run_steps
   WHERE run_id IS NULL AND kind <> ALL(%s) AND (completed_at >= {_MONTH} OR completed_at IS NULL))
"""  # noqa: S608  constants
_UPKEEP_KINDS: Final = [str(StepKind.REFRESH), str(StepKind.OUTCOMES)]


class CreditBudget(msgspec.Struct, frozen=True, kw_only=True):
    """Credits of this UTC month. monthly: MONTHLY_CREDITS. used: by everything, of which
    used_by_upkeep by refreshes and outcomes. slots: scheduled runs until the month ends,
    the next one included.
    """

    month: datetime
    monthly: int
    used: int
    used_by_upkeep: int
    slots: int

    @property
    def kept_for_upkeep(self) -> int:
        """What refreshes and outcomes have not used of their share."""
        share = self.monthly // UPKEEP_SHARE_DIVISOR
        return max(0, share - self.used_by_upkeep)

    @property
    def left_for_runs(self) -> int:
        """What runs may still use this month."""
        return max(0, self.monthly - self.used - self.kept_for_upkeep)

    @property
    def allowance(self) -> int:
        """What each scheduled run may use, so that the last one of the month can start."""
        return self.left_for_runs // self.slots

    @property
    def is_used_up(self) -> bool:
        """Return True if nothing is left, for refreshes neither."""
        return self.used >= self.monthly


def has_credit_limit() -> bool:
    """Return True if the credits of a month are limited."""
    return bool(settings.HELIUS_API_KEY and settings.MONTHLY_CREDITS)


def credit_budget(
    config: Config, *, without_run: UUID | None = None
) -> CreditBudget | None:
    """Return the credits of this month, None without a limit. One query.

    without_run: an active run whose usage does not count.
    """
    if not has_credit_limit():
        return None
    with connection.cursor() as cursor:
        cursor.execute(_USED, [without_run, _UPKEEP_KINDS, _UPKEEP_KINDS])
        now, month, month_end, closed, active, upkeep, others = cursor.fetchone()
    return CreditBudget(
        month=month,
        monthly=settings.MONTHLY_CREDITS,
        used=int(closed + active + upkeep + others),
        used_by_upkeep=int(upkeep),
        slots=_slots(config, now, month_end),
    )


def _slots(config: Config, now: datetime, month_end: datetime) -> int:
    interval = max(config.interval, timedelta(minutes=1))
    return max(1, int((month_end - now) / interval) + 1)


def refusal(budget: CreditBudget | None, estimated_credits: int) -> str:
    """Return why a scheduled run of so many credits must not start, "" if it may."""
    if budget is None or estimated_credits <= budget.left_for_runs:
        return ""
    return (
        f"{budget.used:,} of this month's {budget.monthly:,} Helius credits are used and "
        f"{budget.kept_for_upkeep:,} are kept for refreshes and outcomes: the {budget.left_for_runs:,} "
        f"that are left do not suffice for a run of about {estimated_credits:,}. Scheduled runs "
        "continue next month; MONTHLY_CREDITS sets the plan"
    )
