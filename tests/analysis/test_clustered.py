"""Errors that know which trades share a wallet or a token."""

import math
import random

import pytest

from discovery.analysis.clustered import (
    Estimate,
    Sample,
    clustered_difference,
    clustered_mean,
)


def _sample(values: list[float], wallets: str, tokens: str) -> Sample:
    return Sample(values, list(wallets), list(tokens))


def _alone(values: list[float], prefix: str = "") -> Sample:
    """Return a sample in which no two values share anything."""
    wallets = [f"{prefix}wallet {number}" for number in range(len(values))]
    tokens = [f"{prefix}token {number}" for number in range(len(values))]
    return Sample(values, wallets, tokens)


VALUES = [0.3, -1.0, 0.8, -0.4, 2.5, -0.9, 0.1, -0.7]


def test_without_shared_clusters_the_error_is_that_of_a_mean() -> None:
    mean = sum(VALUES) / len(VALUES)
    variance = sum((value - mean) ** 2 for value in VALUES) / (len(VALUES) - 1)
    estimate = clustered_mean(_alone(VALUES))
    assert estimate.value == pytest.approx(mean)
    assert estimate.standard_error == pytest.approx(math.sqrt(variance / len(VALUES)))
    assert estimate.degrees == pytest.approx(len(VALUES) - 1)


def test_trades_repeated_within_their_token_add_nothing() -> None:
    once = clustered_mean(_alone(VALUES))
    wallets = [f"wallet {number}" for number in range(3 * len(VALUES))]
    tokens = [f"token {number % len(VALUES)}" for number in range(3 * len(VALUES))]
    thrice = clustered_mean(Sample(VALUES * 3, wallets, tokens))
    assert thrice.value == pytest.approx(once.value)
    assert thrice.standard_error == pytest.approx(once.standard_error, rel=0.05)


def test_the_variance_is_wallets_plus_tokens_less_pairs() -> None:
    # Jackknife by hand: two wallets × two tokens with wallet means 0 and 4, token means
    # 1 and 3. Without a wallet the mean moves by 2, without a token by 1, without a
    # single value by 1/3 or 3/3.
    sample = _sample([-1.0, 1.0, 3.0, 5.0], "aabb", "xyxy")
    by_wallet = (2 - 1) / 2 * (2**2 + 2**2)
    by_token = (2 - 1) / 2 * (1**2 + 1**2)
    by_pair = (4 - 1) / 4 * (1 + 1 / 9 + 1 / 9 + 1)
    total = by_wallet + by_token - by_pair
    # The mean of the sum and the largest of the three, which is that by wallet.
    variance = (total + max(total, by_wallet)) / 2
    estimate = clustered_mean(sample)
    assert estimate.standard_error == pytest.approx(math.sqrt(variance))


def test_a_sum_that_is_not_positive_gives_way_to_the_largest_variance() -> None:
    # Each wallet and each token has the same mean: only the pairs differ.
    sample = _sample([1.0, -1.0, -1.0, 1.0], "aabb", "xyxy")
    with_wallets = clustered_mean(sample)
    assert with_wallets.standard_error == 0
    nearly = _sample([1.0, -1.0, -1.0, 1.1], "aabb", "xyxy")
    assert clustered_mean(nearly).standard_error > 0


def _arm_in_tokens(name: str, tokens: list[str], seed: int) -> Sample:
    """Return five wallets that all trade in these tokens, whose number decides nearly
    all of the outcome.
    """
    chance = random.Random(seed)
    values: list[float] = []
    wallets: list[str] = []
    labels: list[str] = []
    for wallet in range(5):
        for number, token in enumerate(tokens):
            values.append((number * 7) % 5 - 2 + chance.gauss(0, 0.1))
            wallets.append(f"{name} {wallet}")
            labels.append(token)
    return Sample(values, wallets, labels)


def test_shared_tokens_cancel_in_a_difference() -> None:
    tokens = [f"token {number}" for number in range(20)]
    others = [f"other {number}" for number in range(20)]
    found = _arm_in_tokens("found", tokens, 1)
    same = clustered_difference(found, _arm_in_tokens("control", tokens, 2))
    unlike = clustered_difference(found, _arm_in_tokens("control", others, 2))
    assert same.value == pytest.approx(unlike.value)
    assert same.standard_error < unlike.standard_error / 5


