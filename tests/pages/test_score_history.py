"""The card of a wallet's page that shows how its score came about."""

from datetime import timedelta

import pytest

from tests.factories import (
    NOW,
    ScoreSnapshotFactory,
    WalletFactory,
    address,
    snapshot_token,
)
from tests.pages.conftest import Person

pytestmark = pytest.mark.django_db


def card(viewer: Person, query: str = "") -> str:
    response = viewer.page(f"wallets/{address(1)}/scores{query}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_wallet_without_a_judgement_says_what_records_one(viewer: Person) -> None:
    WalletFactory(number=1)
    assert "The next profile of this wallet records the first one" in card(viewer)


def test_an_unknown_score_is_a_gap_in_the_chart(viewer: Person) -> None:
    WalletFactory(number=1)
    ScoreSnapshotFactory(wallet=1, score=None, at=NOW - timedelta(days=1))
    ScoreSnapshotFactory(wallet=1)
    assert "&quot;values&quot;: [null, &quot;73.1200&quot;]" in card(viewer)


def test_the_thirteenth_snapshot_is_on_the_second_page(viewer: Person) -> None:
    WalletFactory(number=1)
    for day in range(13):
        tokens = [snapshot_token(address(50 + number)) for number in range(day)]
        ScoreSnapshotFactory(
            wallet=1, at=NOW + timedelta(days=day), tokens_judged=tokens
        )
    assert "first judgement" not in card(viewer)
    assert "first judgement" in card(viewer, "?page=2")


def test_the_scores_of_a_control_wallet_are_no_page(viewer: Person) -> None:
    WalletFactory(number=1, origin="control")
    assert viewer.page(f"wallets/{address(1)}/scores").status_code == 404
