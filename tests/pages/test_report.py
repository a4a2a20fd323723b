"""The page "Does it pay?" and its sentence on the first page."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from discovery.models import Config
from discovery.reads import report_sentence
from tests.factories import OutcomeFactory, PositionFactory, RunFactory, address
from tests.forward_rows import create_record
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db
SENTENCE = "Following these wallets with 0.5 SOL"


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.delete(report_sentence._key())
    yield
    cache.delete(report_sentence._key())


@pytest.fixture
def record(db: None) -> None:
    """Enough trades for a figure of each part of the report."""
    create_record(wallets=12, tokens=30)


def test_a_report_without_a_trade_says_what_is_missing_and_shows_no_zero_percent(
    viewer: Person,
) -> None:
    words = text(viewer.page("report/"))
    assert "Not known yet whether following these wallets" in words
    assert (
        "not known yet: 10 more control wallets, 10 more tokens and 30 more trades"
        in words
    )
    assert "+0.0" not in words
    assert "No outcome planned yet" in words


def test_a_report_of_a_record_says_sentence_groups_and_lift(
    viewer: Person, record: None
) -> None:
    words = text(viewer.page("report/"))
    assert SENTENCE in words
    assert "360 12 30" in words  # trades, wallets, tokens of each group
    assert "What may be claimed followed wallets bring more" in words
    assert "360 right behind the wallet" in words


def test_the_horizon_is_that_of_the_link(viewer: Person, record: None) -> None:
    words = text(viewer.page("report/", days=1))
    assert "Not known yet" in words
    assert 'aria-current="page">1 day<' in " ".join(
        viewer.page("report/", days=1).content.decode().split()
    )


def test_another_horizon_is_the_usual_one(viewer: Person, record: None) -> None:
    assert SENTENCE in text(viewer.page("report/", days="nonsense"))


def test_the_charts_leave_gaps_where_nothing_is_known(
    viewer: Person, record: None
) -> None:
    page = viewer.page("report/").context["charts"]
    assert page["regimes"] is None
    assert len(page["calibration"]["labels"]) == 5
    assert [series["name"] for series in page["weeks"]["series"]] == [
        "followed wallets",
        "control wallets",
    ]


def test_days_are_in_thirds_with_their_early_buyers(
    viewer: Person, record: None
) -> None:
    for day in range(20):
        PositionFactory(
            wallet=day,
            mint=address(5000 + day),
            profit_pct=day * 10 - 90,
            first_buy_at=timezone.now().replace(year=2026, month=11, day=4)
            + timedelta(days=day),
        )
    words = text(viewer.page("report/"))
    assert "worst third of the days" in words
    assert "Days by the growth of their median early buyer" in words


def test_without_control_wallets_the_page_says_that_nothing_can_be_proved(
    viewer: Person,
) -> None:
    assert "nothing new can be proved" not in text(viewer.page("report/"))
    Config.objects.update(control_wallets=0)
    assert "nothing new can be proved" in text(viewer.page("report/"))


def test_outcomes_that_are_due_are_told(viewer: Person) -> None:
    OutcomeFactory(measured_at=None)
    words = text(viewer.page("report/"))
    assert "0 of 1 planned" in words
    assert "Still to come 1 1 of them is due" in words


def test_the_luck_of_the_last_run_is_linked(viewer: Person) -> None:
    run = RunFactory(prior={"luck_share": 0.4, "follow_luck": 0.05})
    page = viewer.page("report/")
    assert "40 % of the wallets that seemed to gain" in text(page)
    assert f"/admin/discovery/runs/{run.pk}/" in page.content.decode()


def test_the_navigation_leads_to_the_report(viewer: Person) -> None:
    assert 'href="/admin/discovery/report/"' in viewer.page().content.decode()


# --- The sentence on the first page ---------------------------------------------------


def test_the_first_page_loads_a_sentence_that_must_be_computed(
    viewer: Person, record: None
) -> None:
    page = viewer.page()
    assert SENTENCE not in text(page)
    assert 'hx-get="/admin/discovery/report/sentence"' in page.content.decode()
    assert SENTENCE in text(viewer.part("report/sentence"))


def test_the_first_page_has_the_sentence_once_it_is_computed(
    viewer: Person, record: None
) -> None:
    viewer.part("report/sentence")
    page = viewer.page()
    assert SENTENCE in text(page)
    assert "report/sentence" not in page.content.decode()


def test_the_sentence_is_computed_once_in_ten_minutes(viewer: Person) -> None:
    before = text(viewer.part("report/sentence"))
    create_record(wallets=12, tokens=30)
    assert text(viewer.part("report/sentence")) == before
    cache.delete(report_sentence._key())
    assert SENTENCE in text(viewer.part("report/sentence"))


def test_a_sentence_for_another_stake_is_computed_anew(
    viewer: Person, record: None, settings
) -> None:
    viewer.part("report/sentence")
    settings.FOLLOW = settings.FOLLOW._replace(stake_lamports=2 * 10**9)
    assert "with 2 SOL" in text(viewer.part("report/sentence"))


def test_without_the_cache_the_sentence_is_computed(
    viewer: Person, record: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreachable:
        def get(self, *_: object, **__: object) -> None:
            raise RedisConnectionError("refused")

        set = get

    monkeypatch.setattr(report_sentence, "cache", Unreachable())
    assert viewer.page().status_code == 200
    assert SENTENCE in text(viewer.part("report/sentence"))
