"""Balance changes of wallets in a token: transactions, each decoded once, in chain
order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from discovery.clients.transaction_history import OrderedTransaction
from discovery.decode.outcomes import Decoded, Failed, Outcome, Skipped
from discovery.decode.swaps import decode
from discovery.domain.programs import TOKEN
from discovery.domain.reasons import Reason
from discovery.domain.trades import AccountUnits, HoldingChange, Trade
from discovery.pipeline.chain_position import ChainPosition
from discovery.pipeline.market_states import MarketStates
from discovery.providers.transactions import TransactionRecord


class BalanceChange(msgspec.Struct, frozen=True):
    """A wallet's raw units of a mint before and after one transaction. `trade` is None
    if they moved without one.

    reason, accounts, escrow, escrow_units: as those of `HoldingChange`.
    """

    wallet: str
    mint: str
    position: ChainPosition
    block_time: int
    before_units: int
    after_units: int
    trade: Trade | None
    reason: Reason
    accounts: tuple[AccountUnits, ...] = ()
    escrow: str = ""
    escrow_units: int = 0

    @property
    def units(self) -> int:
        """Raw units that came in (+) or left (-)."""
        return self.after_units - self.before_units


class TokenHistory:
    """All known transactions of a token, and each wallet's balance changes in it."""

    def __init__(self, mint: str) -> None:
        self.mint = mint
        self.token_program = TOKEN
        self.failed_count = 0
        self.markets = MarketStates(mint)
        self._outcomes: dict[str, Outcome] = {}
        # Wallet -> signature -> change.
        self._changes: dict[str, dict[str, BalanceChange]] = defaultdict(dict)

    @property
    def transaction_count(self) -> int:
        """The number of known transactions."""
        return len(self._outcomes)

    @property
    def wallets(self) -> list[str]:
        """The wallets with a balance change."""
        return list(self._changes)

    def add(
        self, transactions: Iterable[OrderedTransaction], list_number: int
    ) -> list[BalanceChange]:
        """Add the transactions of one list and return their balance changes. Those from
        earlier lists keep their position.

        list_number: the place of the list among the lists of the token. Transactions of
        one slot are in the order of these numbers.
        """
        changes: list[BalanceChange] = []
        for transaction in transactions:
            changes += self._decode(transaction, list_number)
        for change in changes:
            own = self._changes[change.wallet]
            own.setdefault(change.position.signature, change)
        return changes

    def add_account(
        self, wallet: str, transactions: Iterable[OrderedTransaction]
    ) -> None:
        """Add the transactions of a wallet's own token account, whose order then
        applies to that wallet.
        """
        for transaction in transactions:
            for change in self._decode(transaction, list_number=0):
                if change.wallet == wallet:
                    self._changes[wallet][transaction.signature] = change

    def changes_of(self, wallet: str) -> list[BalanceChange]:
        """Return the wallet's balance changes in chain order, none for a wallet that
        has no transaction.
        """
        changes = self._changes.get(wallet, {})
        return sorted(changes.values(), key=lambda change: change.position)

    def units_by_account(self, wallet: str) -> dict[str, int]:
        """Return token account → raw units after the last transaction that names it."""
        return {
            account.account: account.after_units
            for change in self.changes_of(wallet)
            for account in change.accounts
        }

    def is_complete(self, wallet: str, current_units: int | None) -> bool:
        """Return True if each balance follows from the one before, from zero up to the
        current units.

        current_units: the raw units in the wallet's accounts now, None = unknown: then
        the last balance is not compared.
        """
        units: dict[str, int] = {}
        for change in self.changes_of(wallet):
            for account in change.accounts:
                if account.before_units != units.get(account.account, 0):
                    return False
                units[account.account] = account.after_units
        return current_units is None or sum(units.values()) == current_units

    def skipped_counts(self) -> dict[str, int]:
        """Return the numbers of transactions without a trade by reason, named as in the
        funnel.
        """
        counts = Counter(skip_reason(outcome) for outcome in self._outcomes.values())
        del counts[""]
        return {f"skipped_{reason}": count for reason, count in sorted(counts.items())}

    def _decode(
        self, transaction: OrderedTransaction, list_number: int
    ) -> list[BalanceChange]:
        """Return the changes of all wallets in the mint."""
        outcome = self._outcomes.get(transaction.signature)
        if outcome is None:
            outcome = self._add_outcome(transaction.record)
            position = _position(transaction, list_number)
            self.markets.add(outcome, position, transaction.block_time)
        changes = balance_changes(transaction, outcome, list_number)
        return [change for change in changes if change.mint == self.mint]

    def _add_outcome(self, record: TransactionRecord) -> Outcome:
        """Decode a transaction that no earlier list had."""
        outcome = decode(record)
        self._outcomes[record.signature] = outcome
        self.failed_count += isinstance(outcome, Failed)
        if self.token_program == TOKEN:
            # Another program than the default stays: a mint has one.
            self.token_program = token_programs(record).get(self.mint, TOKEN)
        return outcome


def balance_changes(
    transaction: OrderedTransaction, outcome: Outcome, list_number: int = 0
) -> list[BalanceChange]:
    """Return the changes of all wallets in all mints, none for an unreadable
    transaction.
    """
    if isinstance(outcome, Failed):
        return []
    position = _position(transaction, list_number)
    return [
        BalanceChange(
            wallet=change.wallet,
            mint=change.mint,
            position=position,
            block_time=transaction.block_time,
            before_units=change.before_units,
            after_units=change.after_units,
            trade=_trade_of(outcome, change),
            reason=change.reason,
            accounts=change.accounts,
            escrow=change.escrow,
            escrow_units=change.escrow_units,
        )
        for change in outcome.changes
    ]


def _position(transaction: OrderedTransaction, list_number: int) -> ChainPosition:
    return ChainPosition(
        slot=transaction.slot,
        list_number=list_number,
        list_index=transaction.index,
        signature=transaction.signature,
    )


def _trade_of(outcome: Decoded | Skipped, change: HoldingChange) -> Trade | None:
    """Return the wallet's trade in the mint, None if the units moved without one."""
    if isinstance(outcome, Skipped):
        return None
    for trade in outcome.trades:
        if (trade.wallet, trade.mint) == (change.wallet, change.mint):
            return trade
    return None


def skip_reason(outcome: Outcome) -> str:
    """Return why the transaction is no trade, "" for a trade."""
    if isinstance(outcome, Decoded):
        return ""
    return outcome.reason


def token_programs(record: TransactionRecord) -> dict[str, str]:
    """Return mint → token program, as far as the balances after the transaction name
    it.
    """
    balances = record.post_token_balances
    return {
        balance.mint: balance.program_id for balance in balances if balance.program_id
    }
