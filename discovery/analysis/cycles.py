"""Position cycles: one holding of a token from flat to flat, judged a win, a loss, even, or still open.

The accounting is that of `positions.Book`: put-in, matched and unmatched proceeds of a token's cycles add up to those
of its position, to the last fraction. A cycle opens with the first units of a flat wallet and ends when at most 1 % of
its peak is left. What is left is a cost of that cycle; if it is sold later, the proceeds go to the cycle that paid.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from math import ceil
from typing import Final

import msgspec

from discovery.analysis.early_buyers import ACQUIRED
from discovery.analysis.positions import ZERO, CostBasisLedger
from discovery.domain.findings import HoldingEvent
from discovery.domain.profiles import CloseReason, Cycle, CycleResult, ExclusionReason
from discovery.domain.units import round_half_even

FLAT_SHARE: Final = Fraction(1, 100)
DEAD_SECONDS: Final = 7 * 86_400
DEAD_SHARE: Final = Fraction(1, 10)
BAND_ROI: Final = Fraction(1, 100)
BAND_LAMPORTS: Final = 10_000_000
TOKEN_COVERAGE: Final = Fraction(9, 10)


class Holding(msgspec.Struct, frozen=True):
    """A cycle before it is judged: what happened, exact. Times in unix seconds."""

    mint: str
    number: int
    opened_at: int
    closed_at: int | None
    left_at: int | None  # the last transfer out
    closed_by_leaving: bool
    last_trade_at: int
    first_signature: str
    put_in: Fraction
    matched: Fraction
    unmatched: Fraction
    fees: int
    sold: Fraction
    covered: Fraction
    unpriced_basis: Fraction  # cost of units sold at a price nobody knows
    known_units: Fraction
    held_units: Fraction
    basis_left: Fraction
    buys: int
    sells: int
    hold_seconds: Fraction | None
    incomplete: bool


class _Running:
    """A cycle while its events come in. `basis`: the cost of its own units still there; `bought_at`: its mean time."""

    def __init__(self, event: HoldingEvent) -> None:
        self.opened_at = event.block_time
        self.first_signature = event.signature
        self.closed_at: int | None = None
        self.left_at: int | None = None
        self.closed_by_leaving = False
        self.last_trade_at: int | None = None
        self.peak = ZERO
        self.put_in = self.matched = self.unmatched = self.covered = self.uncovered = self.unpriced_basis = ZERO
        self.fees = self.buys = self.sells = 0
        self.units = self.basis = self.bought_at = ZERO
        self.hold_sum = ZERO
        self.hold_weight = 0
        self.incomplete = False

    def take(self, units: Fraction, basis: Fraction, time: int) -> None:
        self.units += units
        self.basis += basis
        self.put_in += basis
        if basis:
            # To the microsecond: a time needs no exact fraction.
            self.bought_at = round(self.bought_at + (time - self.bought_at) * basis / self.basis, 6)

    def sell(self, event: HoldingEvent, matched: Fraction, units: Fraction, basis: Fraction) -> None:
        """Its part of a sale: `units` of its own that cost `basis` and brought `matched` net of fees."""
        self.matched += matched
        if event.value_lamports is None:
            self.unpriced_basis += basis
            return
        self.covered += event.value_lamports * units / event.units
        # A weight in 2⁻⁶⁴ lamports, rounded up: whole numbers stay quick over thousands of sales.
        weight = ceil(basis * 2**64)
        self.hold_sum += weight * (event.block_time - self.bought_at)
        self.hold_weight += weight


def split_cycles(mint: str, events: Sequence[HoldingEvent]) -> list[Holding]:
    """The holdings of one wallet in one mint, oldest first, numbered from 1. `events` are in chain order.

    Holdings without a buy or a sale (units that were only sent around) are none of trading and left out.
    """
    book = CostBasisLedger()
    runs: list[_Running] = []
    for event in events:
        if not runs or (runs[-1].closed_at is not None and event.kind in ACQUIRED):
            runs.append(_Running(event))
        _follow(book, runs, event)
    traded = [run for run in runs if run.last_trade_at is not None]
    latest = runs[-1] if runs else None
    return [
        _holding(mint, number, run, book.unknown_units if run is latest else ZERO)
        for number, run in enumerate(traded, start=1)
    ]


def _follow(book: CostBasisLedger, runs: Sequence[_Running], event: HoldingEvent) -> None:
    """Apply the event to the book and share what came of it among the cycles: the current one and those with units."""
    current = runs[-1]
    known, put_in, held = book.known_units, book.put_in, book.held
    matched, unmatched = book.apply(event)
    current.peak = max(current.peak, book.held)
    if event.kind == "buy":
        current.take(book.known_units - known, book.put_in - put_in, event.block_time)
        current.incomplete |= event.value_lamports is None
    elif event.kind != "transfer_in":
        owners = [run for run in runs if run.units]
        for run in owners:
            # A sole owner has what the book has: no need to divide, which is what costs time.
            part = 1 if len(owners) == 1 else run.units / known
            units, basis = run.units, run.basis
            run.units = book.known_units * part
            run.basis = book.basis if part == 1 else (basis * book.known_units / known)
            if event.kind == "sell":
                run.sell(event, matched * part, units - run.units, basis - run.basis)
        current.incomplete |= event.units > held
    if event.kind == "sell":
        current.unmatched += unmatched
        if event.value_lamports is None:
            current.incomplete = True
        else:
            current.uncovered += event.value_lamports * (1 - (known - book.known_units) / event.units)
    if event.kind in {"buy", "sell"}:
        current.buys += event.kind == "buy"
        current.sells += event.kind == "sell"
        current.fees += event.extras_lamports
        current.last_trade_at = event.block_time
    if event.kind == "transfer_out" and held:
        current.left_at = event.block_time
    if current.closed_at is None and book.held <= current.peak * FLAT_SHARE:
        current.closed_at = event.block_time
        current.closed_by_leaving = event.kind == "transfer_out"


def _holding(mint: str, number: int, run: _Running, unknown_units: Fraction) -> Holding:
    assert run.last_trade_at is not None
    return Holding(
        mint=mint,
        number=number,
        opened_at=run.opened_at,
        closed_at=run.closed_at,
        left_at=run.left_at,
        closed_by_leaving=run.closed_by_leaving,
        last_trade_at=run.last_trade_at,
        first_signature=run.first_signature,
        put_in=run.put_in,
        matched=run.matched,
        unmatched=run.unmatched,
        fees=run.fees,
        # What a sale without a price brought is unknown: at its cost it lowers coverage instead of vanishing from it.
        sold=run.covered + run.uncovered + run.unpriced_basis,
        covered=run.covered,
        unpriced_basis=run.unpriced_basis,
        known_units=run.units,
        held_units=run.units + unknown_units,
        basis_left=run.basis,
        buys=run.buys,
        sells=run.sells,
        hold_seconds=run.hold_sum / run.hold_weight if run.hold_weight else None,
        incomplete=run.incomplete,
    )


def resolve_cycles(
    holdings: Iterable[Holding],
    exits: Mapping[str, int | None],
    now: int,
    unreconciled: AbstractSet[str] = frozenset(),
) -> list[Cycle]:
    """The holdings of one wallet with their results.

    exits: mint -> lamports that all units held of it would bring now; None or absent = unknown, never taken for zero.
    now: unix seconds. unreconciled: mints whose balance on the chain does not follow from the events.

    Resolved are: flat ones; dead bags (no trade for 7 days, exit value below 10 % of the cost left); and holdings at a
    loss so far of which units left the wallet, after 7 quiet days. The basis of everything unsold is then lost: no
    price is known for units that left, so they count as nothing.
    """
    whole = list(holdings)
    sold: dict[str, Fraction] = {}
    covered: dict[str, Fraction] = {}
    for holding in whole:
        sold[holding.mint] = sold.get(holding.mint, ZERO) + holding.sold
        covered[holding.mint] = covered.get(holding.mint, ZERO) + holding.covered
    return [
        _resolved_cycle(
            holding,
            exits.get(holding.mint),
            now,
            well_covered=covered[holding.mint] >= TOKEN_COVERAGE * sold[holding.mint],
            reconciled=holding.mint not in unreconciled,
        )
        for holding in whole
    ]


def _resolved_cycle(
    holding: Holding, exit_of_all: int | None, now: int, *, well_covered: bool, reconciled: bool
) -> Cycle:
    exit_value: Fraction | None = None
    if holding.closed_at is None and exit_of_all is not None:
        share = holding.known_units / holding.held_units if holding.held_units else ZERO
        exit_value = exit_of_all * share
    close_reason, resolved_at = _resolution(holding, exit_value, now)
    net = holding.matched - holding.put_in
    if resolved_at is None:
        net += holding.basis_left
    result: CycleResult = "open" if resolved_at is None else _result(net, holding.put_in)
    return Cycle(
        mint=holding.mint,
        number=holding.number,
        opened_at=holding.opened_at,
        closed_at=holding.closed_at,
        last_trade_at=holding.last_trade_at,
        first_signature=holding.first_signature,
        result=result,
        close_reason=close_reason,
        resolved_at=resolved_at,
        put_in_lamports=round_half_even(holding.put_in),
        matched_lamports=round_half_even(holding.matched),
        net_lamports=round_half_even(net),
        fees_lamports=holding.fees,
        unmatched_lamports=round_half_even(holding.unmatched),
        sold_lamports=round_half_even(holding.sold),
        covered_lamports=round_half_even(holding.covered),
        basis_left_lamports=round_half_even(holding.basis_left),
        liquidation_value_lamports=None if exit_value is None else round_half_even(exit_value),
        held_units=round_half_even(holding.held_units),
        buys=holding.buys,
        sells=holding.sells,
        hold_seconds=None if holding.hold_seconds is None else round_half_even(holding.hold_seconds),
        history_incomplete=holding.incomplete or not reconciled,
        reconciled=reconciled,
        exclusion_reason=_exclusion_reason(holding, result, well_covered=well_covered),
    )


def _resolution(holding: Holding, exit_value: Fraction | None, now: int) -> tuple[CloseReason, int | None]:
    """Why and when the result was settled; ("open", None) while it is not."""
    if holding.closed_at is not None:
        return ("left wallet" if holding.closed_by_leaving else "closed"), holding.closed_at
    dead_at = holding.last_trade_at + DEAD_SECONDS
    if now >= dead_at and exit_value is not None and exit_value < holding.basis_left * DEAD_SHARE:
        return "dead bag", dead_at
    if holding.left_at is not None:
        quiet_at = max(dead_at, holding.left_at + DEAD_SECONDS)
        # A loser of which a little more than dust stays behind would otherwise never be resolved.
        if now >= quiet_at and holding.matched < holding.put_in - holding.basis_left:
            return "left wallet", quiet_at
    return "open", None


def _result(net: Fraction, put_in: Fraction) -> CycleResult:
    """Win and loss need 1 % of the cost and 0.01 SOL; in between the cycle is even."""
    if abs(net) < BAND_LAMPORTS or abs(net) < BAND_ROI * put_in:
        return "even"
    return "win" if net > 0 else "loss"


def _exclusion_reason(holding: Holding, result: CycleResult, *, well_covered: bool) -> ExclusionReason:
    """Why the cycle does not count, "" where it does.

    Poor coverage takes gains out but not losses: else units sent out and back would hide a loss.
    """
    if result == "open":
        return "open"
    if not round_half_even(holding.put_in):
        return "no cost"
    if holding.unpriced_basis > (1 - TOKEN_COVERAGE) * holding.put_in and result != "win":
        return "price unknown"
    if not well_covered and result != "loss":
        return "coverage"
    return ""
