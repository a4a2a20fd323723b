"""The HTTP requests of a recording.

`{run}`, `{wallet}` and `{token}` in a path stand for a finished run, and for a wallet
and a token that it found; `{newest}` stands for the run that was started last.
"""

from typing import Final

from benchmarks.answers.servers import Request

UNKNOWN_RUN: Final = "00000000-0000-4000-8000-000000000000"
UNKNOWN_WALLET: Final = "So11111111111111111111111111111111111111112"
BASE: Final = "/api/discovery"

_READS: Final = (
    "stats",
    "stats?start_date=2029-11-28&end_date=2029-12-31",
    "stats?start_date=2030-01-16",
    "status",
    "config",
    "pumps",
    "runs",
    "runs?status=completed",
    "runs?status=failed",
    "runs?trigger_type=api&ordering=started_at",
    "runs?page=2&page_size=1",
    "runs?start_date=2030-01-16&end_date=2030-01-16",
    "runs?end_date=2030-01-15T23:59:59Z",
    "wallets?page_size=100",
    "wallets?page_size=100&page=2",
    "wallets?page_size=100&ordering=-realised_lamports",
    "wallets?page_size=100&ordering=-last_discovered_at",
    "wallets?status=active&min_score=0.5",
    "wallets?status=insufficient_data&page_size=5",
    "wallets?status=decay_detected",
    "wallets?verdict=watch",
    "wallets?flag=sniper",
    "wallets?min_cycles=10&max_score=0.9",
    "wallets?search=2&page_size=50",
    "wallets?discovered_after=2030-01-16",
    "wallets?discovered_after=2030-01-17",
    "wallets?format=csv",
    "wallets?format=ndjson&min_cycles=5",
)
_READS_OF_FOUND: Final = (
    "runs/{run}",
    "runs/{run}/",
    "runs/{run}/wallets?page_size=100",
    "runs/{run}/wallets?page_size=100&page=2",
    "runs/{run}/tokens?page_size=100",
    "wallets/{wallet}/trades?format=csv",
    "wallets/{wallet}/trades?format=ndjson&side=buy",
    "wallets/{wallet}/trades?side=sell&page_size=3&page=2",
    "wallets/{wallet}/trades?mint={token}",
    "wallets/{wallet}/positions?page_size=2&page=2",
)
_REFUSED_READS: Final = (
    "runs?status=gone",
    "runs?trigger_type=nobody",
    "runs?page=0",
    "runs?page_size=101",
    "runs?page=6000&page_size=20",
    "runs?ordering=name",
    "runs?start_date=yesterday",
    "stats?start_date=2030-02-01&end_date=2030-01-01",
    "status?verbose=1",
    "wallets?min_score=2",
    "wallets?max_score=high",
    "wallets?min_cycles=-1",
    "wallets?ordering=name",
    "wallets?flag=No",
    "wallets?format=xml",
    "wallets?colour=red&verdict=good",
    "runs/not-a-uuid",
    "runs/not-a-uuid/wallets",
    f"runs/{UNKNOWN_RUN}",
    f"runs/{UNKNOWN_RUN}/wallets",
    f"runs/{UNKNOWN_RUN}/tokens",
    "wallets/not-an-address",
    f"wallets/{UNKNOWN_WALLET}",
    f"wallets/{UNKNOWN_WALLET}/trades",
    f"wallets/{UNKNOWN_WALLET}/trades?side=hold&mint=x",
    f"wallets/{UNKNOWN_WALLET}/trades?format=csv",
    f"wallets/{UNKNOWN_WALLET}/positions",
    "nowhere",
    "wallets/a/b/c",
)


def _read(path: str) -> Request:
    return Request("GET", f"{BASE}/{path}")


