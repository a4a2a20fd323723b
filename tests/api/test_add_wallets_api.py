"""Lists of wallets through the API: added, answered, exported, changed."""

import csv
import io
import json

import pytest

from discovery.models import RunStep, Wallet
from discovery.reads.wallet_history import wallet_changes
from tests.api.client import Api
from tests.factories import TradeFactory, WalletFactory, address
from tests.wallet_addresses import wallet_address as wallet

pytestmark = pytest.mark.django_db
A, B, C = wallet(1), wallet(2), wallet(3)
AXIOM = [
    {"trackedWalletAddress": A, "name": "whale", "emoji": "x", "groups": ["g"]},
    {"trackedWalletAddress": B, "name": "", "groups": []},
]


def send(api: Api, text: str, content_type: str = "text/plain"):
    return api.raw("POST", "wallets", text, Content_Type=content_type)


def test_every_wallet_is_answered_and_counted(admin: Api) -> None:
    WalletFactory(address=B, label="known")
    body = {
        "wallets": [
            {"address": A, "label": "whale", "tags": ["x"]},
            B,
            "rubbish",
            {"address": A},
            "So11111111111111111111111111111111111111112",
        ]
    }
    response = admin.post("wallets", body)
    assert response.status_code == 200
    answer = response.json()
    assert answer["counts"] == {
        "added": 1,
        "known": 1,
        "invalid": 1,
        "not_a_wallet": 1,
        "duplicate": 1,
    }
    assert [row["result"] for row in answer["results"]] == [
        "added",
        "known",
        "invalid",
        "duplicate",
        "not_a_wallet",
    ]
    assert answer["results"][2] == {
        "number": 3,
        "address": "rubbish",
        "result": "invalid",
        "reason": "not a Solana address",
    }
    row = Wallet.objects.get(pk=A)
    assert (row.label, row.tags, row.origin) == ("whale", ["x"], "manual")
    assert wallet_changes(A)[0].by == "chief"


def test_a_list_of_rubbish_is_answered_with_200(admin: Api) -> None:
    response = admin.post("wallets", {"wallets": [None, 7, "x"]})
    assert response.status_code == 200
    assert response.json()["counts"]["invalid"] == 3
    assert response.json()["addition_id"] is None


def test_profile_false_requests_none_and_tags_are_for_all(admin: Api) -> None:
    body = {"wallets": [A, B], "profile": False, "tags": ["x"]}
    assert admin.post("wallets", body).json()["profiles_requested"] == 0
    assert not RunStep.objects.exists()
    assert [row.tags for row in Wallet.objects.all()] == [["x"], ["x"]]


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("application/json", json.dumps(AXIOM)),
        ("application/json; charset=utf-8", json.dumps(AXIOM)),
        ("application/x-ndjson", "\n".join(map(json.dumps, AXIOM))),
        ("text/csv", f"address,name,groups\n{A},whale,g\n{B},,\n"),
        ("text/plain", json.dumps(AXIOM)),
    ],
)
def test_the_export_of_a_terminal_is_a_body(
    content_type: str, text: str, admin: Api
) -> None:
    assert send(admin, text, content_type).json()["counts"]["added"] == 2
    row = Wallet.objects.get(pk=A)
    assert (row.label, row.tags, row.origin) == ("whale", ["g"], "import")


