"""The score history of a wallet in a real Chromium over the real stack."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from discovery.models import ScoreSnapshot, Wallet
from tests.browser.conftest import Visitor, wait_for_htmx

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("width", [1280, 390])
def test_a_changed_verdict_stands_in_the_score_history_with_its_charts(
    width: int, visit: Callable[..., Visitor]
) -> None:
    wallet = Wallet.objects.listed().filter(verdict="follow").first()
    assert wallet is not None
    last = ScoreSnapshot.objects.filter(wallet_address=wallet.pk).latest("at")
    last.pk = None
    last._state.adding = True
    last.at = timezone.now() + timedelta(minutes=width)
    last.verdict, last.cause, last.score = "watch", "verdict", Decimal("0.71")
    last.save()

    page = visit(width=width).open(f"wallets/{wallet.pk}/")
    wait_for_htmx(page)
    history = page.locator("#scores")
    expect(history.get_by_role("heading", name="Score history")).to_be_visible()
    newest = history.locator("tbody tr").first
    expect(newest).to_contain_text("watch")
    expect(newest).to_contain_text("71")
    charts = page.evaluate(
        "[...document.querySelectorAll('#scores canvas')].filter((each) => Chart.getChart(each)).length"
    )
    assert charts == 2
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
