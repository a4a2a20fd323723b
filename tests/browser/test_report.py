"""The report "Does it pay?" in a real Chromium over the real stack."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from discovery.models import Outcome, OutcomeToken, ScoreSnapshot
from tests.browser.conftest import Visitor, wait_for_htmx
from tests.forward_rows import create_record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reset_configuration")]
HORIZON_HOURS = 14 * 24
_NO_SIDEWAYS_SCROLL = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture
def record() -> Iterator[None]:
    """Outcomes of two weeks; the stack sees them, so that they are deleted."""
    before = set(ScoreSnapshot.objects.values_list("pk", flat=True))
    create_record(wallets=12, tokens=30, horizon_hours=HORIZON_HOURS)
    yield
    added = ScoreSnapshot.objects.exclude(pk__in=before)
    OutcomeToken.objects.filter(outcome__snapshot__in=added).delete()
    Outcome.objects.filter(snapshot__in=added).delete()


def drawn_charts(page: Page) -> int:
    """Return the number of charts that are drawn."""
    return int(
        page.evaluate(
            "[...document.querySelectorAll('canvas[data-chart]')].filter((each) => Chart.getChart(each)).length"
        )
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_another_horizon_shows_its_sentence_and_its_charts(
    width: int, visit: Callable[..., Visitor], record: None
) -> None:
    page = visit(width=width).open("report/")
    expect(page.locator("#sentence")).to_contain_text("Not known yet")
    page.get_by_role("link", name="14 days").click()
    expect(page.locator("#sentence")).to_contain_text("earned +")
    assert drawn_charts(page) == 2
    assert page.evaluate(_NO_SIDEWAYS_SCROLL)


def test_the_first_page_leads_to_the_report(visit: Callable[..., Visitor]) -> None:
    page = visit().open()
    wait_for_htmx(page)
    sentence = page.locator("#report-sentence")
    expect(sentence).to_contain_text("Not known yet whether following these wallets")
    sentence.get_by_role("link", name="Does it pay?").click()
    expect(page.get_by_role("heading", name="What is missing")).to_be_visible()
