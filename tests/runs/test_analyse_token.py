"""One token over histories made by hand: clocks that lie and balances that do not
follow.
"""

from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync

from discovery.analysis.estimate import FetchPath
from discovery.domain.addresses import associated_token_account
from discovery.domain.findings import Candidate, EarlyBuyer
from discovery.domain.programs import PUMPFUN
from discovery.domain.run_errors import WarningSink
from discovery.domain.run_params import Params
from discovery.pipeline.analyse_token import TokenAnalysis, analyse_token
from tests.fake_transactions import DEEP_UNITS as DEEP
from tests.fake_transactions import SOL, FakeTransaction, program_account, wallet
from tests.runs.token_histories import (
    CURVE,
    LAUNCH,
    MINT,
    NoPrices,
    TransactionSource,
    trade,
)

ANA = wallet("ana")
ACCOUNT = associated_token_account(ANA, MINT)
UNITS = 1000


def swap(before: int, after: int, lamports: int) -> FakeTransaction:
    """ANA's units go from `before` to `after` against the curve for `lamports`."""
    return trade(ANA, before, after, lamports)


@pytest.fixture
def histories() -> TransactionSource:
    made = TransactionSource()
    created = FakeTransaction(wallet("creator"), venue=PUMPFUN).units(
        CURVE, MINT, None, DEEP
    )
    made.add(created, 0, CURVE)
    return made


@pytest.fixture
def analyse(histories: TransactionSource) -> Callable[..., TokenAnalysis]:
    def run(
        clock: int | None = LAUNCH,
        path: FetchPath = "pool",
        warnings: WarningSink | None = None,
    ) -> TokenAnalysis:
        candidate = Candidate(
            MINT,
            launched_at=clock,
            launch_clock="jupiter" if clock else "",
            transactions_24h=10,
        )
        return async_to_sync(analyse_token)(
            candidate,
            Params(),
            histories,
            NoPrices(),
            now=LAUNCH + 10**6,
            warnings=warnings or WarningSink(f"token {MINT}"),
            path=path,
        )

    return run


def only(result: TokenAnalysis) -> EarlyBuyer:
    (buyer,) = result.buyers
    return buyer


@pytest.mark.parametrize("clock", [LAUNCH, LAUNCH - 5 * 3600, LAUNCH + 5 * 3600, None])
def test_the_curve_tells_the_launch_whatever_the_index_says(
    clock: int | None, histories: TransactionSource, analyse: Callable
) -> None:
    histories.add(swap(0, UNITS, -SOL), 60, CURVE)
    histories.add(swap(UNITS, 0, 3 * SOL), 90, CURVE)
    result = analyse(clock)
    assert (result.launched_at, result.launch_clock) == (LAUNCH, "curve")
    assert only(result).qualified


def test_lamports_sent_to_the_curves_address_before_creation_do_not_move_the_launch(
    histories: TransactionSource, analyse: Callable
) -> None:
    early = TransactionSource()
    early.add(
        FakeTransaction(wallet("prankster"), venue=None).transfer(
            wallet("prankster"), CURVE, 1
        ),
        -86_400,
        CURVE,
    )
    histories.lists[CURVE] = early.lists[CURVE] + histories.lists[CURVE]
    histories.add(swap(0, UNITS, -SOL), 60, CURVE)
    histories.held[ACCOUNT] = UNITS
    assert analyse().launched_at == LAUNCH


def test_units_that_appear_unseen_between_two_trades_bring_no_profit_and_are_said(
    histories: TransactionSource, analyse: Callable
) -> None:
    histories.add(swap(0, UNITS, -SOL), 60, CURVE)
    histories.add(swap(10 * UNITS, 9 * UNITS, 3 * SOL), 90, CURVE)
    histories.held[ACCOUNT] = 9 * UNITS
    buyer = only(analyse())
    assert not buyer.qualified
    assert buyer.position.history_incomplete
    assert buyer.position.unmatched_proceeds_lamports > 2 * SOL


def test_a_balance_that_is_not_what_was_last_seen_is_said(
    histories: TransactionSource, analyse: Callable
) -> None:
    histories.add(swap(0, UNITS, -SOL), 60, CURVE)
    histories.held[ACCOUNT] = 5
    assert only(analyse()).position.history_incomplete


