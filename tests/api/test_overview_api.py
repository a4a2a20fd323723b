"""Statistics, the scheduler and the current pumps through the API."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from discovery.models import Config, Pumps
from tests.api.client import Api
from tests.factories import MINT, NOW, RunFactory

pytestmark = pytest.mark.django_db


def test_statistics_cover_the_requested_range(reader: Api) -> None:
    RunFactory(new_wallets=4)
    RunFactory(status="failed", new_wallets=0)
    RunFactory(started_at=NOW - timedelta(days=9))
    body = reader.get("stats?start_date=2026-11-24&end_date=2026-11-24").json()
    assert (body["total_runs"], body["successful_runs"], body["failed_runs"]) == (
        2,
        1,
        1,
    )
    assert (
        body["success_rate"],
        body["avg_wallets_per_run"],
        body["avg_duration_seconds"],
    ) == (0.5, 4.0, 90.25)
    assert body["last_run_at"] == "2026-11-24T12:00:00Z"
    assert [(day["date"], day["runs"]) for day in body["daily"]] == [("2026-11-24", 2)]


def test_without_a_run_statistics_are_zero_or_null(reader: Api) -> None:
    body = reader.get("stats").json()
    assert (body["total_runs"], body["success_rate"], body["avg_duration_seconds"]) == (
        0,
        None,
        None,
    )
    assert body["week_over_week"]["runs"] == {
        "current": 0.0,
        "previous": 0.0,
        "change_pct": None,
    }


def test_the_status_shows_the_schedule(reader: Api, config) -> None:
    body = reader.get("status").json()
    assert (body["enabled"], body["schedule_hours"], body["running"]) == (True, 6, None)


@pytest.fixture
def saved_long_ago(config: Config) -> None:
    Config.objects.update(updated_at=NOW - timedelta(days=1))


def test_pumps_have_an_age(reader: Api, saved_long_ago: None) -> None:
    token = {"mint": MINT, "symbol": "P\u202eX", "volume_24h_usd": "61000.5", "price_change_24h_pct": "140.2",
             "launched_at": int((NOW - timedelta(hours=2)).timestamp()), "launch_clock": "curve"}  # fmt: skip
    Pumps.objects.create(
        pk=1, asked_at=NOW, refreshed_at=NOW, tokens=[token, {"other": 1}]
    )
    with time_machine.travel(NOW + timedelta(seconds=30), tick=False):
        body = reader.get("pumps").json()
    assert (body["age_seconds"], body["refreshing"]) == (30, False)
    (row,) = body["tokens"]
    assert (row["symbol"], row["volume_usd"], row["token_age_seconds"]) == (
        "PX",
        61000.5,
        7230,
    )


@pytest.mark.parametrize(("age", "is_requested"), [(30, False), (61, True)])
def test_pumps_are_requested_again_only_when_stale(
    age: int, is_requested: bool, reader: Api, saved_long_ago: None
) -> None:
    at = timezone.now() - timedelta(seconds=age)
    Pumps.objects.create(pk=1, asked_at=at, refreshed_at=at)
    reader.get("pumps")
    assert (Pumps.objects.get().asked_at > at) is is_requested


def test_pumps_of_an_earlier_configuration_are_requested_again(
    reader: Api, config
) -> None:
    at = timezone.now() - timedelta(seconds=20)
    Pumps.objects.create(pk=1, asked_at=at, refreshed_at=at)
    Config.objects.update(updated_at=timezone.now())
    body = reader.get("pumps").json()
    assert (body["outdated"], body["refreshing"]) == (True, True)


def test_pending_pumps_are_not_requested_again(reader: Api) -> None:
    at = timezone.now() - timedelta(seconds=20)
    Pumps.objects.create(
        pk=1, asked_at=at, refreshed_at=None, problem="nobody answered"
    )
    body = reader.get("pumps").json()
    assert (body["refreshing"], body["problem"], body["age_seconds"]) == (
        True,
        "nobody answered",
        None,
    )
    assert Pumps.objects.get().asked_at == at
