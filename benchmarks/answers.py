"""Record what the product answers to a fixed set of questions, and compare two recordings.

    python -m benchmarks answers record FILE        about ten minutes; needs ../shared/realdata for all of it
    python -m benchmarks answers compare OLD NEW    prints the differences; exit code 1 if there are any

Only outer entry points are used (manage.py, the HTTP API, health, a simulated market and the embedded servers), so
that the same file records any version. Each scenario has databases of its own. The clock of all programs stands
almost still at one moment, so that nothing depends on the hour or on the speed of the machine.
"""

import argparse
import csv
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks import answers_calls as calls
from benchmarks.answers_form import Normalizer, differences
from benchmarks.answers_servers import ROOT, UNUSED_URL, Failure, Installation, Reply, Request, Web, wait_for

REALDATA: Final = ROOT.parent / "shared" / "realdata"
LAUNCHES: Final = REALDATA / "trades" / "pump_launch_first_300s.csv"
MAX_SECONDS: Final = 900
"""A scenario that takes longer would reach the next second of its slow clock."""
MAX_SHOWN: Final = 200
WIDE_SEARCH: Final = ("--min-price-change-pct=0", "--min-volume-usd=0", "--min-liquidity-usd=0", "--max-tokens=100")
_IGNORED_HEADERS: Final = frozenset({"date", "server", "connection", "content-length", "transfer-encoding"})
_ENDED: Final = frozenset({"completed", "failed", "cancelled"})


class Recorder:
    """The answers of one scenario by the question, in the comparable form."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self._form = Normalizer()

    def add(self, question: str, answer: Any) -> None:
        """Keep one answer. The same question asked again gets a number."""
        question = self._form.text(question)
        number = 1
        label = question
        while label in self.answers:
            number += 1
            label = f"{question} (no. {number})"
        self.answers[label] = self._form.value(answer)

    def command(self, installation: Installation, *arguments: str, stdin: bytes = b"", label: str = "") -> Any:
        """Run a command of manage.py and keep its exit code and output; return its output as JSON, if it is JSON."""
        done = installation.manage(*arguments, stdin=stdin)
        output = _parsed(done.stdout.decode())
        answer = {"exit_code": done.returncode, "output_lines": output, "says_why": bool(done.stderr.strip())}
        self.add(label or f"manage.py {' '.join(arguments)}", answer)
        return output[0] if output and done.returncode == 0 else None

    def call(self, web: Web, request: Request) -> Reply:
        """Send a request and keep the reply."""
        reply = web.send(request)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        answer = {
            "status": reply.status,
            "headers": {name: value for name, value in headers.items() if name not in _IGNORED_HEADERS},
            "body": _body(reply, headers.get("content-type", "")),
        }
        self.add(_question(request), answer)
        return reply

    def calls(self, web: Web, requests: Iterable[Request], found: Mapping[str, str] | None = None) -> None:
        """Send requests in their order, with the names of `found` in their paths replaced."""
        for request in requests:
            path = request.path
            names = dict(found or {})
            if "{newest}" in path:
                names["newest"] = web.json(f"{calls.BASE}/runs?page_size=1")["runs"][0]["id"]
            for name, value in names.items():
                path = path.replace(f"{{{name}}}", value)
            if "{" not in path:
                self.call(web, request._replace(path=path))


def _question(request: Request) -> str:
    parts = [request.method, request.path, f"as {request.role or 'nobody'}"]
    if isinstance(request.body, bytes):
        parts.append(f"with {len(request.body)} bytes {request.body[:40]!r}")
    elif request.body is not None:
        parts.append(f"with {json.dumps(request.body)}")
    parts += [f"{name}: {value}" for name, value in request.headers.items() if name != "Cookie"]
    return " ".join(parts)


def _parsed(text: str) -> list[Any]:
    """Return the lines of a command's output, each as the JSON value that it is, or as text."""
    lines: list[Any] = []
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            lines.append(re.sub(r"wt_\S+", "<key>", line))
    return lines


