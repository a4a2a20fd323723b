"""Reading runs: the history, its filters, one run, its wallets and tokens."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest

from discovery.models import Run, RunStep
from tests.api.client import Api
from tests.factories import (
    MINT,
    NOW,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    address,
)

pytestmark = pytest.mark.django_db


def test_the_history_is_newest_first_in_pages_of_twenty(reader: Api) -> None:
    created = [RunFactory(started_at=NOW - timedelta(hours=hour)) for hour in range(23)]
    first, second = reader.get("runs").json(), reader.get("runs?page=2").json()
    assert [row["id"] for row in first["runs"]] == [str(run.pk) for run in created[:20]]
    assert [row["id"] for row in second["runs"]] == [
        str(run.pk) for run in created[20:]
    ]
    assert (first["total"], first["page"], first["page_size"], first["has_more"]) == (
        23,
        1,
        20,
        True,
    )
    assert second["has_more"] is False


def test_the_history_may_be_oldest_first(reader: Api) -> None:
    old, new = RunFactory(started_at=NOW - timedelta(days=1)), RunFactory()
    rows = reader.get("runs?ordering=started_at").json()["runs"]
    assert [row["id"] for row in rows] == [str(old.pk), str(new.pk)]


def test_the_history_is_filtered_by_status_and_trigger(reader: Api) -> None:
    wanted = RunFactory(status="failed", trigger_type="api")
    RunFactory(status="failed")
    RunFactory(trigger_type="api")
    rows = reader.get("runs?status=failed&trigger_type=api").json()["runs"]
    assert [row["id"] for row in rows] == [str(wanted.pk)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start_date=2026-11-24", ["start", "noon", "end"]),
        ("end_date=2026-11-24", ["before", "start", "noon", "end"]),
        ("start_date=2026-11-24&end_date=2026-11-24", ["start", "noon", "end"]),
        ("start_date=2026-11-24T12:00:00Z", ["noon", "end"]),
        ("end_date=2026-11-24T12:00:00Z", ["before", "start", "noon"]),
        ("start_date=2026-11-24T13:00:00%2B01:00&end_date=2026-11-24", ["noon", "end"]),
        ("start_date=2026-11-24T13:00:00+01:00&end_date=2026-11-24", ["noon", "end"]),
        ("end_date=2026-11-24T12:00:00", ["before", "start", "noon"]),
        ("start_date=2026-11-24%2B01:00", ["before", "start", "noon", "end"]),
    ],
)
def test_a_range_includes_whole_days_and_exact_times(
    query: str, expected: list[str], reader: Api
) -> None:
    day = NOW.replace(hour=0)
    moments = {
        "before": day - timedelta(microseconds=1), "start": day, "noon": NOW,
        "end": day + timedelta(days=1, microseconds=-1),
    }  # fmt: skip
    names = {str(RunFactory(started_at=at).pk): name for name, at in moments.items()}
    rows = reader.get(f"runs?{query}").json()["runs"]
    assert sorted(names[row["id"]] for row in rows) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("trigger_type=cron", "trigger_type"),
        ("start_date=yesterday", "start_date"),
        ("start_date=2026-13-01", "start_date"),
        ("end_date=0001-01-01", "end_date"),
        ("end_date=9999-12-31", "end_date"),
        ("start_date=2026-11-24&end_date=2026-11-23", "end_date"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("page_size=101", "page_size"),
        ("page=5000&page_size=100", "page"),
        ("ordering=errors", "ordering"),
        ("stat=failed", "stat"),
    ],
)
def test_an_invalid_filter_is_refused_by_name(
    query: str, field: str, reader: Api
) -> None:
    response = reader.get(f"runs?{query}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_all_invalid_query_parameters_are_reported_together(reader: Api) -> None:
    response = reader.get("runs?status=done&page=0&stat=failed&trigger_type=")
    assert {error["field"] for error in response.json()["errors"]} == {
        "status",
        "page",
        "stat",
        "trigger_type",
    }


def test_a_run_has_its_parameters_progress_and_results(reader: Api) -> None:
    first = RunFactory()
    run = RunFactory(
        retry_of=first,
        errors=[
            "a line",
            {"step": MINT, "code": "rate_limited", "message": "429 from X"},
        ],
    )
    body = reader.get(f"runs/{run.pk}").json()
    assert body["params"]["min_price_change_pct"] == 100.0
    assert body["progress"] == {"stage": "done", "done": 9, "total": 9, "pct": 100}
    assert body["duration_seconds"] == 90.25
    assert body["started_at"] == "2026-11-24T12:00:00Z"
    assert body["funnel"] == {"candidates": 9, "qualified": 3}
    assert body["usage"] == {"helius": {"calls": 12, "credits": 120, "rate_limited": 1}}
    assert body["errors"] == ["a line", "429 from X"]
    assert body["error_details"] == [
        {"step": MINT, "code": "rate_limited", "message": "429 from X"}
    ]
    assert body["retry_of"] == str(first.pk)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (None, []),
        ([], []),
        ("boom", ["boom"]),
        ({"code": "x"}, ["x"]),
        (["a", {"message": "b"}, 3], ["a", "b", "3"]),
    ],
)
def test_errors_of_the_earlier_system_are_readable(
    errors: object, words: list[str], reader: Api
) -> None:
    run = Run.objects.create(
        started_at=NOW,
        trigger_type="manual",
        errors=errors,
        tokens_analyzed=None,
        new_wallets=None,
    )
    body = reader.get(f"runs/{run.pk}").json()
    assert body["errors"] == words
    assert body["progress"]["stage"] is None
    assert (body["tokens_analyzed"], body["params"]["max_tokens"]) == (0, None)
    assert reader.get("runs").json()["runs"][0]["error_count"] == len(words)


def test_the_usage_of_an_active_run_is_the_sum_of_its_steps(reader: Api) -> None:
    run = RunFactory(
        status="running", stage="analyse", usage={}, steps_done=1, steps_total=4
    )
    for number, kind in enumerate(("find", "token")):
        usage = {"jupiter": {"calls": number + 1, "credits": 0, "rate_limited": 0}}
        RunStep.objects.create(
            run=run, kind=kind, key=MINT if number else "", usage=usage
        )
    body = reader.get(f"runs/{run.pk}").json()
    assert body["usage"] == {"jupiter": {"calls": 3, "credits": 0, "rate_limited": 0}}
    assert body["progress"] == {"stage": "analyse", "done": 1, "total": 4, "pct": 25}


def test_a_failed_run_is_never_at_100_pct(reader: Api) -> None:
    run = RunFactory(status="failed")
    assert reader.get(f"runs/{run.pk}").json()["progress"]["pct"] == 99


@pytest.mark.parametrize("tail", ["", "/wallets", "/tokens", "/early-buyers"])
def test_an_unknown_run_is_404_and_a_malformed_id_400(tail: str, reader: Api) -> None:
    assert reader.get(f"runs/{uuid.uuid4()}{tail}").status_code == 404
    assert reader.get(f"runs/nonsense{tail}").status_code == 400


def test_the_wallets_of_a_run_are_best_first_with_amounts_as_text(reader: Api) -> None:
    run = RunFactory()
    RunTokenFactory(run=run)
    RunWalletFactory(run=run, wallet=1, profit_pct=Decimal("50"))
    RunWalletFactory(run=run, wallet=2)
    RunWalletFactory(
        run=run,
        wallet=3,
        profit_pct=None,
        row_version=None,
        is_new=None,
        realised_lamports=None,
    )
    body = reader.get(f"runs/{run.pk}/wallets").json()
    assert [row["address"] for row in body["wallets"]] == [
        address(2),
        address(1),
        address(3),
    ]
    best = body["wallets"][0]
    assert (best["realised_lamports"], best["profit_pct"], best["symbol"]) == (
        "5000000000",
        180.55,
        "PUMP",
    )
    assert body["total"] == 3


def test_the_tokens_of_a_run_are_by_rank_with_clean_names(reader: Api) -> None:
    run = RunFactory()
    RunTokenFactory(run=run, mint=address(8), rank=2, symbol="\u202eevil\x07")
    RunTokenFactory(run=run)
    tokens = reader.get(f"runs/{run.pk}/tokens?page_size=5").json()["tokens"]
    assert [token["symbol"] for token in tokens] == ["PUMP", "evil"]
    assert tokens[0]["price_usd"] == 0.001234


def test_tokens_say_who_created_them_or_that_it_is_not_known(reader: Api) -> None:
    run = RunFactory()
    RunTokenFactory(run=run, mint=address(11), rank=1, creator=address(12))
    RunTokenFactory(run=run, mint=address(13), rank=2)
    rows = reader.get(f"runs/{run.pk}/tokens").json()["tokens"]
    assert [row["creator"] for row in rows] == [address(12), None]
    unknown = reader.get(f"runs/{run.pk}/tokens?creator_known=false").json()["tokens"]
    assert [row["mint"] for row in unknown] == [address(13)]
