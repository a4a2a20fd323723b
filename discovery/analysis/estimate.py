"""The cheapest request plan, and what a run will cost before it starts. Pure arithmetic from documented prices."""

from typing import Literal

import msgspec

FetchPath = Literal["pool", "accounts"]
Source = Literal["helius", "solana_rpc"]

HELIUS_ROWS_A_CALL = 1000
SIGNATURES_A_CALL = 1000
LATER_TRANSACTIONS_A_BUYER = 3
"""Transactions of one early buyer after the window: a guess until runs have measured it."""
# Guesses for the estimate before anything is known of the tokens (curve launches, 2026).
WINDOW_TRANSACTIONS = 600
EARLY_BUYERS = 100
LATER_TRANSACTIONS = 6_000
PROFILED_A_TOKEN = 8
WALLET_TRANSACTIONS = 300


def cheaper_path(source: Source, later_transactions: int | None, early_buyers: int) -> FetchPath:
    """How to follow the early buyers after the window: page the market once, or ask for each one's token account.

    Helius: 10 credits per 100 rows of the market, or 10 per account. Plain RPC: one call a transaction, or one call an
    account and one for each of its transactions. Unknown activity is taken for too much.
    """
    if later_transactions is None:
        return "accounts"
    if source == "helius":
        return "pool" if later_transactions <= 100 * early_buyers else "accounts"
    return "pool" if later_transactions <= (1 + LATER_TRANSACTIONS_A_BUYER) * early_buyers else "accounts"


class Estimate(msgspec.Struct, frozen=True):
    """What a run is expected to use. Calls by provider; credits of Helius; seconds at the providers' pace."""

    source: Source
    tokens: int
    calls: dict[str, int]
    helius_credits: int
    seconds: int

    @property
    def total_calls(self) -> int:
        """Calls of all providers."""
        return sum(self.calls.values())


def estimate_run(
    source: Source,
    *,
    tokens: int,
    skips_search: bool,
    has_batches: bool,
    calls_per_second: dict[str, float],
    with_profiles: bool = True,
) -> Estimate:
    """The cost of a run over `tokens` tokens. given: they were named, so nothing is searched.

    profiles: whether the wallets found are profiled at once.

    batches: whether the node answers many transactions in one call. calls_per_second: the pace by provider.
    """
    calls = {"prices": 2}
    lookups = {"dexscreener": -(-tokens // 30), "jupiter": -(-tokens // 100)}
    if skips_search:
        calls.update(lookups)
    else:
        calls.update({"geckoterminal": 7, "jupiter": 3 + 2, "dexscreener": 3 + 7})
    helius_credits = 0
    wallets = tokens * PROFILED_A_TOKEN if with_profiles else 0
    if wallets:
        calls["prices"] += 3
        calls["dexscreener"] = calls.get("dexscreener", 0) + wallets
    if source == "helius":
        pages = 2 + -(-WINDOW_TRANSACTIONS // HELIUS_ROWS_A_CALL) + -(-LATER_TRANSACTIONS // HELIUS_ROWS_A_CALL)
        calls["helius"] = tokens * (pages + -(-EARLY_BUYERS // 100)) + 1
        calls["helius"] += wallets * (-(-WALLET_TRANSACTIONS // HELIUS_ROWS_A_CALL) + 1)
        helius_credits = tokens * (20 + -(-(WINDOW_TRANSACTIONS + LATER_TRANSACTIONS) // 100) * 10)
        helius_credits += wallets * -(-WALLET_TRANSACTIONS // 100) * 10
    else:
        transactions = WINDOW_TRANSACTIONS + EARLY_BUYERS * LATER_TRANSACTIONS_A_BUYER
        asked = -(-transactions // 100) if has_batches else transactions
        calls["solana_rpc"] = tokens * (10 + 2 * -(-WINDOW_TRANSACTIONS // SIGNATURES_A_CALL) + EARLY_BUYERS + asked)
        fetched = -(-WALLET_TRANSACTIONS // 100) if has_batches else WALLET_TRANSACTIONS
        calls["solana_rpc"] += wallets * (-(-WALLET_TRANSACTIONS // SIGNATURES_A_CALL) + 1 + fetched)
    seconds = max(int(count / calls_per_second[name]) + 1 for name, count in calls.items())
    return Estimate(source=source, tokens=tokens, calls=calls, helius_credits=helius_credits, seconds=seconds)
