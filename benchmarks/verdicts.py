"""Print the verdicts of whole runs beside the truth of the simulated traders, by habit."""

import json
from collections import Counter, defaultdict

from benchmarks.simulated import environment, manage, market
from simmarket import worlds
from simmarket.chain.world import World
from simmarket.worlds import expected_followers

WORLDS = ("small", "traders")
SEEDS = (1, 2, 3)
CALLS_PER_SECOND = 500


def main() -> None:
    """Run a discovery in each world, with an empty database, and print a table for it.
    Needs DATABASE_URL and REDIS_URL.
    """
    for name in WORLDS:
        for seed in SEEDS:
            options = ("--world", name, "--seed", str(seed))
            with market(*options, "--rps", str(2 * CALLS_PER_SECOND)) as url:
                verdicts = _verdicts(url)
            print(f"verdicts: world {name}, seed {seed}: {len(verdicts)} wallets")
            _print_table(worlds.build(name, seed), verdicts)


def _verdicts(url: str) -> dict[str, str]:
    """Return the verdict of each wallet that a run finds."""
    env = environment(url, source="helius", calls_per_second=CALLS_PER_SECOND)
    manage(env, "migrate", "-v0")
    manage(env, "flush", "--no-input")
    answer = json.loads(manage(env, "discover", "--json", "--quiet"))
    return {row["address"]: row["verdict"] for row in answer["wallets"]}


def _print_table(world: World, verdicts: dict[str, str]) -> None:
    truth = _gain_by_habit(world)
    by_habit: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for address, verdict in verdicts.items():
        habits = world.behaviours.get(address) or ["without a habit"]
        by_habit[habits[0]][verdict] += 1
    for habit, counts in sorted(by_habit.items()):
        words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        print(f"  {habit:<22} {truth.get(habit, ''):<24} {words}")


def _gain_by_habit(world: World) -> dict[str, str]:
    """Return what a follower gains 15 s behind the wallets of each habit, in words."""
    try:
        records = expected_followers.habit_records(world)
    except ValueError:
        return {}  # a pool of this world trades against a dollar
    return {
        habit: f"follower {100 * record.late_growth:+.1f} % a trade"
        for habit, record in records.items()
    }
