"""Who stood on the other side: what the other owners of a transaction gained and lost.

`sign` is +1 for gained and -1 for lost. A market is an owner off the curve: a pool, a curve, a vault authority.
"""

from collections.abc import Iterator

from discovery.decode.deltas import Deltas
from discovery.decode.venues import venues
from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import PLATFORM_FEE_WALLETS, PUMP_FEE_RECIPIENTS, TIP_ACCOUNTS
from discovery.domain.programs import LAUNCHPADS, QUOTES, STABLES, WRAPPED_SOL

DUST_SHARE = 100
"""Below a hundredth of what moved through the markets, a wallet's change in it is a leftover and no leg."""
_FEE_ACCOUNTS = PUMP_FEE_RECIPIENTS | TIP_ACCOUNTS | PLATFORM_FEE_WALLETS.keys()


class Counterparties:
    """Questions about the others of one transaction."""

    def __init__(self, deltas: Deltas) -> None:
        self._deltas = deltas
        self._has_venue: bool | None = None

    def others_moved(self, wallet: str, mint: str, sign: int) -> bool:
        """Whether another owner's units of the mint went the way of `sign`."""
        return any(mints.get(mint, 0) * sign > 0 for owner, mints in self._deltas.by_owner.items() if owner != wallet)

    def quote_change(self, owner: str, quote_mint: str) -> int:
        """The owner's change in a quote, SOL in either form counted as one."""
        if quote_mint == WRAPPED_SOL:
            return self._deltas.sol_lamports(owner)
        return self._deltas.by_owner[owner].get(quote_mint, 0)

    def took_sol(self, wallet: str, sign: int) -> bool:
        """Whether some market gained (+1) or gave (-1) SOL: what must stand behind a SOL leg."""
        return any(lamports * sign > 0 for lamports in self._sol_changes(wallet))

    def sol_balance_lamports(self, wallet: str, sign: int) -> int:
        """The same on balance: SOL that only passed from one market to the next cancels out. 0 where it went back."""
        return max(0, sum(self._sol_changes(wallet)) * sign)

    def _sol_changes(self, wallet: str) -> Iterator[int]:
        """SOL changes of the others that can be a trade's other side.

        Wrapped SOL moves between markets only by trading. Native SOL counts where a market's program is in the
        transaction (a curve holds its SOL natively): without one it is rent, a gift or a fee. Another signer counts
        where its tokens moved too, since two wallets may trade with each other through a market.
        """
        for owner, mints in self._deltas.by_owner.items():
            if owner == wallet or owner in _FEE_ACCOUNTS:
                continue
            wrapped = mints.get(WRAPPED_SOL, 0)
            if self.has_venue and (owner not in self._deltas.signers or self._tokens_moved(mints)):
                yield self._deltas.native_lamports(owner) + wrapped
            else:
                yield wrapped

    @property
    def has_venue(self) -> bool:
        """Whether a market's program is among the keys."""
        if self._has_venue is None:
            self._has_venue = bool(venues(self._deltas.keys))
        return self._has_venue

    @staticmethod
    def _tokens_moved(mints: dict[str, int]) -> bool:
        return any(units for mint, units in mints.items() if mint not in QUOTES)

    def is_leftover(self, wallet: str, mint: str, units: int) -> bool:
        """Whether the wallet's `units` are what a route left of a mint that passed from one market to another."""
        gained = lost = 0
        for owner, mints in self._deltas.by_owner.items():
            moved = mints.get(mint, 0)
            if owner == wallet or not moved or is_on_curve(owner):
                continue
            if moved > 0:
                gained = max(gained, moved)
            else:
                lost = max(lost, -moved)
        return abs(units) * DUST_SHARE < min(gained, lost)

    def opened_market(self, wallet: str, mint: str) -> bool:
        """Token creation with a first buy: a launchpad's market got the supply and gained the quote.

        Only there: who mints its own supply and opens a pool with part of it has bought nothing.
        """
        return not LAUNCHPADS.isdisjoint(venues(self._deltas.keys)) and any(
            owner != wallet
            and mints.get(mint, 0) > 0
            and not is_on_curve(owner)
            and self._deltas.sol_lamports(owner) > 0
            for owner, mints in self._deltas.by_owner.items()
        )

    def both_ways(self, wallet: str, mint: str, sign: int, units: int) -> bool:
        """Whether markets traded the mint the other way by more than the wallet kept: bought and sold at once.

        A market that took units and gave nothing for them (an escrow, a pool that was opened) is no trade, and what
        other wallets traded is theirs.
        """
        against = 0
        for owner, mints in self._deltas.by_owner.items():
            moved = mints.get(mint, 0) * -sign
            if owner == wallet or not moved:
                continue
            if is_on_curve(owner):
                against += min(moved, 0)
            elif moved > 0 and self._quote_moved(owner, mints, sign):
                against += moved
        return against > units

    def _quote_moved(self, owner: str, mints: dict[str, int], sign: int) -> bool:
        if self._deltas.sol_lamports(owner) * sign > 0:
            return True
        return any(units * sign > 0 for mint, units in mints.items() if mint in STABLES)

    def crossed_pools(self, own: dict[str, int]) -> bool:
        """Whether some mint went out of one market and into another while the wallet kept none of it."""
        ways: dict[str, int] = {}
        for owner, mints in self._deltas.by_owner.items():
            if mints is own:
                continue
            for mint, units in mints.items():
                if units and not own.get(mint, 0) and not is_on_curve(owner):
                    ways[mint] = ways.get(mint, 0) | (1 if units > 0 else 2)
        return 3 in ways.values()

    def touched_and_left(self, own: dict[str, int], market: int) -> bool:
        """Whether wallet and market ended with the units they began with and only costs were left behind."""
        touched = {mint for mint, units in own.items() if not units and mint not in QUOTES}
        if market >= 0 or not touched or not venues(self._deltas.keys):
            return False
        return any(
            mint in touched and not units and abs(self._deltas.sol_lamports(owner)) * 2 < -market
            for owner, mints in self._deltas.by_owner.items()
            if mints is not own and not is_on_curve(owner)
            for mint, units in mints.items()
        )
