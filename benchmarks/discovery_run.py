"""Compare the time of a run with the minimum that rate limits allow: requests to the
slowest provider ÷ its rate.
"""

import subprocess
import sys
import time

from benchmarks.simulated import ROOT, environment, manage, market

RATE_LIMITS = (10, 500)
"""Requests a second: those of a free key and of `make run`."""


def main() -> None:
    """Measure both transaction sources at each rate limit with the world `small`. Needs
    DATABASE_URL and REDIS_URL.
    """
    for rps in RATE_LIMITS:
        for source in ("helius", "solana_rpc"):
            with market("--seed", "7", "--rps", str(rps * 2)) as url:
                _measure(url, source, rps)


def _measure(url: str, source: str, rps: int) -> None:
    env = environment(url, source=source, calls_per_second=rps)
    manage(env, "migrate", "-v0")
    started = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=env,
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
from benchmarks.simulated import use_source; use_source()
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
