"""Why a wallet was rejected, and what other parameters would change, in a real Chromium
over the real stack.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from discovery.models import Config, Position, Wallet
from tests.browser.conftest import Stack, Visitor, wait_for_htmx

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reset_configuration")]


def test_a_reason_of_the_funnel_leads_to_a_wallet_and_why_it_was_rejected(
    visit: Callable[..., Visitor], stack: Stack
) -> None:
    page = visit().open(f"runs/{stack.run_id}/")
    page.get_by_role("button", name="rejected profit").click()
    list_of_buyers = page.locator("#early-buyers")
    expect(list_of_buyers.locator("select[name=rejection]")).to_have_value("profit")
    expect(list_of_buyers).to_be_in_viewport()
    address = _rejected_wallet(stack.run_id)
    list_of_buyers.locator(f'a[title="{address}"]').first.click()
    page.wait_for_url(f"**/why/?address={address}")
    expect(page.get_by_role("heading", name="Rejected")).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text(
        re.compile(r"profit −?[\d,.]+ % is below the minimum of 50 %")
    )


def _rejected_wallet(run_id: str) -> str:
    """Return the wallet off the watchlist that came closest to the minimum profit."""
    rejected = Position.objects.filter(run_id=run_id, rejection="profit")
    unlisted = rejected.exclude(wallet_address__in=Wallet.objects.values("address"))
    closest = unlisted.order_by("-profit_pct", "wallet_address").first()
    assert closest is not None
    return closest.wallet_address


def test_the_search_box_answers_for_an_address_that_nobody_saw(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.get_by_role("link", name="Why?").click()
    box = page.get_by_role("searchbox", name="Address of a wallet or a token")
    box.fill("11111111111111111111111111111112")
    box.press("Enter")
    expect(page.get_by_role("heading", name="Never seen")).to_be_visible()


def test_values_on_the_form_show_who_would_leave_and_save_nothing(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.fill("#id_min_profit_pct", "500")
    page.get_by_role("button", name="Show what would change").click()
    answer = page.locator("#what-if")
    expect(answer.get_by_role("heading", name="Would leave")).to_be_visible()
    expect(answer.locator("tbody tr").first).to_contain_text(
        "below the minimum of 500 %"
    )
    wait_for_htmx(page)
    expect(page.locator("#id_min_profit_pct")).to_have_value("500")
    expect(page.locator("#differs")).to_contain_text("Not saved: minimum profit")
    assert Config.objects.get().min_profit_pct == 50


def test_values_on_the_form_show_who_would_enter(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.fill("#id_min_profit_pct", "0")
    page.fill("#id_min_cost_sol", "0")
    page.get_by_role("button", name="Show what would change").click()
    answer = page.locator("#what-if")
    expect(answer.get_by_role("heading", name="Would enter")).to_be_visible()
    expect(answer).to_contain_text("Nothing was saved")
