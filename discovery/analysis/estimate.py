"""What a run is expected to use: calls of each provider, credits of Helius, seconds. And
the cheaper way to fetch.

Until runs have been measured, the costs of a token and of a wallet are assumptions
(`assumed_costs`); afterwards they are the means of the last runs (`UnitCosts` of
pipeline/measured_costs.py).
"""

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

FetchPath = Literal["pool", "accounts"]
Source = Literal["helius", "helius_rpc", "solana_rpc"]
"""`helius`: transactions by time. `helius_rpc`: a key that allows plain RPC only."""

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
DEFAULT_MAX_BUYERS: Final = 150

# Assumptions before anything is known of the tokens (launches on bonding curves, 2026).
WINDOW_TRANSACTIONS_PER_BUYER: Final = 6
EARLY_BUYERS: Final = 100
LATER_TRANSACTIONS: Final = 6_000
PROFILES_PER_BUYER: Final = 0.08
WALLET_TRANSACTIONS: Final = 300
LATE_TRADES: Final = 4
"""Trades of a wallet whose market is looked up some seconds later: most wallets have
none, a promising one 20 to 60.
"""
RPC_CALLS_PER_LATE_TRADE: Final = 4
ACCOUNT_CALLS_PER_WALLET: Final = 2  # balances, and what is held


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


class UnitUse(msgspec.Struct, frozen=True):
    """Mean use of one unit of work: calls by provider, and credits."""

    calls: dict[str, float] = {}
    credits: float = 0.0

    def times(self, factor: float) -> "UnitUse":
        """Return the use of so many units."""
        calls = {name: count * factor for name, count in self.calls.items()}
        return UnitUse(calls, self.credits * factor)

    def plus(self, other: "UnitUse") -> "UnitUse":
        """Return the use of both."""
        calls = dict(self.calls)
        for name, count in other.calls.items():
            calls[name] = calls.get(name, 0.0) + count
        return UnitUse(calls, self.credits + other.credits)


class UnitCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Use of a search, of a list of named tokens, and of each token, wallet and control
    wallet, with what a run finds.

    buyers, wallets: early buyers of a token, and wallets that it yields. control_share:
    control wallets found, of those that a run may have. found_tokens: that a search finds,
    None = as many as it may. seconds_per_call: of the source of transactions, as measured,
    None = as the rate limits allow. runs: how many were measured, 0 = assumptions.
    """

    search: UnitUse
    named: UnitUse
    token: UnitUse
    wallet: UnitUse
    control: UnitUse
    buyers: float
    wallets: float
    control_share: float = 1.0
    found_tokens: float | None = None
    seconds_per_call: float | None = None
    runs: int = 0

    def bounded_by(self, max_buyers: int) -> "UnitCosts":
        """Return the costs of tokens of which so many early buyers are read at most."""
        if self.buyers <= max_buyers:
            return self
        share = max_buyers / self.buyers
        return msgspec.structs.replace(
            self,
            token=self.token.times(share),
            buyers=float(max_buyers),
            wallets=self.wallets * share,
        )


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Expected use of a run: calls by provider, Helius credits, seconds.

    tokens, wallets, control_wallets: how many the run is expected to read. measured_runs:
    how many runs the figures are means of, 0 = assumptions.
    """

    source: Source
    tokens: int
    wallets: int
    control_wallets: int
    calls: dict[str, int]
    helius_credits: int
    seconds: int
    measured_runs: int

    @property
    def total_calls(self) -> int:
        """Calls of all providers."""
        return sum(self.calls.values())


