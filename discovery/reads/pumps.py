"""The tokens that pass the filters now, as of the last refresh by a worker."""

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
from discovery.reads.row_values import safe_text

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


def pumps_view(now: datetime | None = None) -> PumpsView:
    """Return the list at `now` (None: the current time). One query."""
    now = now or timezone.now()
    config_saved_at = Subquery(Config.objects.values("updated_at")[:1])
    row = (
        Pumps.objects.filter(pk=1).annotate(saved_at=config_saved_at).first() or Pumps()
    )
    return PumpsView(
        tokens=_pump_rows(row.tokens or [], now),
        refreshed_at=row.refreshed_at,
        age_seconds=_age_seconds(row.refreshed_at, now),
        refreshing=_is_refreshing(row, now),
        outdated=_is_outdated(row),
        problem=row.problem,
        funnel=row.funnel or {},
    )


def _is_refreshing(row: Pumps, now: datetime) -> bool:
    if row.asked_at is None:
        return False
    for ended_at in (row.refreshed_at, row.answered_at):
        if ended_at is not None and ended_at >= row.asked_at:
            return False
    return now - row.asked_at <= timedelta(seconds=STALE_SECONDS)


def _is_outdated(row: Pumps) -> bool:
    """Return True if the configuration was saved after the last refresh."""
    saved_at: datetime | None = getattr(
        row, "saved_at", None
    )  # an unsaved row has no annotation
    if row.refreshed_at is None or saved_at is None:
        return False
    return saved_at > row.refreshed_at


def _pump_rows(stored_tokens: list[Any], now: datetime) -> list[PumpRow]:
    rows: list[PumpRow] = []
    for stored in stored_tokens:
        row = _pump_row(stored, now)
        if row is not None:
            rows.append(row)
    return rows


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