def _body(reply: Reply, content_type: str) -> Any:
    text = reply.body.decode()
    if "json" in content_type and "ndjson" not in content_type:
        return json.loads(text) if text else ""
    if "ndjson" in content_type:
        return _parsed(text)
    if "csv" in content_type:
        rows = csv.reader(io.StringIO(text))
        head = next(rows)
        return {"columns": head, "rows": [dict(zip(head, row, strict=True)) for row in rows]}
    return f"<{content_type.partition(';')[0]}>" if text else ""


# --- Scenarios ------------------------------------------------------------------------------------------------------


def decode(recorder: Recorder, installation: Installation) -> None:
    """`decode_swaps` over every JSON file of the captured data, and over bad input."""
    folders = sorted({path.parent for path in REALDATA.rglob("*.json")})
    for folder in folders:
        files = [str(path) for path in sorted(folder.glob("*.json"))]
        recorder.command(installation, "decode_swaps", *files, label=f"decode_swaps {folder.relative_to(REALDATA)}")
    for path in sorted((REALDATA / "cases" / "histories").glob("*.json")):
        history = json.loads(path.read_bytes())
        stdin = json.dumps(history["transactions"]).encode()
        recorder.command(installation, "decode_swaps", "-", stdin=stdin, label=f"decode_swaps history {path.name}")
    captured = sorted((REALDATA / "transactions" / "rpc").glob("*.json"))[:20]
    records = [json.loads(path.read_bytes()) for path in captured]
    trade = recorder.command(installation, "decode_swaps", str(captured[0]), label="decode_swaps one file")
    shapes = {
        "lines": "\n".join(json.dumps(record) for record in records),
        "an envelope": json.dumps({"jsonrpc": "2.0", "id": 1, "result": records[0]}),
        "a page": json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"data": records}}),
        "an envelope without a result": '{"jsonrpc": "2.0", "id": 1, "result": null}',
        "an error": '{"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "no"}}',
        "nothing": "",
        "a cut record": json.dumps(records[0])[:-100],
        "lines of which one is cut": json.dumps(records[0]) + "\n" + json.dumps(records[1])[:-100],
        "a list with other things": json.dumps([1, None, {}, records[0]]),
    }
    for name, text in shapes.items():
        recorder.command(installation, "decode_swaps", "-", stdin=text.encode(), label=f"decode_swaps {name}")
    files = [str(path) for path in captured]
    wallet = ("--wallet", trade["wallet"]) if trade else ()
    recorder.command(installation, "decode_swaps", *files, *wallet, label="decode_swaps of a wallet")
    recorder.command(installation, "decode_swaps", files[0], "--wallet", "x", label="decode_swaps of a bad wallet")
    recorder.command(installation, "decode_swaps", files[0], "no-such-file", label="decode_swaps of no file")


def market_by_helius(recorder: Recorder, installation: Installation) -> None:
    """Runs in world `small` with a Helius key, and the whole API after them."""
    _runs_and_api(recorder, installation, "1", every_wallet=1)


def market_by_rpc(recorder: Recorder, installation: Installation) -> None:
    """The same by the plain RPC."""
    installation.environment["HELIUS_API_KEY"] = ""
    _runs_and_api(recorder, installation, "1", every_wallet=10)


def other_market_by_helius(recorder: Recorder, installation: Installation) -> None:
    """Another seed of the world with a Helius key."""
    _runs_and_api(recorder, installation, "2", every_wallet=10)


def other_market_by_rpc(recorder: Recorder, installation: Installation) -> None:
    """Another seed of the world by the plain RPC."""
    installation.environment["HELIUS_API_KEY"] = ""
    _runs_and_api(recorder, installation, "2", every_wallet=10)


def _runs_and_api(recorder: Recorder, installation: Installation, seed: str, *, every_wallet: int) -> None:
    keys = _prepare(recorder, installation)
    with installation.market("--world", "small", "--seed", seed):
        _bad_commands(recorder, installation)
        recorder.command(installation, "discover", "--plan", "--json")
        recorder.command(installation, "discover", "--plan", "--json", "--max-tokens", "3")
        with installation.web(keys) as web:
            recorder.calls(web, calls.READS)
            recorder.calls(web, calls.HEALTH)
        run = _discover(recorder, installation)
        tokens = [token["mint"] for token in run["tokens"]]
        chosen = ("--token", tokens[0], "--token", tokens[-1])
        recorder.command(installation, "discover", "--plan", "--json", *chosen)
        _discover(recorder, installation, *chosen, "--min-profit-pct", "100")
        _discover(recorder, installation, *WIDE_SEARCH, "--early-window-minutes", "60")
        found = {
            "run": run["run_id"],
            "token": tokens[0],
            "wallet": min(row["address"] for row in run["wallets"] if row["qualified"]),
        }
        with installation.web(keys) as web:
            _api(recorder, web, found, every_wallet)
            _explain(recorder, installation, web)
            _session(recorder, installation, web)


