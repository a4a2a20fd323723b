"""Real workers as child processes over the test's own database and broker, and what
their runs must have found.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection

from discovery.models import Heartbeat, Run, Wallet
from simmarket import worlds
from simmarket.worlds import expected_results as truth
from walltrack.processes import until

ROOT = Path(__file__).resolve().parents[2]
SEED = 2
WORLD = ("--world", "small", "--seed", str(SEED))
Row = tuple[str, str, int, int, Decimal]
"""Wallet, token, realised and cost in lamports, profit in percent."""


def environment(urls: dict[str, str], **more: str) -> dict[str, str]:
    """What a worker needs: this test's database and the market."""
    kept = connection.settings_dict
    address = f"{kept['USER']}:{kept['PASSWORD']}@{kept['HOST']}:{kept['PORT'] or 5432}"
    url = f"postgresql://{kept['USER']}@/{kept['NAME']}?host={kept['HOST']}"
    if not kept["HOST"].startswith("/"):
        url = f"postgresql://{address}/{kept['NAME']}"
    return {
        **os.environ,
        **urls,
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "INSTANCE_NAME": settings.INSTANCE_NAME,
        "HELIUS_API_KEY": "simulated",
        "MARKET": "simulated",
        "PROVIDER_RPS": "5000",
        "PROVIDER_PATIENCE_SECONDS": "60",
        "STEP_DEAD_SECONDS": "5",
        "WORKER_CONCURRENCY": "3",
        "LOG_LEVEL": "info",
        **more,
    }


class Program:
    """Celery in one of its parts, a process group of its own."""

    def __init__(self, env: dict[str, str], log: Path, *words: str) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "walltrack", *words, "--loglevel", "info"],
                cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """SIGKILL to all of its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As a container is stopped."""
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Worker(Program):
    """One worker with its pool."""

    def __init__(self, env: dict[str, str], log: Path, name: str) -> None:
        super().__init__(
            env, log, "worker", "--queues", "runs,steps,periodic", "-n", f"{name}@%h"
        )


@contextlib.contextmanager
def workers(count: int, env: dict[str, str], folder: Path) -> Iterator[list[Worker]]:
    """So many workers that are alive; none is left at the end."""
    started = [
        Worker(env, folder / f"worker{nth}.log", f"w{nth}") for nth in range(count)
    ]
    try:
        ready = until(
            lambda: (
                Heartbeat.objects.filter(name__startswith="worker:").count() >= count
            ),
            60,
        )
        assert ready, "\n".join(worker.log.read_text()[-2000:] for worker in started)
        yield started
    finally:
        for worker in started:
            worker.kill()


def wait_for(
    condition: Callable[[], bool],
    seconds: float,
    *,
    meanwhile: Callable[[], None] | None = None,
) -> bool:
    """Whether `condition` came true; `meanwhile` is what beat would do, every second."""
    end = time.monotonic() + seconds
    last = 0.0
    while time.monotonic() < end:
        if condition():
            return True
        if meanwhile is not None and time.monotonic() - last > 1:
            meanwhile()
            last = time.monotonic()
        time.sleep(0.1)
    return condition()


def over(run: Run) -> Callable[[], bool]:
    """Whether it has ended, asked anew each time."""
    return lambda: Run.objects.get(pk=run.pk).completed_at is not None


@cache
def true_rows() -> tuple[Row, ...]:
    """The wallets that a run over the world must find, with the figures that the world
    knows.
    """
    world = worlds.build("small", SEED)
    pumped = truth.pumped(world)
    return tuple(
        sorted(
            (
                buyer.address,
                mint,
                buyer.realised_lamports,
                buyer.cost_lamports,
                buyer.profit_pct,
            )
            for mint, token in truth.tokens(world).items()
            if mint in pumped
            for buyer in token.early_buyers.values()
            if buyer.qualified
        )
    )


def found_rows(run: Run) -> tuple[Row, ...]:
    """The wallets that it found: each row as often as it is there."""
    names = (
        "wallet_address",
        "source_token",
        "realised_lamports",
        "cost_lamports",
        "profit_pct",
    )
    return tuple(sorted(run.wallets.values_list(*names)))


def assert_true(run: Run, *, runs: int = 1) -> None:
    """It completed and found what is true, each wallet once and to the lamport, as the
    last of so many runs.
    """
    run.refresh_from_db()
    assert (run.status, run.errors) == ("completed", [])
    found, true = Counter(found_rows(run)), Counter(true_rows())
    assert found == true, {"too many": found - true, "missing": true - found}
    wallets = {address for address, *_ in true_rows()}
    assert (run.new_wallets, run.updated_wallets) == (
        (len(wallets), 0) if runs == 1 else (0, len(wallets))
    )
    assert set(Wallet.objects.listed().values_list("address", "discovery_count")) == {
        (each, runs) for each in wallets
    }
    assert set(run.steps.values_list("status", flat=True)) == {"done"}
    assert run.steps.filter(kind="finish").count() == 1
    assert run.profiled_wallets == len(wallets)
    assert Wallet.objects.filter(score__gt=Decimal(0)).count() >= 6


_COUNTING = """
    CREATE TABLE test_completions (run_id uuid, step_id bigint);
    CREATE FUNCTION test_completed() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO test_completions VALUES (NEW.run_id, NEW.id); RETURN NULL; END';
    CREATE TRIGGER test_completed AFTER UPDATE ON discovery_run_steps
        FOR EACH ROW WHEN (NEW.status = 'done') EXECUTE FUNCTION test_completed();
"""
_COUNTING_NO_MORE = """
    DROP TRIGGER IF EXISTS test_completed ON discovery_run_steps;
    DROP FUNCTION IF EXISTS test_completed;
    DROP TABLE IF EXISTS test_completions;
"""


@contextlib.contextmanager
def completions_counted() -> Iterator[Callable[[Run], Counter[int]]]:
    """How often each step of a run was committed as done. The database counts: a step's
    row shows its end alone.
    """

    def counted(run: Run) -> Counter[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT step_id FROM test_completions WHERE run_id = %s", [run.pk]
            )
            return Counter(step_id for (step_id,) in cursor)

    with _counting_completions():
        yield counted


@contextlib.contextmanager
def lone_completions_counted() -> Iterator[Callable[[], Counter[int]]]:
    """The same for the steps that belong to no run."""

    def counted() -> Counter[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT step_id FROM test_completions WHERE run_id IS NULL")
            return Counter(step_id for (step_id,) in cursor)

    with _counting_completions():
        yield counted


@contextlib.contextmanager
def _counting_completions() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTING_NO_MORE + _COUNTING)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_COUNTING_NO_MORE)
