"""Costs of responses: as many queries for a thousand rows as for ten, and an index for
every list.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from discovery.models import (
    BalanceChange,
    Cycle,
    Position,
    Pumps,
    Run,
    RunToken,
    RunWallet,
    TokenResult,
    Trade,
    Wallet,
)
from discovery.reads import run_findings, runs, trades, wallets, watchlist
from discovery.reads.additions import addition_id
from discovery.reads.filters import (
    RunFilterSet,
    RunTokenFilterSet,
    TradeFilterSet,
    WalletFilterSet,
)
from discovery.reads.paging import Page
from tests.api.client import Api
from tests.factories import (
    MINT,
    NOW,
    BalanceChangeFactory,
    CycleFactory,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    ScoreSnapshotFactory,
    TokenResultFactory,
    TradeFactory,
    WalletFactory,
    address,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]
KEY_QUERIES = 1  # looks up the caller
BUDGETS = {
    "runs": 2,
    "runs?status=completed&start_date=2026-01-01": 2,
    "runs/{run}": 1,
    "runs/{run}/wallets": 4,
    "runs/{run}/tokens": 3,
    "runs/{run}/early-buyers": 4,
    "runs/{run}/early-buyers?format=csv": 3,
    "stats": 3,
    "stats?start_date=2026-01-01": 3,
    "report": 4,
    "config": 2,
    "status": 3,
    "pumps": 1,
    "additions/{addition}": 1,
    "wallets": 2,
    "wallets?tag=a&origin=manual&pinned=false": 2,
    "wallets?format=axiom": 1,
    "wallets?status=active&min_score=0.1": 2,
    "wallets?format=csv": 1,
    "wallets/{wallet}": 2,
    "wallets/{wallet}/tokens": 5,
    "wallets/{wallet}/scores": 4,
    "wallets/{wallet}/trades": 3,
    "wallets/{wallet}/trades?format=csv": 2,
    "wallets/{wallet}/positions": 4,
    "why/{wallet}": 6,
    "wallets/{wallet}/coverage": 3,
    "wallets/{wallet}/coverage/out_transfer": 3,
    "wallets/{wallet}/coverage/in_buy": 3,
}
LARGE_COLUMNS = {
    "runs": ("errors", "funnel", "usage", "prior", "given_mints"),
    "runs/{run}/tokens": ("pools", "funnel"),
    "wallets": ("profile", "score_detail", "flags"),
    "wallets?format=csv": ("profile", "score_detail", "flags"),
}


def copies(row, count: int, **columns: Callable[[int], object]) -> None:
    """Create `count` rows like `row`, with other values in `columns`."""
    fields = [
        field
        for field in row._meta.concrete_fields
        if field.attname not in {"id", *columns}
    ]
    same = {field.attname: getattr(row, field.attname) for field in fields}
    row._meta.model.objects.bulk_create(
        [
            type(row)(**same, **{name: make(number) for name, make in columns.items()})
            for number in range(1, count + 1)
        ]
    )


def create_many(count: int) -> dict[str, str]:
    """Create `count` rows of everything that is listed; return the ids of a run and a
    wallet.
    """
    run = Run.objects.order_by("pk").first() or RunFactory()
    wallet = Wallet.objects.filter(pk=address(0)).first() or WalletFactory(number=0)
    for model in (
        RunToken,
        RunWallet,
        Trade,
        Cycle,
        Position,
        BalanceChange,
        TokenResult,
    ):
        model.objects.all().delete()
    Run.objects.exclude(pk=run.pk).delete()
    Wallet.objects.exclude(pk=wallet.pk).delete()
    copies(
        run,
        count,
        started_at=lambda number: NOW - timedelta(hours=number),
        status=lambda number: "completed" if number % 10 else "failed",
    )
    copies(wallet, count, address=address)
    copies(RunWalletFactory(run=run), count, wallet_address=address)
    copies(
        RunTokenFactory(run=run),
        count,
        mint=lambda number: address(5000 + number),
        rank=lambda number: number,
    )
    copies(
        TradeFactory(),
        count,
        signature=lambda number: f"{number}".rjust(88, "x"),
        slot=lambda number: number,
    )
    copies(TokenResultFactory(), count, mint=lambda number: address(5000 + number))
    copies(
        ScoreSnapshotFactory(), count, at=lambda number: NOW + timedelta(hours=number)
    )
    copies(CycleFactory(), count, mint=lambda number: address(5000 + number))
    position = PositionFactory(wallet=0, run=run, mint=address(9000 + count))
    copies(position, count, mint=lambda number: address(7000 + number))
    copies(
        BalanceChangeFactory(),
        count,
        signature=lambda number: f"{number}".rjust(88, "x"),
        slot=lambda number: number,
    )
    Pumps.objects.update_or_create(pk=1, defaults={"refreshed_at": timezone.now()})
    added = Wallet.history.filter(address=wallet.address).latest("history_date")  # type: ignore[attr-defined]
    return {
        "run": str(run.pk),
        "wallet": wallet.address,
        "addition": addition_id(added.history_date),
    }


@pytest.mark.parametrize("path", BUDGETS)
def test_a_thousand_rows_need_as_many_queries_as_ten(
    path: str, make_key: Callable, django_assert_num_queries
) -> None:
    for count in (10, 1000):
        named = path.format(**create_many(count))
        api = Api(Client(), make_key("read"))
        with django_assert_num_queries(BUDGETS[path] + KEY_QUERIES):
            response = api.get(named)
            body = b"".join(response) if response.streaming else response.content
        assert response.status_code == 200
        assert body


def test_every_get_has_a_budget() -> None:
    from discovery.api.urls import PATHS

    budgeted = {
        re.sub(
            r"coverage/\w+",
            "coverage/<str:category>",
            path.split("?")[0].format(
                run="<str:run_id>",
                wallet="<str:address>",
                addition="<str:addition_id>",
            ),
        )
        for path in BUDGETS
    }
    gets = {
        route.removeprefix("discovery/")
        for route, view in PATHS.values()
        if route.startswith("discovery/") and hasattr(view.view_class, "get")  # type: ignore[attr-defined]
    }
    assert budgeted == gets


@pytest.mark.parametrize("path", LARGE_COLUMNS)
def test_lists_do_not_read_large_columns(path: str, reader: Api) -> None:
    named = path.format(**create_many(3))
    with CaptureQueriesContext(connection) as queries:
        response = reader.get(named)
        b"".join(response)
    selected = "\n".join(query["sql"].split(" FROM ")[0] for query in queries)
    for column in LARGE_COLUMNS[path]:
        parts = [part.strip() for part in selected.replace("SELECT", ",").split(",")]
        assert not any(
            part.endswith(f'."{column}"') and "(" not in part for part in parts
        ), column


def plan_of(read: Callable[[], object]) -> str:
    """Return the plan of the sorted rows that `read` reads."""
    with CaptureQueriesContext(connection) as queries:
        read()
    statement = max(
        (query["sql"] for query in queries if "ORDER BY" in query["sql"]), key=len
    )
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(row[0] for row in cursor.fetchall())


PAGE = Page()


def read_runs(**filters: str) -> object:
    return runs.run_list(RunFilterSet(filters).qs, PAGE)


def read_wallets(**filters: str) -> object:
    return wallets.wallet_list(WalletFilterSet(filters).qs, PAGE)


def read_trades(**filters: str) -> object:
    return trades.wallet_trades(address(0), TradeFilterSet(filters).qs, PAGE)


LISTS: dict[str, Callable[[], object]] = {
    "idx_discovery_runs_started": read_runs,
    "idx_discovery_runs_started ": lambda: read_runs(
        start_date="2026-11-24T03:00:00Z",
        end_date="2026-11-24T12:00:00Z",
        ordering="started_at",
    ),
    "discovery_runs_by_status": lambda: read_runs(status="failed"),
    "discovery_runs_by_trigger": lambda: read_runs(trigger_type="api"),
    "discovery_wallets_edge": read_wallets,
    "discovery_wallets_verdict": lambda: read_wallets(verdict="follow"),
    "discovery_wallets_tags": lambda: read_wallets(tag="rare"),
    "discovery_wallets_edge ": lambda: watchlist.pinned_first(
        WalletFilterSet({}).qs, PAGE
    ),
    "discovery_wallets_best": lambda: read_wallets(ordering="-score"),
    "discovery_wallets_by_status": lambda: read_wallets(status="blacklisted"),
    "discovery_wallets_realised": lambda: read_wallets(ordering="-realised_lamports"),
    "discovery_wallets_last": lambda: read_wallets(ordering="-last_discovered_at"),
    "discovery_wallets_last ": lambda: read_wallets(ordering="last_discovered_at"),
    "discovery_trades_wallet": read_trades,
    "discovery_trades_position": lambda: read_trades(mint=MINT),
    "idx_drw_wallet": lambda: wallets.wallet_detail(address(0)),
}
"""Index → a list that it serves."""


@pytest.mark.parametrize("index", LISTS)
def test_an_index_serves_every_list(index: str) -> None:
    create_many(1_500)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE discovery_trades SET mint = wallet_address WHERE slot > 20"
        )
        cursor.execute("ANALYZE")
    assert f" {index.strip()}" in plan_of(LISTS[index]).replace("(", " (")


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (run_findings.run_wallets, "drw"),
        (
            lambda run, page: run_findings.run_tokens(
                run, RunTokenFilterSet({}).qs, page
            ),
            "discovery_run_tokens",
        ),
    ],
)
def test_an_index_serves_what_belongs_to_a_run(read: Callable, index: str) -> None:
    ids = create_many(300)
    other = RunFactory()
    copies(RunWalletFactory(run=other), 3000, wallet_address=address)
    copies(
        RunTokenFactory(run=other),
        3000,
        mint=lambda number: address(5000 + number),
        rank=lambda number: number,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = plan_of(lambda: read(ids["run"], PAGE))
    assert index in plan
    assert "Seq Scan" not in plan


def test_counting_reads_only_primary_keys() -> None:
    create_many(5)
    with CaptureQueriesContext(connection) as queries:
        read_wallets()
    (count,) = (query["sql"] for query in queries if "COUNT(*)" in query["sql"])
    assert "flags" not in count
    assert '"discovery_wallets"."address" AS' in count
