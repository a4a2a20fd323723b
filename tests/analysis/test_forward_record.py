"""Lift of the forward record: what counts, when it is known, what may be claimed."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.analysis.forward_record import (
    ClaimKind,
    FollowedTrade,
    Missing,
    claims_lift,
    lift,
    lift_by_version,
    regimes,
)
from discovery.domain.judgements import Verdict
from tests.analysis.forward_trades import DAY, START, changed, followed, record


def test_the_lift_is_the_difference_of_the_means() -> None:
    measured = lift(record(found_growth=0.04, control_growth=-0.08))
    assert measured.found.growth_stakes is not None
    assert measured.control.growth_stakes is not None
    assert measured.lift_stakes == pytest.approx(
        measured.found.growth_stakes - measured.control.growth_stakes
    )
    assert measured.lift_stakes == pytest.approx(0.12)
    assert measured.low_stakes is not None
    assert measured.high_stakes is not None
    assert measured.low_stakes < 0.12 < measured.high_stakes


def test_counts_are_of_trades_wallets_and_tokens() -> None:
    measured = lift(record(wallets=12, tokens=15))
    assert measured.found.trades == 60
    assert measured.found.wallets == 12
    assert measured.found.tokens == 15
    assert measured.tokens == 15  # both arms traded the same ones
    assert measured.first_entry_at == START
    assert measured.last_entry_at == START + 14 * 3600


def test_found_wallets_count_only_under_the_verdict_follow() -> None:
    watched = followed("found", 0, 1, growth=9.0, verdict=Verdict.WATCH)
    assert lift([*record(), watched]) == lift(record())


def test_control_wallets_count_under_any_verdict() -> None:
    added = [
        followed("control", 99, 1, verdict=verdict)
        for verdict in (Verdict.FOLLOW, Verdict.AVOID, Verdict.NOT_KNOWN)
    ]
    before, after = lift(record()), lift([*record(), *added])
    assert after.control.trades == before.control.trades + 3


def test_unknown_growth_is_counted_apart_and_is_no_zero() -> None:
    unknown = followed(
        "found",
        3,
        99,
        follower_growth=None,
        leader_growth=None,
        unknown_reason="no_price",
    )
    before, after = lift(record()), lift([*record(), unknown])
    assert after.found.unknown_trades == 1
    assert after.found.growth_stakes == before.found.growth_stakes
    assert after.found.trades == before.found.trades
    assert after.found.tokens == before.found.tokens


def test_without_trades_everything_is_missing_and_nothing_is_known() -> None:
    measured = lift([])
    assert measured.lift_stakes is None
    assert measured.found.missing == Missing(wallets=10, tokens=10, trades=30)
    assert measured.first_entry_at is None
    assert claims_lift(measured).kind is ClaimKind.NOT_KNOWN


@pytest.mark.parametrize(
    ("wallets", "tokens", "missing"),
    [
        (9, 30, Missing(wallets=1)),
        (30, 9, Missing(tokens=1)),
        (10, 10, None),
        (10, 8, Missing(tokens=2, trades=3)),
    ],
)
def test_with_too_few_clusters_the_lift_is_not_known_yet(
    wallets: int, tokens: int, missing: Missing | None
) -> None:
    measured = lift(record(wallets=wallets, tokens=tokens))
    assert measured.found.missing == (missing or Missing())
    assert measured.is_known is (missing is None)


def test_one_arm_alone_states_its_own_mean_only() -> None:
    found = [trade for trade in record() if trade.arm == "found"]
    measured = lift(found)
    assert measured.found.growth_stakes is not None
    assert measured.control.growth_stakes is None
    assert measured.lift_stakes is None


def test_a_large_and_steady_difference_is_claimed() -> None:
    more = claims_lift(lift(record(30, 60, found_growth=0.5, control_growth=-0.2)))
    less = claims_lift(lift(record(30, 60, found_growth=-0.2, control_growth=0.5)))
    assert (more.kind, less.kind) == (ClaimKind.MORE, ClaimKind.LESS)


def test_no_difference_is_not_claimed() -> None:
    trades = record(30, 60, found_growth=0.1, control_growth=0.1)
    claim = claims_lift(lift(trades))
    assert claim.kind is ClaimKind.NO_DIFFERENCE
    assert not claim.seen_unequally


def test_nothing_is_claimed_for_wallets_whose_prices_were_seen_less_closely() -> None:
    trades = [
        msgspec.structs.replace(trade, level=0 if trade.arm == "found" else 2)
        for trade in record(30, 60, found_growth=0.5, control_growth=-0.2)
    ]
    claim = claims_lift(lift(trades))
    assert claim.kind is ClaimKind.NO_DIFFERENCE
    assert claim.seen_unequally


def test_wallets_whose_prices_were_seen_more_closely_may_be_claimed_better() -> None:
    trades = [
        msgspec.structs.replace(trade, level=2 if trade.arm == "found" else 0)
        for trade in record(30, 60, found_growth=0.5, control_growth=-0.2)
    ]
    assert claims_lift(lift(trades)).kind is ClaimKind.MORE


def test_a_record_of_equal_losses_claims_nothing() -> None:
    trades = [
        msgspec.structs.replace(
            trade, follower_growth=-1.0536 if trade.arm == "control" else -1.05
        )
        for trade in record(30, 60)
    ]
    assert claims_lift(lift(trades)).kind is ClaimKind.NO_DIFFERENCE


def _mixed() -> list[FollowedTrade]:
    """Return trades with chance in them, some without a known growth."""
    chance = random.Random(11)
    trades = changed(record(), lambda growth: growth + chance.gauss(0, 0.5))
    return [*trades, followed("control", 2, 77, follower_growth=None)]


MIXED = _mixed()


@settings(deadline=None, max_examples=25)
@given(st.permutations(MIXED))
def test_the_order_of_the_trades_changes_nothing(trades: list[FollowedTrade]) -> None:
    assert lift(trades) == lift(MIXED)


@settings(deadline=None, max_examples=25)
@given(st.floats(-5, 5))
def test_a_constant_added_to_both_arms_leaves_the_lift(constant: float) -> None:
    before = lift(MIXED)
    after = lift([*changed(MIXED, lambda growth: growth + constant)])
    for name in ("lift_stakes", "low_stakes", "high_stakes", "sequential_low_stakes"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 20))
def test_another_unit_scales_the_lift_and_its_interval(factor: float) -> None:
    before, after = lift(MIXED), lift(changed(MIXED, lambda growth: growth * factor))
    for name in ("lift_stakes", "low_stakes", "high_stakes"):
        assert getattr(after, name) == pytest.approx(factor * getattr(before, name))


def test_other_names_of_wallets_and_tokens_change_nothing() -> None:
    renamed = [
        msgspec.structs.replace(
            trade, wallet=f"{trade.wallet} (2)", mint=trade.mint[::-1]
        )
        for trade in MIXED
    ]
    assert lift(renamed) == lift(MIXED)


def test_exchanged_arms_turn_the_sign_of_the_lift() -> None:
    exchanged = [
        msgspec.structs.replace(
            trade,
            arm="control" if trade.arm == "found" else "found",
            verdict=Verdict.FOLLOW,
        )
        for trade in MIXED
    ]
    before, after = lift(MIXED), lift(exchanged)
    assert before.lift_stakes is not None
    assert before.high_stakes is not None
    assert after.lift_stakes == pytest.approx(-before.lift_stakes)
    assert after.low_stakes == pytest.approx(-before.high_stakes)


def test_the_same_trades_under_more_wallets_do_not_narrow_the_interval_by_as_much() -> (
    None
):
    # Each trade ten times under ten names of its wallet: ten times the trades in the
    # same tokens must not look like ten times the evidence.
    copies = [
        msgspec.structs.replace(trade, wallet=f"{trade.wallet} copy {number}")
        for trade in changed(MIXED, lambda growth: growth)
        for number in range(10)
    ]
    before, after = lift(MIXED), lift(copies)
    assert before.standard_error_stakes is not None
    assert after.standard_error_stakes is not None
    assert after.standard_error_stakes > before.standard_error_stakes / 10**0.5 * 1.5


def test_days_are_split_into_thirds_by_their_median_growth() -> None:
    trades = [
        msgspec.structs.replace(trade, entry_at=START + day * DAY)
        for day in range(6)
        for trade in record(found_growth=0.1 * day, control_growth=0.0)
    ]
    first = START // DAY
    by_day = {first + day: 0.1 * day for day in range(6)}
    split = regimes(trades, by_day)
    lifts = [each.lift_stakes for each in (split.lower, split.middle, split.upper)]
    assert lifts == pytest.approx([0.05, 0.25, 0.45])
    assert split.trades_without_day == 0


def test_trades_of_a_day_without_a_median_are_in_no_third() -> None:
    trades = record()
    split = regimes(trades, {1: 0.1, 2: 0.2, 3: 0.3})
    assert split.trades_without_day == len(trades)
    assert not split.middle.is_known


def test_fewer_than_three_days_have_no_thirds() -> None:
    split = regimes(record(), {START // DAY: 0.1, START // DAY + 1: 0.2})
    assert split.lower_cut_stakes is None
    assert split.trades_without_day == len(record())


def test_versions_of_the_score_have_lifts_of_their_own() -> None:
    trades = [
        *record(found_growth=0.3, score_version=3),
        *record(found_growth=0.1, score_version=2),
    ]
    by_version = lift_by_version(trades)
    assert list(by_version) == [2, 3]
    assert by_version[2].lift_stakes == pytest.approx(0.18)
    assert by_version[3].lift_stakes == pytest.approx(0.38)


def test_levels_of_seeing_are_counted_for_known_trades() -> None:
    trades = [*record(), followed("found", 1, 2, level=1)]
    trades.append(followed("found", 1, 3, level=0, follower_growth=None))
    measured = lift(trades)
    assert measured.found.trades_by_level == (0, 1, 60)
    assert measured.found.share_seen(1) == 1
    assert measured.found.share_seen(2) == pytest.approx(60 / 61)
