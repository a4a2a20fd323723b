"""Steps that scenarios share: preparing an installation, running discoveries, reading
the results.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from benchmarks.answers import calls
from benchmarks.answers.recorder import Recorder
from benchmarks.answers.servers import Failure, Installation, Reply, Request, Web


def run_and_read(recorder: Recorder, installation: Installation, seed: str) -> None:
    """Run two discoveries in a seed of world `small` and read their results."""
    keys = prepare(recorder, installation)
    with installation.market("--world", "small", "--seed", seed):
        found = run_discoveries(recorder, installation)
        with installation.web(keys) as web:
            read_results(recorder, web, found, every_wallet=10)
            explain_wallets(recorder, installation, web)


def run_discoveries(recorder: Recorder, installation: Installation) -> dict[str, str]:
    """Run two discoveries, the second over two tokens of the first. Return what `{…}`
    in paths stands for.
    """
    recorder.command(installation, "discover", "--plan", "--json")
    recorder.command(installation, "discover", "--plan", "--json", "--max-tokens", "3")
    run = discover(recorder, installation)
    tokens = [token["mint"] for token in run["tokens"]]
    two_tokens = ("--token", tokens[0], "--token", tokens[-1])
    recorder.command(installation, "discover", "--plan", "--json", *two_tokens)
    discover(recorder, installation, *two_tokens, "--min-profit-pct", "100")
    wallets = [row["address"] for row in run["wallets"] if row["qualified"]]
    return {"run": run["run_id"], "token": tokens[0], "wallet": min(wallets)}


def prepare(recorder: Recorder, installation: Installation) -> dict[str, str]:
    """Migrate the database and make an API key for each role."""
    done = installation.manage("migrate", "--noinput", "-v0")
    if done.returncode:
        raise Failure(done.stderr.decode())
    keys = {}
    for role, scope in {"reader": "read", "runner": "run", "admin": "admin"}.items():
        keys[role] = (
            installation.manage("create_api_key", role, "--scope", scope)
            .stdout.decode()
            .strip()
        )
    recorder.command(installation, "create_api_key", "reader")
    recorder.command(installation, "create_api_key", "late", "--days", "0")
    return keys


def run_bad_commands(recorder: Recorder, installation: Installation) -> None:
    """Run commands with invalid arguments."""
    for arguments in (
        ("discover", "--json", "--max-tokens", "500"),
        ("discover", "--json", "--token", "not-an-address"),
        ("discover", "--plan", "--json", "--min-profit-pct", "much"),
        ("explain_wallet", "--json", "not-an-address"),
        ("explain_wallet", "--json", calls.UNKNOWN_WALLET),
        ("create_api_key", "x" * 101),
    ):
        recorder.command(installation, *arguments)


def discover(recorder: Recorder, installation: Installation, *options: str) -> Any:
    """Run a discovery and return its JSON output. Raises `Failure` if it failed."""
    run = recorder.command(
        installation, "discover", "--json", "--all-buyers", "--foreground", *options
    )
    if run is None:
        raise Failure(f"discover {' '.join(options)} failed")
    return run


def read_results(
    recorder: Recorder, web: Web, found: Mapping[str, str], *, every_wallet: int
) -> None:
    """Read everything about the runs, and every n-th wallet by address."""
    recorder.calls(web, calls.READS)
    recorder.calls(web, calls.READS_OF_FOUND, found)
    for address in sorted(wallet_addresses(web))[::every_wallet]:
        for part in ("", "/positions?page_size=100", "/trades?page_size=100"):
            recorder.call(web, Request("GET", f"{calls.BASE}/wallets/{address}{part}"))


def wallet_addresses(web: Web) -> list[str]:
    """Return the addresses of all wallets in the order of the API."""
    reply = web.send(Request("GET", f"{calls.BASE}/wallets?format=ndjson"))
    return [json.loads(line)["address"] for line in reply.body.decode().splitlines()]


def explain_wallets(recorder: Recorder, installation: Installation, web: Web) -> None:
    """Run `explain_wallet` for the best wallets and for some others."""
    addresses = wallet_addresses(web)
    for address in [*addresses[:3], *addresses[3 :: max(1, len(addresses) // 3)]]:
        recorder.command(installation, "explain_wallet", "--json", address)


def call_with_session(recorder: Recorder, installation: Installation, web: Web) -> None:
    """Call the API and health as a person who is logged in to the pages."""
    name, password = "operator", "correct horse battery"
    login = {"DJANGO_SUPERUSER_PASSWORD": password}
    installation.manage(
        "createsuperuser",
        "--noinput",
        "--username",
        name,
        "--email",
        "a@example.org",
        settings=login,
    )
    page = "/admin/login/"
    token = _cookies(web.send(Request("GET", page, "")))["walltrack_csrf"]
    body = f"csrfmiddlewaretoken={token}&username={name}&password={password.replace(' ', '+')}"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"walltrack_csrf={token}",
    }
    cookies = _cookies(web.send(Request("POST", page, "", body.encode(), headers)))
    cookie = {"Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items())}
    with_token = cookie | {"X-CSRFToken": cookies["walltrack_csrf"]}
    for request in (
        Request("GET", f"{calls.BASE}/status", "", None, cookie),
        Request("GET", "/health/detailed", "", None, cookie),
        Request("POST", f"{calls.BASE}/run", "", None, cookie),
        Request(
            "PATCH",
            f"{calls.BASE}/wallets/{calls.UNKNOWN_WALLET}",
            "",
            {"label": "a"},
            with_token,
        ),
    ):
        reply = web.send(request)
        label = f"with a session{' and its token' if 'X-CSRFToken' in request.headers else ''}"
        body_of_reply = json.loads(reply.body)
        recorder.add(
            f"{request.method} {request.path} {label}",
            {"status": reply.status, "body": body_of_reply},
        )


def _cookies(reply: Reply) -> dict[str, str]:
    pairs = re.findall(r"(walltrack_\w+)=([^;]+)", reply.headers.get("Set-Cookie", ""))
    return dict(pairs)
