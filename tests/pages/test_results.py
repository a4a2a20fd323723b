"""Results on pages: known, partly known, unknown, moved out, in an open order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.factories import (
    BalanceChangeFactory,
    CycleFactory,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    TradeFactory,
    WalletFactory,
    address,
)
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db
UNKNOWN = {
    "knowledge": "unknown",
    "unknown_reason": "out_order_open",
    "profit_pct": None,
    "realised_lamports": None,
    "rejection": "result_unknown",
}


@pytest.fixture
def run_with_buyers() -> str:
    run = RunFactory()
    RunTokenFactory(run=run)
    PositionFactory(run=run, wallet=1)
    PositionFactory(run=run, wallet=2, **UNKNOWN)
    PositionFactory(
        run=run,
        wallet=3,
        rejection="profit",
        profit_pct=Decimal("-100"),
        has_moved_out=True,
        later_cycles=2,
    )
    PositionFactory(run=run, wallet=4, rejection="flag_creator")
    return str(run.pk)


def test_rejected_early_buyers_are_listed_with_their_reasons(
    run_with_buyers: str, viewer: Person
) -> None:
    words = text(viewer.part(f"runs/{run_with_buyers}/early-buyers"))
    assert "4, best profit of the first holding first" in words
    assert "result unknown units left: open order" in words
    assert "profit below the minimum moved out bought again 2 times" in words
    assert "flag creator" in words


@pytest.mark.parametrize(
    ("chosen", "wallets"),
    [("qualified", {1}), ("result_unknown", {2}), ("profit", {3}), ("min_cost", set())],
)
def test_early_buyers_are_filtered_by_the_reason(
    chosen: str, wallets: set[int], run_with_buyers: str, viewer: Person
) -> None:
    path = f"runs/{run_with_buyers}/early-buyers"
    page = viewer.part(path, rejection=chosen).content.decode()
    assert {n for n in range(1, 5) if f'title="{address(n)}"' in page} == wallets


def test_an_unknown_result_has_no_figure(run_with_buyers: str, viewer: Person) -> None:
    path = f"runs/{run_with_buyers}/early-buyers"
    words = text(viewer.part(path, rejection="result_unknown"))
    assert "−100" not in words
    assert "+0.0000" not in words


def test_a_wallet_of_a_run_says_how_much_of_its_result_is_known(
    viewer: Person,
) -> None:
    row = RunWalletFactory(run=RunFactory(), wallet=1)
    PositionFactory(
        run=row.run,
        wallet=1,
        mint=row.source_token,
        knowledge="partly",
        known_share=Decimal("0.9599"),
    )
    assert "95.9 % known" in text(viewer.page(f"runs/{row.run_id}/"))


def test_an_unknown_cycle_says_why_and_has_no_net(viewer: Person) -> None:
    WalletFactory(number=1)
    CycleFactory(
        wallet=1,
        result="unknown",
        net_lamports=None,
        knowledge="unknown",
        unknown_reason="in_held_before",
    )
    words = text(viewer.page(f"wallets/{address(1)}/"))
    assert (
        "unknown units without a cost: held before the first transaction – 1.0000"
        in words
    )


def test_the_coverage_page_opens_a_reason_to_its_transactions(viewer: Person) -> None:
    WalletFactory(number=1)
    TradeFactory(wallet=1, side="sell")
    moved = BalanceChangeFactory(wallet=1, slot=381_000_500, reason="liquidity")
    page = viewer.page(f"wallets/{address(1)}/coverage/").content.decode()
    path = f"wallets/{address(1)}/coverage/out_liquidity"
    assert f'hx-get="/admin/discovery/{path}"' in page
    fragment = viewer.part(path)
    assert "Liquidity of a pool 1 transaction, newest first" in text(fragment)
    assert moved.signature in fragment.content.decode()


@pytest.mark.parametrize("tail", ["coverage/", "coverage/out_sale"])
def test_the_coverage_of_a_wallet_off_the_watchlist_is_404(
    tail: str, viewer: Person
) -> None:
    assert viewer.page(f"wallets/{address(9)}/{tail}").status_code == 404
    assert viewer.page(f"wallets/nonsense/{tail}").status_code == 404


@pytest.mark.parametrize(
    ("chosen", "symbols"),
    [("", "KNOWN NAMELESS LATER"), ("true", "KNOWN"), ("false", "NAMELESS")],
)
def test_tokens_are_filtered_by_whether_their_creator_is_known(
    chosen: str, symbols: str, viewer: Person
) -> None:
    run = RunFactory()
    RunTokenFactory(run=run, symbol="KNOWN", mint=address(11), creator=address(12))
    RunTokenFactory(run=run, symbol="NAMELESS", mint=address(13))
    RunTokenFactory(run=run, symbol="LATER", mint=address(14), early_buyers=None)
    words = text(viewer.page(f"runs/{run.pk}/", creator_known=chosen))
    found = [name for name in ("KNOWN", "NAMELESS", "LATER") if f" {name} " in words]
    assert " ".join(found) == symbols
    assert ("not known" in words.split("Qualified")[-1]) == ("NAMELESS" in found)


def test_a_token_with_more_early_buyers_than_the_run_read_says_so(
    viewer: Person,
) -> None:
    run = RunFactory(early_window_minutes=30)
    launched_at = datetime(2026, 9, 1, 12, 15, tzinfo=UTC)
    RunTokenFactory(
        run=run,
        symbol="BUSY",
        launched_at=launched_at,
        early_buyers=150,
        window_read_until=launched_at + timedelta(minutes=16, seconds=5),
    )
    RunTokenFactory(run=run, symbol="CALM", mint=address(13), launched_at=launched_at)
    words = text(viewer.page(f"runs/{run.pk}/"))
    assert (
        "BUSY: the first 150 of more early buyers; the window was read until 12:31:05 of 12:45:00 UTC"
        in words
    )
    assert words.count("of more") == 2
    assert "CALM:" not in words


@pytest.mark.parametrize("clock", ["pair", "mint"])
def test_a_weak_clock_is_marked(clock: str, viewer: Person) -> None:
    run = RunFactory()
    RunTokenFactory(run=run, launch_clock=clock)
    assert f"{clock} weak" in text(viewer.page(f"runs/{run.pk}/"))
