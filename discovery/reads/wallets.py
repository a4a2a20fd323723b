"""The watchlist: the list, its export, and one wallet with the reasons of its score."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

import msgspec
from django.contrib.postgres.fields import ArrayField
from django.db.models import DecimalField, F, Func, OrderBy, QuerySet, TextField
from msgspec import Meta

from discovery.domain.profiles import Gate, Part, Profile
from discovery.domain.units import Lamports
from discovery.models import RunWallet, Wallet
from discovery.models.enums import WalletStatus
from discovery.reads import paging
from discovery.reads.paging import Page, Slice, one_of

ORDERINGS: Final[dict[str, tuple[OrderBy | str, ...]]] = {
    "-score": (F("score").desc(nulls_last=True), F("n_eff").desc(nulls_last=True), "address"),
    "-realised_lamports": (F("realised_lamports").desc(nulls_last=True), "address"),
    "-last_discovered_at": ("-last_discovered_at", "address"),
    "last_discovered_at": ("last_discovered_at", "-address"),
}
"""What the watchlist may be sorted by, each served by an index; the address settles ties."""
MAX_DISCOVERIES: Final = 100


class WalletRow(msgspec.Struct, frozen=True):
    """A wallet in the list. Figures are those of its last profile; null = not profiled, or it cannot be said."""

    address: str
    status: Annotated[str, one_of(WalletStatus)]
    label: Annotated[str, Meta(description="An operator's name for it.")]
    score: Annotated[Decimal | None, Meta(description="0–1; null: a condition of being scored is not met.")]
    provisional: Annotated[bool, Meta(description="Some part of the score could not be computed.")]
    unscored_reason: str
    resolved_cycles: Annotated[int | None, Meta(description="Without the tokens that revealed it.")]
    n_eff: Annotated[Decimal | None, Meta(description="Effective sample size: old cycles weigh less.")]
    win_rate: Annotated[Decimal | None, Meta(description="0–1.")]
    win_rate_low: Annotated[Decimal | None, Meta(description="Lower end of the win rate's 90 % interval.")]
    win_rate_high: Decimal | None
    realised_lamports: Annotated[Lamports | None, Meta(description="Net over the profile's days.")]
    coverage: Annotated[Decimal | None, Meta(description="Share of sales whose cost is known, 0–1.")]
    too_active: Annotated[bool, Meta(description="More transactions than a profile reads: not scored.")]
    flags: tuple[str, ...]
    discovery_count: Annotated[int, Meta(description="How many runs found it.")]
    first_discovered_at: datetime
    last_discovered_at: datetime
    last_trade_at: datetime | None
    profiled_at: datetime | None


class Flag(msgspec.Struct, frozen=True):
    """What was seen of a wallet."""

    name: str
    evidence: str


class ScoreDetail(msgspec.Struct, frozen=True):
    """How a score came about: conditions, parts, sample and interval. Empty where the wallet was never scored."""

    parts: tuple[Part, ...] = ()
    gates: tuple[Gate, ...] = ()
    n: Annotated[int, Meta(description="Wins and losses.")] = 0
    n_eff: Decimal | None = None
    win_rate: Decimal | None = None
    low: Annotated[Decimal | None, Meta(description="Lower end of the win rate's 90 % interval.")] = None
    high: Decimal | None = None
    freshness: Annotated[Decimal | None, Meta(description="Factor for the days since the last trade, 0–1.")] = None
    provisional_because: tuple[str, ...] = ()


class DiscoveryRow(msgspec.Struct, frozen=True):
    """A run that found the wallet, through a token, with the wallet's result on that token."""

    run_id: uuid.UUID
    mint: str
    found_at: datetime | None
    is_new: bool
    initial_score: Decimal | None
    profit_pct: Decimal | None
    realised_lamports: Lamports | None
    cost_lamports: Lamports | None
    first_buy_at: datetime | None
    entry_rank: int | None
    entry_seconds: int | None
    flags: tuple[str, ...]


