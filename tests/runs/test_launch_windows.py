"""The launch window of one token over histories made by hand: where it begins, how far it
is read, and what is told if it shows nothing.
"""

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from discovery.domain.addresses import associated_token_account, pumpswap_pool
from discovery.domain.findings import Candidate
from discovery.domain.programs import PUMPFUN, PUMPSWAP, USDC
from discovery.domain.run_errors import WarningSink
from discovery.domain.run_params import Params
from discovery.pipeline.analyse_token import TokenAnalysis, analyse_token
from discovery.pipeline.balance_history import TokenHistory
from discovery.pipeline.launch_window import load_launch_window
from tests.fake_transactions import DEEP_UNITS as DEEP
from tests.fake_transactions import SOL, FakeTransaction, program_account, wallet
from tests.runs.token_histories import (
    CURVE,
    LAUNCH,
    MINT,
    PORTION,
    NoPrices,
    TransactionSource,
    trade,
)

POOL, SECOND = program_account("pool"), program_account("second pool")
UNITS = 1000
WINDOW = 30 * 60
TWO_DAYS = 2 * 86_400


def buyer(number: int) -> str:
    return wallet(f"buyer {number}")


def buy(number: int, market: str = CURVE, before: int = 0) -> FakeTransaction:
    return trade(buyer(number), before, before + UNITS, -SOL, market=market)


def creation(market: str, creator: str = wallet("creator")) -> FakeTransaction:
    """The market gets its first units from its creator."""
    made = FakeTransaction(creator, venue=PUMPSWAP)
    return made.units(creator, MINT, DEEP, 0).units(market, MINT, None, DEEP)


class Analysis:
    """An analysis of the token over `source`, with the warnings that it gave."""

    def __init__(self) -> None:
        self.source = TransactionSource()
        self.warnings = WarningSink("token")
        self.prices: Any = NoPrices()

    def on_curve(self) -> "Analysis":
        made = FakeTransaction(wallet("creator"), venue=PUMPFUN)
        self.source.add(made.units(CURVE, MINT, None, DEEP), 0, CURVE)
        return self

    def buys(self, count: int, market: str = CURVE, start: int = 10) -> "Analysis":
        for number in range(count):
            self.source.add(buy(number, market), start + number, market)
        return self

    def run(self, *, maximum: int = 20, **values: Any) -> TokenAnalysis:
        usual: dict[str, Any] = {
            "launched_at": LAUNCH,
            "launch_clock": "jupiter",
            "transactions_24h": 4_400,
        }
        candidate = Candidate(MINT, symbol="PUMP", **{**usual, **values})
        return async_to_sync(analyse_token)(
            candidate,
            Params(max_early_buyers=maximum),
            self.source,  # type: ignore[arg-type]
            self.prices,
            now=LAUNCH + 10**6,
            warnings=self.warnings,
            path="pool",
        )


@pytest.fixture
def analysis() -> Analysis:
    return Analysis()


# Where the window begins.


def test_the_oldest_listed_pool_tells_the_launch_by_its_first_transaction(
    analysis: Analysis,
) -> None:
    analysis.source.add(creation(POOL), 0, POOL)
    analysis.buys(3, POOL)
    result = analysis.run(
        pools=(POOL, SECOND), launched_at=LAUNCH + 120, launch_clock="pair"
    )
    assert (result.launched_at, result.launch_clock) == (LAUNCH, "pool")
    assert len(result.buyers) == 3


def test_a_pool_whose_beginning_is_not_seen_keeps_the_listed_time(
    analysis: Analysis,
) -> None:
    analysis.buys(3, POOL)
    result = analysis.run(pools=(POOL,), launch_clock="pair")
    assert (result.launched_at, result.launch_clock) == (LAUNCH, "pair")


@pytest.mark.parametrize("minted", [LAUNCH - TWO_DAYS, None])
def test_a_token_of_which_only_the_mint_is_dated_launches_with_its_first_pool(
    minted: int | None, analysis: Analysis
) -> None:
    analysis.source.add(creation(POOL), 0, POOL)
    analysis.source.add(creation(SECOND, wallet("other")), 60, SECOND)
    analysis.buys(3, POOL)
    clock = "mint" if minted else ""
    result = analysis.run(pools=(SECOND, POOL), launched_at=minted, launch_clock=clock)
    assert (result.launched_at, result.launch_clock) == (LAUNCH, "pool")
    assert len(result.buyers) == 3


def test_the_mint_is_never_read_as_a_pool(analysis: Analysis) -> None:
    analysis.on_curve().buys(3)
    analysis.run(pools=(MINT, POOL))
    assert MINT not in analysis.source.asked


# How far it is read.


