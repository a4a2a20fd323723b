"""A whole run against the floor its providers' pace sets: wall time ÷ (calls of the slowest provider ÷ its pace)."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACES = (10, 500)
"""Calls a second: a free key, and the pace of `make run`."""


def main() -> None:
    """Measure both transaction paths at each pace over world `small`. Needs DATABASE_URL and REDIS_URL."""
    for rps in PACES:
        for source in ("helius", "solana_rpc"):
            with subprocess.Popen(
                [sys.executable, "-m", "simmarket", "--port", "0", "--seed", "7", "--rps", str(rps * 2)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            ) as market:
                try:
                    assert market.stdout is not None
                    url = market.stdout.readline().rsplit(" on ", 1)[1].strip()
                    _measure(url, source, rps)
                finally:
                    market.terminate()


def _measure(url: str, source: str, rps: int) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "walltrack.settings",
        "MARKET": "simulated",
        "PROVIDER_RPS": str(rps),
        "DEXSCREENER_URL": f"{url}/dexscreener",
        "GECKOTERMINAL_URL": f"{url}/geckoterminal",
        "JUPITER_URL": f"{url}/jupiter",
        "SOLANA_RPC_URL": f"{url}/rpc",
        "HELIUS_URL": f"{url}/helius",
        "HELIUS_API_KEY": "simulated" if source == "helius" else "",
        "PRICES_URL": f"{url}/prices",
        "LOG_LEVEL": "error",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    whole = time.perf_counter() - started
    seconds, requests, provider = done.stdout.split()
    floor = int(requests) / rps
    print(
        f"run: {source:<10} at {rps:>3} calls a second: {float(seconds):6.2f} s, floor {floor:6.2f} s "
        f"({requests} requests to {provider}), ratio {float(seconds) / floor:.2f}; with start-up {whole:.2f} s"
    )


# In a process of its own, so that a run is measured as it is used. Requests are counted at the pacer: a batch is one.
PROGRAM = """
import django; django.setup()
from discovery.providers.limits import RateLimiter
from discovery.runs import ledger
from discovery.jobs.inline_runner import conduct
from discovery.domain.run_params import Params
from asgiref.sync import async_to_sync
from discovery.models.enums import Trigger
counts = {}
wait = RateLimiter.wait
async def counted(self, calls=1):
    counts[self.provider] = counts.get(self.provider, 0) + calls
    await wait(self, calls)
RateLimiter.wait = counted
run = ledger.start(Params(max_tokens=100), trigger=Trigger.MANUAL, triggered_by='benchmark', in_foreground=True)
async_to_sync(conduct)(run)
run.refresh_from_db()
assert run.status == 'completed', run.errors
slowest = max(counts, key=counts.get)
print(run.duration_seconds, counts[slowest], slowest)
"""
