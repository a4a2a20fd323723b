"""Balance changes of wallets: transactions, each decoded once, in chain order."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from discovery.clients.transaction_history import OrderedTransaction
from discovery.decode.outcomes import Decoded, Failed, Outcome, Reason, Skipped
from discovery.decode.swaps import decode
from discovery.domain.programs import TOKEN
from discovery.domain.trades import HoldingChange, Trade
from discovery.providers.transactions import TransactionRecord


class ChainPosition(NamedTuple):
    """The order of one wallet's transactions. `list_index` counts within the list with that number."""

    slot: int
    list_number: int
    list_index: int
    signature: str


class BalanceChange(msgspec.Struct, frozen=True):
    """A wallet's raw units of a mint before and after one transaction. `trade` is None for a transfer or burn."""

    position: ChainPosition
    block_time: int
    before_units: int
    after_units: int
    trade: Trade | None
    is_burn: bool


class TokenHistory:
    """All known transactions of a token, and each wallet's balance changes in it."""

    def __init__(self, mint: str) -> None:
        self.mint = mint
        self.token_program = TOKEN
        self._outcomes: dict[str, Outcome] = {}
        self._changes: dict[str, dict[str, BalanceChange]] = {}  # wallet -> signature -> change

    @property
    def transaction_count(self) -> int:
        """The number of known transactions."""
        return len(self._outcomes)

    @property
    def wallets(self) -> list[str]:
        """The wallets with a balance change."""
        return list(self._changes)

    def add(self, transactions: Iterable[OrderedTransaction], list_number: int) -> None:
        """Add the transactions of one list. Balance changes that an earlier list brought stay as they are."""
        for transaction in transactions:
            for wallet, change in self._balance_changes(transaction, list_number):
                self._changes.setdefault(wallet, {}).setdefault(transaction.signature, change)

    def add_account(self, wallet: str, transactions: Iterable[OrderedTransaction]) -> None:
        """Add the transactions of a wallet's own token account, whose order then applies to that wallet."""
        for transaction in transactions:
            for changed_wallet, change in self._balance_changes(transaction, 0):
                if changed_wallet == wallet:
                    self._changes.setdefault(wallet, {})[transaction.signature] = change

    def changes_of(self, wallet: str) -> list[BalanceChange]:
        """Return the wallet's balance changes in chain order."""
        changes = self._changes.get(wallet, {})
        return sorted(changes.values(), key=lambda change: change.position)

    def is_complete(self, wallet: str, current_units: int | None) -> bool:
        """Return True if each balance follows from the one before, from zero up to the current units.

        current_units: the units in the wallet's account, None = unknown.
        """
        units = 0
        for change in self.changes_of(wallet):
            if change.before_units != units:
                return False
            units = change.after_units
        return current_units is None or units == current_units

    def skipped_counts(self) -> dict[str, int]:
        """Return the numbers of transactions without a trade by reason, named as in the funnel."""
        counts: dict[str, int] = {}
        for outcome in self._outcomes.values():
            if not isinstance(outcome, Decoded):
                name = f"skipped_{outcome.reason}"
                counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items()))

    def failed_count(self) -> int:
        """Return the number of unreadable transactions."""
        return sum(isinstance(outcome, Failed) for outcome in self._outcomes.values())

    def _decode(self, transaction: OrderedTransaction) -> Outcome:
        outcome = self._outcomes.get(transaction.signature)
        if outcome is None:
            outcome = decode(transaction.record)
            self._outcomes[transaction.signature] = outcome
            self._find_token_program(transaction.record)
        return outcome

    def _find_token_program(self, record: TransactionRecord) -> None:
        if self.token_program != TOKEN:
            return
        for mint, program in _token_programs(record):
            if mint == self.mint:
                self.token_program = program

    def _balance_changes(
        self, transaction: OrderedTransaction, list_number: int
    ) -> Iterator[tuple[str, BalanceChange]]:
        """Yield each wallet whose units of the mint changed, with the change."""
        outcome = self._decode(transaction)
        if isinstance(outcome, Failed):
            return
        for change in outcome.changes:
            if change.mint == self.mint:
                yield change.wallet, _balance_change(transaction, outcome, change, list_number)


class WalletHistory:
    """The balance changes of one wallet by mint, in chain order."""

    def __init__(self, address: str, transactions: Iterable[OrderedTransaction]) -> None:
        self.address = address
        self.transactions = sorted(transactions, key=_chain_order)
        self.changes: dict[str, list[BalanceChange]] = {}
        self.token_programs: dict[str, str] = {}  # mint -> program
        self.arbitrage_count = 0
        self.failed_count = 0
        for transaction in self.transactions:
            self._add(transaction)

    def traded_mints(self) -> list[str]:
        """Return the mints that the wallet bought or sold: tokens that others sent to it prove nothing about it."""
        return sorted(mint for mint, changes in self.changes.items() if _has_trade(changes))

    def _add(self, transaction: OrderedTransaction) -> None:
        outcome = decode(transaction.record)
        if isinstance(outcome, Failed):
            self.failed_count += 1
            return
        if _is_skipped_as(outcome, Reason.ARBITRAGE) and transaction.record.fee_payer == self.address:
            self.arbitrage_count += 1
        for change in outcome.changes:
            if change.wallet == self.address:
                changes = self.changes.setdefault(change.mint, [])
                changes.append(_balance_change(transaction, outcome, change))
        for mint, program in _token_programs(transaction.record):
            self.token_programs.setdefault(mint, program)


def _balance_change(
    transaction: OrderedTransaction,
    outcome: Decoded | Skipped,
    change: HoldingChange,
    list_number: int = 0,
) -> BalanceChange:
    return BalanceChange(
        position=ChainPosition(transaction.slot, list_number, transaction.index, transaction.signature),
        block_time=transaction.block_time,
        before_units=change.before_units,
        after_units=change.after_units,
        trade=_trade_of(outcome, change),
        is_burn=_is_skipped_as(outcome, Reason.BURNED),
    )


def _trade_of(outcome: Decoded | Skipped, change: HoldingChange) -> Trade | None:
    if isinstance(outcome, Skipped):
        return None
    for trade in outcome.trades:
        if trade.wallet == change.wallet and trade.mint == change.mint:
            return trade
    return None


def _is_skipped_as(outcome: Decoded | Skipped, reason: Reason) -> bool:
    return isinstance(outcome, Skipped) and outcome.reason == reason


def _has_trade(changes: Sequence[BalanceChange]) -> bool:
    return any(change.trade is not None for change in changes)


def _chain_order(transaction: OrderedTransaction) -> tuple[int, int, str]:
    return transaction.slot, transaction.index, transaction.signature


def _token_programs(record: TransactionRecord) -> Iterator[tuple[str, str]]:
    """Yield each mint in the balances after the transaction with its token program, if the node names it."""
    if record.meta is None:
        return
    for balance in record.meta.post_token_balances or ():
        if balance.program_id:
            yield balance.mint, balance.program_id