@pytest.mark.parametrize(
    ("content_type", "text", "status", "code"),
    [
        ("application/json", "[", 400, "malformed"),
        ("application/json", "", 400, "malformed"),
        ("application/json", "{}", 400, "invalid"),
        ("application/json", '"x"', 400, "invalid"),
        ("application/json", '{"wallets": {}}', 400, "invalid"),
        ("application/json", '{"wallets": [], "profiles": true}', 400, "invalid"),
        ("application/json", '{"wallets": [], "profile": "yes"}', 400, "invalid"),
        ("application/json", '{"wallets": [], "tags": [7]}', 400, "invalid"),
        ("text/plain", "[", 400, "malformed"),
        ("text/csv", "x\n" * 10_001, 413, "too_large"),
        ("text/csv", "x" * 5_000_001, 413, "too_large"),
        ("application/json", json.dumps(["x"] * 10_001), 413, "too_large"),
        ("application/xml", "<x/>", 415, "unsupported_media_type"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_list_is_a_problem(
    content_type: str, text: str, status: int, code: str, admin: Api
) -> None:
    response = send(admin, text, content_type)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Wallet.objects.exists()


def test_the_progress_of_the_profiles_can_be_read(admin: Api, reader: Api) -> None:
    added = admin.post("wallets", {"wallets": [A, B]}).json()
    progress = reader.get(f"additions/{added['addition_id']}").json()
    assert progress.pop("added_at").endswith("Z")
    assert progress == {
        "id": added["addition_id"],
        "wallets": 2,
        "profiled": 0,
        "pending": 2,
        "failed": 0,
        "not_requested": 0,
    }


@pytest.mark.parametrize(
    ("addition", "status"), [("x", 400), ("20261124T120000000000Z", 404)]
)
def test_an_unknown_addition_is_told(addition: str, status: int, reader: Api) -> None:
    assert reader.get(f"additions/{addition}").status_code == status


def exported(api: Api, list_format: str) -> str:
    response = api.get(f"wallets?format={list_format}&ordering=-last_discovered_at")
    return b"".join(response.streaming_content).decode()


LABELS = ["", "=cmd()", "'=x", "'plain", '"quoted"', ",;x", "-5", "a, b", "# x", "ü 🐋"]


@pytest.mark.parametrize(
    "list_format", ["csv", "ndjson", "axiom", "padre", "bullx", "gmgn", "okx", "txt"]
)
def test_every_export_can_be_imported_and_is_then_the_same(
    list_format: str, admin: Api
) -> None:
    for number, label in enumerate(LABELS):
        tags = ["a b", "=c", "d"][: number % 4]
        WalletFactory(address=wallet(number), label=label, tags=tags)
    before = exported(admin, list_format)
    Wallet.objects.all().delete()
    content_type = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
    response = send(admin, before, content_type.get(list_format, "text/plain"))
    assert response.json()["counts"]["added"] == len(LABELS)
    after = exported(admin, list_format)
    if list_format in {"csv", "ndjson"}:  # they hold figures, too
        assert carried(after, list_format) == carried(before, list_format)
    else:
        assert after == before


def carried(text: str, list_format: str) -> list[list[object]]:
    """Return address, label and tags of each row as they are written."""
    rows: list[dict] = list(csv.DictReader(io.StringIO(text)))
    if list_format == "ndjson":
        rows = [json.loads(line) for line in text.splitlines()]
    return sorted([row["address"], row["label"], row["tags"]] for row in rows)


def test_a_list_for_a_terminal_is_a_file_that_names_it(reader: Api) -> None:
    WalletFactory(number=1, label="whale", tags=["g"])
    response = reader.get("wallets?format=axiom")
    assert response.headers["Content-Type"] == "application/vnd.axiom+json"
    assert "wallets-axiom.json" in response.headers["Content-Disposition"]
    assert json.loads(b"".join(response.streaming_content)) == [
        {
            "trackedWalletAddress": address(1),
            "name": "whale",
            "emoji": "",
            "alertsOnToast": False,
            "alertsOnBubble": False,
            "alertsOnFeed": True,
            "groups": ["g"],
            "sound": "default",
        }
    ]


def test_an_empty_list_for_a_terminal_is_valid_json(reader: Api) -> None:
    assert json.loads(exported(reader, "gmgn")) == []


def test_other_lists_have_no_format_of_a_terminal(reader: Api) -> None:
    WalletFactory(number=1)
    assert reader.get(f"wallets/{address(1)}/trades?format=axiom").status_code == 400


# --- Tags, pins, blacklist ------------------------------------------------------------


def change(api: Api, body: dict):
    return api.call("PATCH", f"wallets/{address(1)}", body)


def test_tags_pin_and_reason_are_changed_with_author(admin: Api) -> None:
    WalletFactory(number=1)
    body = {
        "tags": ["a b", "c"],
        "is_pinned": True,
        "status": "blacklisted",
        "blacklist_reason": "sells to itself",
    }
    answer = change(admin, body).json()
    assert {name: answer[name] for name in body} == body
    (changed,) = [row for row in wallet_changes(address(1)) if row.by == "chief"]
    assert changed.changes == [
        "status: active → blacklisted",
        "reason: empty → sells to itself",
        "tags: empty → a b, c",
        "pinned: no → yes",
    ]


def test_the_reason_is_cleared_when_the_wallet_leaves_the_blacklist(admin: Api) -> None:
    WalletFactory(number=1, status="blacklisted", blacklist_reason="wash")
    assert change(admin, {"status": "active"}).json()["blacklist_reason"] == ""


@pytest.mark.parametrize("body", [{}, {"status": "active"}])
def test_a_reason_without_the_blacklist_is_refused(body: dict, admin: Api) -> None:
    WalletFactory(number=1)
    response = change(admin, {**body, "blacklist_reason": "wash"})
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"field": "blacklist_reason", "message": "the wallet is not blacklisted"}
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"tags": "x"},
        {"tags": [7]},
        {"tags": ["x" * 41]},
        {"tags": [""]},
        {"tags": ["x"] * 21},
        {"is_pinned": "yes"},
        {"blacklist_reason": "x" * 201},
        {"origin": "manual"},
    ],
)
def test_a_wrong_value_is_refused_by_name(body: dict, admin: Api) -> None:
    WalletFactory(number=1)
    response = change(admin, body)
    assert response.status_code == 400
    (field,) = body
    assert field in response.json()["errors"][0]["field"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tag=a%20b", [1]),
        ("tag=a", []),
        ("origin=import", [2]),
        ("origin=discovery", [1]),
        ("pinned=true", [1]),
        ("pinned=false", [2]),
    ],
)
def test_the_list_is_filtered_by_tag_origin_and_pin(
    query: str, found: list[int], reader: Api
) -> None:
    WalletFactory(number=1, tags=["a b", "c"], is_pinned=True)
    WalletFactory(number=2, tags=["c"], origin="import")
    rows = reader.get(f"wallets?{query}").json()["wallets"]
    assert [row["address"] for row in rows] == [address(number) for number in found]


@pytest.mark.parametrize("query", ["origin=control", "pinned=x", f"tag={'x' * 41}"])
def test_a_filter_with_a_wrong_value_is_refused(query: str, reader: Api) -> None:
    assert reader.get(f"wallets?{query}").status_code == 400


def test_a_control_wallet_is_on_no_list_and_has_no_page(admin: Api) -> None:
    WalletFactory(number=1, origin="control", label="hidden")
    TradeFactory(wallet=1)
    assert admin.get("wallets").json()["total"] == 0
    assert address(1) not in exported(admin, "txt")
    for path in ("", "/tokens", "/trades", "/positions", "/coverage"):
        assert admin.get(f"wallets/{address(1)}{path}").status_code == 404
    assert change(admin, {"label": "x"}).status_code == 404
    assert admin.post(f"wallets/{address(1)}/profile").status_code == 404
