"""The prior: what the wallets of a cohort have in common."""

import math
import random

import msgspec
import pytest

from discovery.analysis.cohort import estimate_prior
from discovery.domain.profiles import Cycle, Prior
from tests.analysis.sample_histories import LOSS, NOW, PRIOR, WIN, profiled, record


def cohort(wallets: int, seed: int = 5) -> dict[str, list[Cycle]]:
    """Return cycles of wallets whose true win rates differ between 20 % and 80 %."""
    dice = random.Random(seed)
    samples = {}
    for wallet in range(wallets):
        skill = dice.uniform(0.2, 0.8)
        proceeds = [
            WIN if dice.random() < skill else LOSS for _ in range(dice.randint(5, 30))
        ]
        samples[f"w{wallet:02}"] = profiled(record(*proceeds, apart=0.5))[1]
    return samples


def test_a_cohort_of_fewer_than_ten_wallets_falls_back_to_beta_4_6() -> None:
    prior = estimate_prior(cohort(9), NOW)
    assert (prior.alpha0, prior.beta0, prior.edges, prior.wallets) == (4, 6, (), 9)


def test_wallets_without_a_result_do_not_make_a_cohort() -> None:
    samples = cohort(9) | {f"idle{place}": [] for place in range(20)}
    assert estimate_prior(samples, NOW).wallets == 9


def test_the_prior_measures_how_the_wallets_of_a_cohort_differ() -> None:
    """Uniform win rates between 20 % and 80 % have mean 0.5 and variance 0.03: α₀ + β₀
    = 0.25 / 0.03 - 1 = 7.3.
    """
    prior = estimate_prior(cohort(300), NOW)
    assert prior.alpha0 / (prior.alpha0 + prior.beta0) == pytest.approx(0.5, abs=0.03)
    assert prior.alpha0 + prior.beta0 == pytest.approx(7.3, rel=0.3)
    assert prior.tau2 == pytest.approx(0.03 * math.log(4) ** 2, rel=0.35)
    assert prior.sigma2 == pytest.approx(0.22 * math.log(4) ** 2, rel=0.15)
    assert len(prior.edges) == 300


def test_wallets_that_differ_by_luck_alone_give_the_strongest_prior() -> None:
    same = {
        f"w{place}": profiled(record(*([WIN, LOSS] * 6), apart=0.5))[1]
        for place in range(12)
    }
    prior = estimate_prior(same, NOW)
    assert prior.alpha0 + prior.beta0 == pytest.approx(40)
    assert prior.tau2 == 0


def test_wallets_that_always_win_or_always_lose_give_the_weakest_prior() -> None:
    samples = {
        f"w{place}": profiled(record(*[WIN if place % 2 else LOSS] * 8))[1]
        for place in range(12)
    }
    prior = estimate_prior(samples, NOW)
    assert (prior.alpha0, prior.beta0) == (pytest.approx(2), pytest.approx(2))


@pytest.mark.parametrize(("proceeds", "mean"), [(WIN, 0.75), (LOSS, 0.05)])
def test_the_prior_of_a_cohort_with_one_outcome_is_limited(
    proceeds: int, mean: float
) -> None:
    samples = {f"w{place}": profiled(record(*[proceeds] * 6))[1] for place in range(12)}
    prior = estimate_prior(samples, NOW)
    assert prior.alpha0 / (prior.alpha0 + prior.beta0) == pytest.approx(mean)


def test_one_cycle_per_wallet_gives_the_fallback_strength() -> None:
    samples = {
        f"w{place:02}": profiled(record(WIN if place % 2 else LOSS))[1]
        for place in range(12)
    }
    prior = estimate_prior(samples, NOW)
    assert prior.alpha0 + prior.beta0 == pytest.approx(10)


def test_the_order_of_wallets_and_cycles_does_not_change_the_prior() -> None:
    samples = cohort(30)
    reordered = {
        wallet: list(reversed(cycles)) for wallet, cycles in reversed(samples.items())
    }
    assert estimate_prior(reordered, NOW) == estimate_prior(samples, NOW)


def test_a_prior_is_the_same_after_json() -> None:
    prior = estimate_prior(cohort(12), NOW)
    plain = msgspec.json.decode(msgspec.json.encode(prior.to_dict()))
    assert Prior.from_dict(plain) == prior


def test_a_stored_prior_with_a_missing_field_is_rejected() -> None:
    plain = PRIOR.to_dict()
    del plain["edges"]
    with pytest.raises(msgspec.ValidationError, match="edges"):
        Prior.from_dict(plain)
