"""A transaction that a list repeats is one fact."""

import pytest

from discovery.models import Trade
from discovery.pipeline.save_trades import save_balance_changes, save_trades
from discovery.pipeline.valuation import value_history
from discovery.pipeline.wallet_history import WalletHistory
from tests.fake_transactions import SOL
from tests.runs.test_analyse_token import MINT, NoPrices
from tests.runs.test_orders import ANA, Source, bought


def test_a_history_has_a_repeated_transaction_once() -> None:
    once = Source().add(bought(1_000, SOL)).transactions
    history = WalletHistory(ANA, [*once, *once])
    assert len(history.changes[MINT]) == 1
    assert len(history.times) == 1


@pytest.mark.django_db
def test_a_repeated_trade_is_saved_once() -> None:
    history = WalletHistory(ANA, Source().add(bought(1_000, SOL)).transactions)
    changes = history.changes[MINT]
    trades = value_history(changes, NoPrices()).trades  # type: ignore[arg-type]
    save_trades([*trades, *trades])
    save_balance_changes([*changes, *changes])
    assert Trade.objects.count() == 1
