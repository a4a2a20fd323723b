"""The expected cost follows what is typed, and the providers are checked by a button, in a
real Chromium over the real stack.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, wait_for_htmx

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reset_configuration")]


def test_the_expected_cost_follows_what_is_typed(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    plan = page.locator("#plan")
    expect(plan).to_contain_text("A month")
    expect(plan).to_contain_text("Last runs")
    page.fill("#id_max_tokens", "1")
    expect(plan).to_contain_text(re.compile(r"· 1 token,"))
    page.fill("#id_max_tokens", "")
    expect(plan).to_be_empty()
    page.fill("#id_max_tokens", "1")
    page.uncheck("#id_profile_immediately")
    expect(plan).to_contain_text(re.compile(r"0 wallets and\s+0 control wallets"))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_providers_are_checked_by_a_button(
    width: int, visit: Callable[..., Visitor]
) -> None:
    page = visit(width=width).open("providers/")
    page.click("#check-now")
    expect(page.locator("#provider-check")).to_contain_text("Runs can work.")
    expect(page.locator("#check-now")).to_be_enabled()
    wait_for_htmx(page)
    is_too_wide = "document.documentElement.scrollWidth > window.innerWidth"
    assert not page.evaluate(is_too_wide)