def test_a_balance_that_follows_is_complete(
    histories: TransactionSource, analyse: Callable
) -> None:
    histories.add(swap(0, UNITS, -SOL), 60, CURVE)
    histories.held[ACCOUNT] = UNITS
    assert not only(analyse()).position.history_incomplete


def sold_at_a_profit(histories: TransactionSource) -> None:
    """ANA buys for 1 SOL in the window, and sells for 3 SOL long after it."""
    histories.add(swap(0, UNITS, -SOL), 60, CURVE, ACCOUNT)
    histories.add(swap(UNITS, 0, 3 * SOL), 9_000, ACCOUNT)


def test_a_list_that_is_empty_once_costs_a_second_reading_and_no_profit(
    histories: TransactionSource, analyse: Callable
) -> None:
    sold_at_a_profit(histories)
    histories.is_silent_once = True
    buyer = only(analyse(path="account"))
    assert buyer.qualified
    assert buyer.position.profit_pct > 190
    assert histories.readings.count(ACCOUNT) == 2


def test_a_list_that_agrees_with_the_chain_is_read_once(
    histories: TransactionSource, analyse: Callable
) -> None:
    sold_at_a_profit(histories)
    assert only(analyse(path="account")).qualified
    assert histories.readings.count(ACCOUNT) == 1


@pytest.mark.parametrize("path", ["pool", "account"])
@pytest.mark.parametrize(
    ("held", "reason"), [(0, "out_not_seen"), (3 * UNITS, "in_not_seen")]
)
def test_a_result_that_the_chain_contradicts_twice_is_unknown_and_said(
    held: int,
    reason: str,
    path: FetchPath,
    histories: TransactionSource,
    analyse: Callable,
) -> None:
    histories.add(swap(0, UNITS, -SOL), 60, CURVE, ACCOUNT)
    histories.held[ACCOUNT] = held
    warnings = WarningSink("token")
    buyer = only(analyse(path=path, warnings=warnings))
    assert not buyer.qualified
    assert buyer.position.profit_pct is None
    assert buyer.position.realised_lamports is None
    assert (buyer.position.knowledge, buyer.position.unknown_reason) == (
        "unknown",
        reason,
    )
    (message,) = warnings.messages
    assert "1 of 1 early buyers hold other units on the chain" in message


def test_a_sale_that_no_listed_market_shows_is_found_in_the_wallets_own_account(
    histories: TransactionSource, analyse: Callable
) -> None:
    elsewhere = program_account("elsewhere")
    histories.add(swap(0, UNITS, -SOL), 60, CURVE, ACCOUNT)
    sale = (
        FakeTransaction(ANA, venue=PUMPFUN).pay(ANA, 4 * SOL).units(ANA, MINT, UNITS, 0)
    )
    histories.add(
        sale.units(elsewhere, MINT, DEEP, DEEP + UNITS).pay(elsewhere, -4 * SOL),
        9_000,
        ACCOUNT,
    )
    buyer = only(analyse())
    assert buyer.qualified
    assert not buyer.position.history_incomplete


def test_units_received_before_the_first_buy_make_no_early_buyer(
    histories: TransactionSource, analyse: Callable
) -> None:
    giver = wallet("giver")
    gift = (
        FakeTransaction(giver, venue=None)
        .units(giver, MINT, 10, 0)
        .units(ANA, MINT, 0, 10)
    )
    histories.add(gift, 30, ACCOUNT)
    histories.add(swap(10, 10 + UNITS, -SOL), 60, CURVE, ACCOUNT)
    histories.held[ACCOUNT] = 10 + UNITS
    assert analyse().buyers == []


def test_dust_received_before_the_first_buy_changes_nothing(
    histories: TransactionSource, analyse: Callable
) -> None:
    histories.add(swap(9, 9 + UNITS, -SOL), 60, CURVE, ACCOUNT)
    histories.add(swap(9 + UNITS, 0, 3 * SOL), 90, CURVE, ACCOUNT)
    buyer = only(analyse())
    assert buyer.qualified
    assert buyer.position.knowledge == "partly"