def _prepare(recorder: Recorder, installation: Installation) -> dict[str, str]:
    """Migrate the database and make an API key for each role."""
    done = installation.manage("migrate", "--noinput", "-v0")
    if done.returncode:
        raise Failure(done.stderr.decode())
    keys = {}
    for role, scope in {"reader": "read", "runner": "run", "admin": "admin"}.items():
        keys[role] = installation.manage("create_api_key", role, "--scope", scope).stdout.decode().strip()
    recorder.command(installation, "create_api_key", "reader")
    recorder.command(installation, "create_api_key", "late", "--days", "0")
    return keys


def _bad_commands(recorder: Recorder, installation: Installation) -> None:
    for arguments in (
        ("discover", "--json", "--max-tokens", "500"),
        ("discover", "--json", "--token", "not-an-address"),
        ("discover", "--plan", "--json", "--min-profit-pct", "much"),
        ("explain_wallet", "--json", "not-an-address"),
        ("explain_wallet", "--json", calls.UNKNOWN_WALLET),
        ("create_api_key", "x" * 101),
    ):
        recorder.command(installation, *arguments)


def _discover(recorder: Recorder, installation: Installation, *options: str) -> Any:
    run = recorder.command(installation, "discover", "--json", "--all-buyers", "--foreground", *options)
    if run is None:
        raise Failure(f"discover {' '.join(options)} failed")
    return run


def _api(recorder: Recorder, web: Web, found: Mapping[str, str], every_wallet: int) -> None:
    recorder.calls(web, calls.READS)
    recorder.calls(web, calls.READS_OF_FOUND, found)
    for address in sorted(_addresses(web))[::every_wallet]:
        for part in ("", "/positions?page_size=100", "/trades?page_size=100"):
            recorder.call(web, Request("GET", f"{calls.BASE}/wallets/{address}{part}"))
    recorder.calls(web, calls.OTHER_FORMS)
    recorder.calls(web, calls.REFUSED, found)
    recorder.calls(web, calls.CHANGES, found)
    recorder.calls(web, calls.HEALTH)


def _addresses(web: Web) -> list[str]:
    reply = web.send(Request("GET", f"{calls.BASE}/wallets?format=ndjson"))
    return [json.loads(line)["address"] for line in reply.body.decode().splitlines()]


