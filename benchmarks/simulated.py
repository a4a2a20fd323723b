"""A simulated market for a benchmark, and the environment of a program that uses it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def market(*options: str) -> Iterator[str]:
    """Serve a simulated market with these options; yield its URL."""
    command = [sys.executable, "-m", "simmarket", "--port", "0", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().rsplit(" on ", 1)[1].strip()
        finally:
            process.terminate()


def environment(url: str, *, source: str, calls_per_second: int) -> dict[str, str]:
    """Return the environment of a program that asks that market.

    source: `helius` or `solana_rpc`.
    """
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "walltrack.settings",
        "MARKET": "simulated",
        "PROVIDER_RPS": str(calls_per_second),
        "DEXSCREENER_URL": f"{url}/dexscreener",
        "GECKOTERMINAL_URL": f"{url}/geckoterminal",
        "JUPITER_URL": f"{url}/jupiter",
        "SOLANA_RPC_URL": f"{url}/rpc",
        "HELIUS_URL": f"{url}/helius",
        "HELIUS_API_KEY": "simulated" if source == "helius" else "none",
        "PRICES_URL": f"{url}/prices",
        "LOG_LEVEL": "error",
    }


def manage(env: dict[str, str], *arguments: str) -> str:
    """Run manage.py and return what it prints."""
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout
