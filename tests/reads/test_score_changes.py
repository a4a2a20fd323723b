"""What changed between two snapshots, in words."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from discovery.models import ScoreSnapshot
from discovery.reads.score_changes import Population, changes_between
from tests.factories import ScoreSnapshotFactory, snapshot_token

FIRST_RUN = Population(None, None)
RUN = Population(UUID(int=7), datetime(2026, 11, 3, 12, 0, tzinfo=UTC))


def judged(*tokens: dict[str, Any], **values: Any) -> ScoreSnapshot:
    return ScoreSnapshotFactory.build(tokens_judged=tokens, **values)


def changes(
    before: ScoreSnapshot,
    after: ScoreSnapshot,
    populations: tuple[Population, Population] = (RUN, RUN),
) -> list[str]:
    return changes_between(before, after, populations)


A, B = snapshot_token("A"), snapshot_token("B")
YOUNG_B = snapshot_token("B", exclusion="young")
UNKNOWN_B = snapshot_token("B", leader_return=None, unknown_reason="no_price")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([A], [A, B], "1 more token counts (1 new)"),
        (
            [A, YOUNG_B],
            [A, B, snapshot_token("C")],
            "2 more tokens count (1 matured, 1 new)",
        ),
        ([UNKNOWN_B], [B], "1 more token counts (1 result known now)"),
        ([A, B], [A], "1 fewer token counts (1 older than the days of a profile)"),
        ([B], [UNKNOWN_B], "1 fewer token counts (1 result not known any more)"),
        ([A], [snapshot_token("A", leader_return=0.7)], "result of 1 token changed"),
        ([A], [A], "same tokens and population; older results weigh less"),
    ],
)
def test_changes_of_tokens_are_counted_by_their_reason(
    before: list[dict[str, Any]], after: list[dict[str, Any]], words: str
) -> None:
    assert changes(judged(*before), judged(*after)) == [words]


def test_tokens_that_count_in_neither_snapshot_are_no_change() -> None:
    assert changes(judged(A), judged(A, YOUNG_B)) == changes(judged(A), judged(A))


def test_a_token_that_became_a_seed_no_longer_counts() -> None:
    assert changes(judged(A, B), judged(A, B, seeds=("B",))) == [
        "1 fewer token counts (1 seed token now)"
    ]


def test_the_same_tokens_against_another_population_are_named_with_its_run() -> None:
    assert changes(judged(A), judged(A), (FIRST_RUN, RUN)) == [
        "same tokens, another population (run of 3 Nov 12:00)"
    ]


def test_a_new_flag_is_named() -> None:
    assert changes(judged(A), judged(A, flags=["bundle"])) == ["flag bundle"]


def test_another_arm_is_named() -> None:
    assert changes(judged(A, arm="control"), judged(A)) == [
        "counted as found, before as control"
    ]