def test_the_window_is_read_until_there_are_more_early_buyers_than_the_maximum(
    analysis: Analysis,
) -> None:
    analysis.on_curve().buys(200)
    result = analysis.run(maximum=20)
    assert [each.wallet for each in result.buyers] == [buyer(n) for n in range(20)]
    assert [each.entry_rank for each in result.buyers] == list(range(1, 21))
    assert result.read_until == LAUNCH + 10 + 20 - 1
    assert result.funnel["window_cut"] == 1
    assert result.funnel["early_buyers"] == 20
    # The creation, the first 20 and one more.
    assert analysis.source.portions == [CURVE] * -(-22 // PORTION)


def test_a_token_with_as_many_buyers_as_the_maximum_is_not_cut(
    analysis: Analysis,
) -> None:
    analysis.on_curve().buys(20)
    result = analysis.run(maximum=20)
    assert (len(result.buyers), result.read_until) == (20, None)
    assert "window_cut" not in result.funnel


def test_buyers_of_several_markets_are_counted_in_the_order_of_the_chain(
    analysis: Analysis,
) -> None:
    analysis.on_curve()
    for number in range(60):
        market = (CURVE, POOL, SECOND)[number % 3]
        analysis.source.add(buy(number, market), 10 + number, market)
    result = analysis.run(maximum=25, pools=(POOL, SECOND))
    assert [each.wallet for each in result.buyers] == [buyer(n) for n in range(25)]


def test_who_held_units_before_does_not_count_towards_the_maximum(
    analysis: Analysis,
) -> None:
    analysis.on_curve()
    for number in range(40):
        held = UNITS if number < 15 else 0
        analysis.source.add(buy(number, before=held), 10 + number, CURVE)
    result = analysis.run(maximum=20)
    assert [each.wallet for each in result.buyers] == [
        buyer(number) for number in range(15, 35)
    ]


def test_what_early_buyers_did_after_the_cut_is_read_from_there(
    analysis: Analysis,
) -> None:
    analysis.on_curve().buys(100)
    sale = trade(buyer(3), UNITS, 0, 3 * SOL)
    analysis.source.add(sale, 300, CURVE)
    for number in range(20):
        account = associated_token_account(buyer(number), MINT)
        analysis.source.held[account] = 0 if number == 3 else UNITS
    result = analysis.run(maximum=20)
    assert [each.wallet for each in result.buyers if each.qualified] == [buyer(3)]
    assert not any(each.position.history_incomplete for each in result.buyers)


def test_a_market_counts_as_read_until_the_cut_only(analysis: Analysis) -> None:
    analysis.on_curve().buys(100)
    window = async_to_sync(load_launch_window)(
        Candidate(MINT, pools=(POOL,), launched_at=LAUNCH, launch_clock="jupiter"),
        analysis.source,  # type: ignore[arg-type]
        TokenHistory(MINT),
        window_seconds=WINDOW,
        max_early_buyers=20,
    )
    assert window is not None
    # The second of the cut may have more transactions than were read.
    assert window.cut_at == LAUNCH + 10 + 20
    for market in (CURVE, POOL):
        assert window.is_read(market, window.cut_at - 1)
        assert not window.is_read(market, window.cut_at)


# What is told.


def test_a_window_without_a_trade_is_told_and_is_not_zero_buyers(
    analysis: Analysis,
) -> None:
    analysis.buys(5, POOL, start=WINDOW + 10)
    result = analysis.run(pools=(POOL,))
    assert not result.is_known
    assert result.funnel == {"window_without_trade": 1}
    (message,) = analysis.warnings.messages
    assert message.startswith(f"PUMP ({MINT}): no trade from 2026-09-21 14:13:20 to ")
    assert "its markets report 4,400 trades in 24 h" in message
    assert f"manage.py discover --token {MINT}" in message


def test_transactions_of_which_none_is_a_trade_are_told(analysis: Analysis) -> None:
    analysis.source.add(creation(POOL), 0, POOL)
    result = analysis.run(pools=(POOL,))
    assert not result.is_known
    assert "(1 transaction of 3 markets)" in analysis.warnings.messages[0]


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ((), "no launch time is known: no pool is known, and no bonding curve"),
        ((POOL,), "the node has no transaction of its 1 listed pool"),
    ],
)
def test_a_token_without_a_launch_is_told(
    pools: tuple[str, ...], words: str, analysis: Analysis
) -> None:
    result = analysis.run(pools=pools, launched_at=None, launch_clock="")
    assert (result.is_known, result.launched_at) == (False, None)
    assert result.funnel == {"no_launch_time": 1}
    assert words in analysis.warnings.messages[0]


def test_a_token_whose_histories_are_all_incomplete_is_told(
    analysis: Analysis,
) -> None:
    analysis.on_curve().buys(3)
    result = analysis.run()
    assert len(result.buyers) == 3
    (message,) = analysis.warnings.messages
    assert "3 of 3 early buyers hold other units on the chain" in message
    assert "try another one (SOLANA_RPC_URL, HELIUS_API_KEY)" in message


class Refused:
    """SOL/USD that no source answers."""

    async def load(self, times: object) -> str:
        return "Binance: request refused (HTTP 451); GeckoTerminal: not found"

    def at(self, time: int) -> None:
        return None

    def is_from_second_source(self, time: int) -> bool:
        return False


def test_a_missing_price_costs_the_value_of_that_trade_only(
    analysis: Analysis,
) -> None:
    analysis.prices = Refused()
    analysis.on_curve().buys(1)
    dollars = FakeTransaction(buyer(7), venue=PUMPFUN)
    dollars.units(buyer(7), MINT, 0, UNITS).units(buyer(7), USDC, 500, 0)
    dollars.units(CURVE, MINT, DEEP, DEEP - UNITS).units(CURVE, USDC, DEEP, DEEP + 500)
    analysis.source.add(dollars, 60, CURVE)
    for number in (0, 7):
        account = associated_token_account(buyer(number), MINT)
        analysis.source.held[account] = UNITS
    result = analysis.run()
    values = {each.trade.wallet: each.value_lamports for each in result.trades}
    assert values == {buyer(0): SOL, buyer(7): None}
    (message,) = analysis.warnings.messages
    assert message == (
        f"{MINT}: no SOL/USD price for 1 trade in a stable (Binance: request refused (HTTP 451); GeckoTerminal: not "
        "found): what they were worth is not known; the next profile or analysis that reads them asks again"
    )


def test_pools_are_the_curve_the_canonical_one_and_the_listed_ones(
    analysis: Analysis,
) -> None:
    analysis.on_curve().buys(3)
    analysis.run(pools=(CURVE, POOL))
    assert set(analysis.source.asked) >= {CURVE, pumpswap_pool(MINT), POOL}
    assert len(analysis.source.portions) == 1
