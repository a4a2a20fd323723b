"""Reasons why units of a wallet changed, or why a transaction is no trade."""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Reason of a balance change, or of a transaction without a trade. The latter are
    counted in the funnel of a run.
    """

    TRADE = "trade"  # bought or sold; the trade is stored
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
    DEPOSIT = "deposit"  # units went to an account of a program that is not known
    HELD_BEFORE = "held_before"  # units from before the first transaction that was read
    NOT_SEEN = "not_seen"  # the next balance differs: a transaction was not read
    ARBITRAGE = "arbitrage"  # bought and sold in the same transaction: no position
    AMBIGUOUS = (
        "ambiguous"  # several tokens against one quote that cannot be split by value
    )
    NO_META = "no_meta"
    BAD_INDEX = "bad_index"
    UNREADABLE = "unreadable"


REASON_LABELS: Final[dict[str, str]] = {
    Reason.TRADE: "traded at an unknown price",
    Reason.TRANSFER: "transfer",
    Reason.KEEPER_FILL: "moved by a program, price not seen",
    Reason.QUOTE_CONVERSION: "conversion of SOL or dollars",
    Reason.LIQUIDITY: "liquidity of a pool",
    Reason.MINTED: "minted",
    Reason.BURNED: "burned",
    Reason.NFT: "NFT",
    Reason.LOAN: "loan or collateral",
    Reason.ORDER_OPEN: "open order",
    Reason.ORDER_CLOSED: "returned from an order",
    Reason.DEPOSIT: "given to an unknown program",
    Reason.HELD_BEFORE: "held before the first transaction",
    Reason.NOT_SEEN: "transaction not seen",
    Reason.ARBITRAGE: "arbitrage",
    Reason.AMBIGUOUS: "several tokens at one price",
}
"""Reason of a balance change → words for operators."""


def reason_label(reason: str) -> str:
    """Return a reason in words; one of another version is shown as it is stored."""
    return REASON_LABELS.get(reason, reason.replace("_", " "))


def unknown_reason_label(code: str) -> str:
    """Return in words why a result is not known, "" for the empty code.

    code: `no_cost`, `out_<reason>` (units left at an unknown price) or `in_<reason>`
    (units came in without a known cost).
    """
    if code == "no_cost":
        return "cost not known"
    direction, _, reason = code.partition("_")
    match direction:
        case "out":
            return f"units left: {reason_label(reason)}"
        case "in":
            return f"units without a cost: {reason_label(reason)}"
    return code.replace("_", " ")
