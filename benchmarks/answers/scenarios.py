"""The scenarios of a recording: each a set of questions to one installation with
databases of its own.
"""

import csv
import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from benchmarks.answers import calls
from benchmarks.answers.recorder import Recorder
from benchmarks.answers.servers import ROOT, UNUSED_URL, Installation, Request, wait_for
from benchmarks.answers.steps import (
    call_with_session,
    discover,
    explain_wallets,
    prepare,
    read_results,
    run_and_read,
    run_bad_commands,
    run_discoveries,
    wallet_addresses,
)

REALDATA: Final = ROOT.parent / "shared" / "realdata"
LAUNCHES: Final = REALDATA / "trades" / "pump_launch_first_300s.csv"
WIDE_SEARCH: Final = (
    "--min-price-change-pct=0",
    "--min-volume-usd=0",
    "--min-liquidity-usd=0",
    "--max-tokens=100",
)
_ENDED: Final = frozenset({"completed", "failed", "cancelled"})


def decode(recorder: Recorder, installation: Installation) -> None:
    """`decode_swaps` over every JSON file of the captured data, and over bad input."""
    folders = sorted({path.parent for path in REALDATA.rglob("*.json")})
    for folder in folders:
        files = [str(path) for path in sorted(folder.glob("*.json"))]
        recorder.command(
            installation,
            "decode_swaps",
            *files,
            label=f"decode_swaps {folder.relative_to(REALDATA)}",
        )
    histories = [
        json.loads(path.read_bytes())
        for path in sorted((REALDATA / "cases" / "histories").glob("*.json"))
    ]
    records = [record for history in histories for record in history["transactions"]]
    stdin = json.dumps(records).encode()
    recorder.command(
        installation,
        "decode_swaps",
        "-",
        stdin=stdin,
        label="decode_swaps cases/histories, transactions",
    )
    captured = sorted((REALDATA / "transactions" / "rpc").glob("*.json"))[:20]
    records = [json.loads(path.read_bytes()) for path in captured]
    trade = recorder.command(
        installation, "decode_swaps", str(captured[0]), label="decode_swaps one file"
    )
    shapes = {
        "lines": "\n".join(json.dumps(record) for record in records),
        "an envelope": json.dumps({"jsonrpc": "2.0", "id": 1, "result": records[0]}),
        "a page": json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"data": records}}),
        "an envelope without a result": '{"jsonrpc": "2.0", "id": 1, "result": null}',
        "an error": '{"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "no"}}',
        "nothing": "",
        "a cut record": json.dumps(records[0])[:-100],
        "lines of which one is cut": json.dumps(records[0])
        + "\n"
        + json.dumps(records[1])[:-100],
        "a list with other things": json.dumps([1, None, {}, records[0]]),
    }
    for name, text in shapes.items():
        recorder.command(
            installation,
            "decode_swaps",
            "-",
            stdin=text.encode(),
            label=f"decode_swaps {name}",
        )
    files = [str(path) for path in captured]
    wallet = ("--wallet", trade["wallet"]) if trade else ()
    recorder.command(
        installation, "decode_swaps", *files, *wallet, label="decode_swaps of a wallet"
    )
    recorder.command(
        installation,
        "decode_swaps",
        files[0],
        "--wallet",
        "x",
        label="decode_swaps of a bad wallet",
    )
    recorder.command(
        installation,
        "decode_swaps",
        files[0],
        "no-such-file",
        label="decode_swaps of no file",
    )


def whole_api(recorder: Recorder, installation: Installation) -> None:
    """Runs in world `small` with a Helius key, every command with bad options, and
    every call of the API.
    """
    keys = prepare(recorder, installation)
    with installation.market("--world", "small", "--seed", "1"):
        run_bad_commands(recorder, installation)
        with installation.web(keys) as web:
            recorder.calls(web, calls.READS)
            recorder.calls(web, calls.HEALTH)
        found = run_discoveries(recorder, installation)
        discover(recorder, installation, *WIDE_SEARCH, "--early-window-minutes", "60")
        with installation.web(keys) as web:
            read_results(recorder, web, found, every_wallet=1)
            explain_wallets(recorder, installation, web)
            recorder.calls(web, calls.OTHER_FORMS)
            recorder.calls(web, calls.REFUSED, found)
            recorder.calls(web, calls.CHANGES, found)
            recorder.calls(web, calls.HEALTH)
            call_with_session(recorder, installation, web)


def market_by_rpc(recorder: Recorder, installation: Installation) -> None:
    """Runs in the same world by the plain RPC."""
    installation.environment["HELIUS_API_KEY"] = ""
    run_and_read(recorder, installation, "1")


def other_market_by_helius(recorder: Recorder, installation: Installation) -> None:
    """Runs in another seed of the world with a Helius key."""
    run_and_read(recorder, installation, "2")


def other_market_by_rpc(recorder: Recorder, installation: Installation) -> None:
    """Runs in another seed of the world by the plain RPC."""
    installation.environment["HELIUS_API_KEY"] = ""
    run_and_read(recorder, installation, "2")


def real_launches(recorder: Recorder, installation: Installation) -> None:
    """A run over what really happened in eleven launches."""
    keys = prepare(recorder, installation)
    with LAUNCHES.open(newline="", encoding="utf-8") as file:
        mints = list(dict.fromkeys(row["mint"] for row in csv.DictReader(file)))
    tokens = [option for mint in mints for option in ("--token", mint)]
    with installation.market("--trades", str(LAUNCHES)):
        run = discover(recorder, installation, *tokens)
        found = {"run": run["run_id"], "token": mints[0]}
        with installation.web(keys) as web:
            read_results(recorder, web, found, every_wallet=3)
            explain_wallets(recorder, installation, web)


