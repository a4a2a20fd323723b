"""What a watchlist of 1,000 quiet wallets costs in a week: calls on the simulated wire, by
the rules of docs/operations.md.
"""

import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.simulated import ROOT, environment, manage, market
from simmarket.chain import base58

WALLETS = 1_000
TOKENS = 100
TRADES_PER_WALLET = 6
HELD_SHARE = 0.3
"""Tokens that a wallet still holds: their value is read with each refresh."""
DAYS = 8
"""One more than the longest rule, so that every wallet is refreshed at least once."""
DAY_SECONDS = 86_400
AGE_SECONDS = 30 * DAY_SECONDS
"""The simulated present lies so far back that those days have passed by now."""
MAX_CALLS_PER_REFRESH = 1.3
FREE_CREDITS_A_MONTH = 1_000_000
"""Free plan of Helius, autumn 2026. A tenth of it may go into refreshes."""


def main() -> None:
    """Measure both sources. Needs DATABASE_URL and REDIS_URL."""
    for source in ("helius", "solana_rpc"):
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), source)


def _measure(folder: Path, source: str) -> None:
    trades, clock = folder / "trades.csv", folder / "clock.json"
    wallets = _write_trades(trades, random.Random(1))  # noqa: S311 - not for secrets
    real = time.time()
    clock.write_text(
        json.dumps({"real": real, "simulated": real - AGE_SECONDS, "speed": 1})
    )
    options = ("--trades", str(trades), "--clock", str(clock), "--rps", "100000")
    with market(*options) as url:
        env = environment(url, source=source, calls_per_second=50_000)
        env |= {"SIMULATED_CLOCK_FILE": str(clock)}
        manage(env, "migrate", "-v0")
        manage(env, "flush", "--no-input", "-v0")
        result = subprocess.run(
            [sys.executable, "-m", "benchmarks.watchlist_days", url, str(DAYS)],
            cwd=ROOT,
            env=env,
            input="\n".join(wallets),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    _print(source, json.loads(result.stdout.splitlines()[-1]))


def _print(source: str, counts: dict[str, Any]) -> None:
    per_refresh = counts["calls"] / counts["refreshes"]
    monthly_credits = counts["credits"] * 30 / DAYS
    share = monthly_credits / FREE_CREDITS_A_MONTH
    print(
        f"watchlist: {source:<10} {WALLETS:,} quiet wallets, {DAYS} days: "
        f"{counts['refreshes']:,} refreshes, {counts['calls']:,} calls, "
        f"{per_refresh:.2f} a refresh (at most {MAX_CALLS_PER_REFRESH}), "
        f"{counts['stale']} wallets ever older than twice their rule"
    )
    print(
        f"  a month: {monthly_credits:,.0f} credits, {share:.1%} of a free Helius plan"
    )
    for name, calls in sorted(counts["served"].items()):
        print(f"  {name}: {calls:,}")


def _write_trades(path: Path, chance: random.Random) -> list[str]:
    """Write a file of trades; return its wallets. Each buys tokens in three months and
    sells most of them.
    """
    end = int(time.time()) - AGE_SECONDS - DAY_SECONDS
    wallets = [_address(chance) for _ in range(WALLETS)]
    tokens = [(_address(chance), _address(chance)) for _ in range(TOKENS)]
    launches = [end - chance.randrange(2, 80) * DAY_SECONDS for _ in range(TOKENS)]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(
            [
                "mint",
                "pool",
                "trader",
                "side",
                "sol",
                "tokens",
                "ts",
                "token_created_ts",
            ]
        )
        for wallet in wallets:
            for index in chance.sample(range(TOKENS), TRADES_PER_WALLET):
                mint, pool = tokens[index]
                bought_at = launches[index] + chance.randrange(60, DAY_SECONDS)
                price = chance.uniform(0.5, 2)
                buy = [mint, pool, wallet, "buy", "0.5", "1000000"]
                rows.writerow([*buy, bought_at, launches[index]])
                if chance.random() > HELD_SHARE:
                    sale = [mint, pool, wallet, "sell", f"{price / 2:.9f}", "1000000"]
                    rows.writerow([*sale, bought_at + 600, launches[index]])
    return wallets


def _address(chance: random.Random) -> str:
    return base58.encode(chance.randbytes(32))
