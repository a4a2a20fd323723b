"""Estimate of the provider calls of a run, and the cheaper way to fetch. Arithmetic
from documented prices.
"""

from typing import Final, Literal

import msgspec

FetchPath = Literal["pool", "accounts"]
Source = Literal["helius", "solana_rpc"]

HELIUS_ROWS_PER_CALL: Final = 1000
HELIUS_ROWS_PER_CHARGE: Final = 100
HELIUS_CREDITS_PER_CHARGE: Final = 10
HELIUS_EXTRA_PAGES: Final = 2  # of one token, beside the pages that its rows fill
SIGNATURES_PER_CALL: Final = 1000
RPC_EXTRA_CALLS: Final = 10  # of one token
BATCH_SIZE: Final = 100
LATER_TRANSACTIONS_PER_BUYER: Final = 3
"""Transactions of one early buyer after the window: an assumption until runs have
measured it.
"""

# Assumptions before anything is known of the tokens (launches on bonding curves, 2026).
WINDOW_TRANSACTIONS: Final = 600
EARLY_BUYERS: Final = 100
LATER_TRANSACTIONS: Final = 6_000
PROFILES_PER_TOKEN: Final = 8
WALLET_TRANSACTIONS: Final = 300
LATE_TRADES: Final = 4
"""Trades of a wallet whose market is looked up some seconds later: most wallets have
none, a promising one 20 to 60.
"""
RPC_CALLS_PER_LATE_TRADE: Final = 4


def cheaper_path(
    source: Source, later_transactions: int | None, early_buyers: int
) -> FetchPath:
    """Return how to follow the early buyers after the window: page the market once, or
    fetch each token account.

    Helius: 10 credits per 100 rows of the market, or 10 per account. Plain RPC: one
    call per transaction, or one call per account and one for each of its transactions.
    later_transactions: of the market; None = unknown, which counts as too many.
    """
    if later_transactions is None:
        return "accounts"
    if source == "helius":
        max_transactions = HELIUS_ROWS_PER_CHARGE * early_buyers
    else:
        max_transactions = (1 + LATER_TRANSACTIONS_PER_BUYER) * early_buyers
    return "pool" if later_transactions <= max_transactions else "accounts"


class Estimate(msgspec.Struct, frozen=True):
    """Expected use of a run: calls by provider, Helius credits, seconds at the rate
    limits of the providers.
    """

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
    control_wallets: int = 0,
) -> Estimate:
    """Return the cost of a run over `tokens` tokens.

    skips_search: the tokens are named, so that no feed is read. has_batches: the node
    answers many transactions in one call. calls_per_second: the rate limit by provider.
    with_profiles: the run profiles the wallets that it finds, and its control wallets. The providers work at the
    same time: the seconds are those of the slowest. Raises KeyError for a provider
    without a rate limit.
    """
    wallets = 0
    if with_profiles:
        finds = tokens * PROFILES_PER_TOKEN
        wallets = finds + min(control_wallets, finds)
    calls = _market_calls(tokens, wallets, skips_search=skips_search)
    helius_credits = 0
    if source == "helius":
        calls["helius"] = _helius_calls(tokens, wallets)
        helius_credits = _helius_credits(tokens, wallets)
    else:
        calls["solana_rpc"] = _rpc_calls(tokens, wallets, has_batches=has_batches)
    seconds = max(
        int(count / calls_per_second[name]) + 1 for name, count in calls.items()
    )
    return Estimate(
        source=source,
        tokens=tokens,
        calls=calls,
        helius_credits=helius_credits,
        seconds=seconds,
    )


def _market_calls(tokens: int, wallets: int, *, skips_search: bool) -> dict[str, int]:
    """Return the calls of the providers of prices, feeds and markets."""
    calls = {"prices": 2}
    if skips_search:
        calls |= {"dexscreener": _pages(tokens, 30), "jupiter": _pages(tokens, 100)}
    else:
        calls |= {"geckoterminal": 7, "jupiter": 3 + 2, "dexscreener": 3 + 7}
    if wallets:
        calls["prices"] += 3
        calls["dexscreener"] += wallets
    return calls


def _helius_calls(tokens: int, wallets: int) -> int:
    window_pages = _pages(WINDOW_TRANSACTIONS, HELIUS_ROWS_PER_CALL)
    later_pages = _pages(LATER_TRANSACTIONS, HELIUS_ROWS_PER_CALL)
    account_pages = _pages(EARLY_BUYERS, 100)
    per_token = HELIUS_EXTRA_PAGES + window_pages + later_pages + account_pages
    per_wallet = 1 + _pages(WALLET_TRANSACTIONS, HELIUS_ROWS_PER_CALL) + LATE_TRADES
    return 1 + tokens * per_token + wallets * per_wallet


def _helius_credits(tokens: int, wallets: int) -> int:
    token_rows = WINDOW_TRANSACTIONS + LATER_TRANSACTIONS
    per_token = HELIUS_EXTRA_PAGES * HELIUS_CREDITS_PER_CHARGE + _helius_row_credits(
        token_rows
    )
    late_credits = LATE_TRADES * HELIUS_CREDITS_PER_CHARGE
    per_wallet = _helius_row_credits(WALLET_TRANSACTIONS) + late_credits
    return tokens * per_token + wallets * per_wallet


def _helius_row_credits(rows: int) -> int:
    return _pages(rows, HELIUS_ROWS_PER_CHARGE) * HELIUS_CREDITS_PER_CHARGE


def _rpc_calls(tokens: int, wallets: int, *, has_batches: bool) -> int:
    batch_size = BATCH_SIZE if has_batches else 1
    token_transactions = (
        WINDOW_TRANSACTIONS + EARLY_BUYERS * LATER_TRANSACTIONS_PER_BUYER
    )
    window_pages = 2 * _pages(WINDOW_TRANSACTIONS, SIGNATURES_PER_CALL)
    per_token = (
        RPC_EXTRA_CALLS
        + window_pages
        + EARLY_BUYERS
        + _pages(token_transactions, batch_size)
    )
    signature_pages = _pages(WALLET_TRANSACTIONS, SIGNATURES_PER_CALL)
    late_calls = LATE_TRADES * RPC_CALLS_PER_LATE_TRADE
    history_calls = signature_pages + _pages(WALLET_TRANSACTIONS, batch_size)
    per_wallet = 1 + history_calls + late_calls
    return tokens * per_token + wallets * per_wallet


def _pages(rows: int, page_size: int) -> int:
    """Return the number of pages that hold the rows."""
    return -(-rows // page_size)
