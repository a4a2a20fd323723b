"""Positions of a wallet: its cycles and early purchases by token, and the results of
its cycles over time.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from django.db.models import Max, QuerySet
from msgspec import Meta

from discovery.domain.units import Lamports, RawUnits
from discovery.models import Cycle, Position, RunToken
from discovery.models.enums import CycleResult, Knowledge
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import one_of, safe_text
from discovery.reads.watched import require_wallet

MAX_POINTS: Final = 1000


class CycleRow(msgspec.Struct, frozen=True):
    """One holding of a token, from the first units of a flat wallet until it is flat
    again.
    """

    number: Annotated[
        int,
        Meta(description="1 = the first holding of this token in the profile's days."),
    ]
    result: Annotated[str, one_of(CycleResult)]
    why: Annotated[
        str, Meta(description="`closed`, `dead bag`, `left wallet` or `open`.")
    ]
    left_out: Annotated[
        str,
        Meta(description="Reason for which statistics exclude it; empty = counted."),
    ]
    opened_at: datetime
    closed_at: datetime | None
    resolved_at: datetime | None
    last_trade_at: datetime
    put_in_lamports: Lamports
    matched_lamports: Annotated[
        Lamports, Meta(description="Proceeds of units with a known cost, net of fees.")
    ]
    net_lamports: Annotated[
        Lamports | None, Meta(description="Null if the result is not known.")
    ]
    fees_lamports: Lamports
    unmatched_lamports: Annotated[
        Lamports,
        Meta(description="Proceeds of units without a known cost: never profit."),
    ]
    basis_left_lamports: Lamports
    exit_lamports: Annotated[
        Lamports | None,
        Meta(description="Proceeds of selling the held units now; null = not known."),
    ]
    held_units: RawUnits
    buys: int
    sells: int
    hold_seconds: int | None
    history_incomplete: bool
    reconciled: bool
    first_signature: str
    knowledge: Annotated[str, one_of(Knowledge)]
    unknown_reason: Annotated[
        str,
        Meta(description="Why the result is not known; empty unless it is unknown."),
    ]
    known_share: Annotated[
        Decimal | None,
        Meta(
            description="Share of the units with a known cost that did not leave at an unknown price."
        ),
    ]


class EarlyPosition(msgspec.Struct, frozen=True):
    """The wallet's first holding of a token that it bought early, stored by the last run
    that analysed the token.
    """

    first_buy_at: datetime | None
    last_trade_at: datetime | None
    entry_rank: int | None
    entry_seconds: int | None
    buys: int
    sells: int
    cost_lamports: Lamports
    realised_lamports: Annotated[
        Lamports | None, Meta(description="Null if the result is not known.")
    ]
    unmatched_lamports: Lamports
    profit_pct: Annotated[
        Decimal | None, Meta(description="Null if the result is not known.")
    ]
    knowledge: Annotated[str, one_of(Knowledge)]
    unknown_reason: Annotated[
        str,
        Meta(description="Why the result is not known; empty unless it is unknown."),
    ]
    known_share: Annotated[
        Decimal | None,
        Meta(
            description="Share of the units with a known cost that did not leave at an unknown price."
        ),
    ]
    has_moved_out: Annotated[
        bool, Meta(description="Units were sent to another wallet.")
    ]
    later_cycles: Annotated[
        int, Meta(description="Holdings of the token after the first.")
    ]
    held_units: RawUnits
    history_incomplete: bool
    rejection: Annotated[
        str,
        Meta(description="Reason for which it did not qualify; empty = it qualified."),
    ]
    flags: tuple[str, ...]


class PositionRow(msgspec.Struct, frozen=True):
    """A wallet in one token: its cycles, newest first, and its early purchase, if it
    was an early buyer.
    """

    mint: str
    last_trade_at: datetime | None
    net_lamports: Annotated[
        Lamports | None,
        Meta(
            description="Sum over the resolved cycles; null if none is resolved or if one of them is not known."
        ),
    ]
    early: EarlyPosition | None
    cycles: list[CycleRow]


class ResultPoint(msgspec.Struct, frozen=True):
    """The net result of one resolved cycle, with the time at which it was resolved."""

    resolved_at: datetime
    net_lamports: int


def wallet_positions(
    address: str, page: Page, *, exists: bool = False
) -> Slice[PositionRow]:
    """Return a page of the wallet's tokens, last traded first. Raises
    Wallet.DoesNotExist.

    Four queries; three with `exists`, which skips the check that the wallet is on the
    watchlist.
    """
    if not exists:
        require_wallet(address)
    cycles = Cycle.objects.filter(wallet_address=address)
    early = _early_positions(address)
    last_trades = _last_trades(cycles, early)
    mints = [mint for mint, _ in sorted(last_trades.items(), key=_newest_first)]
    start = (page.number - 1) * page.size
    end = start + page.size
    page_mints = mints[start:end]
    cycles_by_mint = _cycles_by_mint(cycles.filter(mint__in=page_mints))
    rows: list[PositionRow] = []
    for mint in page_mints:
        cycle_rows = cycles_by_mint.get(mint, [])
        row = PositionRow(
            mint=mint,
            last_trade_at=last_trades[mint],
            net_lamports=_resolved_net(cycle_rows),
            early=early.get(mint),
            cycles=cycle_rows,
        )
        rows.append(row)
    return Slice(
        rows=rows,
        total=len(mints),
        more=end < len(mints),
    )


def _early_positions(address: str) -> dict[str, EarlyPosition]:
    """Return the early positions by mint. A wallet has one per token, few enough to
    load all of them.
    """
    positions = Position.objects.filter(wallet_address=address)
    return {position.mint: _early_position(position) for position in positions}


def _early_position(position: Position) -> EarlyPosition:
    return EarlyPosition(
        first_buy_at=position.first_buy_at,
        last_trade_at=position.last_trade_at,
        entry_rank=position.entry_rank,
        entry_seconds=position.entry_seconds,
        buys=position.buys,
        sells=position.sells,
        cost_lamports=position.cost_lamports,
        realised_lamports=position.realised_lamports,
        unmatched_lamports=position.unmatched_lamports,
        profit_pct=position.profit_pct,
        knowledge=position.knowledge,
        unknown_reason=position.unknown_reason,
        known_share=position.known_share,
        has_moved_out=position.has_moved_out,
        later_cycles=position.later_cycles,
        held_units=int(position.held_units),
        history_incomplete=position.history_incomplete,
        rejection=position.rejection,
        flags=tuple(position.flags or ()),
    )


def _last_trades(
    cycles: "QuerySet[Cycle]",
    early: Mapping[str, EarlyPosition],
) -> dict[str, datetime | None]:
    """Return the time of the last trade by mint, None if it is not known."""
    times = {mint: position.last_trade_at for mint, position in early.items()}
    last_by_mint = (
        cycles.order_by().values_list("mint").annotate(last=Max("last_trade_at"))
    )
    for mint, last in last_by_mint:
        known = times.get(mint)
        times[mint] = last if known is None else max(known, last)
    return times


def _newest_first(item: tuple[str, datetime | None]) -> tuple[float, str]:
    mint, at = item
    seconds = 0.0 if at is None else at.timestamp()
    return -seconds, mint


def _cycles_by_mint(cycles: "QuerySet[Cycle]") -> dict[str, list[CycleRow]]:
    by_mint: dict[str, list[CycleRow]] = {}
    for cycle in cycles.order_by("mint", "-number"):
        by_mint.setdefault(cycle.mint, []).append(_cycle_row(cycle))
    return by_mint


def _cycle_row(cycle: Cycle) -> CycleRow:
    return CycleRow(
        number=cycle.number,
        result=cycle.result,
        why=cycle.close_reason,
        left_out=cycle.exclusion_reason,
        opened_at=cycle.opened_at,
        closed_at=cycle.closed_at,
        resolved_at=cycle.resolved_at,
        last_trade_at=cycle.last_trade_at,
        put_in_lamports=cycle.put_in_lamports,
        matched_lamports=cycle.matched_lamports,
        net_lamports=cycle.net_lamports,
        fees_lamports=cycle.fees_lamports,
        unmatched_lamports=cycle.unmatched_lamports,
        basis_left_lamports=cycle.basis_left_lamports,
        exit_lamports=cycle.liquidation_value_lamports,
        held_units=int(cycle.held_units),
        buys=cycle.buys,
        sells=cycle.sells,
        hold_seconds=cycle.hold_seconds,
        history_incomplete=cycle.history_incomplete,
        reconciled=cycle.reconciled,
        first_signature=cycle.first_signature,
        knowledge=cycle.knowledge,
        unknown_reason=cycle.unknown_reason,
        known_share=cycle.known_share,
    )


def _resolved_net(cycles: Sequence[CycleRow]) -> int | None:
    """Return the sum of the resolved cycles' net results in lamports, None if no cycle
    is resolved or if one of them is not known.
    """
    net: int | None = None
    for cycle in cycles:
        if cycle.knowledge == Knowledge.UNKNOWN:
            return None
        if cycle.resolved_at is not None and cycle.net_lamports is not None:
            net = (net or 0) + cycle.net_lamports
    return net


def wallet_results(address: str) -> list[ResultPoint]:
    """Return the last MAX_POINTS resolved cycles of a wallet whose result is known,
    oldest first. One query.
    """
    resolved = Cycle.objects.filter(
        wallet_address=address, resolved_at__isnull=False, net_lamports__isnull=False
    )
    newest_first = resolved.order_by("-resolved_at", "pk").values_list(
        "resolved_at", "net_lamports"
    )
    rows = list(newest_first[:MAX_POINTS])
    rows.reverse()
    return [
        ResultPoint(at, net) for at, net in rows if at is not None and net is not None
    ]


def symbols(mints: Iterable[str]) -> dict[str, str]:
    """Return the symbol of each token that a run has stored, by mint, without unsafe
    characters. One query.
    """
    named = (
        RunToken.objects.filter(mint__in=list(mints)).exclude(symbol="").order_by("pk")
    )
    return {
        mint: safe_text(symbol) for mint, symbol in named.values_list("mint", "symbol")
    }