def with_workers(recorder: Recorder, installation: Installation) -> None:
    """A run, a profile and a list of pumps made by workers that the API asked for them."""
    keys = prepare(recorder, installation)
    with ExitStack() as stack:
        stack.enter_context(installation.market("--world", "small", "--seed", "1"))
        stack.enter_context(installation.workers())
        web = stack.enter_context(installation.web(keys))
        wait_for(
            "the workers", lambda: web.json("/health/detailed")["status"] != "fail", 240
        )
        recorder.calls(web, calls.HEALTH)
        run = json.loads(
            recorder.call(web, Request("POST", f"{calls.BASE}/run", "runner")).body
        )["run_id"]
        wait_for(
            "the run",
            lambda: web.json(f"{calls.BASE}/runs/{run}")["status"] in _ENDED,
            300,
        )
        recorder.call(web, Request("GET", f"{calls.BASE}/runs/{run}"))
        recorder.command(installation, "discover", "--json", "--all-buyers")
        wallet = f"{calls.BASE}/wallets/{min(wallet_addresses(web))}"
        before = web.json(wallet)["profiled_at"]
        recorder.call(web, Request("POST", f"{wallet}/profile", "runner"))
        wait_for("the profile", lambda: web.json(wallet)["profiled_at"] != before, 60)
        recorder.call(web, Request("GET", wallet))
        web.send(Request("GET", f"{calls.BASE}/pumps"))
        wait_for("the pumps", lambda: web.json(f"{calls.BASE}/pumps")["tokens"], 60)
        recorder.calls(web, calls.READS)
        recorder.calls(
            web,
            calls.READS_OF_FOUND,
            {"run": run, "wallet": min(wallet_addresses(web))},
        )
        recorder.calls(web, calls.HEALTH)


def other_settings(recorder: Recorder, installation: Installation) -> None:
    """Authentication off, throttles, the schedule off, and unreachable servers."""
    keys = prepare(recorder, installation)
    start = f"{calls.BASE}/run"
    status = Request("GET", f"{calls.BASE}/status")
    with installation.web(
        keys, API_AUTH_ENABLED="false", DISCOVERY_SCHEDULER_ENABLED="false"
    ) as web:
        for origin in ("https://elsewhere.example", "null", "http://["):
            recorder.call(web, Request("POST", start, "", {}, {"Origin": origin}))
        cancel = Request("POST", f"{calls.BASE}/runs/{{newest}}/cancel", "")
        recorder.calls(
            web,
            [
                status._replace(role=""),
                Request("POST", start, "", {}),
                *calls.HEALTH,
                cancel,
            ],
        )
    with installation.web(
        keys, API_THROTTLE_ANONYMOUS="1", API_THROTTLE_READ="2", API_THROTTLE_WRITE="1"
    ) as web:
        nobody = status._replace(role="")
        recorder.calls(web, [nobody, nobody, status, status, status])
        recorder.calls(web, [Request("POST", start, "runner", {"a": 1})] * 2)
    schedule = {
        "DISCOVERY_SCHEDULE_HOURS": "12",
        "CORS_ALLOWED_ORIGINS": "https://pages.example",
    }
    with installation.web(keys, **schedule) as web:
        asked = {
            "Origin": "https://pages.example",
            "Access-Control-Request-Method": "POST",
        }
        recorder.calls(
            web,
            [
                status,
                status._replace(headers=asked),
                Request("OPTIONS", start, "", None, asked),
            ],
        )
    with installation.web(keys, REDIS_URL=f"redis://{UNUSED_URL}/0") as web:
        recorder.calls(web, [status, Request("POST", start, "runner"), *calls.HEALTH])
    with installation.web(
        keys, DATABASE_URL=f"postgresql://walltrack:none@{UNUSED_URL}/walltrack"
    ) as web:
        recorder.calls(
            web,
            [
                status,
                status._replace(role=""),
                Request("POST", start, "runner"),
                *calls.HEALTH,
            ],
        )
    no_database = {
        "DATABASE_URL": f"postgresql://walltrack:none@{UNUSED_URL}/walltrack"
    }
    installation.environment |= no_database
    recorder.command(installation, "discover", "--json")


def with_trouble(recorder: Recorder, installation: Installation) -> None:
    """Runs without a provider, with too few calls, and in a market without tokens."""
    keys = prepare(recorder, installation)
    with installation.market("--world", "small", "--seed", "1"):
        few = (
            "discover",
            "--json",
            "--all-buyers",
            "--foreground",
            "--max-tokens",
            "3",
        )
        recorder.command(installation, *few, "--max-requests-per-run", "150")
        installation.environment |= {
            "JUPITER_URL": f"http://{UNUSED_URL}",
            "PROVIDER_PATIENCE_SECONDS": "1",
        }
        recorder.command(installation, *few)
    del installation.environment["JUPITER_URL"]
    with installation.market("--world", "empty"), installation.web(keys) as web:
        discover(recorder, installation)
        recorder.calls(web, calls.READS)
        recorder.calls(web, calls.HEALTH)
        for run in web.json(f"{calls.BASE}/runs")["runs"]:
            recorder.calls(web, calls.READS_OF_FOUND, {"run": run["id"]})


SCENARIOS: Final[dict[str, Callable[[Recorder, Installation], None]]] = {
    "decode": decode,
    "small, seed 1, Helius": whole_api,
    "small, seed 1, RPC": market_by_rpc,
    "small, seed 2, Helius": other_market_by_helius,
    "small, seed 2, RPC": other_market_by_rpc,
    "real launches": real_launches,
    "trouble": with_trouble,
    "workers": with_workers,
    "settings": other_settings,
}
