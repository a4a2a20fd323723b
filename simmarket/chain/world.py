"""A world: tokens, pools, transactions in chain order, and the log of what wallets did.

A `position` is the index of a transaction in `World.transactions`.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from simmarket.chain.accounts import AccountTable
from simmarket.chain.holdings import Holdings
from simmarket.chain.ledger import Ledger, Mint, Transaction
from simmarket.chain.slots import SlotClock
from simmarket.chain.sol_price import SolPrice

BUY, SELL, TRANSFER_IN, TRANSFER_OUT = "buy", "sell", "in", "out"
LOSE = "lose"
"""Units leave in a way of which nobody can say what it brought."""
ORDER_OPEN, ORDER_CLOSE, ORDER_FILL = "order open", "order close", "order fill"


class Movement(NamedTuple):
    """One buy, sale, transfer or order of a wallet.

    `quote_units` is the market amount (raw units of `quote`); `fees_lamports` is what
    this wallet paid on top of it in the transaction: network fee, tip, platform fee.
    Both are 0 for what is no trade.
    """

    kind: str
    wallet: int
    mint: int
    units: int
    quote_units: int
    quote: int
    fees_lamports: int
    position: int


class PoolTrade(NamedTuple):
    """One trade in a pool; the price after it is quote_reserve / base_reserve in raw
    units.
    """

    offset_seconds: int
    wallet: int
    is_buy: bool
    units: int
    quote_units: int
    quote_reserve: int
    base_reserve: int
    position: int


@dataclass(slots=True)
class Pool:
    """A pump.fun curve or a PumpSwap pool. A curve with SOL quote is its own
    `quote_vault`: it holds the lamports.
    """

    account: int
    dex: str
    mint: Mint
    quote: Mint
    base_vault: int
    quote_vault: int
    created_offset_seconds: int
    creator: int
    creator_vault: int
    creator_fee_account: int
    opening_quote: int
    opening_base: int
    index: int = 0
    authority: int = 0  # the creator account among the seeds of the pool's address
    is_listed: bool = True  # the pair aggregators show it
    virtual_quote: int = 0  # curves only: the reserves that the price is computed from
    virtual_base: int = 0
    real_base: int = 0
    is_complete: bool = False
    opening_price: tuple[int, int] | None = (
        None  # (quote, base), if it differs from the opening reserves
    )
    trades: list[PoolTrade] = field(default_factory=list)

    @property
    def is_curve(self) -> bool:
        """True for a bonding curve."""
        return self.dex == "pumpfun"


@dataclass(slots=True)
class Token:
    """A token of the world with its pools, oldest first."""

    mint: Mint
    symbol: str
    name: str
    uri: str
    kind: str
    launched_offset_seconds: int
    creator: int
    pools: list[Pool]
    graduated_offset_seconds: int | None = None
    boost_count: int = 0
    has_profile: bool = False


@dataclass
class World:
    """A whole world. Times are offsets in seconds; a server adds its shift.

    Most worlds end at offset 0. One that `continues` has its present there.
    """

    name: str
    seed: int
    accounts: AccountTable
    ledger: Ledger
    clock: SlotClock
    price: SolPrice
    tokens: dict[str, Token] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    behaviours: dict[str, list[str]] = field(
        default_factory=dict
    )  # labels by wallet address
    skill_spans: dict[str, tuple[int, int]] = field(
        default_factory=dict
    )  # first and last second of a wallet's skill by address
    wallets: set[int] = field(default_factory=set)
    dropped_rows: dict[str, int] = field(default_factory=dict)
    file_end_seconds: int | None = None  # unix time of the last row of a trades file
    _by_signature: dict[str, int] = field(default_factory=dict)
    _by_key: dict[int, list[int]] = field(default_factory=dict)
    _by_slot: dict[int, list[int]] = field(default_factory=dict)
    _by_changed_owner: dict[int, list[int]] = field(default_factory=dict)
    _owner_indexed_count: int = 0

    @property
    def continues(self) -> bool:
        """True if something happens after offset 0."""
        return bool(self.transactions) and self.transactions[-1].offset_seconds > 0

    @cached_property
    def holdings(self) -> Holdings:
        """The token accounts by owner and by mint; for a complete world, or for one
        whose new accounts are announced to it.
        """
        return Holdings(self.ledger)

    @cached_property
    def pools(self) -> dict[int, Pool]:
        """The pools by account id; for a complete world, or for one to which new pools
        are added here, too.
        """
        pools = [pool for token in self.tokens.values() for pool in token.pools]
        return {pool.account: pool for pool in pools}

    def index(self) -> None:
        """Build the indexes; called once when the world is complete."""
        for position, transaction in enumerate(self.transactions):
            self._index(position, transaction)

    def append(self, transaction: Transaction) -> None:
        """Add the next transaction to an indexed world."""
        self.transactions.append(transaction)
        self._index(len(self.transactions) - 1, transaction)

    def _index(self, position: int, transaction: Transaction) -> None:
        in_slot = self._by_slot.setdefault(transaction.slot, [])
        transaction.index = len(in_slot)
        in_slot.append(position)
        self._by_signature[transaction.signature] = position
        for account in transaction.all_keys:
            self._by_key.setdefault(account, []).append(position)

    def position_of(self, signature: str) -> int | None:
        """Return the position of a transaction in chain order, or None."""
        return self._by_signature.get(signature)

    def positions_of(self, account: int) -> list[int]:
        """Return the positions of the transactions whose keys contain an account, in
        chain order.
        """
        return self._by_key.get(account, [])

    def positions_in_slot(self, slot: int) -> list[int]:
        """Return the positions of the transactions of a slot."""
        return self._by_slot.get(slot, [])

    def has_block(self, slot: int) -> bool:
        """Return True if a slot produced a block."""
        return slot in self._by_slot or not self.clock.may_be_skipped(slot)

    def first_position_at_or_after(self, slot: int, index: int = 0) -> int:
        """Return the position of the first transaction at or after (slot, index), or
        len(transactions).
        """
        return bisect_left(
            self.transactions, (slot, index), key=lambda item: (item.slot, item.index)
        )

    def token_accounts_of(self, owner: int) -> set[int]:
        """Return every token account that an owner has or had in a transaction."""
        accounts = set(self.holdings.of_owner(owner))
        for position in self.positions_changing_tokens_of(owner):
            transaction = self.transactions[position]
            keys = transaction.all_keys
            accounts.update(
                keys[row.key] for row in transaction.tokens if row.owner == owner
            )
        return accounts

    def positions_changing_tokens_of(self, owner: int) -> list[int]:
        """Return the positions of the transactions that changed a token account of an
        owner.
        """
        self._index_changed_owners()
        return self._by_changed_owner.get(owner, [])

    def _index_changed_owners(self) -> None:
        """Index the transactions that were added since the last call."""
        first = self._owner_indexed_count
        self._owner_indexed_count = len(self.transactions)
        for position in range(first, self._owner_indexed_count):
            transaction = self.transactions[position]
            owners = {
                row.owner
                for row in transaction.tokens
                if row.pre_units != row.post_units
            }
            for owner in owners:
                self._by_changed_owner.setdefault(owner, []).append(position)
