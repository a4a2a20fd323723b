"""What befalls the product on the days of a living world, and what an observer notes."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import redis
from django.conf import settings

from discovery.jobs import maintenance, scheduler, upkeep
from discovery.models import Config, Run, RunStep, ScoreSnapshot, Wallet
from tests.living.living_market import LivingMarket
from tests.runs.workers import Worker, wait_for
from walltrack import clock

HOUR = timedelta(hours=1)
IDLE_SECONDS = 240
OUTAGE_HOUR = 30
"""Hour after the start in which no provider answers."""


class Days:
    """Lets time pass hour by hour, as beat and the workers see it, with accidents."""

    def __init__(
        self, market: LivingMarket, env: dict[str, str], folder: Path, seed: str
    ) -> None:
        self.market = market
        self.chance = random.Random(seed)
        self.stale: list[tuple[datetime, list[str]]] = []
        self.snapshots: dict[int, tuple[object, ...]] = {}
        self.accidents: list[str] = []
        self._env = env
        self._folder = folder
        self._worker_count = 0
        self._workers: list[Worker] = []

    def start(self) -> None:
        """Start two workers, and the schedule."""
        for _ in range(2):
            self._add_worker()
        Config.load()
        Config.objects.update(
            enabled=True, schedule_hours=6, next_run_at=clock.now(), version=1
        )

    def stop(self) -> None:
        """Kill all workers."""
        for worker in self._workers:
            worker.kill()

    def pass_hours(self, hours: int) -> None:
        """Let so many hours pass; work ends within each of them."""
        for hour in range(hours):
            if hour == OUTAGE_HOUR:
                with self.market.outage():
                    self._work_one_hour(may_befall=False)
            else:
                self._work_one_hour(may_befall=True)
                self._note_stale(is_after_outage=OUTAGE_HOUR < hour <= OUTAGE_HOUR + 6)
            self._note_snapshots()
            self.market.advance(3600)

    def _work_one_hour(self, *, may_befall: bool) -> None:
        self._beat()
        if may_befall:
            self._befall()
        assert wait_for(self._is_idle, IDLE_SECONDS, meanwhile=self._beat), _open_work()

    def _befall(self) -> None:
        """Kill a worker in every eighth hour, empty the broker in every twelfth."""
        if self.chance.random() < 1 / 8:
            worker = self._workers.pop(self.chance.randrange(len(self._workers)))
            worker.kill()
            self._add_worker()
            self.accidents.append("worker killed")
        if self.chance.random() < 1 / 12:
            with redis.Redis.from_url(settings.REDIS_URL) as client:
                client.flushdb()
            self.accidents.append("broker emptied")

    def _add_worker(self) -> None:
        self._worker_count += 1
        name = f"w{self._worker_count}"
        self._workers.append(Worker(self._env, self._folder / f"{name}.log", name))

    def _beat(self) -> None:
        """Do what beat sends: tick, upkeep and sweeper."""
        scheduler.tick()
        upkeep.plan_upkeep()
        maintenance.sweep()

    @staticmethod
    def _is_idle() -> bool:
        has_run = Run.objects.active().exists()
        has_steps = RunStep.objects.lone().open().exists()
        return not has_run and not has_steps and upkeep.plan_upkeep() == 0

    def _note_stale(self, *, is_after_outage: bool) -> None:
        stale = list(Wallet.objects.stale(clock.now()).values_list("pk", flat=True))
        if stale and not is_after_outage:
            self.stale.append((clock.now(), stale))

    def _note_snapshots(self) -> None:
        """Note each new snapshot as it is written."""
        known = max(self.snapshots, default=0)
        for row in ScoreSnapshot.objects.filter(pk__gt=known).values_list():
            self.snapshots[row[0]] = tuple(map(repr, row))


def _open_work() -> str:
    steps = RunStep.objects.open().values_list("kind", "key", "status", "attempt")
    return f"still open: {list(steps)[:5]}, runs {list(Run.objects.active())}"


def unchanged(snapshots: dict[int, tuple[object, ...]]) -> Callable[[], list[int]]:
    """Return a function that returns the snapshots that are not as they were noted."""

    def changed() -> list[int]:
        rows = {
            row[0]: tuple(map(repr, row)) for row in ScoreSnapshot.objects.values_list()
        }
        return [key for key, row in snapshots.items() if rows.get(key) != row]

    return changed
