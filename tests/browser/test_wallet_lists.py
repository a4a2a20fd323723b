"""An operator adds a list of wallets, in a real Chromium over the real stack."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from discovery.models import Wallet
from tests.browser.conftest import Visitor, wait_for_htmx
from tests.wallet_addresses import wallet_address as wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reset_configuration")]


def test_the_export_of_a_terminal_is_pasted_answered_and_listed(
    visit: Callable[..., Visitor],
) -> None:
    items = [
        {"trackedWalletAddress": wallet(1), "name": "first whale", "groups": ["sea"]},
        {"trackedWalletAddress": "rubbish", "name": "x"},
        {"trackedWalletAddress": wallet(2), "name": "second whale"},
    ]
    page = visit().open("wallets/")
    page.get_by_role("link", name="Add wallets").click()
    page.fill("#wallets", json.dumps(items))
    page.fill("#tags", "pasted")
    page.get_by_role("button", name="Add wallets").click()
    answers = page.locator("#result tbody tr")
    expect(answers).to_have_count(3)
    expect(answers.nth(0)).to_contain_text("added")
    expect(answers.nth(1)).to_contain_text("not a Solana address")
    # The simulated market does not know these wallets: their profiles end quickly.
    expect(page.locator("#addition-progress")).to_contain_text(
        "2 of 2 profiled", timeout=60_000
    )
    expect(page.locator("#addition-progress")).not_to_have_attribute("hx-get", r".+")
    page.get_by_role("link", name=wallet(1)).click()
    expect(page.locator(".wt-tag", has_text="sea")).to_be_visible()
    page.get_by_role("link", name="pasted").click()
    expect(page.get_by_text("first whale")).to_be_visible()
    expect(page.get_by_text("second whale")).to_be_visible()
    tagged = Wallet.objects.filter(tags__contains=["pasted"])
    assert {row.address for row in tagged} == {wallet(1), wallet(2)}


def test_a_wallet_is_tagged_pinned_and_blacklisted(
    visit: Callable[..., Visitor],
) -> None:
    first = Wallet.objects.listed().order_by("-address").first()
    assert first is not None
    page = visit().open(f"wallets/{first.address}/")
    page.get_by_label("New tag; commas separate several").fill("one, two")
    with page.expect_navigation():
        page.get_by_role("button", name="Add tag").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Remove tag one").click()
    expect(page.get_by_role("link", name="two", exact=True)).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Pin", exact=True).click()
    page.get_by_text("Blacklist", exact=True).click()
    page.get_by_label("Reason for the blacklist").fill("sells to itself")
    with page.expect_navigation():
        page.get_by_role("button", name="Blacklist: runs ignore it").click()
    first.refresh_from_db()
    assert (first.tags, first.is_pinned) == (["two"], True)
    assert (first.status, first.blacklist_reason) == ("blacklisted", "sells to itself")
    with page.expect_navigation():
        page.get_by_role("button", name="Take off the blacklist").click()
    page.get_by_role("link", name="two", exact=True).click()
    expect(page.get_by_role("img", name="Pinned")).to_be_visible()
    with page.expect_navigation():
        page.locator("tbody tr .wt-address a").first.click()
    with page.expect_navigation():
        page.get_by_role("button", name="Unpin").click()
    first.refresh_from_db()
    assert not first.is_pinned


@pytest.mark.parametrize("width", [1280, 390])
def test_a_list_with_long_labels_fits_the_page(
    width: int, visit: Callable[..., Visitor]
) -> None:
    page = visit(width=width).open("wallets/add/")
    page.fill("#wallets", f"{'x' * 300}\n{wallet(3)},{'y' * 200}")
    page.get_by_role("button", name="Add wallets").click()
    expect(page.locator("#result tbody tr")).to_have_count(2)
    wait_for_htmx(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.getElementById('main')?.scrollWidth ?? 0") <= width
