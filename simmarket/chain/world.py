"""What a world holds: tokens, pools, transactions in chain order, and the log of what wallets did."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import NamedTuple

from simmarket.chain.accounts import AccountTable
from simmarket.chain.ledger import Ledger, Mint, Transaction
from simmarket.chain.slots import SlotClock
from simmarket.chain.sol_price import SolPrice

BUY, SELL, TRANSFER_IN, TRANSFER_OUT = "buy", "sell", "in", "out"


class Movement(NamedTuple):
    """One thing a wallet did with a token.

    `quote_units` is the market amount (raw units of `quote`); `extras_lamports` is what this wallet paid in the
    transaction beside it: network fee, tip, platform fee. Both are 0 for transfers.
    """

    kind: str
    wallet: int
    mint: int
    units: int
    quote_units: int
    quote: int
    extras_lamports: int
    transaction: int  # place in World.transactions


class PoolTrade(NamedTuple):
    """One trade as a pool saw it; the price after it is quote_reserve / base_reserve in raw units."""

    offset_seconds: int
    wallet: int
    is_buy: bool
    units: int
    quote_units: int
    quote_reserve: int
    base_reserve: int


@dataclass(slots=True)
class Pool:
    """A pump.fun curve or a PumpSwap pool. A curve with SOL quote holds lamports itself: `quote_vault` is it."""

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
    authority: int = 0  # the pool's creator in its seeds
    listed: bool = True  # whether the pair aggregators show it
    virtual_quote: int = 0  # curves only: reserves the price is made of
    virtual_base: int = 0
    real_base: int = 0
    complete: bool = False
    opening_price: tuple[int, int] | None = None  # where it differs from opening_quote / opening_base
    trades: list[PoolTrade] = field(default_factory=list)

    @property
    def is_curve(self) -> bool:
        """Whether this is a bonding curve."""
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
    boosted: int = 0
    profiled: bool = False


@dataclass
class World:
    """A whole world. Times are offsets in seconds before its end; a server adds its shift."""

    name: str
    seed: int
    accounts: AccountTable
    ledger: Ledger
    clock: SlotClock
    price: SolPrice
    tokens: dict[str, Token] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    habits: dict[str, list[str]] = field(default_factory=dict)
    wallets: set[int] = field(default_factory=set)
    dropped_rows: dict[str, int] = field(default_factory=dict)
    file_end_seconds: int | None = None  # unix time of the last row of a trades file
    _by_signature: dict[str, int] = field(default_factory=dict)
    _by_key: dict[int, list[int]] = field(default_factory=dict)
    _by_slot: dict[int, list[int]] = field(default_factory=dict)

    def index(self) -> None:
        """Build the look-ups; called once when the world is complete."""
        for place, transaction in enumerate(self.transactions):
            in_slot = self._by_slot.setdefault(transaction.slot, [])
            transaction.index = len(in_slot)
            in_slot.append(place)
            self._by_signature[transaction.signature] = place
            for account in transaction.all_keys:
                self._by_key.setdefault(account, []).append(place)

    def place_of(self, signature: str) -> int | None:
        """Place of a transaction in chain order."""
        return self._by_signature.get(signature)

    def naming(self, account: int) -> list[int]:
        """Places of the transactions whose keys name an account, in chain order."""
        return self._by_key.get(account, [])

    def in_slot(self, slot: int) -> list[int]:
        """Places of the transactions of a slot."""
        return self._by_slot.get(slot, [])

    def has_block(self, slot: int) -> bool:
        """Whether a slot produced a block."""
        return slot in self._by_slot or not self.clock.may_be_skipped(slot)

    def first_place_at_or_after(self, slot: int, index: int = 0) -> int:
        """Place of the first transaction at or after (slot, index); len(transactions) when there is none."""
        return bisect_left(self.transactions, (slot, index), key=lambda item: (item.slot, item.index))

    def token_accounts_of(self, owner: int) -> set[int]:
        """Every token account an owner has or had in a transaction."""
        found = {account for account, held in self.ledger.tokens.items() if held.owner == owner}
        for place in self.changing_tokens_of(owner):
            transaction = self.transactions[place]
            keys = transaction.all_keys
            found.update(keys[row.key] for row in transaction.tokens if row.owner == owner)
        return found

    def changing_tokens_of(self, owner: int) -> list[int]:
        """Places of the transactions that changed a token account of an owner."""
        if not self._changed:
            for place, transaction in enumerate(self.transactions):
                owners = {row.owner for row in transaction.tokens if row.pre != row.post}
                for changed in owners:
                    self._changed.setdefault(changed, []).append(place)
        return self._changed.get(owner, [])

    _changed: dict[int, list[int]] = field(default_factory=dict)
