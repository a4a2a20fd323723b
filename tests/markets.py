"""Simulated markets as child processes, one for each set of arguments, shared by the
tests of a session.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CALLS_PER_SECOND = 5000
"""High enough that tests wait for work, not for the pace."""

EVERYTHING = [
    "--min-price-change-pct=0",
    "--min-volume-usd=0",
    "--min-liquidity-usd=0",
    "--max-token-age-hours=168",
    "--max-tokens=100",
]
"""Options of a search that takes whatever rose at all and is not older than a week."""


@dataclass(frozen=True)
class RunningMarket:
    """A market that answers at `url`. `pid`: its process."""

    url: str
    pid: int

    def urls(self) -> dict[str, str]:
        """Settings that point every provider at it."""
        return {
            "DEXSCREENER_URL": f"{self.url}/dexscreener",
            "GECKOTERMINAL_URL": f"{self.url}/geckoterminal",
            "JUPITER_URL": f"{self.url}/jupiter",
            "SOLANA_RPC_URL": f"{self.url}/rpc",
            "HELIUS_URL": f"{self.url}/helius",
            "PRICES_URL": f"{self.url}/prices",
        }

    def stats(self) -> dict[str, Any]:
        """What it served and did not understand."""
        return self._ask("/__sim__/stats")

    def fault(
        self,
        provider: str,
        kind: str,
        *,
        match: str = "*",
        count: int = 1,
        seconds: float = 1,
    ) -> None:
        """The next `count` matching calls fail in that way."""
        body = {
            "provider": provider,
            "match": match,
            "kind": kind,
            "count": count,
            "seconds": seconds,
        }
        self._ask("/__sim__/faults", "POST", json.dumps(body).encode())

    def clear_faults(self) -> None:
        """Everything answers again."""
        self._ask("/__sim__/faults", "DELETE")

    @contextmanager
    def held(self) -> Iterator[None]:
        """It takes connections and says nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _ask(self, path: str, method: str = "GET", body: bytes | None = None) -> Any:
        request = urllib.request.Request(self.url + path, data=body, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.loads(response.read() or b"null")


@contextmanager
def market(*arguments: str) -> Iterator[RunningMarket]:
    """`python -m simmarket` with these arguments on a free port."""
    command = [
        sys.executable,
        "-m",
        "simmarket",
        "--port",
        "0",
        "--rps",
        str(CALLS_PER_SECOND),
        *arguments,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert " on http://" in line, line
            yield RunningMarket(line.rsplit(" on ", 1)[1].strip(), process.pid)
        finally:
            process.terminate()
