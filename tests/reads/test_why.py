"""Why an address is on the watchlist or not."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from discovery.models import Config, Run, RunControl
from discovery.reads.why import explain_address
from tests.factories import (
    LAMPORTS_PER_SOL,
    MINT,
    NOW,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    WalletFactory,
    address,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]
MAX_QUERIES = 7


@pytest.fixture
def run() -> Run:
    run = RunFactory(min_profit_pct=Decimal(50), min_cost_sol=Decimal("0.05"))
    RunTokenFactory(run=run, symbol="PUMP")
    return run


@pytest.fixture
def reject(run: Run) -> Callable[..., None]:
    """`reject(rejection="profit", …)`: wallet 1 as a rejected early buyer of the run."""

    def make(**values: object) -> None:
        usual = {
            "profit_pct": Decimal(20),
            "rejection": "profit",
            "entry_rank": 3,
            "entry_seconds": 61,
        }
        PositionFactory(run=run, wallet=1, **{**usual, **values})

    return make


def test_a_wallet_of_the_watchlist_has_verdict_reason_and_discoveries(run: Run) -> None:
    WalletFactory(number=1)
    RunWalletFactory(run=run, wallet=1)
    why = explain_address(address(1))
    assert why.kind == "listed"
    assert why.wallet is not None
    assert (why.wallet.verdict, why.wallet.since) == ("watch", NOW)
    assert "73% sure of a gain" in why.summary
    assert [(row.run_id, row.symbol) for row in why.discoveries] == [(run.pk, "PUMP")]


def test_a_rejected_wallet_has_run_token_figures_and_both_thresholds(
    run: Run, reject: Callable
) -> None:
    reject()
    Config.objects.update(min_profit_pct=Decimal(30))
    why = explain_address(address(1))
    (row,) = why.positions
    assert (why.kind, row.run_id, row.symbol) == ("rejected", run.pk, "PUMP")
    assert row.reason == "profit 20.00 % is below the minimum of 50 %"
    assert row.now == "profit 20.00 % is below the minimum of 30 %"
    assert row.thresholds is not None
    assert (row.thresholds.min_profit_pct, why.thresholds_now.min_profit_pct) == (
        50,
        30,
    )
    assert (row.profit_pct, row.entry_rank, row.entry_seconds) == (20, 3, 61)
    assert row.passes_now is False
    assert row.reason in why.summary


@pytest.mark.parametrize(
    ("values", "saved"),
    [
        ({}, {"min_profit_pct": Decimal(20)}),
        (
            {"rejection": "flag_sniper", "flags": ["sniper"], "profit_pct": 80},
            {"excluded_flags": []},
        ),
        (
            {"rejection": "min_cost", "cost_lamports": 40_000_000, "profit_pct": 80},
            {"min_cost_sol": Decimal("0.04")},
        ),
    ],
)
def test_a_rejected_wallet_may_pass_the_parameters_of_now(
    values: dict, saved: dict, reject: Callable
) -> None:
    reject(**values)
    Config.objects.update(**saved)
    (row,) = explain_address(address(1)).positions
    assert (row.passes_now, row.now) == (True, "would qualify")


def test_a_wallet_that_passes_one_threshold_may_fail_the_next(reject: Callable) -> None:
    reject(rejection="min_cost", cost_lamports=40_000_000)
    Config.objects.update(min_cost_sol=Decimal("0.01"))
    (row,) = explain_address(address(1)).positions
    assert row.reason == "cost 0.0400 SOL is below the minimum of 0.05 SOL"
    assert row.now == "profit 20.00 % is below the minimum of 50 %"


def test_an_unknown_result_has_its_reason_and_no_figure(reject: Callable) -> None:
    reject(
        rejection="result_unknown",
        profit_pct=None,
        realised_lamports=None,
        knowledge="unknown",
        unknown_reason="out_order_open",
    )
    (row,) = explain_address(address(1)).positions
    assert row.reason == "result unknown: units left: open order"
    assert (row.profit_pct, row.realised_lamports) == (None, None)
    assert (row.passes_now, row.unknown_words) == (False, "units left: open order")


def test_a_profit_that_rounds_to_the_minimum_stays_rejected(reject: Callable) -> None:
    reject(profit_pct=Decimal("50.00"))  # 49.996 before it was rounded
    (row,) = explain_address(address(1)).positions
    assert row.passes_now is False


def test_a_control_wallet_names_its_runs_and_why_it_was_rejected(
    run: Run, reject: Callable
) -> None:
    reject()
    WalletFactory(number=1, origin="control")
    RunControl.objects.create(
        run=run,
        wallet_address=address(1),
        mint=MINT,
        matched_wallet=address(2),
        entry_rank=3,
        cost_lamports=LAMPORTS_PER_SOL,
    )
    why = explain_address(address(1))
    assert why.kind == "control"
    assert [(row.run_id, row.matched_wallet) for row in why.controls] == [
        (run.pk, address(2))
    ]
    assert [row.rejection for row in why.positions] == ["profit"]


def test_the_address_of_a_token_names_the_runs_that_analysed_it(run: Run) -> None:
    why = explain_address(MINT)
    assert (why.kind, why.wallet) == ("token", None)
    assert [(row.run_id, row.symbol) for row in why.tokens] == [(run.pk, "PUMP")]


def test_an_address_that_nobody_saw_is_never_seen() -> None:
    why = explain_address(address(99))
    assert (why.kind, why.positions, why.is_explained) == ("never_seen", [], False)


def test_a_position_without_its_run_keeps_its_reason(reject: Callable) -> None:
    reject()
    Run.objects.all().delete()
    (row,) = explain_address(address(1)).positions
    assert (row.run_id, row.run_at, row.thresholds) == (None, None, None)
    assert row.reason == "profit below the minimum"


def test_the_newest_run_comes_first(run: Run, reject: Callable) -> None:
    reject()
    later = RunFactory(started_at=NOW + timedelta(days=1))
    PositionFactory(run=later, wallet=1, mint=address(50), rejection="result_unknown")
    rows = explain_address(address(1)).positions
    assert [row.run_id for row in rows] == [later.pk, run.pk]


def test_a_wallet_with_many_positions_costs_no_more_queries(reject: Callable) -> None:
    reject()
    counts = []
    for count in (0, 120):
        for number in range(count):
            PositionFactory(
                run=RunFactory(),
                wallet=1,
                mint=address(100 + number),
                rejection="profit",
            )
        with CaptureQueriesContext(connection) as queries:
            why = explain_address(address(1))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= MAX_QUERIES
    assert (len(why.positions), why.has_more_positions) == (100, True)
