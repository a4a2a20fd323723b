"""The score history of a wallet, by API and on its page."""

from datetime import timedelta

from discovery.models import Outcome
from tests.api.client import Api
from tests.factories import (
    NOW,
    ScoreSnapshotFactory,
    WalletFactory,
    address,
    snapshot_token,
)


def test_snapshots_come_newest_first_with_what_changed(reader: Api) -> None:
    WalletFactory(number=1)
    ScoreSnapshotFactory(wallet=1, score=None)
    ScoreSnapshotFactory(
        wallet=1,
        at=NOW + timedelta(days=1),
        cause="score",
        tokens_judged=[snapshot_token(address(9))],
    )
    rows = reader.get(f"wallets/{address(1)}/scores").json()["scores"]
    assert [row["changes"] for row in rows] == [
        ["1 more token counts (1 new)"],
        ["first judgement"],
    ]
    assert [row["score"] for row in rows] == [0.7312, None]


def test_what_changed_is_known_across_pages(reader: Api) -> None:
    WalletFactory(number=1)
    for day in range(3):
        tokens = [snapshot_token(address(50 + number)) for number in range(day)]
        ScoreSnapshotFactory(
            wallet=1, at=NOW + timedelta(days=day), tokens_judged=tokens
        )
    body = reader.get(f"wallets/{address(1)}/scores?page_size=1&page=2").json()
    (row,) = body["scores"]
    assert row["changes"] == ["1 more token counts (1 new)"]
    assert (body["total"], body["has_more"]) == (3, True)


def test_an_outcome_that_is_not_measured_has_no_figures(reader: Api) -> None:
    WalletFactory(number=1)
    snapshot = ScoreSnapshotFactory(wallet=1)
    for hours, growth in ((24, 0.042), (168, None)):
        Outcome.objects.create(
            snapshot=snapshot,
            horizon_hours=hours,
            due_at=NOW,
            measured_at=None if growth is None else NOW,
            tokens=None if growth is None else 3,
            known_tokens=None if growth is None else 3,
            follower_growth=growth,
        )
    (row,) = reader.get(f"wallets/{address(1)}/scores").json()["scores"]
    day, week = row["outcomes"]
    assert (day["follower_growth_pct"], day["tokens"]) == (4.2, 3)
    assert (week["follower_growth_pct"], week["tokens"]) == (None, None)


def test_the_scores_of_a_control_wallet_are_not_listed(reader: Api) -> None:
    WalletFactory(number=1, origin="control")
    ScoreSnapshotFactory(wallet=1, arm="control")
    assert reader.get(f"wallets/{address(1)}/scores").status_code == 404
