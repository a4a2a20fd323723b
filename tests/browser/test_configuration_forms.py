"""An operator changes schedule and parameters, in a real Chromium over the real stack."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from discovery.models import Config, Run
from tests.browser.conftest import Visitor, wait_for_htmx

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reset_configuration")]


def test_another_frequency_moves_the_next_run_at_once(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.select_option("#schedule-hours", "12")
    expect(page.locator("#scheduler").get_by_text("Saved.")).to_be_visible()
    expect(page.locator("#schedule-facts")).to_contain_text(re.compile(r"in 1[12] h"))
    page.reload()
    expect(page.locator("#schedule-hours")).to_have_value("12")


def test_the_switch_turns_the_schedule_off_and_on(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.get_by_role("switch").click()
    expect(page.locator("#scheduler")).to_contain_text(
        "none: switched off in the configuration"
    )
    page.get_by_role("switch").click()
    expect(page.locator("#scheduler .wt-head")).to_contain_text("on")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("min_price_change_pct", "1000", "1,000 is not between 0 and 999.99 %"),
        ("min_volume_usd", "-5", "-5 is not between"),
        ("min_liquidity_usd", "-5", "-5 is not between"),
        ("max_token_age_hours", "200", "200 is not between 1 and 168 h"),
        ("max_tokens", "0", "0 is not between 1 and 100 tokens"),
        ("early_window_minutes", "1", "1 is not between 5 and 120 min"),
        ("min_profit_pct", "501", "501 is not between 0 and 500 %"),
        ("max_requests_per_run", "5", "5 is not between 100 and 10,000,000 calls"),
    ],
)
def test_an_invalid_parameter_shows_its_error_beside_the_field(
    field: str, value: str, words: str, visit: Callable[..., Visitor]
) -> None:
    page = visit().open()
    page.fill(f"#id_{field}", value)
    expect(page.locator(f"[data-field={field}]")).to_have_class(
        re.compile("wt-changed")
    )
    page.get_by_role("button", name="Save").click()
    expect(page.locator(f"[data-field={field}] .wt-problem")).to_contain_text(words)
    expect(page.locator(f"#id_{field}")).to_have_value(value)


def test_a_parameter_is_saved_and_still_there_after_a_reload(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.fill("#id_max_tokens", "7")
    expect(page.locator("#differs")).to_contain_text("Not saved: maximum tokens")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved; used from the next run.")).to_be_visible()
    page.reload()
    expect(page.locator("#id_max_tokens")).to_have_value("7")


def test_enter_in_a_field_saves_and_starts_no_run(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.fill("#id_max_tokens", "6")
    page.press("#id_max_tokens", "Enter")
    expect(page.get_by_text("Saved; used from the next run.")).to_be_visible()
    assert not Run.objects.filter(status__in=("queued", "running")).exists()
    assert page.evaluate("document.activeElement.id") == "id_max_tokens"


def test_the_focus_stays_when_a_section_is_swapped(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    for name, press in (
        ("schedule-enabled", "Space"),
        ("save-params", "Enter"),
        ("refresh-pumps", "Enter"),
    ):
        page.focus(f"#{name}")
        page.keyboard.press(press)
        page.wait_for_timeout(400)
        wait_for_htmx(page)
        assert page.evaluate("document.activeElement.id") == name


def test_a_switch_pressed_twice_shows_what_is_saved(
    visit: Callable[..., Visitor],
) -> None:
    page = visit().open()
    page.get_by_role("switch").dblclick()
    expect(page.locator("#scheduler").get_by_text("Saved.")).to_be_visible()
    wait_for_htmx(page)
    assert page.get_by_role("switch").is_checked() is Config.objects.get().enabled


def test_two_operators_at_once_lose_nothing(visit: Callable[..., Visitor]) -> None:
    one, other = visit().open(), visit().open()
    one.fill("#id_max_tokens", "8")
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_text("Saved; used from the next run.")).to_be_visible()
    other.fill("#id_max_tokens", "9")
    other.get_by_role("button", name="Save").click()
    expect(other.locator("#params")).to_contain_text("max tokens 9 instead of 8")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Saved; used from the next run.")).to_be_visible()
    assert Config.objects.get().max_tokens == 9


def test_unsaved_flags_are_marked(visit: Callable[..., Visitor]) -> None:
    page = visit().open()
    page.get_by_role("checkbox", name="sniper").check()
    expect(page.locator("#differs")).to_contain_text("Not saved: flags that exclude")
    expect(page.locator("fieldset.wt-changed")).to_be_visible()
    page.get_by_role("checkbox", name="sniper").uncheck()
    expect(page.locator("fieldset.wt-changed")).to_have_count(0)
