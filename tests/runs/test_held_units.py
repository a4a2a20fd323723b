"""Units that still belong to a wallet, and what becomes of them when nobody answers."""

import asyncio
from decimal import Decimal
from typing import Any

from discovery.domain.findings import HoldingEvent
from discovery.domain.run_errors import WarningSink
from discovery.pipeline.bag_values import BagValues, OpenHolding, bag_values
from discovery.pipeline.holdings import open_holdings
from discovery.pipeline.valuation import value_history
from discovery.pipeline.wallet_history import WalletHistory
from discovery.providers.errors import Unreachable
from discovery.providers.records import AccountRecord, Rows
from tests.fake_transactions import wallet
from tests.runs.test_orders import ANA, Source, bought, deposit
from tests.runs.token_histories import MINT, NoPrices

HOLDING = OpenHolding(mint=wallet("mint"), units=1_000, decimals=6)


class Node:
    """Answers that no account exists, or not at all."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.is_down = is_down

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        if self.is_down:
            raise Unreachable("solana_rpc", "down")
        return [None] * len(addresses)


class Pairs(Node):
    """Lists no pair, or does not answer."""

    async def pairs(self, mints: Any) -> Rows[Any]:
        if self.is_down:
            raise Unreachable("dexscreener", "down")
        return Rows()


class Prices:
    def at_hour(self, _: int) -> Decimal:
        return Decimal(200)


class Providers:
    def __init__(self, *, has_pairs: bool) -> None:
        self.prices = Prices()
        self.dexscreener = Pairs(is_down=not has_pairs)


def values(*, has_node: bool = True, has_pairs: bool = True) -> BagValues:
    return asyncio.run(
        bag_values(
            [HOLDING],
            Providers(has_pairs=has_pairs),  # type: ignore[arg-type]
            Node(is_down=not has_node),  # type: ignore[arg-type]
            now=1_790_000_000,
            warnings=WarningSink("wallet"),
        )
    )


def test_a_token_of_which_all_sources_know_no_market_has_none() -> None:
    assert values() == BagValues({}, frozenset())


def test_what_nobody_answered_is_not_known() -> None:
    unread = BagValues({}, frozenset({HOLDING.mint}))
    assert values(has_node=False) == unread
    assert values(has_pairs=False) == unread


def transactions_of(source: Source) -> tuple[WalletHistory, list[HoldingEvent]]:
    history = WalletHistory(ANA, source.transactions)
    changes = history.changes[MINT]
    valued = value_history(changes, NoPrices())  # type: ignore[arg-type]
    return history, valued.events


def test_units_in_an_open_order_belong_to_the_holding() -> None:
    source = Source().add(bought(1_000, 10**9)).add(deposit(1_000, 900))
    history, events = transactions_of(source)
    (holding,) = open_holdings(history, {MINT: events})
    assert holding.units == 1_000
    everything = Source().add(bought(1_000, 10**9)).add(deposit(1_000, 1_000))
    history, events = transactions_of(everything)
    (holding,) = open_holdings(history, {MINT: events})
    assert holding.units == 1_000
