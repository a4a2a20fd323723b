"""The watchlist: the list, its export, and one wallet with the evidence for its score."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    DecimalField,
    Exists,
    F,
    Func,
    OrderBy,
    OuterRef,
    QuerySet,
    TextField,
)
from msgspec import Meta

from discovery.domain.profiles import Profile
from discovery.domain.units import Lamports
from discovery.models import RunStep, RunWallet, Wallet
from discovery.models.enums import StepKind, VerdictChoice, WalletOrigin, WalletStatus
from discovery.reads import paging
from discovery.reads.freshness import is_stale
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import decode_stored, one_of
from discovery.reads.wallet_fields import (
    BlacklistReason,
    IsPinned,
    IsStale,
    PValue,
    QValue,
    ReadFrom,
    Score,
)

ORDERINGS: Final[dict[str, tuple[OrderBy | str, ...]]] = {
    "-edge_low_pct": (F("edge_low_pct").desc(nulls_last=True), "address"),
    "-score": (
        F("score").desc(nulls_last=True),
        F("n_eff").desc(nulls_last=True),
        "address",
    ),
    "-realised_lamports": (F("realised_lamports").desc(nulls_last=True), "address"),
    "-last_discovered_at": ("-last_discovered_at", "address"),
    "last_discovered_at": ("last_discovered_at", "-address"),
}
"""Orders of the watchlist by name. An index serves each of them; the address makes the
order unique.
"""
MAX_DISCOVERIES: Final = 100


class WalletRow(msgspec.Struct, frozen=True):
    """A wallet in the list. Figures are those of its last profile; null = no profile
    yet, or not known.
    """

    address: str
    status: Annotated[str, one_of(WalletStatus)]
    blacklist_reason: BlacklistReason
    label: Annotated[str, Meta(description="Name given by an operator.")]
    tags: tuple[str, ...]
    is_pinned: IsPinned
    origin: Annotated[str, one_of(WalletOrigin)]
    verdict: Annotated[str, one_of(VerdictChoice)]
    verdict_reason: str
    score: Score
    edge_pct: Annotated[
        Decimal | None,
        Meta(
            description="Expected growth of a follower's purse a trade, in % of the stake."
        ),
    ]
    edge_low_pct: Annotated[
        Decimal | None, Meta(description="Lower end of its 90 % interval.")
    ]
    edge_high_pct: Decimal | None
    q_value: QValue
    p_value: PValue
    scored_tokens: Annotated[
        int | None, Meta(description="Tokens with a known result that count.")
    ]
    n_eff: Annotated[
        Decimal | None,
        Meta(description="Effective number of these: old ones weigh less."),
    ]
    resolved_cycles: Annotated[
        int | None, Meta(description="Without the tokens through which it was found.")
    ]
    win_rate: Annotated[Decimal | None, Meta(description="0–1.")]
    win_rate_low: Annotated[
        Decimal | None, Meta(description="Lower end of the win rate's 90 % interval.")
    ]
    win_rate_high: Decimal | None
    realised_lamports: Annotated[
        Lamports | None, Meta(description="Net over the profile's days.")
    ]
    coverage: Annotated[
        Decimal | None, Meta(description="Share of sales whose cost is known, 0–1.")
    ]
    too_active: Annotated[
        bool, Meta(description="Its newest transactions cover too little time.")
    ]
    read_from: ReadFrom
    is_stale: IsStale
    flags: tuple[str, ...]
    discovery_count: Annotated[int, Meta(description="Number of runs that found it.")]
    first_discovered_at: datetime
    last_discovered_at: datetime
    last_trade_at: datetime | None
    profiled_at: datetime | None


class Flag(msgspec.Struct, frozen=True):
    """A flag of a wallet with its evidence."""

    name: str
    evidence: str


class ScoreDetail(msgspec.Struct, frozen=True):
    """The basis of a judgement. Empty if the wallet has never been judged."""

    leader_edge_pct: Annotated[
        float | None,
        Meta(description="The wallet's own growth a trade, in % of the stake."),
    ] = None
    known_share: Annotated[
        float | None,
        Meta(description="Share of the counted tokens whose result is known, 0–1."),
    ] = None
    depends_on_one_token: Annotated[
        bool, Meta(description="Without its best token the score is at most 0.5.")
    ] = False
    basis: Annotated[
        str | None,
        Meta(
            description="How closely a follower's prices were seen: `costs only`, `behind the leader` or `late`, "
            "`part by sample` if not for every token."
        ),
    ] = None
    low: Annotated[
        float | None, Meta(description="Lower end of the win rate's 90 % interval.")
    ] = None
    high: float | None = None


class DiscoveryRow(msgspec.Struct, frozen=True):
    """A run that found the wallet, through a token, with the wallet's result on that
    token.
    """

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
    blacklist_reason: BlacklistReason
    label: str
    note: str
    tags: tuple[str, ...]
    is_pinned: IsPinned
    origin: Annotated[str, one_of(WalletOrigin)]
    verdict: Annotated[str, one_of(VerdictChoice)]
    verdict_reason: str
    score: Score
    score_version: int | None
    edge_pct: Annotated[
        Decimal | None,
        Meta(
            description="Expected growth of a follower's purse a trade, in % of the stake."
        ),
    ]
    edge_low_pct: Annotated[
        Decimal | None, Meta(description="Lower end of its 90 % interval.")
    ]
    edge_high_pct: Decimal | None
    q_value: QValue
    p_value: PValue
    scored_tokens: Annotated[
        int | None, Meta(description="Tokens with a known result that count.")
    ]
    n_eff: Decimal | None
    score_detail: ScoreDetail
    flags: list[Flag]
    too_active: bool
    read_from: ReadFrom
    is_stale: IsStale
    funder: Annotated[
        str, Meta(description="Address that first sent it SOL; empty = not known.")
    ]
    last_trade_at: datetime | None
    first_discovered_at: datetime
    last_discovered_at: datetime
    discovery_count: int
    discoveries: Annotated[
        list[DiscoveryRow], Meta(description="Newest first, at most 100.")
    ]
    profiled_at: datetime | None
    profile_requested_at: Annotated[
        datetime | None,
        Meta(description="Time of a profile request that is not finished yet."),
    ]
    profile_error: str
    profile: Annotated[
        Profile | None,
        Meta(
            description="`scored` excludes the tokens through which the wallet was found."
        ),
    ]


class _FlagNames(Func):
    """The names of the flags. The database extracts them, so that the evidence is not
    transferred.
    """

    template = (
        "CASE jsonb_typeof(%(expressions)s) WHEN 'object' "
        "THEN ARRAY(SELECT jsonb_object_keys(%(expressions)s) ORDER BY 1) ELSE ARRAY[]::text[] END"
    )
    output_field = ArrayField(TextField())


class _DetailNumber(Func):
    """One number of `score_detail`. The database extracts it, so that the rest is not
    transferred.
    """

    template = "(%(expressions)s ->> '%(name)s')::numeric"
    output_field = DecimalField()


def wallet_list(rows: "QuerySet[Wallet]", page: Page) -> Slice[WalletRow]:
    """Return a page of the watchlist; `rows` is filtered and sorted. Two queries,
    whatever the number of wallets.
    """
    found = paging.sliced(wallet_columns(rows), page)
    return Slice([wallet_row(row) for row in found.rows], found.total, found.more)


def wallet_export(rows: "QuerySet[Wallet]") -> Iterator[WalletRow]:
    """Yield every row, EXPORT_CHUNK of them in memory at a time, by one cursor of the
    database.
    """
    return map(
        wallet_row, wallet_columns(rows).iterator(chunk_size=paging.EXPORT_CHUNK)
    )


def wallet_columns(rows: "QuerySet[Wallet]") -> "QuerySet[Wallet, dict[str, Any]]":
    """Return the columns of a WalletRow, which `wallet_row` reads."""
    computed = {
        "flag_names": _FlagNames(F("flags")),
        "win_rate_low": _DetailNumber(F("score_detail"), name="low"),
        "win_rate_high": _DetailNumber(F("score_detail"), name="high"),
    }
    stored = [
        name
        for name in WalletRow.__struct_fields__
        if name not in {"flags", "is_stale", *computed}
    ]
    named: QuerySet[Wallet, dict[str, Any]] = rows.values(*stored, **computed)
    return named


def wallet_row(row: Mapping[str, Any]) -> WalletRow:
    """Return the wallet of a row of `wallet_columns`."""
    return WalletRow(
        address=row["address"],
        status=row["status"],
        blacklist_reason=row["blacklist_reason"],
        label=row["label"],
        tags=tuple(row["tags"]),
        is_pinned=row["is_pinned"],
        origin=row["origin"],
        verdict=row["verdict"],
        verdict_reason=row["verdict_reason"],
        score=row["score"],
        edge_pct=row["edge_pct"],
        edge_low_pct=row["edge_low_pct"],
        edge_high_pct=row["edge_high_pct"],
        q_value=row["q_value"],
        p_value=row["p_value"],
        scored_tokens=row["scored_tokens"],
        n_eff=row["n_eff"],
        resolved_cycles=row["resolved_cycles"],
        win_rate=row["win_rate"],
        win_rate_low=row["win_rate_low"],
        win_rate_high=row["win_rate_high"],
        realised_lamports=row["realised_lamports"],
        coverage=row["coverage"],
        too_active=row["too_active"],
        read_from=row["read_from"],
        is_stale=is_stale(
            row["verdict"], row["profiled_at"], is_pinned=row["is_pinned"]
        ),
        flags=tuple(row["flag_names"]),
        discovery_count=row["discovery_count"],
        first_discovered_at=row["first_discovered_at"],
        last_discovered_at=row["last_discovered_at"],
        last_trade_at=row["last_trade_at"],
        profiled_at=row["profiled_at"],
    )


def wallet_detail(address: str) -> WalletDetail:
    """Return one wallet. Two queries. Raises Wallet.DoesNotExist, also for a control
    wallet.
    """
    pending = RunStep.objects.open_lone(StepKind.PROFILE, OuterRef("address"))
    with_requests = Wallet.objects.listed().annotate(is_profile_pending=Exists(pending))
    row: Any = with_requests.get(pk=address)
    wallet: Wallet = row
    requested_at = wallet.profile_requested_at if row.is_profile_pending else None
    flags = sorted((wallet.flags or {}).items())
    return WalletDetail(
        address=wallet.address,
        status=wallet.status,
        blacklist_reason=wallet.blacklist_reason,
        label=wallet.label,
        note=wallet.note,
        tags=tuple(wallet.tags),
        is_pinned=wallet.is_pinned,
        origin=wallet.origin,
        verdict=wallet.verdict,
        verdict_reason=wallet.verdict_reason,
        score=wallet.score,
        score_version=wallet.score_version,
        edge_pct=wallet.edge_pct,
        edge_low_pct=wallet.edge_low_pct,
        edge_high_pct=wallet.edge_high_pct,
        q_value=wallet.q_value,
        p_value=wallet.p_value,
        scored_tokens=wallet.scored_tokens,
        n_eff=wallet.n_eff,
        score_detail=decode_stored(wallet.score_detail, ScoreDetail) or ScoreDetail(),
        flags=[Flag(str(name), str(evidence)) for name, evidence in flags],
        too_active=wallet.too_active,
        read_from=wallet.read_from,
        is_stale=is_stale(
            wallet.verdict, wallet.profiled_at, is_pinned=wallet.is_pinned
        ),
        funder=wallet.funder,
        last_trade_at=wallet.last_trade_at,
        first_discovered_at=wallet.first_discovered_at,
        last_discovered_at=wallet.last_discovered_at,
        discovery_count=wallet.discovery_count,
        discoveries=_discoveries(address),
        profiled_at=wallet.profiled_at,
        profile_requested_at=requested_at,
        profile_error=wallet.profile_error,
        profile=decode_stored(wallet.profile, Profile),
    )


def _discoveries(address: str) -> list[DiscoveryRow]:
    newest_first = RunWallet.objects.filter(wallet_address=address).order_by(
        F("created_at").desc(nulls_last=True),
        "-id",
    )
    return [_discovery(row) for row in newest_first[:MAX_DISCOVERIES]]


def _discovery(row: RunWallet) -> DiscoveryRow:
    return DiscoveryRow(
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
