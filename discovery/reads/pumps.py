"""The tokens that pass the filters now, as a worker last found them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Subquery
from django.utils import timezone
from msgspec import Meta

from discovery.domain.findings import Candidate
from discovery.domain.times import datetime_from_unix
from discovery.models import Config, Pumps
from discovery.reads import paging

STALE_SECONDS: Final = 60
"""Age above which the list is requested again; a request may take as long."""
_UNREADABLE: Final = (msgspec.ValidationError, ValueError, OverflowError, OSError)
"""Causes of a stored token that another version wrote, or with a time that no clock has."""


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
    """The list, its age, and whether a new one is on its way."""

    tokens: list[PumpRow]
    refreshed_at: datetime | None
    age_seconds: Annotated[int | None, Meta(description="Null: there is no list yet.")]
    refreshing: Annotated[bool, Meta(description="A worker was asked within the last minute and has not finished.")]
    outdated: Annotated[bool, Meta(description="The configuration was saved after the list was made.")]
    problem: Annotated[str, Meta(description="Why the last refresh failed or is incomplete; the list is older then.")]
    funnel: dict[str, int]

    @property
    def stale(self) -> bool:
        """A new list should be requested."""
        if self.refreshing:
            return False
        return self.age_seconds is None or self.age_seconds > STALE_SECONDS or self.outdated


def pumps_view(now: datetime | None = None) -> PumpsView:
    """Return the list at `now` (None: the current time). One query."""
    now = now or timezone.now()
    config_saved_at = Subquery(Config.objects.values("updated_at")[:1])
    row = Pumps.objects.filter(pk=1).annotate(saved_at=config_saved_at).first() or Pumps()
    saved_at: datetime | None = getattr(row, "saved_at", None)  # a missing row has no annotation
    refreshed_at = row.refreshed_at
    tokens = [_pump_row(stored, now) for stored in row.tokens or []]
    return PumpsView(
        tokens=[token for token in tokens if token is not None],
        refreshed_at=refreshed_at,
        age_seconds=None if refreshed_at is None else _seconds_since(refreshed_at, now),
        refreshing=_is_refreshing(row, now),
        outdated=bool(refreshed_at and saved_at and saved_at > refreshed_at),
        problem=row.problem,
        funnel=row.funnel or {},
    )


def _is_refreshing(row: Pumps, now: datetime) -> bool:
    if row.asked_at is None:
        return False
    ends = [at for at in (row.refreshed_at, row.answered_at) if at is not None]
    has_ended = bool(ends) and max(ends) >= row.asked_at
    is_recent = now - row.asked_at <= timedelta(seconds=STALE_SECONDS)
    return is_recent and not has_ended


def _pump_row(stored: Any, now: datetime) -> PumpRow | None:
    """Return a stored token, or None if it cannot be read; the next refresh replaces it."""
    try:
        token = msgspec.convert(stored, Candidate, strict=False)
        launched_at = datetime_from_unix(token.launched_at)
    except _UNREADABLE:
        return None
    return PumpRow(
        mint=token.mint,
        symbol=paging.safe_text(token.symbol),
        name=paging.safe_text(token.name),
        price_usd=token.price_usd,
        price_change_pct=token.price_change_24h_pct,
        volume_usd=token.volume_24h_usd,
        liquidity_usd=token.liquidity_usd,
        market_cap_usd=token.market_cap_usd,
        launched_at=launched_at,
        launch_clock=token.launch_clock,
        token_age_seconds=None if launched_at is None else _seconds_since(launched_at, now),
        sources=token.sources,
    )


def _seconds_since(at: datetime, now: datetime) -> int:
    return max(0, int((now - at).total_seconds()))
