"""Whether scheduled runs have stopped because the month's credits are nearly used up."""

import calendar
from datetime import UTC, datetime, timedelta

import msgspec
from django.conf import settings

from discovery.domain.run_errors import ErrorCode
from discovery.models import Run
from discovery.models.enums import Trigger
from discovery.reads.row_values import error_messages


class CreditStop(msgspec.Struct, frozen=True):
    """The last slot of the schedule did not start for want of credits. until: the start
    of the next UTC month.
    """

    at: datetime
    reason: str
    until: datetime


def credit_stop(now: datetime) -> CreditStop | None:
    """Return why the last scheduled run of this UTC month did not start, None if it did
    or credits were not the cause. One query, none without a limit.
    """
    if not (settings.HELIUS_API_KEY and settings.MONTHLY_CREDITS):
        return None
    last = (
        Run.objects.filter(trigger_type=Trigger.SCHEDULED)
        .order_by("-started_at")
        .only("started_at", "errors")
        .first()
    )
    if last is None or not _is_for_credits(last):
        return None
    month = _month(last.started_at)
    if month != _month(now):
        return None
    messages = error_messages(last.errors)
    _, days = calendar.monthrange(month.year, month.month)
    return CreditStop(last.started_at, messages[0], month + timedelta(days=days))


def _is_for_credits(run: Run) -> bool:
    errors = run.errors if isinstance(run.errors, list) else []
    codes = [error.get("code") for error in errors if isinstance(error, dict)]
    return ErrorCode.CREDITS in codes


def _month(at: datetime) -> datetime:
    """Return the start of the UTC month."""
    utc = at.astimezone(UTC)
    return utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
