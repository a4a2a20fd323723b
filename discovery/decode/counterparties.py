"""The counterparties of one wallet: what the other owners of a transaction gained and
lost.
"""

from collections.abc import Iterator
from typing import Final

from discovery.decode.deltas import Deltas
from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import (
    PLATFORM_FEE_WALLETS,
    PUMP_FEE_RECIPIENTS,
    TIP_ACCOUNTS,
)
from discovery.domain.programs import LAUNCHPADS, QUOTES, STABLES, WRAPPED_SOL

DUST_DIVISOR: Final = 100
"""A change below a hundredth of what moved through the markets is a leftover of a
route, not a leg.
"""
_FEE_ACCOUNTS: Final = PUMP_FEE_RECIPIENTS | TIP_ACCOUNTS | PLATFORM_FEE_WALLETS.keys()


class Counterparties:
    """The other owners of one transaction, seen from one wallet.

    `sign` is +1 for gained and -1 for lost. A market is an owner off the ed25519 curve:
    a pool, a bonding curve or a vault authority.
    """

    __slots__ = ("_deltas", "_others", "_own", "_venues")

    def __init__(self, deltas: Deltas, wallet: str, venues: tuple[str, ...]) -> None:
        self._deltas = deltas
        self._venues = venues
        self._others = deltas.by_owner.copy()
        self._own = self._others.pop(wallet, {})

    def has_moved(self, mint: str, sign: int) -> bool:
        """Return True if another owner gained (+1) or lost (-1) units of the mint."""
        return any(mints.get(mint, 0) * sign > 0 for mints in self._others.values())

    def moved(self, mint: str, sign: int) -> dict[str, int]:
        """Return owner -> raw units of the other owners that gained (+1) or lost (-1)
        the mint.
        """
        return {
            owner: mints[mint] * sign
            for owner, mints in self._others.items()
            if mints.get(mint, 0) * sign > 0
        }

    def _markets(self, mint: str, sign: int) -> dict[str, int]:
        return {
            owner: units
            for owner, units in self.moved(mint, sign).items()
            if not is_on_curve(owner)
        }

    def quote_change(self, owner: str, quote_mint: str) -> int:
        """Return the owner's change in a quote, in raw units. Native and wrapped SOL
        count as one quote.
        """
        if quote_mint == WRAPPED_SOL:
            return self._deltas.sol_lamports(owner)
        return self._deltas.by_owner[owner].get(quote_mint, 0)

    def has_sol_market(self, sign: int) -> bool:
        """Return True if a market gained (+1) or gave (-1) SOL. Without that, the
        wallet's SOL change is no leg.
        """
        return any(lamports * sign > 0 for lamports in self._sol_changes())

    def net_sol_lamports(self, sign: int) -> int:
        """Return the SOL that the markets gained (+1) or gave (-1) in sum, 0 if it went
        the other way.

        SOL that only passed from one market to the next cancels out.
        """
        return max(0, sum(self._sol_changes()) * sign)

    def _sol_changes(self) -> Iterator[int]:
        """Yield the SOL changes of other owners that can be the other side of a trade,
        in lamports.

        Wrapped SOL moves between markets only by trading. Native SOL counts if the
        program of a market is in the transaction, because a bonding curve holds its SOL
        natively. Without one it is rent, a gift or a fee. The native SOL of another
        signer counts only if its tokens moved too: two wallets may trade with each
        other in a market.
        """
        for owner, mints in self._others.items():
            if owner in _FEE_ACCOUNTS:
                continue
            lamports = mints.get(WRAPPED_SOL, 0)
            if self._venues and (
                owner not in self._deltas.signers or _has_token_change(mints)
            ):
                lamports += self._deltas.native_lamports(owner)
            yield lamports

    def is_leftover(self, mint: str, units: int) -> bool:
        """Return True if `units` are what a route left of a mint that passed from one
        market to another.
        """
        max_gain = max_loss = 0
        for owner, mints in self._others.items():
            change = mints.get(mint, 0)
            if change and not is_on_curve(owner):
                max_gain = max(max_gain, change)
                max_loss = max(max_loss, -change)
        return abs(units) * DUST_DIVISOR < min(max_gain, max_loss)

    def is_launch(self, mint: str) -> bool:
        """Return True if a launchpad's market got supply of the mint and gained SOL:
        the creator's first buy.

        On other venues there is no such buy: a wallet that mints its own supply and
        opens a pool with part of it has bought nothing.
        """
        if LAUNCHPADS.isdisjoint(self._venues):
            return False
        return any(
            self._deltas.sol_lamports(market) > 0 for market in self._markets(mint, 1)
        )

    def is_round_trip(self, mint: str, sign: int, units: int) -> bool:
        """Return True if markets traded more of the mint against the wallet's trade
        than the wallet kept.

        The mint was then bought and sold in one transaction. `sign` is the side of the
        wallet's counterparties, `units` is what the wallet kept. A market that took
        units and gave no quote for them (an escrow, a newly opened pool) did not trade.
        What other wallets traded is subtracted.
        """
        traded = 0
        for market, market_units in self._markets(mint, -sign).items():
            if self._has_quote_change(market, sign):
                traded += market_units
        for owner, owner_units in self.moved(mint, sign).items():
            if is_on_curve(owner):
                traded -= owner_units
        return traded > units

    def _has_quote_change(self, owner: str, sign: int) -> bool:
        if self._deltas.sol_lamports(owner) * sign > 0:
            return True
        mints = self._others[owner]
        return any(mints.get(stable, 0) * sign > 0 for stable in STABLES)

    def is_loop(self) -> bool:
        """Return True if a mint left one market and entered another and the wallet has
        no change in it.
        """
        others_mints = [
            mint for mint in self._deltas.decimals if not self._own.get(mint, 0)
        ]
        return any(
            self._markets(mint, -1) and self._markets(mint, 1) for mint in others_mints
        )

    def is_reverted_trade(self, market_lamports: int) -> bool:
        """Return True if wallet and market ended with the units that they began with
        and the wallet lost SOL.

        market_lamports: the wallet's SOL change without its known costs. A market that
        gained half of it or more was paid for something.
        """
        if market_lamports >= 0 or not self._venues:
            return False
        for mint in self._unchanged_tokens():
            lamports = [
                abs(self._deltas.sol_lamports(market))
                for market in self._unchanged_markets(mint)
            ]
            if lamports and min(lamports) * 2 < -market_lamports:
                return True
        return False

    def _unchanged_tokens(self) -> list[str]:
        return [
            mint
            for mint, units in self._own.items()
            if not units and mint not in QUOTES
        ]

    def _unchanged_markets(self, mint: str) -> list[str]:
        holders = [
            owner for owner, mints in self._others.items() if mints.get(mint) == 0
        ]
        return [owner for owner in holders if not is_on_curve(owner)]


def _has_token_change(mints: dict[str, int]) -> bool:
    return any(units for mint, units in mints.items() if mint not in QUOTES)
