"""Unit changes of wallets in one transaction, each with its reason."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from discovery.decode.deltas import AccountChange, Deltas
from discovery.decode.instructions import Calls
from discovery.domain.addresses import is_on_curve
from discovery.domain.programs import PLAIN_PROGRAMS, QUOTES, VENUES
from discovery.domain.reasons import Reason
from discovery.domain.trades import HoldingChange, Trade

_MAY_BE_DEPOSITED: Final = frozenset({Reason.TRANSFER, Reason.ORDER_OPEN})
_MAY_BE_TRANSFER: Final = frozenset(
    {Reason.TRANSFER, Reason.ORDER_OPEN, Reason.KEEPER_FILL}
)


class _Move(Struct, frozen=True, gc=False):
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
        moves: list[_Move] = []
        programs, signers = deltas.program_owners, deltas.signers
        for owner, mints in deltas.by_owner.items():
            if owner in programs and owner not in signers:
                continue
            for mint, units in mints.items():
                if units and mint not in QUOTES:
                    moves.append(_Move(owner, mint, units))
        self._moves = moves

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
        if not self._moves:
            return ()
        traded = set()
        for trade in trades:
            traded.add((trade.wallet, trade.mint))
        changes = []
        for move in self._moves:
            if (move.wallet, move.mint) in traded:
                reason = Reason.TRADE
            else:
                reason = self._reason(move, reasons.get(move.wallet))
            changes.append(self._change(move, reason))
        return tuple(changes)

    def _change(self, move: _Move, reason: Reason) -> HoldingChange:
        deltas = self._deltas
        escrow = None
        if move.units < 0 and reason in _MAY_BE_DEPOSITED and not self._is_plain():
            escrow = self._receiving_program(move)
            if escrow is not None and reason == Reason.TRANSFER:
                reason = Reason.DEPOSIT
        accounts = deltas.accounts_of(move.wallet, move.mint)
        before = 0
        for account in accounts:
            before += account.before_units
        if escrow is None or escrow.before_units:
            # With units of others in it, what leaves an account would say nothing.
            return HoldingChange(
                move.wallet, move.mint, before, before + move.units, reason, accounts
            )
        return HoldingChange(
            move.wallet,
            move.mint,
            before,
            before + move.units,
            reason,
            accounts,
            escrow.account,
            escrow.units,
        )

    def _reason(self, move: _Move, own_reason: Reason | None) -> Reason:
        """Return why units changed that were not traded. own_reason: that of the wallet,
        None if it traded something else or was not examined.
        """
        may_be_transfer = own_reason is None or own_reason in _MAY_BE_TRANSFER
        if may_be_transfer and move.units < 0 and self._went_to_wallets(move):
            return Reason.TRANSFER
        signed = move.wallet in self._deltas.signers
        if own_reason == Reason.TRANSFER and not signed and not self._is_plain():
            return Reason.KEEPER_FILL if move.units < 0 else Reason.TRANSFER
        if own_reason == Reason.LIQUIDITY and not self._has_venue():
            # SOL that went along may have opened the accounts of an order.
            return Reason.TRANSFER if move.units < 0 else own_reason
        if own_reason is not None:
            return own_reason
        return self._reason_by_balances(move, signed=signed)

    def _reason_by_balances(self, move: _Move, *, signed: bool) -> Reason:
        """Return why units changed, as far as all balances of the mint say."""
        total = sum(mints.get(move.mint, 0) for mints in self._deltas.by_owner.values())
        if total * move.units > 0:
            return Reason.MINTED if total > 0 else Reason.BURNED
        if move.units < 0 and not signed:
            return Reason.KEEPER_FILL
        return Reason.TRANSFER

    def _went_to_wallets(self, move: _Move) -> bool:
        """Return True if other wallets got the units and no program got any."""
        deltas = self._deltas
        gainers = [
            owner
            for owner, mints in deltas.by_owner.items()
            if mints.get(move.mint, 0) > 0
        ]
        return bool(gainers) and not set(gainers).intersection(deltas.program_owners)

    def _has_venue(self) -> bool:
        """Return True if the program of a known market is among the keys."""
        return not VENUES.keys().isdisjoint(self._deltas.known_keys)

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
