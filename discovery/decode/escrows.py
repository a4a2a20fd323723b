"""What a program did with units that a wallet had given it: the fill of an order, or
their return.

The wallet need not sign, and its own balance of the token does not change: the escrow
account loses the units and the wallet gains the quote.
"""

from collections.abc import Sequence
from typing import NamedTuple

from discovery.decode.costs import CostReader
from discovery.decode.deltas import Deltas
from discovery.decode.instructions import Calls
from discovery.decode.venues import venue_names
from discovery.domain.programs import STABLES, WRAPPED_SOL
from discovery.domain.trades import Amount, Trade
from discovery.providers.transactions import Meta, TransactionRecord


class EscrowRelease(NamedTuple):
    """Units that left an escrow account in one transaction.

    sold_units: those that did not come back to the wallet. trade: their sale, None if
    it is not seen what the wallet got for them.
    """

    sold_units: int
    returned_units: int
    trade: Trade | None


def escrow_release(
    record: TransactionRecord, escrow: str, wallet: str, mint: str
) -> EscrowRelease | None:
    """Return what left the token account `escrow`, into which the wallet put units of
    the mint; None if nothing did or if the record cannot be read.
    """
    meta = record.meta
    if meta is None or meta.err is not None:
        return None
    try:
        return _Escrow(record, meta, escrow, wallet, mint).release()
    except (IndexError, KeyError, ValueError, TypeError, AttributeError):
        # An index is out of range or an amount is no number: nothing is known of it.
        return None


class _Escrow:
    """One escrow account in one transaction."""

    def __init__(
        self, record: TransactionRecord, meta: Meta, escrow: str, wallet: str, mint: str
    ) -> None:
        self._record = record
        self._deltas = Deltas(record, meta)
        self._escrow = escrow
        self._wallet = wallet
        self._mint = mint

    def release(self) -> EscrowRelease | None:
        """Return what left the escrow account, None if nothing did."""
        own = self._deltas.by_owner.get(self._wallet, {})
        left_units, escrow_owner = self._left_units()
        if left_units <= 0:
            return None
        returned_units = min(left_units, max(0, own.get(self._mint, 0)))
        sold_units = left_units - returned_units
        quote = None
        has_sold_itself = own.get(self._mint, 0) < 0
        if sold_units and not has_sold_itself:
            quote = self._share_of(self._quote(escrow_owner), sold_units, escrow_owner)
        trade = None if quote is None else self._sale(sold_units, quote)
        return EscrowRelease(sold_units, returned_units, trade)

    def _share_of(
        self, quote: Amount | None, sold_units: int, escrow_owner: str
    ) -> Amount | None:
        """Return the part of the quote that the units of this escrow brought: the takers
        may have got units of other orders of the wallet too.
        """
        taken_units = sum(
            self._deltas.by_owner[taker][self._mint]
            for taker in self._takers(escrow_owner)
        )
        if quote is None or taken_units <= sold_units:
            return quote
        units = quote.units * sold_units // taken_units
        return Amount(quote.mint, units) if units else None

    def _takers(self, escrow_owner: str) -> list[str]:
        """Return the owners that got units from the escrow."""
        return [
            owner
            for owner, mints in self._deltas.by_owner.items()
            if mints.get(self._mint, 0) > 0
            and owner not in {self._wallet, escrow_owner}
        ]

    def _left_units(self) -> tuple[int, str]:
        """Return the units that left the escrow account, and its owner."""
        for change in self._deltas.account_changes(self._mint):
            if change.account == self._escrow:
                return -change.units, change.owner
        return 0, ""

    def _quote(self, escrow_owner: str) -> Amount | None:
        """Return what the wallet got from those that took the units, None if nothing is
        seen.
        """
        deltas = self._deltas
        takers = self._takers(escrow_owner)
        own = deltas.by_owner.get(self._wallet, {})
        for mint in STABLES:
            units = own.get(mint, 0)
            if units > 0 and takers:
                return Amount(mint, units)
        got_lamports = deltas.sol_lamports(self._wallet) + self._cost_lamports()
        lamports = self._without_rent(takers, got_lamports)
        return Amount(WRAPPED_SOL, lamports) if lamports > 0 else None

    def _without_rent(self, takers: Sequence[str], got_lamports: int) -> int:
        """Return what the takers paid of the lamports that the wallet got: without the
        rent of closed accounts, if exactly that explains the rest.
        """
        deltas = self._deltas
        before, after = deltas.meta.pre_balances, deltas.meta.post_balances
        involved = {self._wallet, *takers, *deltas.signers}
        fee_lamports = rent_lamports = 0
        for index, key in enumerate(deltas.keys):
            if before[index] and not after[index]:
                rent_lamports += before[index]
            elif key not in involved:
                fee_lamports += max(0, after[index] - before[index])
        paid_lamports = -sum(deltas.sol_lamports(taker) for taker in takers)
        if got_lamports - rent_lamports == paid_lamports - fee_lamports:
            return got_lamports - rent_lamports
        return min(paid_lamports, got_lamports)

    def _cost_lamports(self) -> int:
        """Return what the wallet paid itself."""
        calls = Calls(self._deltas.keys, self._record)
        return CostReader(self._deltas, calls).costs_of(self._wallet).total_lamports

    def _sale(self, units: int, quote: Amount) -> Trade:
        record, deltas = self._record, self._deltas
        return Trade(
            signature=record.signature,
            slot=record.slot,
            block_time=record.block_time,
            wallet=self._wallet,
            side="sell",
            mint=self._mint,
            token_units=units,
            token_decimals=deltas.decimals_of(self._mint),
            quote_mint=quote.mint,
            quote_units=quote.units,
            network_fee_lamports=0,
            tip_lamports=0,
            platform_fee_lamports=0,
            rent_lamports=0,
            venues=venue_names(deltas.known_keys),
        )
