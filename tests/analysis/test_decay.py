"""Statuses: conditions of decay and of recovery."""

import pytest

from discovery.analysis.decay import next_status
from discovery.domain.profiles import Profile
from tests.analysis.sample_histories import SOL, profiled, record

WIN, LOSS, EVEN = 2 * SOL, SOL // 2, SOL


def after(*proceeds: int, seeds: tuple[str, ...] = ()) -> Profile:
    return profiled(record(*proceeds), seeds=seeds)[0]


def test_fewer_than_five_cycles_are_insufficient_data() -> None:
    assert next_status("active", after(*[WIN] * 4)) == "insufficient_data"
    assert next_status("insufficient_data", after(*[WIN] * 5)) == "active"


def test_cycles_of_seed_tokens_do_not_count_for_the_status() -> None:
    assert (
        next_status("active", after(*[WIN] * 5, seeds=("mint00",)))
        == "insufficient_data"
    )


def test_less_than_forty_percent_of_the_last_twenty_is_decay() -> None:
    assert (
        next_status("active", after(*[WIN] * 30, *[LOSS] * 13, *[WIN] * 7))
        == "decay_detected"
    )
    assert (
        next_status("active", after(*[WIN] * 30, *[LOSS] * 12, *[WIN] * 8)) == "active"
    )


def test_nineteen_cycles_are_too_few_for_the_rolling_rate() -> None:
    assert next_status("active", after(*[LOSS] * 15, *[WIN] * 4)) == "active"


def test_three_losses_after_a_winning_record_are_decay() -> None:
    assert (
        next_status("active", after(WIN, WIN, WIN, LOSS, LOSS, LOSS))
        == "decay_detected"
    )
    assert next_status("active", after(WIN, WIN, WIN, LOSS, LOSS)) == "active"


def test_three_losses_after_a_losing_record_are_no_decay() -> None:
    assert (
        next_status("active", after(WIN, LOSS, LOSS, WIN, LOSS, EVEN, LOSS, LOSS))
        == "active"
    )


def test_even_cycles_do_not_end_a_streak_of_losses() -> None:
    assert (
        next_status("active", after(WIN, WIN, WIN, LOSS, EVEN, LOSS, LOSS))
        == "decay_detected"
    )


def test_a_win_after_the_losses_is_recovery() -> None:
    assert (
        next_status("decay_detected", after(WIN, WIN, WIN, LOSS, LOSS, LOSS, WIN))
        == "active"
    )


def test_a_losing_streak_without_wins_before_it_does_not_recover_by_itself() -> None:
    assert (
        next_status("decay_detected", after(WIN, LOSS, EVEN, EVEN, LOSS, LOSS))
        == "decay_detected"
    )


@pytest.mark.parametrize(("wins", "expected"), [(9, "decay_detected"), (10, "active")])
def test_with_twenty_cycles_recovery_takes_half_of_them(
    wins: int, expected: str
) -> None:
    assert (
        next_status("decay_detected", after(*[LOSS] * (20 - wins), *[WIN] * wins))
        == expected
    )


@pytest.mark.parametrize("proceeds", [[], [WIN] * 9, [LOSS] * 25])
def test_a_blacklisted_wallet_stays_blacklisted(proceeds: list[int]) -> None:
    assert next_status("blacklisted", after(*proceeds)) == "blacklisted"
