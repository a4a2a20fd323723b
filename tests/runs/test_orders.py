"""Orders from the deposit to the fill, over transactions made by hand."""

import json

import pytest
from asgiref.sync import async_to_sync

from discovery.analysis.early_buyers import entry_position
from discovery.clients.transaction_history import OrderedTransaction
from discovery.domain.findings import Position
from discovery.domain.programs import PUMPFUN
from discovery.pipeline.balance_history import TokenHistory
from discovery.pipeline.orders import read_orders
from discovery.pipeline.valuation import value_history
from discovery.providers.transactions import decode_record
from tests.fake_transactions import (
    DEEP_UNITS,
    RENT,
    SOL,
    FakeTransaction,
    program_account,
    wallet,
)
from tests.runs.token_histories import CURVE, LAUNCH, MINT, NoPrices

ANA, KEEPER, FRIEND = wallet("ana"), wallet("keeper"), wallet("friend")
FIRST, SECOND = program_account("order 1"), program_account("order 2")
TRIGGER = "j1o2qRpjcyUwEvwtcfhEQefh773ZgjxcVRry7LDqg5X"
UNLISTED = program_account("some order program")
MARKET = (MINT, DEEP_UNITS)


class Source:
    """The transactions of a few accounts, as a node lists them."""

    source = "solana_rpc"

    def __init__(self) -> None:
        self.transactions: list[OrderedTransaction] = []

    def add(self, made: FakeTransaction) -> "Source":
        number = len(self.transactions) + 1
        record = made.record()
        record["slot"] = number
        record["transaction"]["signatures"] = [f"{number:088d}".replace("0", "2")]
        decoded = decode_record(json.dumps(record).encode())
        self.transactions.append(
            OrderedTransaction(number, number, LAUNCH + number, decoded)
        )
        return self

    async def fetch_all_or_none(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction] | None:
        return [
            each
            for each in self.transactions
            if address in each.record.account_keys and each.block_time >= since
        ]

    def result(self) -> Position:
        """Return ANA's result as a run computes it."""
        history = TokenHistory(MINT)
        history.add(self.transactions, 0)
        changes = history.changes_of(ANA)
        releases = async_to_sync(read_orders)(changes, self)  # type: ignore[arg-type]
        valued = value_history(changes, NoPrices(), releases=releases)  # type: ignore[arg-type]
        position = entry_position(valued.events)
        assert position is not None
        return position


def with_curve(made: FakeTransaction, units: int, lamports: int) -> FakeTransaction:
    """Add the curve's side: it gets the units and pays the lamports."""
    made.units(CURVE, MINT, DEEP_UNITS, DEEP_UNITS + units)
    return made.pay(CURVE, -lamports)


def bought(units: int, lamports: int) -> FakeTransaction:
    made = FakeTransaction(ANA, venue=PUMPFUN).pay(ANA, -lamports)
    return with_curve(made.units(ANA, MINT, 0, units), -units, -lamports)


def deposit(
    held: int, units: int, order: str = FIRST, *, arrives: int | None = None
) -> FakeTransaction:
    """ANA puts units into an order."""
    made = FakeTransaction(ANA, venue=TRIGGER).call(TRIGGER, b"deposit!", ANA, order)
    made.units(ANA, MINT, held, held - units)
    return made.units(order, MINT, 0, units if arrives is None else arrives)


def fill(units: int, lamports: int, *orders: str) -> FakeTransaction:
    """A keeper fills orders of `units` each for `lamports` in all."""
    made = FakeTransaction(KEEPER, venue=TRIGGER).pay(ANA, lamports)
    made.lamports.setdefault(PUMPFUN, [SOL, SOL])
    for order in orders:
        made.units(order, MINT, units, 0)
    return with_curve(made, units * len(orders), lamports)


def test_a_keeper_that_fills_two_orders_at_once_makes_one_sale() -> None:
    source = Source().add(bought(2_000, 2 * SOL))
    source.add(deposit(2_000, 1_000)).add(deposit(1_000, 1_000, SECOND))
    result = source.add(fill(1_000, 10 * SOL, FIRST, SECOND)).result()
    assert (result.knowledge, result.sells) == ("known", 1)
    assert result.matched_proceeds_lamports == 10 * SOL


def test_an_order_that_is_cancelled_and_sold_in_one_transaction_counts_once() -> None:
    """1,000 units come back and 1,500 are sold: nobody can say which brought what."""
    source = Source().add(bought(1_500, 3 * SOL)).add(deposit(1_500, 1_000))
    sale = FakeTransaction(ANA, venue=PUMPFUN).pay(ANA, 15 * SOL)
    sale.units(ANA, MINT, 500, 0).units(FIRST, MINT, 1_000, 0)
    result = source.add(with_curve(sale, 1_500, 15 * SOL)).result()
    assert (result.profit_pct, result.knowledge) == (None, "unknown")


def test_an_escrow_account_that_is_used_again_is_followed_twice() -> None:
    source = Source().add(bought(1_000, SOL))
    source.add(deposit(1_000, 500)).add(fill(500, 3 * SOL, FIRST))
    source.add(deposit(500, 500)).add(fill(500, 3 * SOL, FIRST))
    result = source.result()
    assert (result.knowledge, result.profit_pct is not None) == ("known", True)
    assert result.matched_proceeds_lamports == 6 * SOL


def test_a_fee_on_transfers_is_lost_and_keeps_no_order_open() -> None:
    source = Source().add(bought(1_000, SOL)).add(deposit(1_000, 1_000, arrives=900))
    result = source.add(fill(900, 5 * SOL, FIRST)).result()
    assert (result.knowledge, result.held_units) == ("known", 0)
    assert result.matched_proceeds_lamports == 5 * SOL


def test_an_order_of_a_program_that_nobody_listed_is_followed_too() -> None:
    """The wallet pays the rent of the order account: that is no liquidity."""
    source = Source().add(bought(1_000, SOL))
    made = FakeTransaction(ANA, venue=UNLISTED).call(UNLISTED, b"deposit!", ANA)
    made.pay(ANA, -RENT).pay(FIRST, RENT)
    made.units(ANA, MINT, 1_000, 0).units(FIRST, MINT, 0, 1_000)
    source.add(made)
    assert source.result().unknown_reason == "out_deposit"
    result = source.add(fill(1_000, 4 * SOL, FIRST)).result()
    assert (result.knowledge, result.matched_proceeds_lamports) == ("known", 4 * SOL)


@pytest.mark.parametrize("signer", [ANA, FRIEND])
def test_units_sent_to_a_wallet_are_moved_out_whatever_else_is_named(
    signer: str,
) -> None:
    """The order program is among the keys; a delegate may sign."""
    made = FakeTransaction(signer, venue=TRIGGER)
    made.units(ANA, MINT, 1_000, 0).units(FRIEND, MINT, 0, 1_000)
    made.call(UNLISTED, b"whatever", signer)
    result = Source().add(bought(1_000, SOL)).add(made).result()
    assert (result.knowledge, result.profit_pct) == ("known", -100)
    assert result.has_moved_out
