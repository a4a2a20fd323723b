"""What somebody who copies a wallet would get out of one token.

The follower buys a fixed stake when the wallet enters, less when it adds less, and
sells the same part as the wallet does. Three levels of seeing the price it would get:
the wallet's own result less costs; the reserves of the market right after each trade of
the wallet; the reserves some seconds later.

Constant product with fee φ: x lamports buy b·x(1-φ)/(q + x(1-φ)) units; u units sell
for q·u/(b + u)·(1-φ) lamports, with q and b the reserves of quote and token.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final

import msgspec

from discovery.domain.histories import PoolReserves, TokenEvent

LEVEL_NAMES: Final = ("costs only", "behind the leader", "late")
"""The levels of seeing, from what is known of every token to the closest."""
MIN_ADD: Final = 0.1
"""A purchase below a tenth of the wallet's first one is not followed."""
_BASIS: Final = 10_000


class FollowTerms(msgspec.Struct, frozen=True):
    """Stake of a purchase, and what one transaction costs the follower, in lamports."""

    stake_lamports: int = 500_000_000
    cost_lamports: int = 2_000_000


class Copied(Enum):
    """Actions of the follower after an event of the wallet."""

    BUY = "buy"
    SELL = "sell"
    LOSE = "lose"


class CopiedEvent(msgspec.Struct, frozen=True, gc=False):
    """share: of the stake that is bought, or of the follower's units that are sold or
    lost.
    """

    action: Copied
    share: float
    event: TokenEvent


def follower_returns(
    leader_return: float,
    copied: Sequence[CopiedEvent],
    unit_value_lamports: float,
    terms: FollowTerms,
) -> tuple[float, ...]:
    """Return what the follower gained of everything it put in, by level of seeing; at
    least the first level.

    leader_return: the wallet's own result of the token. unit_value_lamports: what one
    raw unit that is still held is worth, 0 if nothing is.
    """
    returns = [_after_costs(leader_return, copied, terms)]
    trades = [each.event for each in copied if each.action is not Copied.LOSE]
    levels = (
        [event.pool for event in trades],
        [event.pool_later for event in trades],
    )
    for reserves in levels:
        if not all(map(_is_market, reserves)):
            break
        returns.append(_at_reserves(copied, reserves, unit_value_lamports, terms))
    return tuple(returns)


def _is_market(reserves: PoolReserves | None) -> bool:
    return reserves is not None and bool(
        reserves.quote_lamports and reserves.base_units
    )


def _after_costs(
    leader_return: float, copied: Sequence[CopiedEvent], terms: FollowTerms
) -> float:
    """Return the wallet's result less the follower's costs, at least -1."""
    stakes = 0.0
    legs = 0
    for each in copied:
        if each.action is Copied.BUY:
            stakes += each.share
        if each.action is not Copied.LOSE:
            legs += 1
    costs = terms.cost_lamports * legs / (terms.stake_lamports * stakes)
    return max(-1.0, leader_return - costs)


def _at_reserves(
    copied: Sequence[CopiedEvent],
    reserves: Sequence[PoolReserves | None],
    unit_value_lamports: float,
    terms: FollowTerms,
) -> float:
    """Return the follower's result with each trade at the reserves of its market.

    reserves: of the events that are no losses, in their order. None may not be among
    them.
    """
    put_in = got = units = 0.0
    markets = iter(reserves)
    for each in copied:
        if each.action is Copied.LOSE:
            units *= 1 - each.share
            continue
        market = next(markets)
        assert market is not None
        if each.action is Copied.BUY:
            lamports = terms.stake_lamports * each.share
            put_in += lamports + terms.cost_lamports
            units += _units_for(market, lamports)
        else:
            got += max(
                0.0, _lamports_for(market, units * each.share) - terms.cost_lamports
            )
            units *= 1 - each.share
    got += max(0.0, unit_value_lamports * units - terms.cost_lamports)
    return got / put_in - 1


def _units_for(market: PoolReserves, lamports: float) -> float:
    """Return the raw units that `lamports` buy."""
    paid = lamports * (_BASIS - market.fee_bps) / _BASIS
    return market.base_units * paid / (market.quote_lamports + paid)


def _lamports_for(market: PoolReserves, units: float) -> float:
    """Return the lamports that `units` raw units bring."""
    lamports = market.quote_lamports * units / (market.base_units + units)
    return lamports * (_BASIS - market.fee_bps) / _BASIS