def test_a_wallet_in_both_samples_is_one_cluster() -> None:
    found = _alone(VALUES)
    same = clustered_difference(found, _alone(VALUES))
    unlike = clustered_difference(found, _alone(VALUES, "other "))
    assert same.standard_error == pytest.approx(0)
    assert unlike.standard_error > 0.3


def test_a_difference_has_the_error_of_two_samples_that_share_nothing() -> None:
    found, control = VALUES, [0.2, -0.3, 0.9, -1.0, 0.4]
    parts = [
        clustered_mean(_alone(found, "found ")).standard_error,
        clustered_mean(_alone(control, "control ")).standard_error,
    ]
    both = clustered_difference(_alone(found, "found "), _alone(control, "control "))
    assert both.standard_error == pytest.approx(math.hypot(*parts), rel=0.06)


def test_one_wallet_with_most_trades_costs_degrees_of_freedom() -> None:
    values = VALUES * 5
    tokens = [f"token {number}" for number in range(40)]
    equal = Sample(values, [f"wallet {number % 10}" for number in range(40)], tokens)
    unequal_names = [f"wallet {max(0, number - 30)}" for number in range(40)]
    unequal = Sample(values, unequal_names, tokens)
    assert clustered_mean(equal).degrees == pytest.approx(9)
    assert clustered_mean(unequal).degrees == 2


@pytest.mark.parametrize(("wallets", "tokens"), [("aaaa", "wxyz"), ("abcd", "wwww")])
def test_a_single_wallet_or_token_has_no_error(wallets: str, tokens: str) -> None:
    with pytest.raises(ValueError, match="two wallets and two tokens"):
        clustered_mean(_sample([1.0, 2.0, 3.0, 4.0], wallets, tokens))


def test_the_interval_of_one_look_is_that_of_student() -> None:
    low, high = Estimate(1.0, 0.5, 9).interval()
    assert (low, high) == pytest.approx((1 - 1.8331 * 0.5, 1 + 1.8331 * 0.5), abs=1e-4)


def test_a_few_large_wins_widen_the_interval_upwards() -> None:
    low, high = Estimate(1.0, 0.5, 9, skewness=0.4).interval()
    assert low == pytest.approx(1 - 1.8331 * 0.5, abs=1e-4)
    # x = 3/a·((1 + a(t - a/6))^⅓ - 1) at a = 0.4, t = -1.8331
    reach = 7.5 * (1 - (1 + 0.4 * (-1.8331 - 0.4 / 6)) ** (1 / 3))
    assert high == pytest.approx(1 + 0.5 * reach, abs=1e-3)


def test_skewness_mirrors_with_the_values() -> None:
    wins, losses = _alone(VALUES), _alone([-value for value in VALUES])
    up, down = clustered_mean(wins), clustered_mean(losses)
    assert up.skewness == pytest.approx(-down.skewness)
    assert up.skewness > 0
    assert up.interval().high == pytest.approx(-down.interval().low)


def test_with_many_degrees_the_sequential_bound_is_robbins_mixture() -> None:
    # s = 0.35 = τ: reach = s·√(2·(2 ln 10 + ln 2)).
    estimate = Estimate(0.0, 0.35, 1e7)
    reach = 0.35 * math.sqrt(2 * (2 * math.log(10) + math.log(2)))
    assert estimate.sequential_interval().high == pytest.approx(reach, rel=1e-4)


@pytest.mark.parametrize("error", [1e-4, 0.01, 0.1, 1.0, 20.0])
@pytest.mark.parametrize("degrees", [2, 9, 200])
def test_the_sequential_bound_is_wider_than_that_of_one_look(
    error: float, degrees: float
) -> None:
    estimate = Estimate(0.1, error, degrees)
    assert estimate.sequential_interval().low < estimate.interval().low
    assert estimate.sequential_interval().high > estimate.interval().high


def test_fewer_degrees_widen_the_sequential_bound() -> None:
    highs = [Estimate(0.0, 0.1, df).sequential_interval().high for df in (100, 20, 5)]
    assert highs == sorted(highs)
