"""The tokens that pass the filters now, as of the last refresh by a worker."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Exists, OuterRef
from django.db.models.functions import Greatest
from msgspec import Meta

from discovery.domain.findings import Candidate
from discovery.domain.times import datetime_from_unix
from discovery.models import Config, Pumps
from discovery.reads.row_values import safe_text
from walltrack import clock

STALE_SECONDS: Final = 60
"""Age above which the list is refreshed again, and maximum duration of a refresh."""
_UNREADABLE: Final = (msgspec.ValidationError, ValueError, OverflowError, OSError)
"""Raised for a stored token that another version wrote, or whose time is out of range.
"""


class PumpRow(msgspec.Struct, frozen=True):
    """A token that passes the filters, with the market's figures. Null = not known."""

    mint: str
    symbol: str
    name: str
    price_usd: Decimal | None
    price_change_pct: Annotated[Decimal | None, Meta(description="Over 24 h, percent.")]
    volume_usd: Annotated[Decimal | None, Meta(description="Over 24 h.")]
    liquidity_usd: Decimal | None
    market_cap_usd: Decimal | None
    launched_at: datetime | None
    launch_clock: str
    token_age_seconds: Annotated[int | None, Meta(description="Time since the launch.")]
    sources: tuple[str, ...]


class PumpsView(msgspec.Struct, frozen=True):
    """The list, its age, and whether a refresh is in progress."""

    tokens: list[PumpRow]
    refreshed_at: datetime | None
    age_seconds: Annotated[
        int | None, Meta(description="Null if there is no list yet.")
    ]
    refreshing: Annotated[
        bool,
        Meta(
            description="A refresh was requested within the last minute and is not finished."
        ),
    ]
    outdated: Annotated[
        bool, Meta(description="The configuration was saved after the last refresh.")
    ]
    problem: Annotated[
        str,
        Meta(
            description="Error of the last refresh if it failed or is incomplete; the list is then older."
        ),
    ]
    funnel: dict[str, int]

    @property
    def stale(self) -> bool:
        """True if a refresh should be requested."""
        if self.refreshing:
            return False
        if self.age_seconds is None:
            return True
        is_old = self.age_seconds > STALE_SECONDS
        return is_old or self.outdated


def pumps_view() -> PumpsView:
    """Return the list as it is now; an empty one before the first refresh. One query."""
    now = clock.now()
    # PostgreSQL compares nulls to neither true nor false, and GREATEST ignores them.
    saved_later = Config.objects.filter(updated_at__gt=OuterRef("refreshed_at"))
    rows = Pumps.objects.annotate(
        outdated=Exists(saved_later),
        ended_at=Greatest("refreshed_at", "answered_at"),
    )
    row = rows.filter(pk=1).first()
    if row is None:
        return PumpsView([], None, None, False, False, "", {})
    return PumpsView(
        tokens=_pump_rows(row.tokens, now),
        refreshed_at=row.refreshed_at,
        age_seconds=_age_seconds(row.refreshed_at, now),
        refreshing=_is_refreshing(row.asked_at, row.ended_at, now),
        outdated=row.outdated,
        problem=row.problem,
        funnel=row.funnel,
    )


def _is_refreshing(
    asked_at: datetime | None, ended_at: datetime | None, now: datetime
) -> bool:
    """Return True if the request has no result yet and may still get one.

    asked_at: of the last request. ended_at: of the last refresh.
    """
    if asked_at is None:
        return False
    if ended_at is not None and ended_at >= asked_at:
        return False
    return now - asked_at <= timedelta(seconds=STALE_SECONDS)


def _pump_rows(stored_tokens: list[Any], now: datetime) -> list[PumpRow]:
    rows = [_pump_row(stored, now) for stored in stored_tokens]
    return [row for row in rows if row is not None]


def _pump_row(stored: Any, now: datetime) -> PumpRow | None:
    """Return a stored token, or None if it cannot be read. The next refresh replaces
    it.
    """
    try:
        token = msgspec.convert(stored, Candidate, strict=False)
        launched_at = datetime_from_unix(token.launched_at)
    except _UNREADABLE:
        return None
    return PumpRow(
        mint=token.mint,
        symbol=safe_text(token.symbol),
        name=safe_text(token.name),
        price_usd=token.price_usd,
        price_change_pct=token.price_change_24h_pct,
        volume_usd=token.volume_24h_usd,
        liquidity_usd=token.liquidity_usd,
        market_cap_usd=token.market_cap_usd,
        launched_at=launched_at,
        launch_clock=token.launch_clock,
        token_age_seconds=_age_seconds(launched_at, now),
        sources=token.sources,
    )


def _age_seconds(at: datetime | None, now: datetime) -> int | None:
    if at is None:
        return None
    return max(0, int((now - at).total_seconds()))
