"""Results of decoding one transaction: trades, no trade with the reason, or a record
that cannot be read.
"""

from enum import StrEnum

import msgspec

from discovery.domain.trades import HoldingChange, Trade


class Reason(StrEnum):
    """Reasons why a transaction is no trade. They are counted in the funnel of a run."""

    FAILED_TRANSACTION = (
        "failed_transaction"  # the chain rejected it; only the fee was paid
    )
    NO_TOKEN_CHANGE = "no_token_change"  # plain SOL, votes, administrative calls
    NO_WALLET = "no_wallet"  # units moved between programs only
    TRANSFER = "transfer"  # units moved, but no market gave or took a quote
    KEEPER_FILL = "keeper_fill"  # another wallet signed and one leg is outside the owner's balances
    QUOTE_CONVERSION = "quote_conversion"  # SOL ↔ stable, stable ↔ stable
    LIQUIDITY = "liquidity"  # a pool share was minted or burned, or both sides went the same way
    MINTED = "minted"  # the units are new: token creation, staking
    BURNED = "burned"  # the units no longer exist
    NFT = "nft"  # one piece of a mint without decimals
    LOAN = "loan"  # lent, borrowed, repaid, or moved as collateral
    ORDER_OPEN = "order_open"  # units wait in an order that a keeper may fill
    ORDER_CLOSED = "order_closed"  # units came back from an order
    ARBITRAGE = "arbitrage"  # bought and sold in the same transaction: no position
    AMBIGUOUS = (
        "ambiguous"  # several tokens against one quote that cannot be split by value
    )
    NO_META = "no_meta"
    BAD_INDEX = "bad_index"
    UNREADABLE = "unreadable"


class Decoded(msgspec.Struct, frozen=True):
    """The trades of one transaction in a stable order, and the unit changes of every
    wallet in tokens but quotes.
    """

    signature: str
    slot: int | None
    block_time: int | None
    trades: tuple[Trade, ...]
    changes: tuple[HoldingChange, ...] = ()


class Skipped(msgspec.Struct, frozen=True):
    """A transaction without a trade. `changes` has the units that moved without one:
    transfers, airdrops, burns.
    """

    signature: str
    reason: Reason
    slot: int | None = None
    block_time: int | None = None
    changes: tuple[HoldingChange, ...] = ()


class Failed(msgspec.Struct, frozen=True):
    """A record that cannot be read. `signature` is "" if not even that can be read."""

    signature: str
    reason: Reason
    detail: str = ""


Outcome = Decoded | Skipped | Failed
