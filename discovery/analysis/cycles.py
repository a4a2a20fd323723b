"""Resolution of holdings: each cycle is a win, a loss, even, or still open.

A cycle is one holding of a token from flat to flat, see `holdings.split_cycles`.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from fractions import Fraction
from typing import Final, NamedTuple

from discovery.analysis.holding import ZERO, Holding
from discovery.domain.profiles import CloseReason, Cycle, CycleResult
from discovery.domain.units import (
    fraction_to_decimal,
    round_half_even,
    round_if_known,
)

DEAD_SECONDS: Final = 7 * 86_400
MAX_DEAD_VALUE_SHARE: Final = Fraction(1, 10)
MIN_RESULT_SHARE: Final = Fraction(1, 100)
MIN_RESULT_LAMPORTS: Final = 10_000_000


class _Resolution(NamedTuple):
    close_reason: CloseReason
    resolved_at: int | None  # unix seconds; None while open


_OPEN: Final = _Resolution("open", None)


def resolve_cycles(
    holdings: Iterable[Holding],
    liquidation_values: Mapping[str, int | None],
    now: int,
    unreconciled_mints: AbstractSet[str] = frozenset(),
) -> list[Cycle]:
    """Return the holdings of one wallet as cycles with their results.

    liquidation_values: mint -> lamports that all units held of it would bring now. None
    or absent = unknown, which is never taken for zero. now: unix seconds.
    unreconciled_mints: mints whose balance on the chain does not follow from the
    events.

    A cycle of which too much is not known has the result "unknown" and no net. Any other
    is resolved if it is flat; if it is a dead bag (no trade for 7 days,
    liquidation value below 10 % of the remaining basis); or if it is at a loss so far,
    units were transferred out and 7 days passed without an event. The basis of
    everything unsold is then lost: units that left have no known price, so they count
    as nothing.
    """
    return [
        _resolved_cycle(
            holding,
            liquidation_values.get(holding.mint),
            now,
            is_reconciled=holding.mint not in unreconciled_mints,
        )
        for holding in holdings
    ]


def _resolved_cycle(
    holding: Holding,
    value_of_mint: int | None,
    now: int,
    *,
    is_reconciled: bool,
) -> Cycle:
    """Return the cycle of a holding.

    value_of_mint: lamports that all units held of the mint would bring, None = unknown.
    The net of an open cycle leaves out the cost of the units that it still holds.
    """
    liquidation_value = _liquidation_value(holding, value_of_mint)
    resolution = _resolve(holding, liquidation_value, now)
    net = _net(holding, resolution)
    result = _result(holding, resolution, net)
    return Cycle(
        mint=holding.mint,
        number=holding.number,
        opened_at=holding.opened_at,
        closed_at=holding.closed_at,
        last_trade_at=holding.last_trade_at,
        first_signature=holding.first_signature,
        result=result,
        close_reason=resolution.close_reason,
        resolved_at=resolution.resolved_at,
        put_in_lamports=round_half_even(holding.cost_basis),
        matched_lamports=round_half_even(holding.matched_proceeds),
        net_lamports=round_if_known(net),
        fees_lamports=holding.fees_lamports,
        unmatched_lamports=round_half_even(holding.unmatched_proceeds),
        sold_lamports=round_half_even(holding.sold_value),
        covered_lamports=round_half_even(holding.covered_value),
        basis_left_lamports=round_half_even(holding.remaining_basis),
        liquidation_value_lamports=round_if_known(liquidation_value),
        held_units=round_half_even(holding.held_units),
        buys=holding.buys,
        sells=holding.sells,
        hold_seconds=round_if_known(holding.hold_seconds),
        history_incomplete=holding.is_incomplete or not is_reconciled,
        reconciled=is_reconciled,
        exclusion_reason=result if result in {"open", "unknown"} else "",
        knowledge=holding.knowledge,
        unknown_reason=holding.unknown_reason,
        known_share=fraction_to_decimal(holding.known_share, 4),
    )


def _net(holding: Holding, resolution: _Resolution) -> Fraction | None:
    """Return the result in lamports, None if it is unknown. While the cycle is open,
    units that are still held count at their cost.
    """
    if holding.knowledge == "unknown":
        return None
    net = holding.matched_proceeds - holding.cost_basis
    if resolution.resolved_at is None:
        net += holding.remaining_basis
    return net


def _liquidation_value(holding: Holding, value_of_mint: int | None) -> Fraction | None:
    """Return the part of the mint's value that its units with a known cost have; None
    if closed or unknown.
    """
    if holding.closed_at is not None or value_of_mint is None:
        return None
    if not holding.held_units:
        return ZERO
    return value_of_mint * holding.known_units / holding.held_units


def _resolve(
    holding: Holding, liquidation_value: Fraction | None, now: int
) -> _Resolution:
    """Return why and when the holding was resolved at `now`, `_OPEN` if it is not."""
    if holding.closed_at is not None:
        has_left = holding.is_closed_by_transfer
        return _Resolution("left wallet" if has_left else "closed", holding.closed_at)
    dead_at = holding.last_trade_at + DEAD_SECONDS
    if now >= dead_at and _is_worthless(holding, liquidation_value):
        return _Resolution("dead bag", dead_at)
    if holding.transferred_out_at is None or not _has_lost(holding):
        return _OPEN
    if liquidation_value is not None and not _is_worthless(holding, liquidation_value):
        return _OPEN
    # Without this, a loser of which a little more than dust stays behind would never be
    # resolved.
    quiet_at = max(dead_at, holding.transferred_out_at + DEAD_SECONDS)
    if now < quiet_at:
        return _OPEN
    return _Resolution("left wallet", quiet_at)


def _is_worthless(holding: Holding, liquidation_value: Fraction | None) -> bool:
    """Return True if the units would bring less than 10 % of their cost, False if that
    is unknown.
    """
    if liquidation_value is None:
        return False
    return liquidation_value < holding.remaining_basis * MAX_DEAD_VALUE_SHARE


def _has_lost(holding: Holding) -> bool:
    """Return True if what was sold, burned or transferred out has cost more than it
    brought.
    """
    return holding.matched_proceeds < holding.cost_basis - holding.remaining_basis


def _result(
    holding: Holding, resolution: _Resolution, net: Fraction | None
) -> CycleResult:
    """Return the result. A win or loss is at least 1 % of the cost and 0.01 SOL;
    anything smaller is even.
    """
    if net is None:
        return "unknown"
    if resolution.resolved_at is None:
        return "open"
    min_share = MIN_RESULT_SHARE * holding.cost_basis
    min_result = max(Fraction(MIN_RESULT_LAMPORTS), min_share)
    if abs(net) < min_result:
        return "even"
    return "win" if net > 0 else "loss"
