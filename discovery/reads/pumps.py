"""The tokens that pass the filters now, as a worker last saw them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Subquery
from django.utils import timezone
from msgspec import Meta

from discovery.domain.findings import Candidate
from discovery.models import Config, Pumps
from discovery.reads import paging

STALE_SECONDS: Final = 60
"""Older than this, the list is asked for again; asked for, it may take as long."""


class PumpRow(msgspec.Struct, frozen=True):
    """A token that passes the filters, with the market's figures. Null = nobody said."""

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
    token_age_seconds: Annotated[int | None, Meta(description="Since the launch, now.")]
    sources: tuple[str, ...]


class PumpsView(msgspec.Struct, frozen=True):
    """The list, its age and whether it is being made anew."""

    tokens: list[PumpRow]
    refreshed_at: datetime | None
    age_seconds: Annotated[int | None, Meta(description="Null: it was never made.")]
    refreshing: Annotated[bool, Meta(description="A worker was asked within the last minute and has not answered.")]
    outdated: Annotated[bool, Meta(description="The configuration was saved after the list was made.")]
    problem: Annotated[str, Meta(description="Why the last refresh failed or is not whole; the list is older then.")]
    funnel: dict[str, int]

    @property
    def stale(self) -> bool:
        """Whether somebody should ask for it again."""
        return not self.refreshing and (self.age_seconds is None or self.age_seconds > STALE_SECONDS or self.outdated)


def pumps_view(now: datetime | None = None) -> PumpsView:
    """The list as it stands at `now` (None: the current time). One query."""
    now = now or timezone.now()
    config_saved = Subquery(Config.objects.values("updated_at")[:1])
    row = Pumps.objects.filter(pk=1).annotate(saved_at=config_saved).first() or Pumps()
    saved_at: datetime | None = getattr(row, "saved_at", None)  # no row, no annotation
    ends = [at for at in (row.refreshed_at, row.answered_at) if at is not None]
    answered = row.asked_at is not None and max(ends, default=None) is not None and max(ends) >= row.asked_at
    asked_lately = row.asked_at is not None and now - row.asked_at <= timedelta(seconds=STALE_SECONDS)
    return PumpsView(
        tokens=[token for kept in row.tokens or [] if (token := _token(kept, now)) is not None],
        refreshed_at=row.refreshed_at,
        age_seconds=None if row.refreshed_at is None else max(0, int((now - row.refreshed_at).total_seconds())),
        refreshing=asked_lately and not answered,
        outdated=bool(row.refreshed_at and saved_at and saved_at > row.refreshed_at),
        problem=row.problem,
        funnel=row.funnel or {},
    )


def _token(kept: Any, now: datetime) -> PumpRow | None:
    try:
        token = msgspec.convert(kept, Candidate, strict=False)
        launched = None if token.launched_at is None else datetime.fromtimestamp(token.launched_at, UTC)
    except (msgspec.ValidationError, ValueError, OverflowError, OSError):
        return None  # kept by another version, or a time that no clock has; the next refresh replaces it
    return PumpRow(
        mint=token.mint,
        symbol=paging.words(token.symbol),
        name=paging.words(token.name),
        price_usd=token.price_usd,
        price_change_pct=token.price_change_24h_pct,
        volume_usd=token.volume_24h_usd,
        liquidity_usd=token.liquidity_usd,
        market_cap_usd=token.market_cap_usd,
        launched_at=launched,
        launch_clock=token.launch_clock,
        token_age_seconds=None if launched is None else max(0, int((now - launched).total_seconds())),
        sources=token.sources,
    )
