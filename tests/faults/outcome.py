"""A run to be disturbed, and all that it leaves behind."""

import contextlib
import itertools
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.models import Model

from discovery.models import (
    Cycle,
    Position,
    Run,
    RunToken,
    RunWallet,
    Trade,
    Wallet,
)
from tests.runs.workers import (
    ROOT,
    Program,
    Worker,
    assert_true,
    over,
    wait_for,
    workers,
)
from walltrack.processes import until

Facts = dict[str, list[tuple[Any, ...]]]
Counted = Callable[[Run], Counter[int]]
LONGEST_SECONDS = 180
_SCORES = {
    "score",
    "score_detail",
    "n_eff",
    "profile",
    "initial_score",
    "edge_pct",
    "edge_low_pct",
    "edge_high_pct",
    "q_value",
    "p_value",
    "verdict_reason",
}
"""Fade with the seconds between two runs."""
_OWN: dict[type[Model], set[str]] = {
    RunToken: {
        "id",
        "run_id",
        "rank",
        "price_usd",
        "price_change_pct",
        "liquidity_usd",
        "market_cap_usd",
    },
    RunWallet: {"id", "run_id", "created_at"},
    Position: {"id", "run_id", "updated_at"},
    Trade: {"id"},
    Cycle: {"id", "liquidation_value_lamports"},
    Wallet: {
        "scored_in_id",
        "first_run_id",
        "profiled_at",
        "first_discovered_at",
        "last_discovered_at",
    },
}
"""The tables of a run's results with the columns that name the run, tell when it stored
or follow SOL's price then.
"""


def facts() -> Facts:
    """Every row of these tables, as often as it is there."""
    found = {}
    for table, own in _OWN.items():
        names = [
            field.attname
            for field in table._meta.concrete_fields
            if field.attname not in own | _SCORES
        ]
        rows = table._default_manager.values(*names)
        found[table.__name__] = sorted((_ordered(row) for row in rows), key=str)
    return found


def _ordered(row: dict[str, Any]) -> tuple[Any, ...]:
    """Sources stand as they answered, the words of a wallet's flag are of the token
    that was stored last: chance.
    """
    return tuple(
        sorted(value)
        if name == "sources" or (name == "flags" and isinstance(value, dict))
        else value
        for name, value in row.items()
    )


def scores() -> dict[str, Decimal | None]:
    """By wallet."""
    return dict(Wallet.objects.values_list("address", "score"))


@dataclass
class Outcome:
    """What a run left, and how long it took from its request to its end. `again`:
    attempts beyond each step's first.
    """

    facts: Facts
    scores: dict[str, Decimal | None]
    funnel: dict[str, int]
    steps: set[tuple[str, str]]
    seconds: float
    again: int


class Disturbed:
    """One run by two workers and a beat, asked for by the command, each a process of
    its own.
    """

    def __init__(self, env: dict[str, str], folder: Path, both: list[Worker]) -> None:
        self.workers = both
        self._folder = folder
        self._began = time.monotonic()
        with (folder / "discover.log").open("ab") as log:
            words = [sys.executable, "manage.py", "discover", "--quiet"]
            self._command = subprocess.Popen(
                words, cwd=ROOT, env=env, stdout=log, stderr=log
            )
        assert until(Run.objects.exists, 30), self.logs()
        self._began = time.monotonic()
        self.run = Run.objects.get()

    def done(self) -> int:
        """How many of its steps are done."""
        return self.run.steps.filter(status="done").count()

    def wait_until_done(self, steps: int) -> None:
        """Until at least so many of its steps are."""
        assert until(lambda: self.done() >= steps, LONGEST_SECONDS), self.logs()

    def is_over(self) -> bool:
        """Whether it has ended."""
        return over(self.run)()

    def outcome(self, counted: Counted) -> Outcome:
        """When it has ended, as it must: completed, nothing lost, true to the lamport,
        no step done twice.
        """
        assert wait_for(self.is_over, LONGEST_SECONDS), self.logs()
        seconds = time.monotonic() - self._began
        assert self._command.wait(timeout=30) == 0, self.logs()
        assert_true(self.run)
        steps = list(self.run.steps.values_list("pk", "kind", "key", "attempt"))
        completed, once = counted(self.run), Counter(pk for pk, *_ in steps)
        assert completed == once, {
            "too often": completed - once,
            "never": once - completed,
        }
        return Outcome(
            facts=facts(),
            scores=scores(),
            funnel=self.run.funnel,
            steps={(kind, key) for _, kind, key, _ in steps},
            seconds=seconds,
            again=sum(attempt - 1 for *_, attempt in steps),
        )

    def logs(self) -> str:
        """The ends of what its processes wrote."""
        return "\n".join(
            f"== {log.name}\n{log.read_text()[-3000:]}"
            for log in sorted(self._folder.glob("*.log"))
        )

    def close(self) -> None:
        """Nothing of it is left."""
        self._command.kill()
        self._command.wait()


@contextlib.contextmanager
def disturbed(env: dict[str, str], folder: Path) -> Iterator[Disturbed]:
    """A run that has just been asked for, to be disturbed."""
    beat = Program(env, folder / "beat.log", "beat")
    try:
        with (
            workers(2, env, folder) as both,
            contextlib.closing(Disturbed(env, folder, both)) as run,
        ):
            yield run
    finally:
        beat.kill()


def assert_same(one: Outcome, other: Outcome) -> None:
    """The same rows, none more and none less; scores but for what a few minutes take
    off.
    """
    assert one.steps == other.steps
    assert one.funnel == other.funnel, (one.funnel, other.funnel)
    for table, rows in other.facts.items():
        unlike = [
            pair
            for pair in itertools.zip_longest(one.facts[table], rows)
            if pair[0] != pair[1]
        ]
        assert unlike == [], (table, len(unlike), unlike[0])
    assert one.scores.keys() == other.scores.keys()
    for wallet, score in other.scores.items():
        mine = one.scores[wallet]
        assert (mine is None) == (score is None)
        assert mine is None or score is None or abs(mine - score) <= Decimal("0.002"), (
            wallet
        )
