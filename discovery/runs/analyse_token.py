"""One token: its launch window, its early buyers, each one's whole history in it, and what they took out.

1. The curve back to its first transaction gives the launch; the other markets are read over the same window.
2. Whoever bought in the window is a candidate. Each one's later history comes from the markets, paged once, or from its
   own token account: whichever costs less.
3. A market shows what traded there, not what moved elsewhere. Balances tell: where a wallet's units before a trade are
   not those after its last one, or where its account holds something else now, its own account is read as well.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from fractions import Fraction
from typing import Any, Final

import msgspec

from discovery.analysis.early_buyers import judge
from discovery.analysis.params import Params
from discovery.analysis.plan import Path, Source, cheaper_path
from discovery.decode.outcomes import Decoded, Failed, Outcome, Skipped
from discovery.decode.swaps import decode
from discovery.domain.addresses import associated_token_account, is_wallet, pump_curve, pumpswap_pool
from discovery.domain.findings import Candidate, EarlyBuyer, EventKind, HoldingEvent, LaunchClock
from discovery.domain.programs import STABLE_DECIMALS, STABLES, TOKEN, WRAPPED_SOL
from discovery.domain.trades import Trade
from discovery.domain.units import usd_units_to_lamports
from discovery.providers.prices import SolPrices
from discovery.runs.histories import Histories, Located, Problem

MOST_WINDOW: Final = 20_000
MOST_LATER: Final = 50_000
MOST_ACCOUNT: Final = 2_000
CLOCK_SLACK_SECONDS: Final = 300
"""How far an index's launch time may stand before the curve's own first transaction without a second question."""
_AMOUNT = slice(64, 72)  # SPL token account: mint 32 bytes, owner 32, amount u64le

Place = tuple[int, int, int, str]
"""Chain order of one wallet's transactions: slot, list, index in that list, signature."""


class ValuedTrade(msgspec.Struct, frozen=True):
    """A trade with its market amount in lamports, None where no price is known, and its block time."""

    trade: Trade
    block_time: int
    value_lamports: Fraction | None


class TokenResult(msgspec.Struct, frozen=True):
    """What a run learned of one token."""

    candidate: Candidate
    launched_at: int | None
    launch_clock: LaunchClock
    buyers: list[EarlyBuyer]
    trades: list[ValuedTrade]  # of the early buyers
    transactions: int
    funnel: dict[str, int]


class _Touch(msgspec.Struct, frozen=True):
    """One transaction that changed a wallet's units of the mint."""

    place: Place
    block_time: int
    before_units: int
    after_units: int
    signature: str
    trade: Trade | None
    burned: bool


class _Ledger:
    """Every transaction seen of the token, decoded once, and each wallet's touches."""

    def __init__(self, mint: str) -> None:
        self.mint = mint
        self.token_program = TOKEN
        self.outcomes: dict[str, Outcome] = {}
        self.touches: dict[str, dict[str, _Touch]] = {}
        self.reasons: dict[str, int] = {}

    def add(self, transactions: Iterable[Located], list_number: int, only: str | None = None) -> None:
        """Take in a list. `only`: a wallet's own account list, whose order then holds for that wallet."""
        for located in transactions:
            outcome = self.outcomes.get(located.signature)
            if outcome is None:
                outcome = self._decode(located)
            if isinstance(outcome, Failed):
                continue
            trades = outcome.trades if isinstance(outcome, Decoded) else ()
            for change in outcome.changes:
                if change.mint != self.mint or only not in (None, change.wallet):
                    continue
                known = self.touches.setdefault(change.wallet, {})
                if located.signature in known and only is None:
                    continue
                known[located.signature] = _Touch(
                    place=(located.slot, list_number, located.index, located.signature),
                    block_time=located.block_time,
                    before_units=change.before_units,
                    after_units=change.after_units,
                    signature=located.signature,
                    trade=next((t for t in trades if t.wallet == change.wallet and t.mint == self.mint), None),
                    burned=isinstance(outcome, Skipped) and outcome.reason == "burned",
                )

    def _decode(self, located: Located) -> Outcome:
        outcome = self.outcomes[located.signature] = decode(located.record)
        reason = "trades" if isinstance(outcome, Decoded) else str(outcome.reason)
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        meta = located.record.meta
        if self.token_program == TOKEN and meta is not None:
            for row in meta.post_token_balances or ():
                if row.mint == self.mint and row.program_id:
                    self.token_program = row.program_id
        return outcome

    def history(self, wallet: str) -> list[_Touch]:
        """The wallet's touches in chain order."""
        return sorted(self.touches.get(wallet, {}).values(), key=lambda touch: touch.place)

    def is_whole(self, wallet: str, units_now: int | None) -> bool:
        """Whether each balance follows from the one before, from nothing up to what the account holds now."""
        units = 0
        for touch in self.history(wallet):
            if touch.before_units != units:
                return False
            units = touch.after_units
        return units_now is None or units == units_now

    def skipped(self) -> dict[str, int]:
        """How many transactions were no trade, by reason: what the decoder left out is in the funnel."""
        return {f"skipped_{reason}": count for reason, count in sorted(self.reasons.items()) if reason != "trades"}

    def failures(self) -> int:
        """Records that could not be read."""
        return sum(isinstance(outcome, Failed) for outcome in self.outcomes.values())


