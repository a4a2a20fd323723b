"""An operator at the Discovery tab, in a real Chromium over the real stack."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from discovery.models import Config, Pumps, Wallet
from tests.browser.conftest import Stack, Visitor, log_in, wait_for_htmx

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reset_configuration")]

WIDTHS_AND_THEMES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


def section(page: Page, title: str) -> str:
    return page.locator(
        ".wt-card", has=page.get_by_role("heading", name=title, exact=True)
    ).first.inner_text()


def test_the_login_leads_to_the_discovery_tab(visit: Callable[..., Visitor]) -> None:
    visitor = visit(None)
    log_in(visitor, "ana")
    expect(visitor.page).to_have_title("Discovery | WallTrack")


def test_every_section_is_visible(visit: Callable[..., Visitor]) -> None:
    page = visit().open()
    for title in (
        "Scheduler",
        "Run",
        "Parameters",
        "Pumps now",
        "Statistics",
        "Wallets found",
        "Runs",
        "History",
    ):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    assert "completed" in section(page, "History")
    assert page.evaluate(
        "[...document.querySelectorAll('canvas')].every((each) => Chart.getChart(each))"
    )
    expect(page.get_by_text("Simulated market.")).to_be_visible()


def test_the_error_of_an_action_stays_while_the_page_polls(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit()
    page = visitor.open()
    page.route("**/params", lambda route: route.abort())
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#trouble")).to_contain_text("may not have been completed")
    with page.expect_response("**/live*"):
        pass
    expect(page.locator("#trouble")).to_contain_text("may not have been completed")
    visitor.complaints.clear()  # the aborted request


def test_a_run_is_watched_from_the_button_to_its_wallets_and_their_transactions(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.fill("#id_max_tokens", "2")
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("#params")).to_contain_text(
        "Started with max tokens 2 instead of 20"
    )
    expect(page.locator("#live")).to_contain_text("Active run")
    page.reload()  # the state of the run is on the server
    expect(page.locator("#live")).to_contain_text("no active run", timeout=60_000)
    expect(page.locator("#overview tbody tr").first).to_contain_text("ana")
    page.locator("#overview tbody tr").first.get_by_role("button").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name="Open the run").click()
    for title in (
        "Timeline",
        "Candidate funnel",
        "Wallets",
        "Tokens",
        "Provider usage",
        "Parameters",
    ):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.locator("#wallets tbody tr").first.locator(
        "a.wt-strong"
    ).click()  # the token: the trades behind the profit
    expect(page.locator("#trades tbody tr").first).to_be_visible()
    link = page.locator("#trades tbody tr").first.locator("a.wt-out")
    assert re.fullmatch(
        r"https://solscan\.io/tx/\w{80,90}", link.get_attribute("href") or ""
    )


def test_a_cancelled_run_ends_within_seconds(visit: Callable[..., Visitor]) -> None:
    page = visit().open()
    page.get_by_role("button", name="Run now").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#live").get_by_role("button", name="Cancel").click()
    expect(page.locator("#live")).to_contain_text("no active run", timeout=15_000)
    expect(page.locator("#overview tbody tr").first).to_contain_text("cancelled")


def test_the_history_is_filtered(visit: Callable[..., Visitor]) -> None:
    page = visit().open()
    expect(page.locator("#overview tbody tr").first).to_be_visible()
    page.locator("#history-status").select_option("failed")
    expect(page.locator("#overview")).to_contain_text(
        "No run in this range with these filters"
    )
    wait_for_htmx(page)
    page.locator("#history-status").select_option("completed")
    expect(page.locator("#overview tbody tr").first).to_be_visible()
    wait_for_htmx(page)
    page.locator("#range-form select[name=range]").select_option("days")
    expect(page.locator("#range-form input[name=since]")).to_be_visible()
    wait_for_htmx(page)
    page.fill("#range-form input[name=since]", "2020-01-01")
    page.locator("#range-form input[name=since]").blur()
    wait_for_htmx(page)
    page.fill("#range-form input[name=until]", "2020-01-02")
    page.locator("#range-form input[name=until]").blur()
    expect(page.locator("#overview")).to_contain_text("No run in this range")


def test_wallets_are_filtered_and_exported(
    visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = visit().open("wallets/")
    page.fill("input[name=min_score]", "1")
    page.get_by_role("button", name="Filter").click()
    row_count = page.locator("tbody tr").count()
    assert 0 < row_count <= 25
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV", exact=True).click()
    download.value.save_as(tmp_path / "wallets.csv")
    rows = list(csv.DictReader((tmp_path / "wallets.csv").read_text().splitlines()))
    scored = Wallet.objects.listed().filter(score__gte="0.01")
    assert len(rows) == scored.count() >= row_count


def test_a_wallet_is_labelled_and_the_change_is_kept(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open("wallets/")
    page.locator("tbody tr .wt-address a").first.click()
    page.fill("#label", "the quick one")
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Changes")).to_be_visible()
    assert "label: the quick one" in page.inner_text("body")


def test_pumps_show_the_last_list_while_a_provider_is_down(
    visit: Callable[..., Visitor], stack: Stack
) -> None:
    page = visit().open()
    Pumps.objects.update(asked_at=None, refreshed_at=None)  # so that the list is old
    stack.market.fault("geckoterminal", "503", count=10**6)
    try:
        page.get_by_role("button", name="View pumps").click()
        expect(page.locator("#pumps tbody tr").first).to_be_visible(timeout=90_000)
        expect(page.locator("#pumps")).to_contain_text(
            "The last refresh was incomplete", timeout=90_000
        )
    finally:
        stack.market.clear_faults()


def test_a_viewer_sees_everything_and_can_change_nothing(
    visit: Callable[..., Visitor], stack: Stack
) -> None:
    page = visit("vic").open()
    expect(page.get_by_text("You have read-only access")).to_be_visible()
    assert page.get_by_role("button", name="Run now").count() == 0
    expect(page.get_by_role("switch")).to_be_disabled()
    token = page.evaluate(
        "JSON.parse(document.querySelector('.wt').getAttribute('hx-headers'))['X-CSRFToken']"
    )
    wallet = Wallet.objects.listed().first()
    assert wallet is not None
    actions = [
        "run",
        "params",
        "schedule",
        f"runs/{stack.run_id}/cancel",
        f"runs/{stack.run_id}/retry",
    ]
    for path in (
        *actions,
        f"wallets/{wallet.address}/change",
        f"wallets/{wallet.address}/profile",
    ):
        headers = {"X-CSRFToken": token, "HX-Request": "true", "Referer": stack.url}
        assert (
            page.request.post(
                f"{stack.url}/admin/discovery/{path}", headers=headers
            ).status
            == 403
        ), path


def test_an_address_is_copied(visit: Callable[..., Visitor]) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"]).open("wallets/")
    button = page.locator(".wt-copy").first
    button.click()
    assert page.evaluate("navigator.clipboard.readText()") == button.get_attribute(
        "data-copy"
    )


def test_the_page_shows_that_the_server_does_not_respond(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit()
    page = visitor.open()
    page.route("**/live*", lambda route: route.abort())
    expect(page.locator("#trouble")).to_contain_text(
        "The server does not respond", timeout=15_000
    )
    page.unroute("**/live*")
    expect(page.locator("#trouble")).to_be_hidden(timeout=15_000)
    visitor.complaints.clear()  # the aborted requests


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["storage/", "run/", "trade/", "config/1/history/"])
def test_every_table_of_the_admin_fits_its_screen(
    path: str, width: int, visit: Callable[..., Visitor]
) -> None:
    config = Config.objects.get()
    config.excluded_flags = (
        ["wash"]
        if len(config.excluded_flags) > 1
        else ["plumbing", "creator", "bundle", "wash"]
    )
    config.save()  # one more version, with long values
    page = visit(width=width).open(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.getElementById('main')?.scrollWidth ?? 0") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_a_note_with_long_words_fits_the_page(
    width: int, visit: Callable[..., Visitor]
) -> None:
    wallet = Wallet.objects.listed().order_by("address").first()
    assert wallet is not None
    page = visit(width=width).open(f"wallets/{wallet.address}/")
    page.fill("#label", f"dev of {wallet.address}")
    page.fill("#note", f"https://solscan.io/tx/{wallet.address * 3} {width}")
    with page.expect_navigation():
        page.locator("section", has=page.locator("#note")).get_by_role(
            "button", name="Save"
        ).click()
    expect(page.get_by_role("heading", name="Changes")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.getElementById('main')?.scrollWidth ?? 0") <= width


@pytest.mark.parametrize(("width", "theme"), WIDTHS_AND_THEMES)
@pytest.mark.parametrize("path", ["", "wallets/", "runs/{run}/", "wallets/{wallet}/"])
def test_every_page_fits_its_screen(
    path: str, width: int, theme: str, visit: Callable[..., Visitor], stack: Stack
) -> None:
    wallet = (
        Wallet.objects.listed()
        .filter(score__isnull=False)
        .order_by("-score", "address")
        .first()
    )
    assert wallet is not None
    page = visit(width=width, theme=theme).open(
        path.format(run=stack.run_id, wallet=wallet.address)
    )
    page.wait_for_load_state("networkidle") if path else page.locator(
        "#overview tbody"
    ).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.classList.contains('dark')") is (
        theme == "dark"
    )
