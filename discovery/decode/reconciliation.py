"""The market's side of a trade for SOL, against the wallet's.

Lamports are conserved: what left the wallet beside its known costs went to the market
or elsewhere. Where the market's own change is visible, it is the quote; the rest (rent
of accounts of others, fees that a program took) is shown as unreconciled.
"""

from collections.abc import Iterable

import msgspec

from discovery.decode.deltas import Deltas
from discovery.decode.instructions import Calls
from discovery.decode.leg import QUOTE_SIGN, Leg
from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import SERVICES
from discovery.domain.programs import QUOTES, WRAPPED_SOL


def unexplained_lamports(legs: Iterable[Leg], market_lamports: int) -> int:
    """Return the part of the wallet's SOL change that is neither a leg nor a known cost.

    market_lamports: the change without known costs.
    """
    rest = market_lamports
    for leg in legs:
        if leg.quote_mint == WRAPPED_SOL:
            rest -= QUOTE_SIGN[leg.side] * leg.quote_units
    return rest


class Reconciliation:
    """Compares the legs of one transaction with what its markets gave and took."""

    __slots__ = ("_calls", "_deltas")

    def __init__(self, deltas: Deltas, calls: Calls) -> None:
        self._deltas = deltas
        self._calls = calls

    def adjusted(
        self, wallet: str, legs: list[Leg], wrapped_transfer_lamports: int
    ) -> list[Leg]:
        """Return the legs with the market's amount as the quote of a trade for SOL.

        wrapped_transfer_lamports: wrapped SOL between the wallet and other wallets,
        which is no change of a market.

        Several legs, and transactions in which other wallets trade too, stay as they
        are: no change of a market belongs to one of them alone.
        """
        if len(legs) != 1 or legs[0].quote_mint != WRAPPED_SOL:
            return legs
        if self._has_other_traders(wallet):
            return legs
        leg = legs[0]
        sign = QUOTE_SIGN[leg.side]
        lamports = self._wrapped_lamports(
            wallet, leg.mint, sign, wrapped_transfer_lamports
        )
        if lamports is None:
            lamports = leg.quote_units - sign * self._foreign_rent_lamports(
                wallet, leg.mint
            )
        if lamports <= 0:
            return legs
        return [msgspec.structs.replace(leg, quote_units=lamports)]

    def _has_other_traders(self, wallet: str) -> bool:
        programs = self._deltas.program_owners
        for owner, mints in self._deltas.by_owner.items():
            if owner == wallet or owner in programs:
                continue
            for mint, units in mints.items():
                if units and mint not in QUOTES:
                    return True
        return False

    def _wrapped_lamports(
        self, wallet: str, mint: str, sign: int, transfer_lamports: int
    ) -> int | None:
        """Return the wrapped SOL that the other owners gave (+1) or got (-1), None if a
        market of the mint holds its SOL natively.
        """
        lamports = -transfer_lamports
        for owner, mints in self._deltas.by_owner.items():
            if owner == wallet or owner in SERVICES:
                continue
            wrapped = mints.get(WRAPPED_SOL, 0)
            if mints.get(mint) and not wrapped and self._deltas.native_lamports(owner):
                return None
            lamports -= wrapped
        return lamports * sign or None

    def _foreign_rent_lamports(self, wallet: str, mint: str) -> int:
        """Return the lamports that the wallet put into accounts of others that were
        opened (-), or got out of those that were closed (+): rent, which is no part of a
        price.
        """
        deltas = self._deltas
        own = deltas.rent_by_account(wallet).keys() | {wallet}
        before, after = deltas.meta.pre_balances, deltas.meta.post_balances
        rent = 0
        for index, key in enumerate(deltas.keys):
            if before[index] and after[index]:
                continue
            if key in own or key in SERVICES:
                continue
            if not before[index]:
                rent -= self._opening_lamports(wallet, key, mint, after[index])
            elif len(deltas.signers) == 1 and not is_on_curve(key):
                rent += before[index]
        return rent

    def _opening_lamports(
        self, wallet: str, account: str, mint: str, lamports: int
    ) -> int:
        """Return the rent that the wallet paid for an account that was opened with
        `lamports`.

        A market's account holds the price too: only what opened it is rent. Without
        instructions that show who paid, it was the only signer that has no account
        opened for itself.
        """
        deltas = self._deltas
        is_market = bool(deltas.by_owner.get(account, {}).get(mint))
        moves = [
            move for move in self._calls.all_moves() if move.destination == account
        ]
        if moves:
            return sum(
                move.lamports
                for move in moves
                if move.source == wallet and (move.is_creation or not is_market)
            )
        is_wallet = is_on_curve(account) and account not in deltas.signers
        if is_market or is_wallet or self._has_other_payers(wallet):
            return 0
        return lamports

    def _has_other_payers(self, wallet: str) -> bool:
        """Return True if a signer that existed before is not the wallet."""
        deltas = self._deltas
        for signer in deltas.signers:
            balance = deltas.meta.pre_balances[deltas.keys.index(signer)]
            if signer != wallet and balance:
                return True
        return False
