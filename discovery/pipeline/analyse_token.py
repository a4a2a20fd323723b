"""One token: its launch window, its early buyers, each one's whole history in it, and what they took out.

1. The curve back to its first transaction gives the launch; the other markets are read over the same window.
2. Whoever bought in the window is a candidate. Each one's later history comes from the markets, paged once, or from its
   own token account: whichever costs less.
3. A market shows what traded there, not what moved elsewhere. Balances tell: where a wallet's units before a trade are
   not those after its last one, or where its account holds something else now, its own account is read as well.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from discovery.analysis.early_buyers import evaluate_buyers
from discovery.analysis.estimate import FetchPath, Source, cheaper_path
from discovery.clients.transaction_history import OrderedTransaction, Problem, TransactionSource
from discovery.decode.creation import creators_of
from discovery.domain.addresses import associated_token_account, is_wallet, pump_curve, pumpswap_pool
from discovery.domain.findings import Candidate, EarlyBuyer, Launch, LaunchClock
from discovery.domain.run_params import Params
from discovery.pipeline.balance_history import ChainPosition, TokenHistory, ValuedTrade, load_prices, valued_events
from discovery.providers.prices import SolPrices

MAX_WINDOW_TRANSACTIONS: Final = 20_000
MAX_LATER_TRANSACTIONS: Final = 50_000
MAX_ACCOUNT_TRANSACTIONS: Final = 2_000
CLOCK_SLACK_SECONDS: Final = 300
"""How far an index's launch time may stand before the curve's own first transaction without a second question."""
_AMOUNT = slice(64, 72)  # SPL token account: mint 32 bytes, owner 32, amount u64le


class TokenResult(msgspec.Struct, frozen=True):
    """What a run learned of one token."""

    candidate: Candidate
    launched_at: int | None
    launch_clock: LaunchClock
    buyers: list[EarlyBuyer]
    trades: list[ValuedTrade]  # of the early buyers
    transactions: int
    funnel: dict[str, int]
    creator: str = ""


async def analyse_token(
    candidate: Candidate,
    params: Params,
    histories: TransactionSource,
    prices: SolPrices,
    *,
    now: int,
    problem: Problem,
    path: FetchPath | None = None,
) -> TokenResult:
    """Everything a run wants to know of one token. `now` in unix seconds.

    path: how to follow buyers after the window; None = the cheaper one.
    Raises ProviderError where a provider gives no answer, BudgetSpent where the run may not ask further.
    """
    mint = candidate.mint
    ledger = TokenHistory(mint)
    opened = await _open(candidate, params, histories, ledger)
    if opened is None:
        problem(mint, "no launch time is known and no market of it has transactions")
        return TokenResult(candidate, None, "", [], [], 0, {"no_launch_time": 1})
    launched_at, clock, markets, launch = opened
    end = launched_at + params.early_window_minutes * 60
    order = _first_buyers(ledger, launched_at, end)
    wallets = [wallet for wallet in order if is_wallet(wallet)]
    window_transactions = len(ledger.outcomes)
    incomplete = await _follow(candidate, wallets, ledger, histories, markets, end, now, window_transactions, path)
    await load_prices(ledger, wallets, prices, problem)
    valued = {wallet: valued_events(ledger.history(wallet), prices) for wallet in wallets}
    events_of = {wallet: events for wallet, (events, _) in valued.items()}
    buyers = evaluate_buyers(
        mint,
        events_of,
        params,
        launched_at=launched_at,
        entry_order=wallets,
        incomplete_wallets=incomplete,
        launch=launch,
    )
    if ledger.failures():
        problem(mint, f"{ledger.failures()} transactions could not be read and were skipped")
    return TokenResult(
        candidate=candidate,
        launched_at=launched_at,
        launch_clock=clock,
        buyers=buyers,
        trades=[trade for buyer in buyers for trade in valued[buyer.wallet][1]],
        transactions=len(ledger.outcomes),
        funnel=_funnel(order, wallets, buyers) | ledger.skipped(),
        creator=launch.creators[0] if launch is not None and launch.creators else "",
    )


def _funnel(order: list[str], wallets: list[str], buyers: list[EarlyBuyer]) -> dict[str, int]:
    funnel = {
        "bought_in_window": len(order),
        "plumbing": len(order) - len(wallets),
        "not_first_acquired_by_buying": len(wallets) - len(buyers),
        "early_buyers": len(buyers),
    }
    for buyer in buyers:
        name = f"rejected_{buyer.rejection}" if buyer.rejection else "qualified"
        funnel[name] = funnel.get(name, 0) + 1
    return {name: count for name, count in funnel.items() if count}


async def _open(
    candidate: Candidate, params: Params, histories: TransactionSource, ledger: TokenHistory
) -> tuple[int, LaunchClock, list[str], Launch | None] | None:
    """Launch time, its clock, the token's markets and its creation; the window's transactions go into the ledger."""
    window = params.early_window_minutes * 60
    curve = pump_curve(candidate.mint)
    guess = candidate.launched_at
    until = guess + window + CLOCK_SLACK_SECONDS if guess is not None else None
    on_curve = await histories.fetch_range(curve, None, until, MAX_WINDOW_TRANSACTIONS)
    created = _first_of_mint(on_curve, candidate.mint)
    if created is None and until is not None:
        # The index's clock may stand before the launch: the curve's first transaction is looked for after it.
        on_curve += await histories.fetch_range(curve, until + 1, None, MAX_WINDOW_TRANSACTIONS)
        created, until = _first_of_mint(on_curve, candidate.mint), None
    launched_at, clock = guess, candidate.launch_clock
    if created is not None:
        launched_at, clock = created.block_time, "curve"
        if until is not None and launched_at + window > until:
            on_curve += await histories.fetch_range(curve, until + 1, launched_at + window, MAX_WINDOW_TRANSACTIONS)
    if launched_at is None:
        return None
    end = launched_at + window
    pools = [pool for pool in dict.fromkeys([pumpswap_pool(candidate.mint), *candidate.pools]) if pool != curve]
    lists = await _all([histories.fetch_range(pool, launched_at, end, MAX_WINDOW_TRANSACTIONS) for pool in pools])
    ledger.add((located for located in on_curve if located.block_time <= end), 0)
    for number, transactions in enumerate(lists, 1):
        ledger.add(transactions, number)
    launch = None if created is None else Launch(created.slot, creators_of(created.record, candidate.mint))
    return launched_at, clock, [curve, *pools], launch


def _first_of_mint(transactions: list[OrderedTransaction], mint: str) -> OrderedTransaction | None:
    """The first transaction that touches the mint: anybody may send lamports to a curve's address before."""
    for located in transactions:
        meta = located.record.meta
        if meta is not None and any(row.mint == mint for row in meta.post_token_balances or ()):
            return located
    return None


