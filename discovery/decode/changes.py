"""Unit changes of wallets in one transaction, each with its reason."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from discovery.decode.deltas import AccountChange, Deltas
from discovery.decode.instructions import Calls
from discovery.domain.addresses import is_on_curve
from discovery.domain.programs import PLAIN_PROGRAMS, QUOTES
from discovery.domain.reasons import Reason
from discovery.domain.trades import HoldingChange, Trade

_MAY_BE_DEPOSITED: Final = frozenset({Reason.TRANSFER, Reason.ORDER_OPEN})


class _Move(NamedTuple):
    wallet: str
    mint: str
    units: int


class WalletChanges:
    """The unit changes of wallets in tokens that are no quote.

    A wallet is a signer or an owner on the curve. The other owners are accounts of
    programs.
    """

    __slots__ = ("_calls", "_deltas", "_moves")

    def __init__(self, deltas: Deltas, calls: Calls) -> None:
        self._deltas = deltas
        self._calls = calls
        self._moves: list[_Move] = []
        for owner, mints in deltas.by_owner.items():
            has_private_key = owner in deltas.signers or is_on_curve(owner)
            if not has_private_key:
                continue
            for mint, units in mints.items():
                if units and mint not in QUOTES:
                    self._moves.append(_Move(owner, mint, units))

    def wallets(self) -> set[str]:
        """Return the wallets whose units changed."""
        return {move.wallet for move in self._moves}

    def with_reasons(
        self, reasons: Mapping[str, Reason], trades: Iterable[Trade]
    ) -> tuple[HoldingChange, ...]:
        """Return the changes.

        reasons: why a wallet did not trade, for those that were examined. trades: those
        of the transaction.
        """
        traded = {(trade.wallet, trade.mint) for trade in trades}
        changes = []
        for move in self._moves:
            if (move.wallet, move.mint) in traded:
                reason = Reason.TRADE
            else:
                reason = self._reason(move, reasons.get(move.wallet))
            changes.append(self._change(move, reason))
        return tuple(changes)

    def _change(self, move: _Move, reason: Reason) -> HoldingChange:
        escrow = ""
        if move.units < 0 and reason in _MAY_BE_DEPOSITED and not self._is_plain():
            receiver = self._receiving_program(move)
            if receiver is not None and reason == Reason.TRANSFER:
                reason = Reason.DEPOSIT
            if receiver is not None and not receiver.before_units:
                # With units of others in it, what leaves it would say nothing.
                escrow = receiver.account
        before = self._deltas.units_before(move.wallet, move.mint)
        after = before + move.units
        return HoldingChange(move.wallet, move.mint, before, after, reason, escrow)

    def _reason(self, move: _Move, own_reason: Reason | None) -> Reason:
        """Return why units changed that were not traded. own_reason: that of the wallet,
        None if it traded something else or was not examined.
        """
        signed = move.wallet in self._deltas.signers
        if own_reason == Reason.TRANSFER and not signed and not self._is_plain():
            return Reason.KEEPER_FILL if move.units < 0 else Reason.TRANSFER
        if own_reason is not None:
            return own_reason
        total = sum(mints.get(move.mint, 0) for mints in self._deltas.by_owner.values())
        if total * move.units > 0:
            return Reason.MINTED if total > 0 else Reason.BURNED
        if move.units < 0 and not signed:
            return Reason.KEEPER_FILL
        return Reason.TRANSFER

    def _is_plain(self) -> bool:
        """Return True if only programs that move units from one account to another were
        called.
        """
        return self._calls.top_level_programs() <= PLAIN_PROGRAMS

    def _receiving_program(self, move: _Move) -> AccountChange | None:
        """Return the token account of a program that got at least half of the units,
        None if there is none.
        """
        for change in self._deltas.account_changes(move.mint):
            if 2 * change.units >= -move.units and not is_on_curve(change.owner):
                return change
        return None
