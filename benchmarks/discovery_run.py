"""Compare the time of a run with the minimum that rate limits allow: requests to the
slowest provider ÷ its rate.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RATE_LIMITS = (10, 500)
"""Requests a second: those of a free key and of `make run`."""


def main() -> None:
    """Measure both transaction sources at each rate limit with the world `small`. Needs
    DATABASE_URL and REDIS_URL.
    """
    for rps in RATE_LIMITS:
        for source in ("helius", "solana_rpc"):
            with subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "simmarket",
                    "--port",
                    "0",
                    "--seed",
                    "7",
                    "--rps",
                    str(rps * 2),
                ],
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
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT,
        env=environment,
        check=True,
    )
    started = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    total_seconds = time.perf_counter() - started
    seconds, requests, provider = result.stdout.split()
    min_seconds = int(requests) / rps
    print(
        f"run: {source:<10} at {rps:>3} requests a second: {float(seconds):6.2f} s, minimum {min_seconds:6.2f} s "
        f"({requests} requests to {provider}), ratio {float(seconds) / min_seconds:.2f}; "
        f"with start-up {total_seconds:.2f} s"
    )


# Runs in a process of its own, as `manage.py discover` does. Requests are counted at
# the rate limiter: a batch is one.
PROGRAM = """
import django; django.setup()
from discovery.providers.limits import RateLimiter
from discovery.jobs import run_lifecycle
from discovery.jobs.inline_runner import run_inline
from discovery.domain.run_params import Params
from asgiref.sync import async_to_sync
from discovery.models.enums import Trigger
counts = {}
wait = RateLimiter.wait
async def counted(self, calls=1):
    counts[self.provider] = counts.get(self.provider, 0) + calls
    await wait(self, calls)
RateLimiter.wait = counted
request = run_lifecycle.RunRequest(
    params=Params(max_tokens=100), trigger=Trigger.MANUAL, triggered_by='benchmark', in_foreground=True
)
run = run_lifecycle.start(request)
async_to_sync(run_inline)(run)
run.refresh_from_db()
assert run.status == 'completed', run.errors
slowest = max(counts, key=counts.get)
print(run.duration_seconds, counts[slowest], slowest)
"""
