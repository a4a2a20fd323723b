"""Score snapshots: when they are written, that nobody changes them, and which outcomes are
planned.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from solders.pubkey import Pubkey

from discovery.models import Outcome, ScoreSnapshot, TokenResult, Wallet
from discovery.models.enums import SnapshotArm
from discovery.pipeline.scoring import rescore
from discovery.pipeline.snapshots import HORIZON_HOURS, WEEK, is_measured
from tests.factories import (
    NOW,
    ScoreSnapshotFactory,
    TokenResultFactory,
    WalletFactory,
    address,
)
from tests.runs.test_rejudging import truncated_profile
from walltrack import clock

pytestmark = pytest.mark.django_db
REFUSED = "score snapshots are append-only"


@pytest.fixture
def judge_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], list[str]]:
    """`judge_at(time)`: judge the wallets; return the causes of all snapshots so far."""

    def judge(at: datetime) -> list[str]:
        monkeypatch.setattr(clock, "now", lambda: at)
        rescore()
        causes = ScoreSnapshot.objects.order_by("at", "id").values_list("cause")
        return [cause for (cause,) in causes]

    return judge


def wallet_with_tokens(count: int, **values: Any) -> None:
    WalletFactory(number=1, flags={}, profile=truncated_profile(), **values)
    for number in range(count):
        TokenResultFactory(wallet=1, mint=address(100 + number))


def test_a_judgement_that_did_not_change_writes_no_snapshot(
    judge_at: Callable,
) -> None:
    wallet_with_tokens(8)
    judge_at(NOW)
    assert judge_at(NOW + WEEK - timedelta(seconds=1)) == ["first"]


def test_a_changed_verdict_writes_a_snapshot(judge_at: Callable) -> None:
    wallet_with_tokens(8)
    judge_at(NOW)
    Wallet.objects.update(flags={"bundle": "with others"})
    assert judge_at(NOW + timedelta(hours=1)) == ["first", "verdict"]


def test_a_changed_score_writes_a_snapshot(judge_at: Callable) -> None:
    wallet_with_tokens(3)
    judge_at(NOW)
    TokenResult.objects.update(follower_return_behind=-0.5, follower_return_costs=-0.5)
    assert judge_at(NOW + timedelta(hours=1)) == ["first", "score"]


def test_an_unchanged_judgement_is_recorded_again_after_a_week(
    judge_at: Callable,
) -> None:
    wallet_with_tokens(8)
    judge_at(NOW)
    assert judge_at(NOW + WEEK) == ["first", "weekly"]


def test_a_snapshot_has_the_flags_that_the_address_alone_gives(
    judge_at: Callable,
) -> None:
    pool, _ = Pubkey.find_program_address([b"pool"], Pubkey.default())
    WalletFactory(address=str(pool), flags={}, profile=truncated_profile())
    judge_at(NOW)
    snapshot = ScoreSnapshot.objects.get()
    assert (snapshot.verdict, snapshot.flags) == ("excluded", ["plumbing"])


@pytest.mark.parametrize(
    "arm_and_verdict",
    [("found", "follow"), ("found", "watch"), ("control", "not known")],
)
def test_snapshots_to_follow_to_watch_and_of_controls_are_measured(
    arm_and_verdict: tuple[str, str],
) -> None:
    arm, verdict = arm_and_verdict
    rows = [
        ScoreSnapshotFactory.build(wallet=number, arm=arm, verdict=verdict)
        for number in range(50)
    ]
    assert all(map(is_measured, rows))


def test_about_a_fifth_of_the_other_snapshots_is_measured() -> None:
    rows = [
        ScoreSnapshotFactory.build(
            wallet=number, arm=SnapshotArm.FOUND, verdict="neutral"
        )
        for number in range(500)
    ]
    assert 60 <= sum(map(is_measured, rows)) <= 140


def test_a_control_wallet_gets_four_planned_outcomes(judge_at: Callable) -> None:
    wallet_with_tokens(1, origin="control")
    judge_at(NOW)
    due = Outcome.objects.order_by("due_at").values_list("horizon_hours", "due_at")
    assert list(due) == [
        (hours, NOW + timedelta(hours=hours)) for hours in HORIZON_HOURS
    ]


def test_the_database_refuses_to_change_a_snapshot() -> None:
    ScoreSnapshotFactory()
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        ScoreSnapshot.objects.update(score=1)


def test_the_database_refuses_to_delete_a_snapshot() -> None:
    snapshot = ScoreSnapshotFactory()
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        snapshot.delete()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE discovery_score_snapshots SET verdict = 'follow'",
        "DELETE FROM discovery_score_snapshots",
    ],
)
def test_raw_sql_is_refused_too(statement: str) -> None:
    ScoreSnapshotFactory()
    with (
        pytest.raises(DatabaseError, match=REFUSED),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_retention_deletes_snapshots_but_cannot_change_them() -> None:
    ScoreSnapshotFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL walltrack.retention = 'on'")
        with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
            cursor.execute("UPDATE discovery_score_snapshots SET score = 1")
        cursor.execute("DELETE FROM discovery_score_snapshots")
        assert cursor.rowcount == 1
        cursor.execute("SET LOCAL walltrack.retention = 'off'")
