"""Pumps now: the last list at once, a worker asked where it is old or outdated."""

from datetime import timedelta

import pytest
from django.utils import timezone

from discovery.models import Config, Pumps
from tests.factories import MINT
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db


def test_pumps_are_asked_for_and_shown_with_their_age(
    viewer: Person, config: Config
) -> None:
    token = {
        "mint": MINT,
        "symbol": "<b>P\u202e",
        "volume_24h_usd": "61000.5",
        "price_change_24h_pct": "140.2",
    }
    now = timezone.now()
    Config.objects.update(updated_at=now - timedelta(days=1))
    Pumps.objects.create(pk=1, refreshed_at=now, asked_at=now, tokens=[token])
    page = viewer.part("pumps").content.decode()
    assert "less than a minute old" in page
    assert "61.00k" in page
    assert "&lt;b&gt;P" in page
    assert "\u202e" not in page


def test_old_pumps_are_shown_while_a_worker_looks(viewer: Person) -> None:
    at = timezone.now() - timedelta(minutes=5)
    Pumps.objects.create(
        pk=1, refreshed_at=at, asked_at=at, tokens=[{"mint": MINT, "symbol": "OLD"}]
    )
    words = text(viewer.part("pumps"))
    assert "Refreshing …" in words
    assert "OLD" in words


def test_pumps_by_other_parameters_are_asked_for_at_once(viewer: Person) -> None:
    at = timezone.now() - timedelta(seconds=20)
    Pumps.objects.create(
        pk=1, refreshed_at=at, asked_at=at, tokens=[{"mint": MINT, "symbol": "OLD"}]
    )
    Config.objects.update(updated_at=timezone.now())
    words = text(viewer.part("pumps"))
    assert "the parameters have changed since" in words
    assert "Refreshing …" in words


def test_a_provider_that_is_down_leaves_the_last_list_and_says_why(
    viewer: Person,
) -> None:
    now = timezone.now()
    Pumps.objects.create(
        pk=1,
        refreshed_at=now,
        asked_at=now,
        tokens=[{"mint": MINT, "symbol": "OLD"}],
        problem="GeckoTerminal is down",
    )
    words = text(viewer.part("pumps"))
    assert "GeckoTerminal is down" in words
    assert "OLD" in words


@pytest.mark.django_db(transaction=True)
def test_a_refresh_that_no_worker_was_sent_says_that_it_waits(
    viewer: Person, monkeypatch
) -> None:
    monkeypatch.setattr("discovery.jobs.broker.send", lambda *_: False)
    assert "The refresh waits for a worker" in text(viewer.part("pumps"))