READS: Final = tuple(_read(path) for path in _READS)
READS_OF_FOUND: Final = tuple(_read(path) for path in _READS_OF_FOUND)
OTHER_FORMS: Final = (
    Request("GET", f"{BASE}/wallets", headers={"Accept": "text/csv"}),
    Request("GET", f"{BASE}/wallets", headers={"Accept": "application/x-ndjson"}),
    Request("GET", f"{BASE}/wallets", headers={"Accept": "text/html"}),
    Request("GET", f"{BASE}/status", headers={"X-Request-ID": "answers-1"}),
    Request("HEAD", f"{BASE}/runs"),
    Request("OPTIONS", f"{BASE}/runs"),
    Request("GET", "/api/schema", role=""),
    Request(
        "GET", "/api/schema", role="", headers={"Accept": "application/vnd.oai.openapi"}
    ),
    Request("GET", "/api/docs", role=""),
    Request("GET", "/api/", role=""),
)
REFUSED: Final = (
    *(_read(path) for path in _REFUSED_READS),
    Request("GET", f"{BASE}/status", role=""),
    Request(
        "GET",
        f"{BASE}/status",
        role="",
        headers={"Authorization": "Bearer wt_aaaaaaaa_wrong"},
    ),
    Request("GET", f"{BASE}/status", role="", headers={"Authorization": "Basic YTpi"}),
    Request("GET", f"{BASE}/runs", role="", headers={"Host": "elsewhere.example"}),
    Request("POST", f"{BASE}/run"),
    Request("POST", f"{BASE}/wallets/{{wallet}}/profile"),
    Request("PATCH", f"{BASE}/config", "runner", {"enabled": False}, {"If-Match": "*"}),
    Request("PATCH", f"{BASE}/wallets/{{wallet}}", "runner", {"label": "no"}),
    Request("DELETE", f"{BASE}/runs", "admin"),
    Request("POST", f"{BASE}/config", "admin", {}),
    Request("PUT", f"{BASE}/run", "admin", {}),
    Request(
        "POST",
        f"{BASE}/run",
        "runner",
        {"max_tokens": 500, "min_profit_pct": "80", "colour": "red"},
    ),
    Request(
        "POST", f"{BASE}/run", "runner", {"max_tokens": None, "profile_immediately": 1}
    ),
    Request(
        "POST",
        f"{BASE}/run",
        "runner",
        {"excluded_flags": ["creater"], "min_volume_usd": -1},
    ),
    Request("POST", f"{BASE}/run", "runner", {"min_profit_pct": 0.12345}),
    Request("POST", f"{BASE}/run", "runner", [1]),
    Request("POST", f"{BASE}/run", "runner", b"{"),
    Request("POST", f"{BASE}/run", "runner", b'{"max_tokens": NaN}'),
    Request("POST", f"{BASE}/run", "runner", b'{"label": "\\u0000"}'),
    Request("POST", f"{BASE}/run", "runner", b" " * 70_000),
    Request(
        "POST", f"{BASE}/run", "runner", b"max_tokens=3", {"Content-Type": "text/plain"}
    ),
    Request("POST", f"{BASE}/run", "runner", b"{}", {"Transfer-Encoding": "chunked"}),
    Request("POST", f"{BASE}/run", "runner", {}, {"Idempotency-Key": "with blanks"}),
    Request("POST", f"{BASE}/run?dry=1", "runner", {}),
    Request("POST", f"{BASE}/runs/{UNKNOWN_RUN}/cancel", "runner"),
    Request("POST", f"{BASE}/runs/{UNKNOWN_RUN}/retry", "runner"),
    Request("POST", f"{BASE}/runs/not-a-uuid/cancel", "runner"),
    Request("POST", f"{BASE}/runs/{{run}}/cancel", "runner"),
    Request("POST", f"{BASE}/wallets/{UNKNOWN_WALLET}/profile", "runner"),
    Request("POST", f"{BASE}/wallets/not-an-address/profile", "runner"),
    Request("PATCH", f"{BASE}/config", "admin", {"enabled": False}),
    Request(
        "PATCH", f"{BASE}/config", "admin", {"enabled": False}, {"If-Match": '"99"'}
    ),
    Request("PATCH", f"{BASE}/config", "admin", {"enabled": False}, {"If-Match": "99"}),
    Request(
        "PATCH",
        f"{BASE}/config",
        "admin",
        {"enabled": 1, "schedule_hours": 25, "a": 1},
        {"If-Match": "*"},
    ),
    Request(
        "PATCH",
        f"{BASE}/config",
        "admin",
        {"params": {"max_tokens": 0, "b": 2}},
        {"If-Match": "*"},
    ),
    Request("PATCH", f"{BASE}/config", "admin", {"params": []}, {"If-Match": "*"}),
    Request("PUT", f"{BASE}/config", "admin", {"enabled": True}, {"If-Match": "*"}),
    Request(
        "PATCH",
        f"{BASE}/wallets/{{wallet}}",
        "admin",
        {"status": "gone", "label": 1, "colour": "red"},
    ),
    Request(
        "PATCH",
        f"{BASE}/wallets/{{wallet}}",
        "admin",
        {"status": "gone", "label": "x" * 101},
    ),
    Request("PATCH", f"{BASE}/wallets/{UNKNOWN_WALLET}", "admin", {"label": "no"}),
)
CHANGES: Final = (
    Request(
        "PATCH",
        f"{BASE}/config",
        "admin",
        {"schedule_hours": 4, "params": {"max_tokens": 10}},
        {"If-Match": "*"},
    ),
    Request(
        "PATCH", f"{BASE}/config", "admin", {"enabled": False}, {"If-Match": '"2"'}
    ),
    Request("PATCH", f"{BASE}/config", "admin", {"enabled": True}, {"If-Match": '"2"'}),
    Request("GET", f"{BASE}/status"),
    Request(
        "PUT",
        f"{BASE}/config",
        "admin",
        {
            "enabled": True,
            "schedule_hours": 6,
            "params": {"min_profit_pct": 75.5, "excluded_flags": ["sniper"]},
        },
        {"If-Match": '"1", W/"3", "3"'},
    ),
    Request("GET", f"{BASE}/config"),
    Request(
        "PATCH",
        f"{BASE}/wallets/{{wallet}}",
        "admin",
        {"status": "blacklisted", "label": "=whale", "note": "7"},
    ),
    Request("GET", f"{BASE}/wallets?label=%3Dwhale&format=csv"),
    Request("GET", f"{BASE}/wallets?status=blacklisted"),
    Request("PATCH", f"{BASE}/wallets/{{wallet}}", "admin", {"status": "active"}),
    Request("POST", f"{BASE}/wallets/{{wallet}}/profile", "runner"),
    Request("POST", f"{BASE}/wallets/{{wallet}}/profile", "runner"),
    Request(
        "POST",
        f"{BASE}/run",
        "runner",
        {"max_tokens": 5, "min_profit_pct": 80},
        {"Idempotency-Key": "monday-1"},
    ),
    Request(
        "POST",
        f"{BASE}/run",
        "runner",
        {"min_profit_pct": 80.0, "max_tokens": 5},
        {"Idempotency-Key": "monday-1"},
    ),
    Request(
        "POST",
        f"{BASE}/run",
        "runner",
        {"max_tokens": 6},
        {"Idempotency-Key": "monday-1"},
    ),
    Request("POST", f"{BASE}/run", "runner"),
    Request("POST", f"{BASE}/runs/{{run}}/retry", "runner"),
    Request("GET", f"{BASE}/runs?status=queued"),
    Request("GET", f"{BASE}/runs/{{newest}}"),
    Request("POST", f"{BASE}/runs/{{newest}}/retry", "runner"),
    Request("POST", f"{BASE}/runs/{{newest}}/cancel", "runner"),
    Request("POST", f"{BASE}/runs/{{newest}}/cancel", "runner"),
    Request("GET", f"{BASE}/runs/{{newest}}"),
    Request(
        "POST",
        f"{BASE}/runs/{{run}}/retry",
        "runner",
        None,
        {"Idempotency-Key": "again"},
    ),
    Request(
        "POST",
        f"{BASE}/runs/{{run}}/retry",
        "runner",
        None,
        {"Idempotency-Key": "again"},
    ),
    Request("GET", f"{BASE}/runs/{{newest}}"),
    Request("GET", f"{BASE}/status"),
    Request("GET", f"{BASE}/stats"),
    Request("POST", f"{BASE}/runs/{{newest}}/cancel", "runner"),
    Request("GET", f"{BASE}/runs?trigger_type=api"),
)
HEALTH: Final = (
    *(
        Request("GET", f"/health{page}", role="")
        for page in ("", "/", "/live", "/ready", "/detailed", "/nowhere")
    ),
    Request("GET", "/health/detailed"),
    Request("GET", "/health/detailed", "admin"),
    Request("GET", "/health/ready", "admin"),
)
