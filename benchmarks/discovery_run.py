"""Compare the time of a run with the minimum that rate limits allow: calls to the slowest
provider ÷ its rate. And count its SQL statements a step.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.simulated import ROOT, environment, manage, market

MAX_RATIOS: Final = {10: 1.10, 50: 1.10, 200: 1.25}
"""Calls a second → how much longer than the minimum a run may take."""
MAX_STATEMENTS_PER_STEP: Final = 10
WORKERS: Final = 2
SOURCES: Final = ("helius", "solana_rpc")


def main() -> None:
    """Measure both sources at each rate with the world `small`, in the foreground and
    with two workers. Needs DATABASE_URL and REDIS_URL.
    """
    for rps in MAX_RATIOS:
        for source in SOURCES:
            with market("--seed", "7", "--rps", str(rps * 2)) as url:
                env = environment(url, source=source, calls_per_second=rps)
                manage(env, "migrate", "-v0")
                for worker_count in (0, WORKERS):
                    manage(env, "flush", "--no-input", "-v0")
                    _print(source, rps, worker_count, _measure(env, worker_count))


def _measure(env: dict[str, str], worker_count: int) -> dict[str, Any]:
    with _workers(env, worker_count):
        result = subprocess.run(
            [sys.executable, "-m", "benchmarks.measured_run", str(worker_count)],
            cwd=ROOT,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
    measured: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return measured


def _print(source: str, rps: int, worker_count: int, run: dict[str, Any]) -> None:
    min_seconds = run["calls"] / rps
    where = f"{worker_count} workers" if worker_count else "foreground"
    words = (
        f"run: {source:<10} {where:<10} at {rps:>3} calls a second: {run['seconds']:7.2f} s, "
        f"minimum {min_seconds:7.2f} s ({run['calls']} calls to {run['provider']}), "
        f"ratio {run['seconds'] / min_seconds:.2f} (at most {MAX_RATIOS[rps]:.2f})"
    )
    if not worker_count:
        words += (
            f"; {run['statements'] / run['steps']:.1f} statements a step "
            f"(at most {MAX_STATEMENTS_PER_STEP})"
        )
    print(words, flush=True)


@contextmanager
def _workers(env: dict[str, str], count: int) -> Iterator[None]:
    """Run so many workers of one process each more than a run uses."""
    with tempfile.TemporaryDirectory() as folder:
        running = [_worker(env, Path(folder), number) for number in range(count)]
        try:
            yield
        finally:
            for worker in running:
                worker.terminate()
            for worker in running:
                worker.wait()


def _worker(
    env: dict[str, str], folder: Path, number: int
) -> "subprocess.Popen[bytes]":
    words = ["celery", "-A", "walltrack", "worker", "-n", f"w{number}@%h"]
    queues = ["--queues", "runs,steps,periodic", "--loglevel", "warning"]
    with (folder / f"{number}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *words, *queues],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
        )