def _first_buyers(ledger: TokenHistory, launched_at: int, end: int) -> list[str]:
    """Wallets that bought in the window, by their first buy there."""
    firsts: list[tuple[ChainPosition, str]] = []
    for wallet in ledger.touches:
        buys = [
            touch.place
            for touch in ledger.history(wallet)
            if touch.trade is not None and touch.trade.side == "buy" and launched_at <= touch.block_time <= end
        ]
        if buys:
            firsts.append((buys[0], wallet))
    return [wallet for _, wallet in sorted(firsts)]


async def _follow(
    candidate: Candidate,
    wallets: list[str],
    ledger: TokenHistory,
    histories: TransactionSource,
    markets: list[str],
    end: int,
    now: int,
    window_transactions: int,
    path: FetchPath | None,
) -> frozenset[str]:
    """Bring in what the wallets did after the window, and what no market of ours shows.

    Answers the wallets whose balances still do not follow from what was seen.
    """
    if not wallets:
        return frozenset()
    accounts = {wallet: associated_token_account(wallet, candidate.mint, ledger.token_program) for wallet in wallets}
    source: Source = "helius" if histories.source == "helius" else "solana_rpc"
    if path is None:
        later = None if candidate.transactions_24h is None else max(0, candidate.transactions_24h - window_transactions)
        path = "pool" if end >= now else cheaper_path(source, later, len(wallets))
    incomplete = wallets
    held: dict[str, int] = {}
    if path == "pool":
        lists = await _all([histories.fetch_range(market, end + 1, None, MAX_LATER_TRANSACTIONS) for market in markets])
        for number, transactions in enumerate(lists):
            ledger.add(transactions, number)
        held = await _held_now(list(accounts.values()), histories)
        incomplete = [wallet for wallet in wallets if not ledger.is_whole(wallet, held[accounts[wallet]])]
    own = await _all(
        [histories.fetch_range(accounts[wallet], None, None, MAX_ACCOUNT_TRANSACTIONS) for wallet in incomplete]
    )
    for wallet, transactions in zip(incomplete, own, strict=True):
        ledger.add(transactions, 0, only=wallet)
    return frozenset(wallet for wallet in incomplete if not ledger.is_whole(wallet, held.get(accounts[wallet])))


async def _held_now(accounts: list[str], histories: TransactionSource) -> dict[str, int]:
    """Raw units in each token account; one that does not exist holds none."""
    found = await histories.accounts(accounts)
    return {
        account: int.from_bytes(row.data[_AMOUNT], "little") if row is not None else 0
        for account, row in zip(accounts, found, strict=True)
    }


async def _all(questions: list[Coroutine[Any, Any, list[OrderedTransaction]]]) -> list[list[OrderedTransaction]]:
    """All at once, answers in order; the first failure ends the others."""
    tasks = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
