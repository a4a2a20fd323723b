"""Scores against what followed them."""

import pytest

from discovery.analysis.forward_forecasts import (
    Forecast,
    calibration,
    false_follows,
    forecasts_of,
)
from discovery.domain.judgements import Verdict
from tests.analysis.forward_trades import followed


def _forecasts(growths: list[float | None]) -> list[Forecast]:
    return [
        Forecast(f"wallet {number:02}", number / 100, growth)
        for number, growth in enumerate(growths)
    ]


def test_a_fifth_has_its_mean_score_and_its_share_of_gains() -> None:
    result = calibration(_forecasts([-1.0] * 10 + [1.0, -1.0] * 5 + [1.0] * 5))
    assert [fifth.gained.total for fifth in result.fifths] == [5] * 5
    assert [fifth.gained.hits for fifth in result.fifths] == [0, 0, 3, 2, 5]
    assert result.fifths[0].predicted == pytest.approx(0.02)
    assert result.fifths[2].gained.share == pytest.approx(0.6)
    assert result.fifths[4].min_score == pytest.approx(0.20)


def test_a_fifth_has_its_wilson_interval() -> None:
    gained = calibration(_forecasts([1.0] * 25)).fifths[0].gained
    assert gained.low == pytest.approx(0.649, abs=5e-4)  # 5 of 5
    assert gained.high == pytest.approx(1)


def test_unknown_outcomes_are_counted_apart() -> None:
    result = calibration(_forecasts([None, *([1.0] * 10), None]))
    assert (result.known, result.unknown) == (10, 2)
    assert sum(fifth.gained.total for fifth in result.fifths) == 10


def test_all_known_forecasts_are_in_a_fifth_whatever_their_number() -> None:
    result = calibration(_forecasts([0.5] * 13))
    assert sum(fifth.gained.total for fifth in result.fifths) == 13


def test_fewer_than_five_forecasts_have_no_fifths() -> None:
    assert calibration(_forecasts([1.0] * 4)).fifths == ()


@pytest.mark.parametrize(
    ("growths", "rank"),
    [
        ([0.1, 0.2, 0.5, 9.0], 1.0),
        ([9.0, 0.5, 0.2, 0.1], -1.0),
        ([1.0, 1.0, 1.0, 1.0], None),
        ([1.0, 2.0], None),
        ([0.1, 0.5, 0.5, 0.9], 0.9487),
    ],
)
def test_the_rank_correlation_is_that_of_spearman(
    growths: list[float], rank: float | None
) -> None:
    correlated = calibration(_forecasts(list(growths))).rank_correlation
    assert correlated == (rank if rank is None else pytest.approx(rank, abs=1e-4))


def test_a_wallet_is_forecast_by_the_score_of_its_first_entry() -> None:
    trades = [
        followed("found", 1, 5, score=0.95, growth=0.4),
        followed("found", 1, 2, score=0.81, growth=-0.2),
        followed("found", 1, 7, score=0.99, follower_growth=None),
    ]
    assert forecasts_of(trades) == [Forecast("found 1", 0.81, pytest.approx(0.1))]


def test_a_wallet_without_a_score_makes_no_forecast() -> None:
    assert forecasts_of([followed("control", 1, 5, score=None)]) == []


def test_a_wallet_without_a_known_trade_has_an_unknown_outcome() -> None:
    assert forecasts_of([followed("found", 1, 5, follower_growth=None)]) == [
        Forecast("found 1", 0.9, None)
    ]


def test_expected_false_follows_are_the_sum_of_what_scores_leave_to_luck() -> None:
    trades = [
        followed("found", 1, 1, score=0.9, growth=0.3),
        followed("found", 2, 1, score=0.8, growth=-0.3),
        followed("found", 3, 1, score=0.85, follower_growth=None),
        followed("found", 4, 1, verdict=Verdict.WATCH, score=0.7, growth=-0.5),
        followed("control", 5, 1, verdict=Verdict.FOLLOW, score=0.9, growth=-0.5),
    ]
    luck = false_follows(trades)
    assert luck.wallets == 3
    assert luck.expected == pytest.approx(0.1 + 0.2 + 0.15)
    assert luck.expected_known == pytest.approx(0.1 + 0.2)
    assert (luck.lost.hits, luck.lost.total, luck.unknown) == (1, 2, 1)


def test_a_mean_growth_of_zero_is_no_gain() -> None:
    luck = false_follows([followed("found", 1, 1, growth=0.0)])
    assert luck.lost.hits == 1


def test_without_follow_wallets_there_is_no_share() -> None:
    luck = false_follows([])
    assert (luck.wallets, luck.expected, luck.lost.share) == (0, 0, None)
