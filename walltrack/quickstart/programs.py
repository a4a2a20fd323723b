"""The command lines of the child processes, and their environment."""

import csv
import os
import re
import secrets
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from walltrack.embedded.folders import CHECKOUT
from walltrack.quickstart.errors import QuickstartError
from walltrack.quickstart.web_port import HOST

CALLS_PER_SECOND = 500
CELERY = (sys.executable, "-m", "celery", "-A", "walltrack")
MANAGE = (sys.executable, str(CHECKOUT / "manage.py"))
ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")
# Variables of the caller that would point the children to another database, settings
# module or test run.
REMOVED_PREFIXES = ("PG", "DJANGO_", "PYTEST_")


@dataclass(frozen=True)
class Programs:
    """The command line of each child."""

    market: Sequence[str]
    migrate: Sequence[str]
    discover: Sequence[str]
    operator: Sequence[str]
    api_key: Sequence[str]
    web: Sequence[str]
    worker: Sequence[str]
    beat: Sequence[str]


def choose_programs(options: Namespace) -> Programs:
    """Return the command lines for these options. Raises QuickstartError for an
    unusable trades file.
    """
    return Programs(
        market=_market_command(options),
        migrate=[*MANAGE, "migrate", "--noinput"],
        discover=_discover_command(options),
        operator=[*MANAGE, "createsuperuser", "--noinput"],
        api_key=[*MANAGE, "create_api_key", "make run", "--scope", "admin"],
        web=_web_command(options),
        worker=[
            *CELERY,
            "worker",
            "--queues",
            "runs,steps,periodic",
            "--loglevel",
            "info",
        ],
        beat=[*CELERY, "beat", "--loglevel", "info"],
    )


def _market_command(options: Namespace) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "simmarket",
        "--port",
        "0",
        "--rps",
        str(CALLS_PER_SECOND),
    ]
    if options.trades:
        return [*command, "--trades", str(options.trades.absolute())]
    return [*command, "--world", options.world, "--seed", str(options.seed)]


def _discover_command(options: Namespace) -> list[str]:
    command = [*MANAGE, "discover"]
    if options.trades:
        for mint in read_mints(options.trades):
            command += ["--token", mint]
    return [*command, *(options.discover_arguments or [])]


def _web_command(options: Namespace) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "walltrack.wsgi:application"]
    command += ["--bind", f"{HOST}:{options.port}"]
    # One process with threads is enough for one operator.
    command += ["--threads", "8", "--graceful-timeout", "2"]
    # Its path is the same for all servers of a user, so a second one would fail to
    # create it.
    command += ["--no-control-socket"]
    return command


def read_mints(trades: Path) -> list[str]:
    """Return the distinct mints of a trades file, in its order. Raises QuickstartError
    if there are none.
    """
    try:
        with trades.open(newline="", encoding="utf-8") as file:
            mints = [row.get("mint") or "" for row in csv.DictReader(file)]
    except (OSError, ValueError, csv.Error) as error:
        raise QuickstartError(
            f"The trades file {trades} cannot be read: {error}"
        ) from error
    distinct = dict.fromkeys(mints)
    addresses = [mint for mint in distinct if ADDRESS.fullmatch(mint)]
    if not addresses:
        raise QuickstartError(
            f"The trades file {trades} has no token address in a column `mint`."
        )
    return addresses


def child_environment(
    base: Mapping[str, str],
    *,
    database_url: str,
    redis_url: str,
    market_url: str,
    port: int,
    secret_key: str,
    clock_file: Path | None = None,
) -> dict[str, str]:
    """Return the environment of every child: `base` with the addresses of servers and
    market, and the file that they take the time from if the market has one.
    """
    inherited = {
        name: value
        for name, value in base.items()
        if not name.startswith(REMOVED_PREFIXES)
    }
    clock: dict[str, str] = {}
    if clock_file is not None:
        clock["SIMULATED_CLOCK_FILE"] = str(clock_file)
    return (
        inherited
        | clock
        | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "MARKET": "simulated",
            "SECRET_KEY": secret_key,
            "DEBUG": "false",
            "ALLOWED_HOSTS": f"{HOST},localhost",
            "PUBLIC_URL": f"http://{HOST}:{port}",
            "DEXSCREENER_URL": f"{market_url}/dexscreener",
            "GECKOTERMINAL_URL": f"{market_url}/geckoterminal",
            "JUPITER_URL": f"{market_url}/jupiter",
            "SOLANA_RPC_URL": f"{market_url}/rpc",
            "HELIUS_URL": f"{market_url}/helius",
            "HELIUS_API_KEY": "simulated",
            "PRICES_URL": f"{market_url}/prices",
            "PROVIDER_RPS": str(CALLS_PER_SECOND),
            "WORKER_CONCURRENCY": base.get("WORKER_CONCURRENCY", "4"),
            "NO_PROXY": f"{HOST},localhost",  # every server is on this machine
            "no_proxy": f"{HOST},localhost",
            "PYTHONUNBUFFERED": "1",
        }
    )


def load_secret_key(data_dir: Path) -> str:
    """Return the key stored in `data_dir`. A missing one is created, readable to this
    user only. Raises OSError.
    """
    path = data_dir / "secret_key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()
