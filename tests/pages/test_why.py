"""The page that says why an address is on the watchlist or not, and the ways to it."""

from decimal import Decimal

import pytest

from discovery.models import Run, RunControl
from tests.factories import (
    LAMPORTS_PER_SOL,
    MINT,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    WalletFactory,
    address,
)
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(config: object) -> Run:
    run = RunFactory(
        funnel={"candidates": 9, "token_volume": 4, "early_buyers": 4, "rejected_profit": 3, "qualified": 1}
    )  # fmt: skip
    RunTokenFactory(
        run=run,
        symbol="PUMP",
        early_buyers=4,
        funnel={"early_buyers": 4, "rejected_profit": 3, "qualified": 1},
    )
    PositionFactory(run=run, wallet=1)
    for wallet in (2, 3):
        PositionFactory(
            run=run, wallet=wallet, rejection="profit", profit_pct=Decimal(20)
        )
    return run


def test_the_page_offers_a_search_without_an_address(viewer: Person) -> None:
    assert 'name="address"' in viewer.page("why/").content.decode()


def test_a_rejected_wallet_shows_figure_and_thresholds(
    run: Run, viewer: Person
) -> None:
    page = viewer.page("why/", address=f" {address(2)} ")
    words = text(page)
    assert "Rejected" in words
    assert "profit 20.00 % is below the minimum of 50 %" in words
    assert f'href="/admin/discovery/runs/{run.pk}/"' in page.content.decode()


def test_a_wallet_of_the_watchlist_links_to_its_page(viewer: Person) -> None:
    WalletFactory(number=1, origin="manual")
    page = viewer.page("why/", address=address(1))
    assert f'href="/admin/discovery/wallets/{address(1)}/"' in page.content.decode()
    assert "added by hand; runs that found it: 2" in text(page)


def test_a_control_wallet_names_its_run(run: Run, viewer: Person) -> None:
    WalletFactory(number=2, origin="control")
    RunControl.objects.create(
        run=run,
        wallet_address=address(2),
        mint=MINT,
        matched_wallet=address(1),
        entry_rank=3,
        cost_lamports=LAMPORTS_PER_SOL,
    )
    words = text(viewer.page("why/", address=address(2)))
    assert "Control wallet of the run of" in words
    assert "PUMP, matched to" in words


def test_a_token_links_to_the_runs_that_analysed_it(run: Run, viewer: Person) -> None:
    page = viewer.page("why/", address=MINT)
    assert "A token" in text(page)
    assert f'href="/admin/discovery/runs/{run.pk}/#tokens"' in page.content.decode()


def test_an_address_that_nobody_saw_is_said_to_be_never_seen(viewer: Person) -> None:
    assert "Never seen" in text(viewer.page("why/", address=address(99)))


def test_what_is_no_address_is_quoted_without_harm(viewer: Person) -> None:
    page = viewer.page("why/", address="<b>bold</b>").content.decode()
    assert "“&lt;b&gt;bold&lt;/b&gt;” is not a Solana address." in page


def test_the_sidebar_leads_to_the_page(viewer: Person) -> None:
    assert 'href="/admin/discovery/why/"' in viewer.page().content.decode()


def test_the_watchlist_asks_why_for_an_address_that_is_not_on_it(
    viewer: Person,
) -> None:
    page = viewer.page("wallets/", search=address(2)).content.decode()
    assert f'href="/admin/discovery/why/?address={address(2)}"' in page


def test_the_watchlist_has_no_such_link_for_a_label(viewer: Person) -> None:
    page = viewer.page("wallets/", search="whale").content.decode()
    assert "/why/?address" not in page


def test_a_reason_of_the_funnel_opens_its_early_buyers(
    run: Run, viewer: Person
) -> None:
    page = viewer.page(f"runs/{run.pk}/").content.decode()
    path = f"/admin/discovery/runs/{run.pk}/early-buyers"
    for reason in ("profit", "qualified", ""):
        assert f'hx-get="{path}?rejection={reason}"' in page
    assert "rejection=token_volume" not in page
    assert "rejection=volume" not in page


def test_a_list_of_rejected_wallets_links_each_to_its_reasons(
    run: Run, viewer: Person
) -> None:
    path = f"runs/{run.pk}/early-buyers"
    page = viewer.part(path, rejection="profit").content.decode()
    assert f'href="/admin/discovery/why/?address={address(2)}"' in page


def test_a_list_says_how_many_a_later_run_has_seen_again(
    run: Run, viewer: Person
) -> None:
    path = f"runs/{run.pk}/early-buyers"
    words = text(viewer.part(path, rejection="profit"))
    assert "2 of 3 are stored for this run: a later run has seen 1 again" in words
    assert "3 of 4 are stored" in text(viewer.part(path))
    assert "are stored for this run" not in text(
        viewer.part(path, rejection="qualified")
    )


def test_a_token_opens_its_own_early_buyers(run: Run, viewer: Person) -> None:
    RunTokenFactory(run=run, mint=address(50), symbol="OTHER", early_buyers=1)
    PositionFactory(run=run, wallet=9, mint=address(50), rejection="profit")
    path = f"runs/{run.pk}/early-buyers"
    assert f"{path}?mint={MINT}" in viewer.page(f"runs/{run.pk}/").content.decode()
    page = viewer.part(path, mint=MINT, rejection="profit")
    assert "Of the token PUMP alone" in text(page)
    assert "2 of 3 are stored" in text(page)
    assert address(9) not in page.content.decode()
