"""Histories of made-up traders for the tests of judgements."""

import random
from collections.abc import Iterable, Mapping, Sequence

from discovery.analysis.evidence import Evidence, evidence_of_history
from discovery.analysis.follower import FollowTerms
from discovery.analysis.judging import judge
from discovery.domain.histories import (
    Arm,
    HistoryKind,
    PoolReserves,
    TokenEvent,
    TradingHistory,
)
from discovery.domain.judgements import Judgement

AS_OF = 1_790_000_000
DAY = 86_400
SOL = 10**9
UNITS = 10**9
FEES = 2_000_000

Events = list[TokenEvent]


def event(
    mint: str,
    kind: HistoryKind,
    at: int,
    *,
    units: int = UNITS,
    value: int | None = None,
    fees: int = FEES,
    pool: PoolReserves | None = None,
    later: PoolReserves | None = None,
) -> TokenEvent:
    """Return an event; only purchases and sales have fees."""
    return TokenEvent(
        mint=mint,
        kind=kind,
        slot=at * 5 // 2,
        time=at,
        units=units,
        value_lamports=value,
        fees_lamports=fees if kind in ("buy", "sell") else 0,
        pool=pool,
        pool_later=later,
    )


def market(price_sol: float, depth_sol: int = 200) -> PoolReserves:
    """Return the reserves of a market where `UNITS` units cost `price_sol`."""
    return PoolReserves(
        quote_lamports=depth_sol * SOL,
        base_units=int(depth_sol * UNITS / price_sol),
    )


def trip(
    mint: str,
    days: float,
    profit: float,
    *,
    put_in: int = SOL,
    hold_seconds: int = 1800,
) -> Events:
    """Return a purchase and the sale of everything, `days` before AS_OF."""
    at = AS_OF - int(days * DAY)
    proceeds = max(0, int(put_in * (1 + profit)))
    return [
        event(mint, "buy", at - hold_seconds, value=put_in),
        event(mint, "sell", at, value=proceeds),
    ]


def trips(
    profits: Iterable[float],
    seed: int,
    *,
    start_days: float = 9,
    step_days: float = 1.2,
) -> dict[str, Events]:
    """Return mint → one trip, in a random order of the profits."""
    order = list(profits)
    random.Random(seed).shuffle(order)
    return {
        f"m{index}": trip(f"m{index}", start_days + index * step_days, profit)
        for index, profit in enumerate(order)
    }


def history(
    events: Iterable[Sequence[TokenEvent]],
    name: str = "judged",
    *,
    arm: Arm = "other",
    holdings: Mapping[str, int | None] | None = None,
    seeds: Iterable[str] = (),
    flags: Iterable[str] = (),
    truncated: bool = False,
) -> TradingHistory:
    """Return the history of one wallet; it is in nobody's prior unless `arm` says so."""
    return TradingHistory(
        wallet=name,
        as_of=AS_OF,
        events=[each for of_token in events for each in of_token],
        arm=arm,
        seeds=frozenset(seeds),
        flags=frozenset(flags),
        truncated=truncated,
        holdings=dict(holdings or {}),
    )


def evidence_of(trader: TradingHistory) -> Evidence:
    """Return the evidence of a history on the usual terms."""
    return evidence_of_history(trader, FollowTerms())


def cohort(
    win_rate: float, seed: int = 1, *, wallets: int = 160, tokens: int = 20
) -> list[Evidence]:
    """Return wallets that win about `win_rate` of their trades (+60 %, else -50 %)."""
    chance = random.Random(seed)
    members = []
    for number in range(wallets):
        rate = min(0.95, max(0.05, chance.gauss(win_rate, 0.12)))
        own = []
        for token in range(tokens):
            days = 8 + 70 * chance.random()
            profit = 0.6 if chance.random() < rate else -0.5
            own.append(trip(f"c{number}t{token}", days, profit))
        arm: Arm = "found" if number % 2 else "control"
        members.append(evidence_of(history(own, f"cohort{number:03d}", arm=arm)))
    return members


def judged(trader: TradingHistory, members: Sequence[Evidence] = ()) -> Judgement:
    """Return the judgement of a wallet among the members of a cohort."""
    judgements, _ = judge([*members, evidence_of(trader)])
    return judgements[-1]


def is_win(events: Sequence[TokenEvent]) -> bool:
    """Return True for a trip that sold for more than it bought."""
    bought, sold = events
    return (sold.value_lamports or 0) > (bought.value_lamports or 0)