def _explain(recorder: Recorder, installation: Installation, web: Web) -> None:
    """`explain_wallet` for the best wallets and for some others."""
    reply = web.send(Request("GET", f"{calls.BASE}/wallets?format=ndjson"))
    rows = [json.loads(line)["address"] for line in reply.body.decode().splitlines()]
    for address in [*rows[:4], *rows[4 :: max(1, len(rows) // 4)]]:
        recorder.command(installation, "explain_wallet", "--json", address)


def _session(recorder: Recorder, installation: Installation, web: Web) -> None:
    """The API and health for a person who is logged in to the pages."""
    name, password = "operator", "correct horse battery"
    login = {"DJANGO_SUPERUSER_PASSWORD": password}
    installation.manage("createsuperuser", "--noinput", "--username", name, "--email", "a@example.org", **login)
    page = "/admin/login/"
    token = _cookies(web.send(Request("GET", page, "")))["walltrack_csrf"]
    body = f"csrfmiddlewaretoken={token}&username={name}&password={password.replace(' ', '+')}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"walltrack_csrf={token}"}
    cookies = _cookies(web.send(Request("POST", page, "", body.encode(), headers)))
    cookie = {"Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items())}
    with_token = cookie | {"X-CSRFToken": cookies["walltrack_csrf"]}
    for request in (
        Request("GET", f"{calls.BASE}/status", "", None, cookie),
        Request("GET", "/health/detailed", "", None, cookie),
        Request("POST", f"{calls.BASE}/run", "", None, cookie),
        Request("PATCH", f"{calls.BASE}/wallets/{calls.UNKNOWN_WALLET}", "", {"label": "a"}, with_token),
    ):
        reply = web.send(request)
        label = f"with a session{' and its token' if 'X-CSRFToken' in request.headers else ''}"
        body_of_reply = json.loads(reply.body)
        recorder.add(f"{request.method} {request.path} {label}", {"status": reply.status, "body": body_of_reply})


def _cookies(reply: Reply) -> dict[str, str]:
    pairs = re.findall(r"(walltrack_\w+)=([^;]+)", reply.headers.get("Set-Cookie", ""))
    return dict(pairs)


def real_launches(recorder: Recorder, installation: Installation) -> None:
    """A run over what really happened in eleven launches."""
    keys = _prepare(recorder, installation)
    with LAUNCHES.open(newline="", encoding="utf-8") as file:
        mints = list(dict.fromkeys(row["mint"] for row in csv.DictReader(file)))
    tokens = [option for mint in mints for option in ("--token", mint)]
    with installation.market("--trades", str(LAUNCHES)):
        run = _discover(recorder, installation, *tokens)
        found = {"run": run["run_id"], "token": mints[0]}
        with installation.web(keys) as web:
            recorder.calls(web, calls.READS)
            recorder.calls(web, calls.READS_OF_FOUND, found)
            for address in sorted(_addresses(web))[::20]:
                for part in ("", "/positions?page_size=100", "/trades?page_size=100"):
                    recorder.call(web, Request("GET", f"{calls.BASE}/wallets/{address}{part}"))
            _explain(recorder, installation, web)


def with_workers(recorder: Recorder, installation: Installation) -> None:
    """A run, a profile and a list of pumps made by workers that the API asked for them."""
    keys = _prepare(recorder, installation)
    with ExitStack() as stack:
        stack.enter_context(installation.market("--world", "small", "--seed", "1"))
        stack.enter_context(installation.workers())
        web = stack.enter_context(installation.web(keys))
        wait_for("the workers", lambda: _is_healthy(web), 150)
        recorder.calls(web, calls.HEALTH)
        run = json.loads(recorder.call(web, Request("POST", f"{calls.BASE}/run", "runner")).body)["run_id"]
        wait_for("the run", lambda: web.json(f"{calls.BASE}/runs/{run}")["status"] in _ENDED, 300)
        recorder.call(web, Request("GET", f"{calls.BASE}/runs/{run}"))
        recorder.command(installation, "discover", "--json", "--all-buyers")
        web.send(Request("GET", f"{calls.BASE}/pumps"))
        wait_for("the pumps", lambda: web.json(f"{calls.BASE}/pumps")["tokens"], 60)
        wallet = min(_addresses(web))
        recorder.calls(web, calls.READS)
        recorder.calls(web, calls.READS_OF_FOUND, {"run": run, "wallet": wallet})
        recorder.calls(web, calls.HEALTH)


def _is_healthy(web: Web) -> bool:
    return web.json("/health/detailed")["status"] != "fail"


def other_settings(recorder: Recorder, installation: Installation) -> None:
    """Authentication off, throttles, the schedule off, and servers out of reach."""
    keys = _prepare(recorder, installation)
    start = f"{calls.BASE}/run"
    status = Request("GET", f"{calls.BASE}/status")
    with installation.web(keys, API_AUTH_ENABLED="false", DISCOVERY_SCHEDULER_ENABLED="false") as web:
        for origin in ("https://elsewhere.example", "null", "http://["):
            recorder.call(web, Request("POST", start, "", {}, {"Origin": origin}))
        recorder.calls(web, [status._replace(role=""), Request("POST", start, "", {}), *calls.HEALTH])
    with installation.web(keys, API_THROTTLE_ANONYMOUS="1", API_THROTTLE_READ="2", API_THROTTLE_WRITE="1") as web:
        nobody = status._replace(role="")
        recorder.calls(web, [nobody, nobody, status, status, status])
        recorder.calls(web, [Request("POST", start, "runner", {"a": 1})] * 2)
    schedule = {"DISCOVERY_SCHEDULE_HOURS": "12", "CORS_ALLOWED_ORIGINS": "https://pages.example"}
    with installation.web(keys, **schedule) as web:
        asked = {"Origin": "https://pages.example", "Access-Control-Request-Method": "POST"}
        recorder.calls(web, [status, status._replace(headers=asked), Request("OPTIONS", start, "", None, asked)])
    with installation.web(keys, REDIS_URL=f"redis://{UNUSED_URL}/0") as web:
        recorder.calls(web, [status, Request("POST", start, "runner"), *calls.HEALTH])
    with installation.web(keys, DATABASE_URL=f"postgresql://walltrack:none@{UNUSED_URL}/walltrack") as web:
        recorder.calls(web, [status, status._replace(role=""), Request("POST", start, "runner"), *calls.HEALTH])
    no_database = {"DATABASE_URL": f"postgresql://walltrack:none@{UNUSED_URL}/walltrack"}
    installation.environment |= no_database
    recorder.command(installation, "discover", "--json")


SCENARIOS: Final[dict[str, Callable[[Recorder, Installation], None]]] = {
    "decode": decode,
    "small, seed 1, Helius": market_by_helius,
    "small, seed 1, RPC": market_by_rpc,
    "small, seed 2, Helius": other_market_by_helius,
    "small, seed 2, RPC": other_market_by_rpc,
    "real launches": real_launches,
    "workers": with_workers,
    "settings": other_settings,
}


# --- Command line ---------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Record or compare. Exit code: 0 done or equal, 1 different or failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks answers", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    record = actions.add_parser("record", help="record all answers of this checkout")
    record.add_argument("file", type=Path)
    record.add_argument("--only", action="append", choices=list(SCENARIOS), help="one scenario; repeatable")
    compare = actions.add_parser("compare", help="print the differences of two recordings")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    scenario = actions.add_parser("scenario", help="record one scenario beside servers that run already")
    scenario.add_argument("name", choices=list(SCENARIOS))
    scenario.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    if options.action == "compare":
        return _compare(options.old, options.new)
    if options.action == "scenario":
        return _record_scenario(options.name, options.file)
    return _record(options.file, options.only or list(SCENARIOS))


def _record(file: Path, names: Sequence[str]) -> int:
    """Record scenarios, each beside throw-away servers of its own."""
    answers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            started = time.monotonic()
            part = Path(folder) / "part.json"
            command = [sys.executable, "-m", "walltrack.embedded", "run", "--"]
            command += [sys.executable, "-m", "benchmarks", "answers", "scenario", name, str(part)]
            done = subprocess.run(command, cwd=ROOT, check=False)
            if done.returncode:
                print(f"{name}: failed")
                return 1
            answers[name] = json.loads(part.read_bytes())
            print(f"{name}: {len(answers[name])} answers in {time.monotonic() - started:.0f} s", flush=True)
    file.write_text(json.dumps(answers, indent=0, ensure_ascii=False))
    return 0


def _record_scenario(name: str, file: Path) -> int:
    recorder = Recorder()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="answers-") as folder:
        installation = Installation(Path(folder))
        try:
            SCENARIOS[name](recorder, installation)
        except Failure as failure:
            print(f"{name}: {failure}", *installation.log_tail(), sep="\n", file=sys.stderr)
            return 1
    if time.monotonic() - started > MAX_SECONDS:
        print(f"{name}: took longer than {MAX_SECONDS} s; try again on an idle machine", file=sys.stderr)
        return 1
    file.write_text(json.dumps(recorder.answers, ensure_ascii=False))
    return 0


def _compare(old: Path, new: Path) -> int:
    lines = list(differences(json.loads(old.read_bytes()), json.loads(new.read_bytes())))
    for line in lines[:MAX_SHOWN]:
        print(line)
    if len(lines) > MAX_SHOWN:
        print(f"… and {len(lines) - MAX_SHOWN} more")
    print(f"{len(lines)} differences" if lines else "no difference")
    return 1 if lines else 0
