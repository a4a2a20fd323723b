"""What decoding a transaction can answer: trades, no trade and why, or a record that makes no sense."""

from enum import StrEnum

import msgspec

from discovery.domain.trades import HoldingChange, Trade


class Reason(StrEnum):
    """Why a transaction is no trade. Counted in a run's funnel."""

    FAILED_TRANSACTION = "failed_transaction"  # the chain refused it: only the fee moved
    NO_TOKEN_CHANGE = "no_token_change"  # plain SOL, votes, admin calls
    NO_WALLET = "no_wallet"  # units moved between programs only
    TRANSFER = "transfer"  # units moved, no market gave the quote
    KEEPER_FILL = "keeper_fill"  # somebody else signed and one leg lies outside the owner's balances
    QUOTE_CONVERSION = "quote_conversion"  # SOL ↔ stable, stable ↔ stable
    LIQUIDITY = "liquidity"  # a pool share was minted or burned, or both sides went the same way
    MINTED = "minted"  # units came out of nothing: token creation, staking
    BURNED = "burned"  # units went into nothing
    NFT = "nft"  # one piece of a mint without decimals
    ARBITRAGE = "arbitrage"  # bought and sold in the same transaction: no position
    AMBIGUOUS = "ambiguous"  # several tokens against one quote, not separable by value
    NO_META = "no_meta"
    BAD_INDEX = "bad_index"
    UNREADABLE = "unreadable"


class Decoded(msgspec.Struct, frozen=True):
    """Trades of one transaction, in a stable order, and every wallet's unit changes of tokens that are no quote."""

    signature: str
    slot: int | None
    block_time: int | None
    trades: tuple[Trade, ...]
    changes: tuple[HoldingChange, ...] = ()


class Skipped(msgspec.Struct, frozen=True):
    """No trade, for a known reason. `changes` still tells who got or lost units (transfers, airdrops, burns)."""

    signature: str
    reason: Reason
    slot: int | None = None
    block_time: int | None = None
    changes: tuple[HoldingChange, ...] = ()


class Failed(msgspec.Struct, frozen=True):
    """The record could not be read. `signature` is "" where even that is missing."""

    signature: str
    reason: Reason
    detail: str = ""


Outcome = Decoded | Skipped | Failed
