"""Who stood on the other side: what the other owners of a transaction gained and lost.

`sign` is +1 for gained and -1 for lost. A market is an owner off the curve: a pool, a curve, a vault authority.
"""

from discovery.decode.deltas import Deltas
from discovery.decode.venues import venues
from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import PLATFORM_FEE_WALLETS, PUMP_FEE_RECIPIENTS, TIP_ACCOUNTS
from discovery.domain.programs import QUOTES, WRAPPED_SOL

_FEE_ACCOUNTS = PUMP_FEE_RECIPIENTS | TIP_ACCOUNTS | PLATFORM_FEE_WALLETS.keys()


class Counterparties:
    """Questions about the others of one transaction."""

    def __init__(self, deltas: Deltas) -> None:
        self._deltas = deltas

    def others_moved(self, wallet: str, mint: str, sign: int) -> bool:
        """Whether another owner's units of the mint went the way of `sign`."""
        return any(mints.get(mint, 0) * sign > 0 for owner, mints in self._deltas.by_owner.items() if owner != wallet)

    def quote_change(self, owner: str, quote_mint: str) -> int:
        """The owner's change in a quote, SOL in either form counted as one."""
        if quote_mint == WRAPPED_SOL:
            return self._deltas.sol_lamports(owner)
        return self._deltas.by_owner[owner].get(quote_mint, 0)

    def sol_counterparty(self, wallet: str, sign: int) -> bool:
        """Whether an owner of token accounts gained (+1) or gave (-1) SOL: a market, not rent and not a fee account.

        Another signer counts where its tokens moved too: two wallets may trade with each other.
        """
        deltas = self._deltas
        return any(
            owner != wallet
            and owner not in _FEE_ACCOUNTS
            and deltas.sol_lamports(owner) * sign > 0
            and (owner not in deltas.signers or any(units for mint, units in mints.items() if mint not in QUOTES))
            for owner, mints in deltas.by_owner.items()
        )

    def opened_market(self, wallet: str, mint: str) -> bool:
        """Token creation with a first buy: the supply was minted to a market that also gained the quote."""
        return any(
            owner != wallet
            and mints.get(mint, 0) > 0
            and not is_on_curve(owner)
            and self._deltas.sol_lamports(owner) > 0
            for owner, mints in self._deltas.by_owner.items()
        )

    def both_ways(self, wallet: str, mint: str, sign: int, units: int) -> bool:
        """Whether markets moved the mint both ways by more than the wallet kept: bought and sold at once."""
        against = sum(
            units_moved
            for owner, mints in self._deltas.by_owner.items()
            if owner != wallet and (units_moved := mints.get(mint, 0) * -sign) > 0 and not is_on_curve(owner)
        )
        return against > units

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
