"""Which wallets of the last runs would enter or leave with other parameters."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from discovery.domain.run_params import Params
from discovery.models import Outcome, Position, Run, ScoreSnapshot
from discovery.reads.what_if import WhatIf, WhatIfGroup, what_if
from tests.factories import (
    MINT,
    NOW,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    WalletFactory,
    address,
)

pytestmark = pytest.mark.django_db
SAVED = Params()
MAX_QUERIES = 6


def changed(*, runs: int = 5, **values: Any) -> WhatIf:
    """Compare the last runs with the saved parameters and `values` over them."""
    return what_if(msgspec.structs.replace(SAVED, **values), saved=SAVED, runs=runs)


def wallets(group: WhatIfGroup) -> set[int]:
    numbers = {address(number): number for number in range(100)}
    return {numbers[row.address] for row in group.wallets}


def a_run(**values: Any) -> Run:
    params = msgspec.structs.asdict(SAVED)
    params["excluded_flags"] = list(SAVED.excluded_flags)
    return RunFactory(**{**params, "funnel": {}, **values})


@pytest.fixture
def run() -> Run:
    """A run in which wallet 1 earned 120 % and wallet 2 60 %; 3 to 6 were rejected."""
    run = a_run()
    RunTokenFactory(
        run=run,
        price_change_pct=Decimal(300),
        volume_usd=Decimal(60_000),
        liquidity_usd=Decimal(20_000),
        launched_at=NOW - timedelta(hours=10),
    )
    buyer(run, 1, profit_pct=Decimal(120), entry_seconds=30)
    buyer(run, 2, profit_pct=Decimal(60), entry_seconds=900)
    buyer(run, 3, profit_pct=Decimal(40), rejection="profit")
    buyer(run, 4, cost_lamports=30_000_000, rejection="min_cost")
    buyer(run, 5, flags=["creator"], rejection="flag_creator")
    buyer(
        run,
        6,
        rejection="result_unknown",
        profit_pct=None,
        realised_lamports=None,
        knowledge="unknown",
        unknown_reason="no_cost",
    )
    return run


def buyer(run: Run, wallet: int, **values: Any) -> None:
    usual = {"profit_pct": Decimal(100), "entry_seconds": 60, "entry_rank": wallet}
    row = PositionFactory(run=run, wallet=wallet, **{**usual, **values})
    if not row.rejection:
        RunWalletFactory(
            run=run,
            wallet=wallet,
            source_token=row.mint,
            profit_pct=row.profit_pct,
            cost_lamports=row.cost_lamports,
            entry_seconds=row.entry_seconds,
            flags=[],
        )


def test_the_saved_parameters_change_nothing(run: Run) -> None:
    found = changed()
    assert (found.qualified, found.qualified_after) == (2, 2)
    assert (found.entering.total, found.leaving.total) == (0, 0)
    assert "none of them would leave, and none would enter" in found.summary
    assert found.notes == []


@pytest.mark.parametrize(
    ("values", "entering", "leaving"),
    [
        ({"min_profit_pct": Decimal(40)}, {3}, set()),
        ({"min_profit_pct": Decimal(61)}, set(), {2}),
        ({"min_cost_sol": Decimal("0.03")}, {4}, set()),
        ({"min_cost_sol": Decimal(2)}, set(), {1, 2}),
        ({"excluded_flags": ("plumbing",)}, {5}, set()),
        ({"early_window_minutes": 14}, set(), {2}),
        ({"early_window_minutes": 120}, set(), set()),
        ({"max_early_buyers": 1}, set(), {2}),
        ({"max_early_buyers": 2_000}, set(), set()),
        ({"min_volume_usd": Decimal(60_001)}, set(), {1, 2}),
        ({"min_volume_usd": Decimal(60_000)}, set(), set()),
        ({"min_price_change_pct": Decimal(301)}, set(), {1, 2}),
        ({"min_liquidity_usd": Decimal(20_001)}, set(), {1, 2}),
        ({"max_token_age_hours": 9}, set(), {1, 2}),
        ({"max_token_age_hours": 11}, set(), set()),
    ],
)
def test_a_parameter_decides_who_enters_and_who_leaves(
    values: dict, entering: set[int], leaving: set[int], run: Run
) -> None:
    found = changed(**values)
    assert (wallets(found.entering), wallets(found.leaving)) == (entering, leaving)


def test_a_wallet_shows_both_decisions_with_their_figures(run: Run) -> None:
    (row,) = changed(min_profit_pct=Decimal(61)).leaving.wallets
    assert (row.was, row.now) == (
        "qualified",
        "profit 60.00 % is below the minimum of 61 %",
    )
    assert (row.run_id, row.symbol, row.profit_pct) == (run.pk, "PUMP", 60)
    (entering,) = changed(min_profit_pct=Decimal(40)).entering.wallets
    assert entering.was == "profit 40.00 % is below the minimum of 50 %"
    assert entering.now == "qualified"


def test_a_token_filter_names_the_token_as_the_reason(run: Run) -> None:
    row = changed(min_volume_usd=Decimal(70_000)).leaving.wallets[0]
    assert row.now == (
        "the token's volume of 60,000.00 USD is below the minimum of 70,000 USD"
    )


def test_an_unknown_result_never_enters(run: Run) -> None:
    found = changed(min_profit_pct=Decimal(0), min_cost_sol=Decimal(0))
    assert 6 not in wallets(found.entering)


def test_a_profit_that_rounds_to_the_minimum_stays_out(run: Run) -> None:
    buyer(run, 7, profit_pct=Decimal("50.00"), rejection="profit")  # was 49.996
    assert wallets(changed(min_cost_sol=Decimal("0.04")).entering) == set()


def test_a_wallet_that_qualifies_through_another_token_stays(run: Run) -> None:
    buyer(run, 2, mint=address(50), profit_pct=Decimal(90))
    assert wallets(changed(min_profit_pct=Decimal(61)).leaving) == set()


def test_requested_tokens_pass_whatever_the_filters_are() -> None:
    run = a_run(given_mints=[MINT])
    RunTokenFactory(run=run, volume_usd=Decimal(1))
    buyer(run, 1)
    assert changed(min_volume_usd=Decimal(70_000)).leaving.total == 0


def test_fewer_tokens_remove_the_least_promising(run: Run) -> None:
    RunTokenFactory(run=run, mint=address(50), rank=2)
    buyer(run, 8, mint=address(50))
    assert wallets(changed(max_tokens=1).leaving) == {8}


def test_a_figure_that_nobody_reported_counts_as_zero() -> None:
    run = a_run(min_liquidity_usd=Decimal(0))
    RunTokenFactory(run=run, liquidity_usd=None)
    buyer(run, 1)
    (row,) = changed().leaving.wallets
    assert "was not reported" in row.now


def test_what_a_looser_filter_would_let_in_is_said_to_be_unknown(run: Run) -> None:
    Run.objects.update(funnel={"token_volume": 12, "token_too_old": 1})
    notes = " ".join(
        changed(min_volume_usd=Decimal(100), max_token_age_hours=100).notes
    )
    assert "12 tokens below the minimum volume: the early buyers were not read" in notes
    assert "1 token older than the maximum age" in notes


def test_a_wider_window_is_said_to_be_unknown(run: Run) -> None:
    (note,) = changed(early_window_minutes=60).notes
    assert "read the first 30 min after a launch" in note


def test_a_rank_beyond_the_maximum_is_told(run: Run) -> None:
    (row,) = changed(max_early_buyers=1).leaving.wallets
    assert row.now == "number 2 of the early buyers, beyond the maximum of 1"


def test_more_early_buyers_than_a_run_read_are_said_to_be_unknown(run: Run) -> None:
    assert changed(max_early_buyers=400).notes == []
    Run.objects.update(funnel={"window_cut": 3})
    (note,) = changed(max_early_buyers=400).notes
    assert note == (
        "The runs read the first early buyers of 3 tokens that had more: who came after them, up to number 400, is not "
        "known."
    )


def test_flags_of_a_profile_are_said_to_decide_nothing(run: Run) -> None:
    flags = tuple(flag for flag in SAVED.excluded_flags if flag != "wash")
    (note,) = changed(excluded_flags=flags).notes
    assert note.endswith("they do not decide who qualifies: wash.")


def test_a_purchase_without_its_time_is_not_known_to_leave() -> None:
    run = a_run()
    RunTokenFactory(run=run)
    buyer(run, 1, entry_seconds=None)
    found = changed(early_window_minutes=5)
    assert (found.leaving.total, found.qualified_after) == (0, 0)
    assert "Not known for 1 wallet that qualified" in found.notes[0]


def test_a_run_is_compared_with_its_own_parameters() -> None:
    run = a_run(min_profit_pct=Decimal(20))
    RunTokenFactory(run=run)
    buyer(run, 1, profit_pct=Decimal(30))
    found = changed()
    assert wallets(found.leaving) == {1}
    assert "1 of 1 runs used other parameters" in found.notes[0]


def test_a_wallet_that_a_later_run_saw_again_still_leaves(run: Run) -> None:
    Position.objects.filter(wallet_address=address(2)).delete()
    assert wallets(changed(min_profit_pct=Decimal(61)).leaving) == {2}


def test_early_buyers_that_are_stored_for_a_later_run_are_counted(run: Run) -> None:
    Run.objects.update(funnel={"early_buyers": 9})
    (note,) = changed().notes
    assert note.startswith("6 of 9 early buyers are compared")


def test_only_the_last_runs_that_analysed_a_token_count(run: Run) -> None:
    later = a_run(started_at=NOW + timedelta(days=1))
    RunTokenFactory(run=later, mint=address(60))
    buyer(later, 9, mint=address(60))
    a_run(started_at=NOW + timedelta(days=2), status="failed")
    found = changed(runs=1, min_profit_pct=Decimal(500))
    assert (found.runs, found.since) == (1, later.started_at)
    assert wallets(found.leaving) == {9}


def test_without_a_run_nothing_is_compared() -> None:
    found = changed()
    assert (found.runs, found.since) == (0, None)
    assert found.summary.startswith("No run has ended yet")


def test_a_judged_wallet_has_its_verdict(run: Run) -> None:
    WalletFactory(number=2, verdict="avoid")
    WalletFactory(number=3, origin="control", verdict="neutral")
    (leaving,) = changed(min_profit_pct=Decimal(61)).leaving.wallets
    (entering,) = changed(min_profit_pct=Decimal(40)).entering.wallets
    assert (leaving.verdict, leaving.is_listed) == ("avoid", True)
    assert (entering.verdict, entering.is_listed) == ("neutral", False)


@pytest.fixture
def measure() -> Callable[..., None]:
    """`measure(2, 0.05)`: the outcome of wallet 2 seven days after its judgement."""

    def make(
        wallet: int, growth: float | None, *, hours: int = 168, days: int = 1
    ) -> None:
        snapshot = ScoreSnapshot.objects.create(
            wallet_address=address(wallet),
            at=NOW + timedelta(days=days),
            cause="first",
            arm="found",
            score_version=2,
            verdict="watch",
            tokens=9,
            effective_tokens=8,
        )
        Outcome.objects.create(
            snapshot=snapshot,
            horizon_hours=hours,
            due_at=NOW,
            measured_at=NOW,
            follower_growth=growth,
        )

    return make


def test_the_outcome_of_those_that_leave_is_the_mean_of_the_measured(
    run: Run, measure: Callable
) -> None:
    measure(1, 0.05)
    measure(1, 0.9, days=3)  # a later judgement
    measure(2, -0.11)
    measure(3, 0.9)  # does not leave
    found = changed(min_cost_sol=Decimal(2))
    assert found.leaving.outcome.measured == 2
    assert found.leaving.outcome.mean_growth_pct == pytest.approx(-3)
    assert (
        "Those that would leave earned a follower −3.0 % of the stake a trade in the 7 days after they were judged "
        "(mean of 2 of 2 wallets)."
    ) in found.summary


@pytest.mark.parametrize(
    "values",
    [{"growth": None}, {"growth": 0.1, "hours": 24}, {"growth": 0.1, "days": -9}],
)
def test_an_outcome_that_is_not_known_is_none(
    values: dict, run: Run, measure: Callable
) -> None:
    measure(2, **values)
    found = changed(min_profit_pct=Decimal(61))
    outcome = found.leaving.outcome
    assert (outcome.measured, outcome.mean_growth_pct) == (0, None)
    assert "How those did that would leave is not measured." in found.summary


def test_many_runs_and_buyers_cost_no_more_queries(run: Run) -> None:
    counts = []
    for count in (0, 30):
        for number in range(count):
            other = a_run()
            RunTokenFactory(run=other, mint=address(1000 + number))
            buyer(other, 20 + number, mint=address(1000 + number))
        with CaptureQueriesContext(connection) as queries:
            changed(runs=20, min_profit_pct=Decimal(110))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= MAX_QUERIES
