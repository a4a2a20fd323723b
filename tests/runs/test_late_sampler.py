"""Which late prices are read, and what becomes of them when a provider fails."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from discovery.analysis.population import estimate_prior
from discovery.clients.transaction_history import OrderedTransaction
from discovery.decode.outcomes import Decoded
from discovery.domain.addresses import pump_curve, pumpswap_pool
from discovery.domain.bonding_curve import FINISHED_BASE_UNITS
from discovery.domain.histories import PoolReserves, TokenEvent, TradingHistory
from discovery.domain.programs import WRAPPED_SOL
from discovery.domain.run_errors import WarningSink
from discovery.domain.trades import Trade
from discovery.pipeline.chain_position import ChainPosition
from discovery.pipeline.late_prices import LateSampler, late_reserves_of_window
from discovery.pipeline.launch_window import LaunchWindow
from discovery.pipeline.market_states import MarketStates
from discovery.pipeline.valuation import ValuedTrade
from discovery.providers.errors import Unreachable
from discovery.providers.slot_search import TimedSlot
from tests.fake_transactions import wallet

LAUNCH = 1_790_000_000
MINT = wallet("mint")
CURVE, POOL = pump_curve(MINT), pumpswap_pool(MINT)
DEAR = PoolReserves(300 * 10**9, 10**15)
START = PoolReserves(200 * 10**9, 10**15)


def trade(
    signature: str,
    at: int,
    *,
    pool: str | None = POOL,
    mint: str = MINT,
    after: PoolReserves = START,
    side: Any = "buy",
) -> ValuedTrade:
    made = Trade(
        signature=signature,
        slot=at,
        block_time=at,
        wallet=wallet("ana"),
        side=side,
        mint=mint,
        token_units=1_000,
        token_decimals=6,
        quote_mint=WRAPPED_SOL,
        quote_units=10**9,
        network_fee_lamports=0,
        tip_lamports=0,
        platform_fee_lamports=0,
        rent_lamports=0,
        venues=("pumpswap",),
        pool=pool,
        pool_quote_after=after.quote_lamports,
        pool_base_after=after.base_units,
    )
    return ValuedTrade(made, at, None)


def states(*trades: ValuedTrade) -> MarketStates:
    markets = MarketStates(MINT)
    for index, valued in enumerate(trades):
        made, at = valued.trade, valued.block_time
        outcome = Decoded(made.signature, made.slot, at, (made,))
        position = ChainPosition(valued.block_time, 0, index, valued.trade.signature)
        markets.add(outcome, position, valued.block_time)
    return markets


def window(**read_until: int) -> LaunchWindow:
    markets = {"curve": CURVE, "pool": POOL}
    return LaunchWindow(
        launched_at=LAUNCH,
        end=LAUNCH + 1_800,
        clock="curve",
        markets=[CURVE, POOL],
        launch=None,
        read_until={markets[name]: until for name, until in read_until.items()},
    )


def late_of(own: ValuedTrade, markets: MarketStates, seen: LaunchWindow) -> Any:
    late = late_reserves_of_window([own], markets, seen)
    return next(iter(late.values()), None)


def test_the_window_shows_the_market_some_seconds_later() -> None:
    own, next_one = trade("a", LAUNCH + 60), trade("b", LAUNCH + 70, after=DEAR)
    markets = states(own, next_one, trade("c", LAUNCH + 76))
    assert late_of(own, markets, window(pool=LAUNCH + 1_800)) == DEAR


@pytest.mark.parametrize(
    ("at", "read_until"),
    [
        (LAUNCH + 60, {}),  # the market was not read
        (LAUNCH + 60, {"pool": LAUNCH + 70}),  # its list was cut
        (LAUNCH - 60, {"pool": LAUNCH + 1_800}),  # before the window
        (LAUNCH + 1_790, {"pool": LAUNCH + 1_800}),  # its end is too near
    ],
)
def test_what_a_window_did_not_read_is_not_known(
    at: int, read_until: dict[str, int]
) -> None:
    own = trade("a", at)
    assert late_of(own, states(own), window(**read_until)) is None


def test_behind_the_end_of_a_curve_the_pool_has_the_price() -> None:
    sold_out = PoolReserves(115 * 10**9, FINISHED_BASE_UNITS)
    own = trade("a", LAUNCH + 60, pool=CURVE, after=sold_out)
    first = trade("b", LAUNCH + 70, after=DEAR)
    both = window(curve=LAUNCH + 1_800, pool=LAUNCH + 1_800)
    assert late_of(own, states(own, first), both) == DEAR
    assert late_of(own, states(own), both) is None


class Source:
    """A node that has no transaction of any pool, and does not answer for one."""

    source = "helius"

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.asked: list[str] = []

    async def fetch_latest(
        self, address: str, after: TimedSlot, until: int, limit: int
    ) -> list[OrderedTransaction]:
        self.asked.append(address)
        if address == self.failing:
            raise Unreachable("helius", "down")
        return []


def sampler(source: Any, pool_of: Callable[[int], str | None]) -> LateSampler:
    """A good wallet of 40 tokens."""
    events, trades = [], []
    for number in range(40):
        mint = wallet(f"mint {number}")
        bought_at = LAUNCH - (10 + number) * 86_400
        for side, at, value in (("buy", bought_at, 1), ("sell", bought_at + 60, 3)):
            market = PoolReserves(START.quote_lamports, START.base_units // value)
            signature = f"{side} {number}"
            events.append(
                TokenEvent(
                    mint=mint,
                    kind=side,  # type: ignore[arg-type]
                    slot=at,
                    time=at,
                    units=1_000,
                    value_lamports=value * 10**9,
                    pool=market,
                    signature=signature,
                )
            )
            trades.append(
                trade(signature, at, pool=pool_of(number), mint=mint, side=side)
            )
    return LateSampler(
        TradingHistory(wallet=wallet("ana"), as_of=LAUNCH, events=events),
        trades,
        source,
        seeds=(),
        flags=(),
        known={},
        prior=estimate_prior([]),
    )


def test_the_sample_is_taken_from_tokens_whose_markets_can_be_looked_up() -> None:
    source = Source()
    pools = {number: f"pool {number}" for number in range(0, 40, 5)}
    warnings = WarningSink("wallet")
    asyncio.run(sampler(source, pools.get).measure(warnings))
    assert set(source.asked) == set(pools.values())
    assert warnings.messages == []


def test_a_provider_that_fails_ends_the_sample_and_not_the_profile() -> None:
    source = Source(failing="pool")
    warnings = WarningSink("wallet")
    measured = asyncio.run(sampler(source, lambda _: "pool").measure(warnings))
    assert len(measured.results) == 40
    assert measured.read == {}
    assert warnings.messages == [
        "prices behind the wallet: not read: helius: down",
    ]
