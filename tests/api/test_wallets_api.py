"""Wallets through the API: filtered, sorted, exported, read, changed."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal

import pytest

from discovery.api.renderers import CsvRenderer, NdjsonRenderer, StreamingRenderer
from discovery.models import RunStep, Wallet
from tests.api.client import ROOT, Api
from tests.factories import (
    MINT,
    NOW,
    CycleFactory,
    PositionFactory,
    RunFactory,
    RunWalletFactory,
    TradeFactory,
    WalletFactory,
    address,
)

pytestmark = pytest.mark.django_db


def addresses(api: Api, query: str = "") -> list[str]:
    return [row["address"] for row in api.get(f"wallets{query}").json()["wallets"]]


def test_a_row_has_numbers_as_numbers_and_lamports_as_text(reader: Api) -> None:
    WalletFactory(number=1, label="whale")
    row = reader.get("wallets").json()["wallets"][0]
    assert (row["score"], row["win_rate"], row["n_eff"]) == (0.7312, 0.75, 9.5)
    assert row["realised_lamports"] == "12345678901"
    assert row["flags"] == ["sniper"]
    assert row["last_discovered_at"] == "2026-11-24T12:00:00Z"


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("?status=blacklisted", {"status": "blacklisted"}),
        ("?min_score=0.8", {"score": Decimal("0.8")}),
        ("?max_score=0.2", {"score": Decimal("0.2")}),
        ("?verdict=follow", {"verdict": "follow"}),
        ("?verdict=not%20known", {"verdict": "not known"}),
        ("?min_edge_low=5", {"edge_low_pct": Decimal(6)}),
        ("?flag=wash", {"flags": {"wash": "half of its volume"}}),
        ("?label=whale", {"label": "whale"}),
        (
            "?discovered_after=2026-11-25",
            {"last_discovered_at": NOW + timedelta(days=1)},
        ),
        ("?min_cycles=13", {"resolved_cycles": 13}),
        ("?search=HAL", {"label": "the whale"}),
        (f"?search={address(1)[:40]}{address(1)[40:]}", {}),
    ],
)
def test_every_filter_returns_the_matching_wallets(
    query: str, values: dict, reader: Api
) -> None:
    WalletFactory(number=1, **values)
    WalletFactory(number=2)
    assert addresses(reader, query) == [address(1)]


def test_a_search_matches_only_the_beginning_of_an_address(reader: Api) -> None:
    created = [WalletFactory(number=number).address for number in range(3)]
    assert addresses(reader, f"?search={created[1][:43]}") == [
        each for each in created if each.startswith(created[1][:43])
    ]
    assert addresses(reader, f"?search={created[1][1:]}") == []


def test_a_percent_sign_in_a_search_is_no_wildcard(reader: Api) -> None:
    WalletFactory(number=1)
    assert addresses(reader, "?search=%25") == []


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("-realised_lamports", [2, 1, 3]),
        ("-last_discovered_at", [1, 2, 3]),
        ("last_discovered_at", [3, 2, 1]),
    ],
)
def test_the_list_is_sorted_by_the_ordering(
    ordering: str, expected: list[int], reader: Api
) -> None:
    for number, realised in ((1, 5), (2, 9), (3, None)):
        at = NOW - timedelta(hours=number)
        WalletFactory(number=number, realised_lamports=realised, last_discovered_at=at)
    assert addresses(reader, f"?ordering={ordering}") == [
        address(number) for number in expected
    ]


@pytest.mark.parametrize(
    "query",
    [
        "min_score=2", "min_score=nan", "max_score=x", "verdict=good", "min_edge_low=x", "flag=No!", "status=good",
        "min_cycles=-1",
        "ordering=address", "format=xml", "discovered_after=soon", "search=", "labels=x", "search=%00", "page_size=0",
    ],
)  # fmt: skip
def test_an_invalid_filter_of_wallets_is_refused_by_name(
    query: str, reader: Api
) -> None:
    response = reader.get(f"wallets?{query}")
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == [
        query.split("=", maxsplit=1)[0]
    ]


def test_csv_has_a_head_and_every_wallet_of_the_filter(reader: Api) -> None:
    for number in range(30):
        WalletFactory(number=number, status="blacklisted" if number == 7 else "active")
    response = reader.get("wallets?format=csv&status=active")
    assert response.streaming
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        response.headers["Content-Disposition"] == 'attachment; filename="wallets.csv"'
    )
    rows = list(
        csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))
    )
    assert len(rows) == 29
    assert (rows[0]["score"], rows[0]["flags"], rows[0]["too_active"]) == (
        "0.7312",
        "sniper",
        "false",
    )


@pytest.mark.parametrize("label", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\tx"])
def test_no_cell_of_the_csv_is_a_formula(label: str, reader: Api) -> None:
    Wallet.objects.filter(pk=WalletFactory(number=1, realised_lamports=-5).pk).update(
        label=label
    )
    response = reader.get("wallets?format=csv")
    row = next(
        csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))
    )
    assert row["label"] == f"'{label}"
    assert row["realised_lamports"] == "-5"


@pytest.mark.parametrize(
    ("renderer", "text"),
    [
        (CsvRenderer, "a,b\r\n1,x y\r\n"),
        (NdjsonRenderer, '{"a": 1, "b": ["x", "y"]}\n'),
    ],
)
def test_a_renderer_writes_a_line_for_each_row(
    renderer: type[StreamingRenderer], text: str
) -> None:
    lines = renderer().lines([{"a": 1, "b": ["x", "y"]}], ["a", "b"])
    assert "".join(lines) == text


def test_ndjson_has_one_row_of_the_list_per_line(reader: Api) -> None:
    for number in range(3):
        WalletFactory(number=number)
    response = reader.get("wallets", Accept="application/x-ndjson")
    assert response.headers["Content-Type"] == "application/x-ndjson"
    lines = [
        json.loads(line) for line in b"".join(response.streaming_content).splitlines()
    ]
    assert lines == reader.get("wallets").json()["wallets"]


def test_the_query_parameter_format_takes_precedence_over_accept(reader: Api) -> None:
    assert (
        reader.get("wallets?format=json", Accept="text/csv").headers["Content-Type"]
        == "application/json"
    )


def test_a_wallet_has_its_judgement_flags_and_discoveries(reader: Api) -> None:
    run = RunFactory()
    WalletFactory(number=1, note="seen in chat", first_run=run)
    RunWalletFactory(run=run, wallet=1)
    body = reader.get(f"wallets/{address(1)}").json()
    assert (body["verdict"], body["edge_low_pct"]) == ("watch", -4.2)
    assert (body["q_value"], body["p_value"]) == (0.12, 0.04)
    assert body["score_detail"]["basis"] == "behind the leader"
    assert (body["score_detail"]["low"], body["score_detail"]["high"]) == (0.51, 0.89)
    assert body["flags"] == [
        {"name": "sniper", "evidence": "bought X 2 slots after its launch"}
    ]
    assert body["discoveries"][0]["run_id"] == str(run.pk)
    assert body["discoveries"][0]["cost_lamports"] == "2000000000"
    assert (body["note"], body["profile"]) == ("seen in chat", None)


@pytest.mark.parametrize("stored", [{}, {"basis": 7}, {"scored": 1}])
def test_details_of_another_version_are_left_out(stored: dict, reader: Api) -> None:
    WalletFactory(number=1, score_detail=stored, profile=stored, score=None, flags={})
    body = reader.get(f"wallets/{address(1)}").json()
    assert (body["score_detail"]["basis"], body["profile"]) == (None, None)


def test_trades_are_newest_first_with_exact_amounts(reader: Api) -> None:
    WalletFactory(number=1)
    for slot in (5, 9, 7):
        TradeFactory(wallet=1, slot=slot)
    body = reader.get(f"wallets/{address(1)}/trades").json()
    assert [trade["slot"] for trade in body["trades"]] == [9, 7, 5]
    assert body["trades"][0]["token_units"] == "18446744073709551615"
    assert body["total"] == 3


def test_trades_are_filtered_by_token_and_side(reader: Api) -> None:
    WalletFactory(number=1)
    TradeFactory(wallet=1, slot=1)
    TradeFactory(wallet=1, slot=2, side="sell")
    TradeFactory(wallet=1, slot=3, mint=address(9))
    trades = reader.get(f"wallets/{address(1)}/trades?mint={MINT}&side=sell").json()[
        "trades"
    ]
    assert [trade["slot"] for trade in trades] == [2]
    assert reader.get(f"wallets/{address(1)}/trades?mint=nonsense").status_code == 400


def test_positions_have_the_cycles_and_the_early_purchase_of_a_token(
    reader: Api,
) -> None:
    WalletFactory(number=1)
    CycleFactory(wallet=1, number=1)
    CycleFactory(
        wallet=1,
        number=2,
        result="open",
        resolved_at=None,
        closed_at=None,
        net_lamports=5,
    )
    PositionFactory(wallet=1, last_trade_at=NOW)
    PositionFactory(wallet=1, mint=address(9), last_trade_at=NOW + timedelta(hours=1))
    body = reader.get(f"wallets/{address(1)}/positions").json()
    assert [row["mint"] for row in body["positions"]] == [address(9), MINT]
    early, held = body["positions"]
    assert (early["cycles"], early["net_lamports"]) == ([], None)
    assert [cycle["number"] for cycle in held["cycles"]] == [2, 1]
    assert held["net_lamports"] == "1000000000"
    assert held["early"]["profit_pct"] == 100.0


def test_positions_have_pages(reader: Api) -> None:
    WalletFactory(number=1)
    for number in range(5):
        PositionFactory(
            wallet=1,
            mint=address(100 + number),
            last_trade_at=NOW - timedelta(hours=number),
        )
    body = reader.get(f"wallets/{address(1)}/positions?page=2&page_size=2").json()
    assert [row["mint"] for row in body["positions"]] == [address(102), address(103)]
    assert (body["total"], body["has_more"]) == (5, True)


@pytest.mark.parametrize("tail", ["", "/trades", "/positions"])
def test_an_unknown_wallet_is_404_and_a_malformed_address_400(
    tail: str, reader: Api
) -> None:
    assert reader.get(f"wallets/{address(5)}{tail}").status_code == 404
    response = reader.get(f"wallets/nonsense{tail}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (
        400,
        "address",
    )


def test_a_patch_changes_status_label_and_note(admin: Api) -> None:
    WalletFactory(number=1)
    response = admin.call(
        "PATCH",
        f"wallets/{address(1)}",
        {"status": "blacklisted", "label": "insider", "note": "n"},
    )
    assert response.status_code == 200
    assert (
        response.json()["status"],
        response.json()["label"],
        response.json()["note"],
    ) == (
        "blacklisted",
        "insider",
        "n",
    )
    assert Wallet.objects.get(pk=address(1)).label == "insider"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "good"}, "status"),
        ({"label": "x" * 101}, "label"),
        ({"label": 5}, "label"),
        ({"score": "1"}, "score"),
    ],
)
def test_an_invalid_change_of_a_wallet_is_refused_by_name(
    body: dict, field: str, admin: Api
) -> None:
    WalletFactory(number=1)
    response = admin.call("PATCH", f"wallets/{address(1)}", body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_profile_request_is_202_with_location(runner: Api) -> None:
    WalletFactory(number=1)
    response = runner.post(f"wallets/{address(1)}/profile")
    assert response.status_code == 202
    assert response.headers["Location"] == f"{ROOT}/wallets/{address(1)}"


def test_changes_and_profiles_of_an_unknown_wallet_are_404(admin: Api) -> None:
    assert (
        admin.call("PATCH", f"wallets/{address(1)}", {"label": "x"}).status_code == 404
    )
    assert admin.post(f"wallets/{address(1)}/profile").status_code == 404


def test_a_body_of_null_is_refused(admin: Api) -> None:
    WalletFactory(number=1)
    assert admin.raw("PATCH", f"wallets/{address(1)}", "null").status_code == 400


def test_off_the_blacklist_the_status_follows_from_the_record(admin: Api) -> None:
    WalletFactory(number=1, status="blacklisted", profiled_at=None)
    response = admin.call("PATCH", f"wallets/{address(1)}", {"status": "active"})
    assert response.json()["status"] == "insufficient_data"


def test_the_history_of_a_wallet_names_the_key(admin: Api) -> None:
    WalletFactory(number=1)
    admin.call("PATCH", f"wallets/{address(1)}", {"label": "insider"})
    last = Wallet.objects.get(pk=address(1)).history.first()
    assert (last.label, last.history_change_reason) == ("insider", "by chief")


def test_a_pending_profile_is_not_requested_again(runner: Api) -> None:
    WalletFactory(number=1)
    runner.post(f"wallets/{address(1)}/profile")
    asked_at = Wallet.objects.get(pk=address(1)).profile_requested_at
    assert runner.post(f"wallets/{address(1)}/profile").status_code == 202
    assert Wallet.objects.get(pk=address(1)).profile_requested_at == asked_at


@pytest.mark.django_db(transaction=True)
def test_a_profile_that_the_queue_did_not_take_waits_for_it(
    runner: Api, monkeypatch
) -> None:
    WalletFactory(number=1)
    monkeypatch.setattr("discovery.jobs.broker.send", lambda *_: False)
    assert runner.post(f"wallets/{address(1)}/profile").status_code == 202
    assert runner.get(f"wallets/{address(1)}").json()["profile_requested_at"]
    step = RunStep.objects.get()
    assert (step.kind, step.key, step.status, step.enqueued_at) == (
        "profile",
        address(1),
        "pending",
        None,
    )


def test_csv_has_every_trade_of_a_wallet(reader: Api) -> None:
    WalletFactory(number=1)
    for slot in range(20, 45):
        TradeFactory(wallet=1, slot=slot)
    lines = (
        b"".join(reader.get(f"wallets/{address(1)}/trades?format=csv"))
        .decode()
        .splitlines()
    )
    assert len(lines) == 26
    assert lines[0].startswith("signature,slot,block_time,side,mint,token_units")
    assert "1500000000" in lines[1]


def test_the_list_has_the_interval_of_the_win_rate(reader: Api) -> None:
    WalletFactory(number=1)
    WalletFactory(number=2, score_detail={})
    rows = reader.get("wallets").json()["wallets"]
    intervals = {
        row["address"]: (row["win_rate_low"], row["win_rate_high"]) for row in rows
    }
    assert intervals == {address(1): (0.51, 0.89), address(2): (None, None)}
