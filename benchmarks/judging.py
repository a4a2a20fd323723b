"""Compare the time to judge wallets from a file of histories with the time that the
standard library needs to parse the same file; and measure the memory.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOKENS = 100
SIZES = (1_000, 10_000)
AS_OF = 1_790_000_000
DAY_SECONDS = 86_400
SOL = 10**9


def main() -> None:
    """Measure and print seconds, their ratio, and the peak of memory."""
    for wallets in SIZES:
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
            for history in _histories(wallets):
                file.write(json.dumps(history) + "\n")
            file.flush()
            _measure(Path(file.name), wallets)


def _measure(path: Path, wallets: int) -> None:
    parse_seconds = _parse_seconds(path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "manage.py", "score_histories", str(path)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime
    print(
        f"judging: {wallets:>6,} wallets of {TOKENS} tokens: {seconds:6.2f} s of one core, "
        f"{seconds / parse_seconds:.1f} × the time to parse the file ({parse_seconds:.2f} s), "
        f"at most {after.ru_maxrss / 1024:,.0f} MB"
    )


def _parse_seconds(path: Path) -> float:
    started = time.process_time()
    with path.open() as lines:
        for line in lines:
            json.loads(line)
    return time.process_time() - started


def _histories(wallets: int) -> Iterator[dict[str, Any]]:
    """Yield histories of one round trip in each token, the same at each call."""
    chance = random.Random(7)  # noqa: S311 - figures, no secrets
    for number in range(wallets):
        skill = chance.gauss(-0.2, 0.4)
        events: list[dict[str, Any]] = []
        for token in range(TOKENS):
            events += _round_trip(chance, skill, f"mint {number} {token}")
        yield {
            "wallet": f"wallet {number}",
            "arm": "found",
            "as_of": AS_OF,
            "events": events,
        }


def _round_trip(chance: random.Random, skill: float, mint: str) -> list[dict[str, Any]]:
    bought_at = AS_OF - chance.randrange(8 * DAY_SECONDS, 90 * DAY_SECONDS)
    proceeds = SOL * max(0.01, 1 + chance.gauss(skill, 0.8))
    base_units = 10**14
    buy = {
        "mint": mint,
        "kind": "buy",
        "slot": bought_at,
        "time": bought_at,
        "units": str(10**12),
        "value_lamports": str(SOL),
        "fees_lamports": "2000000",
        "pool": {"quote_lamports": 200 * SOL, "base_units": base_units},
    }
    sale = {
        **buy,
        "kind": "sell",
        "slot": bought_at + 600,
        "time": bought_at + 600,
        "value_lamports": str(int(proceeds)),
    }
    return [buy, sale]