async def analyse_token(
    candidate: Candidate,
    params: Params,
    histories: Histories,
    prices: SolPrices,
    *,
    now: int,
    problem: Problem,
    path: Path | None = None,
) -> TokenResult:
    """Everything a run wants to know of one token. `now` in unix seconds.

    path: how to follow buyers after the window; None = the cheaper one.
    Raises ProviderError where a provider gives no answer, BudgetSpent where the run may not ask further.
    """
    mint = candidate.mint
    ledger = _Ledger(mint)
    opened = await _open(candidate, params, histories, ledger)
    if opened is None:
        problem(mint, "no launch time is known and no market of it has transactions")
        return TokenResult(candidate, None, "", [], [], 0, {"no_launch_time": 1})
    launched_at, clock, markets = opened
    end = launched_at + params.early_window_minutes * 60
    order = _first_buyers(ledger, launched_at, end)
    wallets = [wallet for wallet in order if is_wallet(wallet)]
    window_transactions = len(ledger.outcomes)
    incomplete = await _follow(candidate, wallets, ledger, histories, markets, end, now, window_transactions, path)
    await _price(ledger, wallets, prices, problem)
    valued = {wallet: _valued(ledger.history(wallet), prices) for wallet in wallets}
    events_of = {wallet: events for wallet, (events, _) in valued.items()}
    buyers = judge(mint, launched_at, events_of, wallets, params, incomplete)
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
    candidate: Candidate, params: Params, histories: Histories, ledger: _Ledger
) -> tuple[int, LaunchClock, list[str]] | None:
    """Launch time, its clock and the token's markets; the window's transactions go into the ledger."""
    window = params.early_window_minutes * 60
    curve = pump_curve(candidate.mint)
    guess = candidate.launched_at
    until = guess + window + CLOCK_SLACK_SECONDS if guess is not None else None
    on_curve = await histories.between(curve, None, until, MOST_WINDOW)
    created = _first_of_mint(on_curve, candidate.mint)
    if created is None and until is not None:
        # The index's clock may stand before the launch: the curve's first transaction is looked for after it.
        on_curve += await histories.between(curve, until + 1, None, MOST_WINDOW)
        created, until = _first_of_mint(on_curve, candidate.mint), None
    launched_at, clock = guess, candidate.launch_clock
    if created is not None:
        launched_at, clock = created, "curve"
        if until is not None and launched_at + window > until:
            on_curve += await histories.between(curve, until + 1, launched_at + window, MOST_WINDOW)
    if launched_at is None:
        return None
    end = launched_at + window
    pools = [pool for pool in dict.fromkeys([pumpswap_pool(candidate.mint), *candidate.pools]) if pool != curve]
    lists = await _all([histories.between(pool, launched_at, end, MOST_WINDOW) for pool in pools])
    ledger.add((located for located in on_curve if located.block_time <= end), 0)
    for number, transactions in enumerate(lists, 1):
        ledger.add(transactions, number)
    return launched_at, clock, [curve, *pools]


