"""Histories of wallets: transactions of others change nothing."""

import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.analysis.early_buyers import entry_position
from discovery.clients.transaction_history import OrderedTransaction
from discovery.domain.findings import Position
from discovery.domain.programs import PUMPFUN
from discovery.pipeline.balance_history import TokenHistory
from discovery.pipeline.valuation import value_history
from discovery.providers.transactions import decode_record
from tests.fake_transactions import DEEP_UNITS, SOL, FakeTransaction, wallet
from tests.runs.token_histories import CURVE, LAUNCH, MINT, NoPrices

ANA = wallet("ana")
OTHERS = [wallet(name) for name in ("ben", "cid", "dan")]
UNITS = 1_000


def trade_of(who: str, before: int, after: int, lamports: int) -> FakeTransaction:
    """Return a trade with the curve; another wallet's token may be another one."""
    made = FakeTransaction(who, venue=PUMPFUN).pay(who, lamports)
    made.units(who, MINT, before, after)
    made.units(CURVE, MINT, DEEP_UNITS, DEEP_UNITS + before - after)
    return made.pay(CURVE, -lamports)


def ordered(made: FakeTransaction, slot: int, number: int) -> OrderedTransaction:
    record = made.record()
    record["slot"] = slot
    record["transaction"]["signatures"] = [f"{number:088d}".replace("0", "2")]
    decoded = decode_record(json.dumps(record).encode())
    return OrderedTransaction(slot, number, LAUNCH + slot, decoded)


def result_of(transactions: Sequence[OrderedTransaction]) -> Position | None:
    history = TokenHistory(MINT)
    history.add(transactions, 0)
    changes = history.changes_of(ANA)
    return entry_position(value_history(changes, NoPrices()).events)  # type: ignore[arg-type]


OWN = [
    ordered(trade_of(ANA, 0, UNITS, -SOL), 10, 1),
    ordered(trade_of(ANA, UNITS, 400, SOL), 30, 2),
    ordered(trade_of(ANA, 400, 0, 2 * SOL), 50, 3),
]
unrelated = st.lists(
    st.tuples(st.sampled_from(OTHERS), st.integers(1, 60), st.booleans()), max_size=6
)


@settings(max_examples=50, deadline=None)
@given(unrelated, st.randoms())
def test_transactions_of_others_in_any_order_change_no_result(
    rows: list[tuple[str, int, bool]], random
) -> None:
    others = [
        ordered(
            trade_of(who, 0, 7, -SOL) if is_buy else trade_of(who, 7, 0, SOL),
            slot,
            100 + number,
        )
        for number, (who, slot, is_buy) in enumerate(rows)
    ]
    together = [*OWN, *others]
    random.shuffle(together)
    assert result_of(together) == result_of(OWN)
    assert result_of(OWN).profit_pct is not None


def two_account_trade(
    slot: int, account: str, before: int, after: int, lamports: int
) -> OrderedTransaction:
    """Return a trade of ANA with one of her two token accounts."""
    made = trade_of(ANA, before, after, lamports)
    index = next(i for i, row in enumerate(made.accounts) if row.owner == ANA)
    old = made.accounts[index]
    made.accounts[index] = old._replace(address=wallet(account))
    made.lamports[wallet(account)] = made.lamports.pop(old.address)
    return ordered(made, slot, slot)


def test_each_token_account_of_a_wallet_has_a_history_of_its_own() -> None:
    result = result_of(
        [
            two_account_trade(1, "one", 0, 1_000, -SOL),
            two_account_trade(2, "two", 0, 300, -SOL),
            two_account_trade(3, "one", 1_000, 0, 5 * SOL),
            two_account_trade(4, "two", 300, 0, 3 * SOL // 2),
        ]
    )
    assert result is not None
    assert result.knowledge == "known"
    assert result.matched_proceeds_lamports > 6 * SOL
