"""The market's side of a trade for SOL, against the wallet's.

Lamports are conserved: what left the wallet beside its known costs went to the market
or elsewhere. Where the market's own change is visible, it is the quote; the rest (rent
of accounts of others, fees that a program took) is shown as unreconciled.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from discovery.decode.deltas import Deltas
from discovery.decode.instructions import SYSTEM_PROGRAM, Calls, sol_moves
from discovery.decode.legs import Leg
from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import PLATFORM_FEE_WALLETS
from discovery.domain.programs import QUOTES, WRAPPED_SOL
from discovery.domain.tip_accounts import TIP_ACCOUNTS
from discovery.domain.trades import Side

_SERVICES: Final = TIP_ACCOUNTS | PLATFORM_FEE_WALLETS.keys()
_SOL_SIGN: Final[Mapping[Side, int]] = {"buy": -1, "sell": 1}


def unexplained_lamports(legs: Iterable[Leg], market_lamports: int) -> int:
    """Return the part of the wallet's SOL change that is neither a leg nor a known cost.

    market_lamports: the change without known costs.
    """
    rest = market_lamports
    for leg in legs:
        if leg.quote_mint == WRAPPED_SOL:
            rest -= _SOL_SIGN[leg.side] * leg.quote_units
    return rest


class Reconciliation:
    """Compares the legs of one transaction with what its markets gave and took."""

    __slots__ = ("_calls", "_deltas")

    def __init__(self, deltas: Deltas, calls: Calls) -> None:
        self._deltas = deltas
        self._calls = calls

    def adjusted(self, wallet: str, legs: list[Leg], market_lamports: int) -> list[Leg]:
        """Return the legs with the market's amount as the quote of a trade for SOL.

        Several legs, and transactions in which other wallets trade too, stay as they
        are: no change of a market belongs to one of them alone.
        """
        if len(legs) != 1 or legs[0].quote_mint != WRAPPED_SOL:
            return legs
        if self._has_other_traders(wallet):
            return legs
        leg = legs[0]
        sign = _SOL_SIGN[leg.side]
        lamports = self._wrapped_lamports(wallet, leg.mint, sign)
        if lamports is None:
            lamports = leg.quote_units - sign * self._foreign_rent_lamports(
                wallet, leg.mint
            )
        if lamports <= 0:
            return legs
        return [msgspec.structs.replace(leg, quote_units=lamports)]

    def _has_other_traders(self, wallet: str) -> bool:
        for owner, mints in self._deltas.by_owner.items():
            if owner == wallet or not is_on_curve(owner):
                continue
            if any(units for mint, units in mints.items() if mint not in QUOTES):
                return True
        return False

    def _wrapped_lamports(self, wallet: str, mint: str, sign: int) -> int | None:
        """Return the wrapped SOL that the other owners gave (+1) or got (-1), None if a
        market of the mint holds its SOL natively.
        """
        lamports = 0
        for owner, mints in self._deltas.by_owner.items():
            if owner == wallet or owner in _SERVICES:
                continue
            wrapped = mints.get(WRAPPED_SOL, 0)
            if mints.get(mint) and not wrapped and self._deltas.native_lamports(owner):
                return None
            lamports -= wrapped
        return lamports * sign or None

    def _foreign_rent_lamports(self, wallet: str, mint: str) -> int:
        """Return the lamports that went into accounts of others that were opened (-), or
        came out of those that were closed (+): rent, which is no part of a price.

        0 if another wallet pays for the transaction.
        """
        deltas = self._deltas
        if deltas.keys[0] != wallet:
            return 0
        own = deltas.rent_by_account(wallet).keys() | {wallet}
        markets = {owner for owner, mints in deltas.by_owner.items() if mints.get(mint)}
        rent = 0
        before, after = deltas.meta.pre_balances, deltas.meta.post_balances
        for index, key in enumerate(deltas.keys):
            if before[index] and after[index]:
                continue
            if key in own or key in _SERVICES:
                continue
            if key in markets:
                rent -= self._creation_lamports(key)
            elif key in deltas.signers or not is_on_curve(key):
                rent += before[index] - after[index]
        return rent

    def _creation_lamports(self, account: str) -> int:
        """Return the lamports with which an account was opened."""
        return sum(
            move.lamports
            for move in sol_moves(self._calls.all(SYSTEM_PROGRAM, account))
            if move.is_creation and move.destination == account
        )
