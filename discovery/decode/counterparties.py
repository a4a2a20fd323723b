"""The counterparties of one wallet: what the other owners of a transaction gained and
lost.
"""

from collections.abc import Iterable
from typing import Final

from discovery.decode.deltas import Deltas
from discovery.domain.known_wallets import FEE_ACCOUNTS
from discovery.domain.programs import (
    LAUNCHPADS,
    QUOTE_REQUESTS,
    QUOTES,
    STABLES,
    WRAPPED_SOL,
)

DUST_DIVISOR: Final = 100
"""A change below a hundredth of what moved through the markets is a leftover of a
route, not a leg.
"""


class Counterparties:
    """The other owners of one transaction, seen from one wallet.

    `sign` is +1 for gained and -1 for lost. A market is an owner off the ed25519 curve:
    a pool, a bonding curve or a vault authority.
    """

    __slots__ = (
        "_deltas",
        "_markets",
        "_others",
        "_own",
        "_venues",
    )

    def __init__(self, deltas: Deltas, wallet: str, venues: tuple[str, ...]) -> None:
        self._deltas = deltas
        self._venues = venues
        self._others = deltas.by_owner.copy()
        self._own = self._others.pop(wallet, {})
        self._markets = deltas.program_owners
        if wallet in self._markets:
            self._markets = self._markets.copy()
            del self._markets[wallet]

    def is_exchanged(self, mint: str) -> bool:
        """Return True if another owner gained or lost units of the mint."""
        return any(mints.get(mint) for mints in self._others.values())

    def has_moved(self, mint: str, sign: int) -> bool:
        """Return True if another owner gained (+1) or lost (-1) units of the mint.
        Supply that is minted or burned moves on one side only.
        """
        for mints in self._others.values():
            units = mints.get(mint, 0)
            if units * sign > 0:
                return True
        return False

    def have_all_moved(self, mints: Iterable[str], sign: int) -> bool:
        """Return True if `has_moved` is true for each of the mints."""
        return all(self.has_moved(mint, sign) for mint in mints)

    def _market_extremes(self, mint: str) -> tuple[int, int]:
        """Return the smallest and the largest change of a market in the mint, in raw
        units; (0, 0) without a market.
        """
        smallest = largest = 0
        for mints in self._markets.values():
            units = mints.get(mint, 0)
            if units < smallest:
                smallest = units
            elif units > largest:
                largest = units
        return smallest, largest

    def quote_by_owner(
        self, mint: str, quote_mint: str, quote_sign: int
    ) -> dict[str, int]:
        """Return owner -> raw units of the quote, of the other owners that traded the
        mint against it.

        quote_sign: +1 for those that gained the quote and lost the mint, -1 for the
        opposite.
        """
        quote_units = {}
        for owner in _moved_units(self._others, mint, -quote_sign):
            units = self._quote_change(owner, quote_mint) * quote_sign
            if units > 0:
                quote_units[owner] = units
        return quote_units

    def quotes_by_market(self, mint: str, quote_sign: int) -> dict[str, int]:
        """Return quote -> raw units that the other owners that traded the mint gained
        (+1) or gave (-1) in all. Native and wrapped SOL count as one quote.
        """
        totals: dict[str, int] = {}
        for owner in _moved_units(self._others, mint, -quote_sign):
            lamports = self._deltas.sol_lamports(owner) * quote_sign
            if lamports > 0:
                totals[WRAPPED_SOL] = totals.get(WRAPPED_SOL, 0) + lamports
            for quote, units in self._others[owner].items():
                if quote in STABLES and units * quote_sign > 0:
                    totals[quote] = totals.get(quote, 0) + units * quote_sign
        return totals

    def _quote_change(self, owner: str, quote_mint: str) -> int:
        """Return the owner's change in a quote, in raw units. Native and wrapped SOL
        count as one quote.
        """
        if quote_mint == WRAPPED_SOL:
            return self._deltas.sol_lamports(owner)
        return self._others[owner].get(quote_mint, 0)

    def has_sol_market(self, sign: int) -> bool:
        """Return True if another owner gained (+1) or gave (-1) SOL by trading. Without
        that, the wallet's SOL change is no leg.
        """
        for owner in self._others:
            lamports = self._sol_change(owner)
            if lamports * sign > 0:
                return True
        return False

    def net_sol_lamports(self, sign: int) -> int:
        """Return the SOL that the markets gained (+1) or gave (-1) in sum, 0 if it went
        the other way.

        SOL that only passed from one market to the next cancels out.
        """
        return max(0, sum(map(self._sol_change, self._others)) * sign)

    def passed_lamports(self) -> int:
        """Return the SOL that went into markets and out of markets, the smaller of the
        two: what passed between them.
        """
        changes = [self._sol_change(owner) for owner in self._others]
        gained = sum(change for change in changes if change > 0)
        given = -sum(change for change in changes if change < 0)
        return min(gained, given)

    def _sol_change(self, owner: str) -> int:
        """Return the SOL change of another owner that can be the other side of a trade,
        in lamports.
        """
        if owner in FEE_ACCOUNTS:
            return 0
        mints = self._others[owner]
        lamports = mints.get(WRAPPED_SOL, 0)
        if self._has_native_leg(owner, mints):
            lamports += self._deltas.native_lamports(owner)
        return lamports

    def _has_native_leg(self, owner: str, mints: dict[str, int]) -> bool:
        """Return True if the owner's change in native SOL can belong to a trade.

        Wrapped SOL moves between markets only by trading. Native SOL counts if the
        program of a market is in the transaction, because a bonding curve holds its SOL
        natively. Without one it counts for an owner off the curve whose tokens moved
        too: a market that is not listed. Else it is rent, a gift or a fee. The native
        SOL of another signer counts only if its tokens moved too: two wallets may trade
        with each other in a market, or a market maker signs for its quote.
        """
        if owner in self._deltas.signers:
            has_market = self._venues or not QUOTE_REQUESTS.isdisjoint(
                self._deltas.keys
            )
            return bool(has_market) and _has_token_change(mints)
        if self._venues:
            return True
        return owner in self._markets and _has_token_change(mints)

    def is_leftover(self, mint: str, units: int) -> bool:
        """Return True if `units` are what a route left of a mint that passed from one
        market to another.
        """
        smallest, largest = self._market_extremes(mint)
        return abs(units) * DUST_DIVISOR < min(largest, -smallest)

    def is_launch(self, mint: str) -> bool:
        """Return True if a launchpad's market got supply of the mint and gained SOL:
        the creator's first buy.

        On other venues there is no such buy: a wallet that mints its own supply and
        opens a pool with part of it has bought nothing.
        """
        if LAUNCHPADS.isdisjoint(self._venues):
            return False
        markets = _moved_units(self._markets, mint, 1)
        return any(self._deltas.sol_lamports(market) > 0 for market in markets)

    def is_round_trip(self, mint: str, sign: int, units: int) -> bool:
        """Return True if the mint was bought and sold in one transaction and `units` is
        only what was left of that.

        sign: the side of the wallet's counterparties. Either markets traded more against
        the wallet's trade than the wallet kept, or less than a hundredth of what went
        through markets was kept, even if their vaults have several owners. A market that took units
        and gave no quote for them (an escrow, a newly opened pool) did not trade.
        """
        against = _moved_units(self._markets, mint, -sign)
        if not against:
            return False
        other_units = 0
        for owner, other in _moved_units(self._others, mint, sign).items():
            if owner not in self._markets:
                other_units += other
        passed_units = traded_units = 0
        for market, traded in against.items():
            passed_units += traded
            if self._has_quote_change(market, sign):
                traded_units += traded
        passed_units -= other_units
        is_rest = units * DUST_DIVISOR < passed_units
        return is_rest or traded_units - other_units > units

    def _has_quote_change(self, owner: str, sign: int) -> bool:
        """Return True if the owner gained (+1) or gave (-1) any of the quotes."""
        if self._deltas.sol_lamports(owner) * sign > 0:
            return True
        mints = self._others[owner]
        return any(mints[mint] * sign > 0 for mint in mints if mint in QUOTES)

    def is_loop(self) -> bool:
        """Return True if a mint left one market and entered another and the wallet has
        no change in it.
        """
        gained: set[str] = set()
        lost: set[str] = set()
        for mints in self._markets.values():
            for mint, units in mints.items():
                if units > 0:
                    gained.add(mint)
                elif units < 0:
                    lost.add(mint)
        return any(not self._own.get(mint) for mint in gained & lost)

    def reverted_markets(self) -> list[str]:
        """Return the markets that ended with the units of a token that they began with,
        if the wallet did too.
        """
        if not self._venues:
            return []
        tokens = _unchanged_mints(self._own) - QUOTES
        if not tokens:
            return []
        return [
            market
            for market, mints in self._markets.items()
            if not tokens.isdisjoint(_unchanged_mints(mints))
        ]


def _moved_units(
    owners: dict[str, dict[str, int]], mint: str, sign: int
) -> dict[str, int]:
    """Return owner -> raw units, of the owners that gained (+1) or lost (-1) the mint."""
    moved = {}
    for owner, mints in owners.items():
        units = mints.get(mint, 0) * sign
        if units > 0:
            moved[owner] = units
    return moved


def _has_token_change(mints: dict[str, int]) -> bool:
    return any(units for mint, units in mints.items() if mint not in QUOTES)


def _unchanged_mints(mints: dict[str, int]) -> set[str]:
    """Return the mints of which an owner has as many units as before."""
    return {mint for mint, units in mints.items() if units == 0}