class WalletDetail(msgspec.Struct, frozen=True):
    """One wallet of the watchlist with its evidence."""

    address: str
    status: Annotated[str, one_of(WalletStatus)]
    label: str
    note: str
    score: Annotated[Decimal | None, Meta(description="0–1; null: a condition of being scored is not met.")]
    score_version: int | None
    provisional: bool
    unscored_reason: str
    score_detail: ScoreDetail
    flags: list[Flag]
    too_active: bool
    funder: Annotated[str, Meta(description="Who first sent it SOL; empty = not known.")]
    last_trade_at: datetime | None
    first_discovered_at: datetime
    last_discovered_at: datetime
    discovery_count: int
    discoveries: Annotated[list[DiscoveryRow], Meta(description="Newest first, at most 100.")]
    profiled_at: datetime | None
    profile_requested_at: Annotated[datetime | None, Meta(description="A profile was asked for and is on its way.")]
    profile_error: str
    profile: Annotated[Profile | None, Meta(description="`scored` leaves out the tokens that revealed the wallet.")]


class _FlagNames(Func):
    """The names of the flags, read by the database: their evidence stays there."""

    template = (
        "CASE jsonb_typeof(%(expressions)s) WHEN 'object' "
        "THEN ARRAY(SELECT jsonb_object_keys(%(expressions)s) ORDER BY 1) ELSE ARRAY[]::text[] END"
    )
    output_field = ArrayField(TextField())


class _DetailNumber(Func):
    """One number of the score's reasons, read by the database: the rest of them stays there."""

    template = "(%(expressions)s ->> '%(name)s')::numeric"
    output_field = DecimalField()


def wallet_list(rows: "QuerySet[Wallet]", page: Page) -> Slice[WalletRow]:
    """Return a page of the watchlist; `rows` is filtered and sorted. Two queries, whatever the number of wallets."""
    found = paging.sliced(_columns(rows), page)
    return Slice([_row(row) for row in found.rows], found.total, found.more)


def wallet_export(rows: "QuerySet[Wallet]") -> Iterator[WalletRow]:
    """Yield every row, EXPORT_CHUNK of them in memory at a time, by one cursor of the database."""
    return map(_row, _columns(rows).iterator(chunk_size=paging.EXPORT_CHUNK))


def _columns(rows: "QuerySet[Wallet]") -> "QuerySet[Wallet, dict[str, Any]]":
    computed = {
        "flag_names": _FlagNames(F("flags")),
        "win_rate_low": _DetailNumber(F("score_detail"), name="low"),
        "win_rate_high": _DetailNumber(F("score_detail"), name="high"),
    }
    stored = [name for name in WalletRow.__struct_fields__ if name not in {"flags", *computed}]
    named: QuerySet[Wallet, dict[str, Any]] = rows.values(*stored, **computed)
    return named


def _row(row: Mapping[str, Any]) -> WalletRow:
    values = dict(row)
    return WalletRow(flags=tuple(values.pop("flag_names")), **values)


def wallet_detail(address: str) -> WalletDetail:
    """One wallet. Two queries. Raises Wallet.DoesNotExist."""
    wallet = Wallet.objects.get(pk=address)
    same = set(WalletDetail.__struct_fields__) - {"score_detail", "flags", "discoveries", "profile"}
    return WalletDetail(
        **{name: getattr(wallet, name) for name in same},
        score_detail=_converted(wallet.score_detail, ScoreDetail) or ScoreDetail(),
        flags=[Flag(str(name), str(evidence)) for name, evidence in sorted((wallet.flags or {}).items())],
        discoveries=_discoveries(address),
        profile=_converted(wallet.profile, Profile),
    )


def _discoveries(address: str) -> list[DiscoveryRow]:
    rows = RunWallet.objects.filter(wallet_address=address).order_by(F("created_at").desc(nulls_last=True), "-id")
    return [
        DiscoveryRow(
            run_id=row.run_id,
            mint=row.source_token,
            found_at=row.created_at,
            is_new=row.is_new is not False,
            initial_score=row.initial_score,
            profit_pct=row.profit_pct,
            realised_lamports=row.realised_lamports,
            cost_lamports=row.cost_lamports,
            first_buy_at=row.first_buy_at,
            entry_rank=row.entry_rank,
            entry_seconds=row.entry_seconds,
            flags=tuple(row.flags or ()),
        )
        for row in rows[:MAX_DISCOVERIES]
    ]


Kept = TypeVar("Kept")


def _converted(kept: Any, kind: type[Kept]) -> Kept | None:
    """What is stored as an object; None where there is nothing or another version wrote it otherwise."""
    try:
        return msgspec.convert(kept, kind, strict=False) if kept else None
    except msgspec.ValidationError:
        return None