class RunSize(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is asked to do.

    tokens: the maximum, or the number of named ones (is_named), for which no feed is
    read. leftovers: wallets of earlier runs that wait for their profile.
    """

    tokens: int
    is_named: bool = False
    has_profiles: bool = True
    control_wallets: int = 0
    max_early_buyers: int = DEFAULT_MAX_BUYERS
    leftovers: int = 0

    def with_tokens(self, tokens: int) -> "RunSize":
        """Return the run over fewer tokens, with as much smaller a control group."""
        if tokens >= self.tokens:
            return self
        controls = math.ceil(self.control_wallets * tokens / self.tokens)
        return msgspec.structs.replace(self, tokens=tokens, control_wallets=controls)


def estimate_run(
    source: Source,
    size: RunSize,
    costs: UnitCosts,
    calls_per_second: Mapping[str, float],
) -> Estimate:
    """Return what a run is expected to use.

    calls_per_second: the rate limit by provider. The providers work at the same time: the
    seconds are those of the slowest. Raises KeyError for a provider without a rate limit.
    """
    costs = costs.bounded_by(size.max_early_buyers)
    tokens: float = size.tokens
    if not size.is_named and costs.found_tokens is not None:
        tokens = min(tokens, costs.found_tokens)
    wallets = controls = 0.0
    if size.has_profiles:
        finds = tokens * costs.wallets
        wallets = finds + size.leftovers
        controls = costs.control_share * min(size.control_wallets, finds)
    use = costs.named if size.is_named else costs.search
    use = use.plus(costs.token.times(tokens))
    use = use.plus(costs.wallet.times(wallets)).plus(costs.control.times(controls))
    calls = {name: round(count) for name, count in use.calls.items() if round(count)}
    return Estimate(
        source=source,
        tokens=round(tokens),
        wallets=round(wallets),
        control_wallets=round(controls),
        calls=calls,
        helius_credits=round(use.credits),
        seconds=_seconds(source, calls, costs, calls_per_second),
        measured_runs=costs.runs,
    )


def largest_fit(size: RunSize, fits: Callable[[RunSize], bool]) -> RunSize:
    """Return the run over as many tokens as fit, one at least."""
    for tokens in range(size.tokens, 1, -1):
        smaller = size.with_tokens(tokens)
        if fits(smaller):
            return smaller
    return size.with_tokens(1)


def seconds_of_call(
    source: Source, costs: UnitCosts, calls_per_second: Mapping[str, float]
) -> float:
    """Return the seconds that one call of the source of transactions takes."""
    by_limit = 1 / calls_per_second[provider_of(source)]
    return max(by_limit, costs.seconds_per_call or 0.0)


def _seconds(
    source: Source,
    calls: Mapping[str, int],
    costs: UnitCosts,
    calls_per_second: Mapping[str, float],
) -> int:
    durations = [count / calls_per_second[name] for name, count in calls.items()]
    source_calls = calls.get(provider_of(source), 0)
    durations.append(source_calls * seconds_of_call(source, costs, calls_per_second))
    return int(max(durations)) + 1


def provider_of(source: Source) -> str:
    """Return the provider whose calls read transactions."""
    return "solana_rpc" if source == "solana_rpc" else "helius"


def assumed_costs(source: Source, *, has_batches: bool, max_buyers: int) -> UnitCosts:
    """Return the costs before any run was measured.

    has_batches: many transactions count as one call. max_buyers: early buyers of a token
    that are read at most.
    """
    buyers = min(EARLY_BUYERS, max_buyers)
    if source == "helius":
        token, wallet = _helius_token(buyers), _helius_wallet()
        probe = UnitUse({"helius": 1.0}, float(HELIUS_CREDITS_PER_CHARGE))
    else:
        provider = provider_of(source)
        batch_size = BATCH_SIZE if has_batches else 1
        token = _rpc_use(provider, *_rpc_token_calls(buyers, batch_size))
        wallet = _rpc_use(provider, *_rpc_wallet_calls(batch_size))
        probe = UnitUse({"helius": 1.0} if source == "helius_rpc" else {})
    search = {"geckoterminal": 7.0, "jupiter": 5.0, "dexscreener": 10.0}
    return UnitCosts(
        search=UnitUse(search).plus(probe),
        named=UnitUse({"dexscreener": 1.0, "jupiter": 1.0}).plus(probe),
        # All pools of a token are one call of DexScreener.
        token=token.plus(UnitUse({"prices": 0.2, "dexscreener": 1.0})),
        wallet=wallet.plus(UnitUse({"prices": 0.1, "dexscreener": 1.0})),
        control=wallet.plus(UnitUse({"prices": 0.1, "dexscreener": 1.0})),
        buyers=float(buyers),
        wallets=buyers * PROFILES_PER_BUYER,
    )


def _helius_token(buyers: int) -> UnitUse:
    """Return the use of one token: its window, then the market or the accounts of the
    buyers, whichever costs less.
    """
    window_rows = WINDOW_TRANSACTIONS_PER_BUYER * buyers
    account_pages = _pages(buyers, 100)
    credits_used = HELIUS_EXTRA_PAGES * HELIUS_CREDITS_PER_CHARGE
    credits_used += _helius_row_credits(window_rows) + account_pages
    calls = HELIUS_EXTRA_PAGES + _pages(window_rows, HELIUS_ROWS_PER_CALL)
    calls += account_pages
    if cheaper_path("helius", LATER_TRANSACTIONS, buyers) == "pool":
        calls += _pages(LATER_TRANSACTIONS, HELIUS_ROWS_PER_CALL)
        credits_used += _helius_row_credits(LATER_TRANSACTIONS)
    else:
        calls += buyers
        credits_used += HELIUS_CREDITS_PER_CHARGE * buyers
    return UnitUse({"helius": float(calls)}, float(credits_used))


def _helius_wallet() -> UnitUse:
    pages = _pages(WALLET_TRANSACTIONS, HELIUS_ROWS_PER_CALL)
    credits_used = _helius_row_credits(WALLET_TRANSACTIONS)
    credits_used += LATE_TRADES * HELIUS_CREDITS_PER_CHARGE + ACCOUNT_CALLS_PER_WALLET
    calls = pages + LATE_TRADES + ACCOUNT_CALLS_PER_WALLET
    return UnitUse({"helius": float(calls)}, float(credits_used))


def _helius_row_credits(rows: int) -> int:
    return _pages(rows, HELIUS_ROWS_PER_CHARGE) * HELIUS_CREDITS_PER_CHARGE


def _rpc_token_calls(buyers: int, batch_size: int) -> tuple[int, int]:
    """Return the calls of one token, and the credits that each item of a batch costs."""
    window_rows = WINDOW_TRANSACTIONS_PER_BUYER * buyers
    transactions = window_rows + buyers * LATER_TRANSACTIONS_PER_BUYER
    lists = RPC_EXTRA_CALLS + 2 * _pages(window_rows, SIGNATURES_PER_CALL) + buyers
    return lists + _pages(transactions, batch_size), lists + transactions


def _rpc_wallet_calls(batch_size: int) -> tuple[int, int]:
    """Return the calls of one wallet, and the credits that each item of a batch costs."""
    lists = _pages(WALLET_TRANSACTIONS, SIGNATURES_PER_CALL) + ACCOUNT_CALLS_PER_WALLET
    lists += LATE_TRADES * RPC_CALLS_PER_LATE_TRADE
    calls = lists + _pages(WALLET_TRANSACTIONS, batch_size)
    return calls, lists + WALLET_TRANSACTIONS


def _rpc_use(provider: str, calls: int, items: int) -> UnitUse:
    credits_used = float(items) if provider == "helius" else 0.0
    return UnitUse({provider: float(calls)}, credits_used)


def _pages(rows: int, page_size: int) -> int:
    """Return the number of pages that hold the rows."""
    return -(-rows // page_size)