def _first_of_mint(transactions: list[Located], mint: str) -> int | None:
    """Time of the first transaction that touches the mint: anybody may send lamports to a curve's address before."""
    for located in transactions:
        meta = located.record.meta
        if meta is not None and any(row.mint == mint for row in meta.post_token_balances or ()):
            return located.block_time
    return None


def _first_buyers(ledger: _Ledger, launched_at: int, end: int) -> list[str]:
    """Wallets that bought in the window, by their first buy there."""
    firsts: list[tuple[Place, str]] = []
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
    ledger: _Ledger,
    histories: Histories,
    markets: list[str],
    end: int,
    now: int,
    window_transactions: int,
    path: Path | None,
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
        lists = await _all([histories.between(market, end + 1, None, MOST_LATER) for market in markets])
        for number, transactions in enumerate(lists):
            ledger.add(transactions, number)
        held = await _held_now(list(accounts.values()), histories)
        incomplete = [wallet for wallet in wallets if not ledger.is_whole(wallet, held[accounts[wallet]])]
    own = await _all([histories.between(accounts[wallet], None, None, MOST_ACCOUNT) for wallet in incomplete])
    for wallet, transactions in zip(incomplete, own, strict=True):
        ledger.add(transactions, 0, only=wallet)
    return frozenset(wallet for wallet in incomplete if not ledger.is_whole(wallet, held.get(accounts[wallet])))


async def _held_now(accounts: list[str], histories: Histories) -> dict[str, int]:
    """Raw units in each token account; one that does not exist holds none."""
    found = await histories.accounts(accounts)
    return {
        account: int.from_bytes(row.data[_AMOUNT], "little") if row is not None else 0
        for account, row in zip(accounts, found, strict=True)
    }


async def _price(ledger: _Ledger, wallets: list[str], prices: SolPrices, problem: Problem) -> None:
    """Load SOL/USD for the trades quoted in a stable; without it their cost is unknown, which is said."""
    times = [
        touch.block_time
        for wallet in wallets
        for touch in ledger.touches.get(wallet, {}).values()
        if touch.trade is not None and touch.trade.quote_mint in STABLES
    ]
    if not times:
        return
    await prices.load(times)
    unknown = sum(prices.at(time) is None for time in times)
    if unknown:
        problem(ledger.mint, f"no SOL/USD price for {unknown} trades: their cost is unknown")


def _valued(history: list[_Touch], prices: SolPrices) -> tuple[list[HoldingEvent], list[ValuedTrade]]:
    events, trades = [], []
    kind: EventKind
    units_before: int | None = None
    for touch in history:
        trade = touch.trade
        gap = 0 if units_before is None else touch.before_units - units_before
        units_before = touch.after_units
        if gap:
            # Units came or went unseen: without a price they are what a transfer is.
            kind = "transfer_in" if gap > 0 else "transfer_out"
            events.append(HoldingEvent(kind, touch.signature, touch.place[0], touch.block_time, abs(gap)))
        value: Fraction | None = None
        extras = 0
        if trade is not None:
            kind, units, extras = trade.side, trade.token_units, trade.extras_lamports
            value = _value(trade, touch.block_time, prices)
            trades.append(ValuedTrade(trade, touch.block_time, value))
        else:
            units = touch.after_units - touch.before_units
            kind = "transfer_in" if units > 0 else "burn" if touch.burned else "transfer_out"
        events.append(HoldingEvent(kind, touch.signature, touch.place[0], touch.block_time, abs(units), value, extras))
    return events, trades


def _value(trade: Trade, block_time: int, prices: SolPrices) -> Fraction | None:
    if trade.quote_mint == WRAPPED_SOL:
        return Fraction(trade.quote_units)
    if trade.quote_mint in STABLES:
        price = prices.at(block_time)
        return None if price is None else usd_units_to_lamports(trade.quote_units, STABLE_DECIMALS, price)
    return None


async def _all(questions: list[Coroutine[Any, Any, list[Located]]]) -> list[list[Located]]:
    """All at once, answers in order; the first failure ends the others."""
    tasks = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
