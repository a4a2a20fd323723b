"""Verdicts of whole runs against what the simulated traders did, and what their
followers would have gained.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from discovery.models import Wallet
from simmarket import worlds
from simmarket.worlds import expected_followers, expected_results

DELAY_SECONDS = 15
SEEDS = (1, 2, 3)
Table = dict[str, Counter[str]]


def by_habit(habits: dict[str, list[str]]) -> Table:
    """Return how many of the wallets that were found have each verdict, by habit."""
    verdicts = dict(Wallet.objects.values_list("address", "verdict"))
    table: Table = {}
    for habit, addresses in habits.items():
        found = verdicts.keys() & set(addresses)
        table[habit] = Counter(verdicts[address] for address in found)
    return table


@pytest.mark.parametrize("seed", SEEDS)
def test_skilled_wallets_are_to_be_followed_and_lucky_ones_are_not(
    seed: int, use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", str(seed))
    discover(profiles=True)
    world = worlds.build("small", seed)
    found = set(Wallet.objects.values_list("address", flat=True))
    skilled = sorted(expected_results.skilled(world) & found)
    lucky = sorted(expected_results.lucky_once(world) & found)
    table = by_habit({"skilled": skilled, "lucky once": lucky})
    assert table["skilled"] == {"follow": len(skilled)}
    assert len(skilled) >= 10
    assert not table["lucky once"].keys() & {"follow", "watch"}
    followed = Wallet.objects.filter(verdict="follow").values_list("address", flat=True)
    assert set(followed) <= set(skilled)


@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_to_be_followed_whose_followers_lose(
    seed: int, source: str, use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "traders", "--seed", str(seed), source=source)
    discover(profiles=True)
    world = worlds.build("traders", seed)
    records = expected_followers.habit_records(world, DELAY_SECONDS)
    table = by_habit(expected_followers.wallets_by_habit(world))
    for habit, record in records.items():
        if not record.gains_for_follower:
            assert "follow" not in table[habit], (habit, table)
    for habit in ("insider", "bag holder"):
        assert table[habit].total() >= 4, (habit, table)
        assert table[habit].keys() <= {"avoid", "not known"}, (habit, table)
    assert table["skilled"]["follow"] >= 4, table
    assert table["payoff trader"]["follow"] >= 3, table
