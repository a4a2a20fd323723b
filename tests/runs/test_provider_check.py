"""`manage.py check_providers` and its button, in each state of the wire."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import Client

from discovery import services
from discovery.clients.node_check import Node
from discovery.clients.provider_questions import Asker
from discovery.jobs.step_runner import run_step
from discovery.models import RunStep
from discovery.models.enums import StepKind
from discovery.reads.provider_page import providers_view
from tests.markets import RunningMarket

if TYPE_CHECKING:
    from discovery.providers.jsonrpc import JsonRpc

pytestmark = pytest.mark.django_db(transaction=True)
WORLD = ("--world", "small", "--seed", "2")
ALWAYS = 10_000


class Found:
    """What the command printed as JSON, and its exit code."""

    def __init__(self) -> None:
        out = io.StringIO()
        self.exit_code = 0
        try:
            call_command("check_providers", "--json", stdout=out)
        except CommandError as error:
            self.exit_code = error.returncode
        self.text = out.getvalue()
        self.report = json.loads(self.text)

    def row(self, provider: str, check: str) -> dict[str, Any]:
        (row,) = (
            row
            for row in self.report["checks"]
            if (row["provider"], row["check"]) == (provider, check)
        )
        return row

    def status(self, provider: str, check: str) -> str:
        return self.row(provider, check)["status"]

    def not_ok(self) -> list[tuple[str, str, str]]:
        return [
            (row["provider"], row["check"], row["status"])
            for row in self.report["checks"]
            if row["status"] != "ok"
        ]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discovery.clients.provider_check.CHECK_SECONDS", 3.0)


def test_all_is_well(use_market: Callable[..., RunningMarket]) -> None:
    use_market(*WORLD)
    found = Found()
    assert found.not_ok() == []
    assert found.exit_code == 0
    assert found.report["can_run"]
    assert found.report["usage"]["helius"]["credits"] == 10 + 1 + 2


def test_without_a_key_the_node_suffices(
    use_market: Callable[..., RunningMarket],
) -> None:
    use_market(*WORLD, source="solana_rpc")
    found = Found()
    assert (found.not_ok(), found.exit_code) == ([], 0)
    assert "helius" not in {row["provider"] for row in found.report["checks"]}


def test_a_refused_key_is_named_and_runs_go_on_with_the_node(
    use_market: Callable[..., RunningMarket], settings: Any
) -> None:
    use_market(*WORLD)
    settings.HELIUS_API_KEY = "bad-5ecret-key"
    found = Found()
    row = found.row("helius", "key")
    assert (row["status"], row["detail"]) == ("refused", "the key was refused")
    assert row["remedy"] == "set a valid HELIUS_API_KEY, or remove it"
    assert found.exit_code == 0
    assert "5ecret" not in found.text


def test_a_plan_without_transactions_by_time_is_named(
    use_market: Callable[..., RunningMarket],
) -> None:
    use_market(*WORLD, "--helius", "no-gtfa")
    found = Found()
    assert found.not_ok() == [("helius", "transactions by time", "refused")]
    assert (
        "does not offer the method"
        in found.row("helius", "transactions by time")["detail"]
    )
    assert found.exit_code == 0


def test_a_node_without_history_stops_runs_unless_helius_has_it(
    use_market: Callable[..., RunningMarket],
) -> None:
    market = use_market(*WORLD)
    market.fault("rpc", "-32011", match="getSignaturesForAddress", count=ALWAYS)
    keyed = Found()
    assert keyed.status("solana_rpc", "health") == "ok"
    assert keyed.status("solana_rpc", "signature list") == "refused"
    assert keyed.exit_code == 0
    use_market(*WORLD, source="solana_rpc")
    keyless = Found()
    assert keyless.exit_code == 1
    assert "no source of transactions works" in keyless.report["problems"][0]


def test_a_provider_that_is_down_is_named_and_the_others_suffice(
    use_market: Callable[..., RunningMarket],
) -> None:
    market = use_market(*WORLD)
    market.fault("geckoterminal", "503", count=ALWAYS)
    found = Found()
    assert found.not_ok() == [
        ("geckoterminal", "trending pools", "refused"),
        ("geckoterminal", "SOL/USD by the minute", "refused"),
    ]
    assert found.exit_code == 0


def test_without_any_list_of_tokens_no_run_can_work(
    use_market: Callable[..., RunningMarket],
) -> None:
    market = use_market(*WORLD)
    for provider in ("geckoterminal", "jupiter", "dexscreener"):
        market.fault(provider, "503", count=ALWAYS)
    found = Found()
    assert found.exit_code == 1
    assert "no provider lists tokens" in found.report["problems"][0]


@pytest.mark.parametrize(
    ("provider", "name", "check"),
    [
        ("jupiter", "jupiter", "trending tokens"),
        ("geckoterminal", "geckoterminal", "trending pools"),
        ("dexscreener", "dexscreener", "all pairs of one token"),
        ("prices", "prices", "SOL/USD by the minute"),
        ("rpc", "solana_rpc", "signature list"),
        ("helius", "helius", "transactions by time"),
    ],
)
def test_an_answer_of_another_shape_differs(
    provider: str,
    name: str,
    check: str,
    use_market: Callable[..., RunningMarket],
) -> None:
    market = use_market(*WORLD)
    market.fault(provider, "garbled", count=ALWAYS)
    found = Found()
    assert found.status(name, check) == "differs"
    assert "update WallTrack" in found.row(name, check)["remedy"]


def test_refused_batches_are_said_and_harm_nothing(
    use_market: Callable[..., RunningMarket],
) -> None:
    use_market(*WORLD, "--no-batch")
    found = Found()
    assert found.exit_code == 0
    assert "one by one" in found.row("solana_rpc", "batches")["detail"]
    assert found.row("helius", "plan")["detail"] == "no batches: a free plan"


def test_a_paid_plan_with_the_credits_of_the_free_one_differs(
    use_market: Callable[..., RunningMarket], settings: Any
) -> None:
    use_market(*WORLD)
    settings.MONTHLY_CREDITS = 1_000_000
    found = Found()
    assert found.not_ok() == [("helius", "plan", "differs")]
    assert "MONTHLY_CREDITS" in found.row("helius", "plan")["remedy"]


@pytest.mark.parametrize(
    ("stated", "status"), [(10, "ok"), (9, "differs"), (None, "ok")]
)
def test_the_limit_that_a_node_states_is_compared_with_the_pace_of_calls(
    stated: int | None, status: str
) -> None:
    node = Node(
        cast("JsonRpc", SimpleNamespace(provider="solana_rpc")),
        calls_per_second=1.0,
        stated_limit=lambda: stated,
    )
    asker = Asker("solana_rpc", "https://node.example")
    row = async_to_sync(asker.ask)("rate limit", node.compare_limit)
    assert (row.status, row.host) == (status, "node.example")


def test_the_table_names_every_host_and_says_whether_runs_work(
    use_market: Callable[..., RunningMarket], capsys: pytest.CaptureFixture[str]
) -> None:
    use_market(*WORLD)
    call_command("check_providers")
    words = capsys.readouterr().out
    assert "127.0.0.1" in words
    assert "Runs can work." in words


def test_the_button_asks_in_the_background_and_the_page_shows_the_result(
    use_market: Callable[..., RunningMarket],
    person: Callable[..., Any],
) -> None:
    use_market(*WORLD)
    operator = Client()
    operator.force_login(person("operator", is_staff=True))
    answer = operator.post("/admin/discovery/providers/check-now").content.decode()
    assert 'hx-trigger="every 2s"' in answer
    step = RunStep.objects.get(kind=StepKind.CHECK)
    async_to_sync(run_step)(step.pk, "worker")
    view = providers_view()
    assert view.last_check is not None
    assert view.last_check.report is not None
    assert view.last_check.report.can_run
    page = operator.get("/admin/discovery/providers/").content.decode()
    assert "Runs can work." in page
    assert "transactions by time" in page
    assert "every 2s" not in page


def test_two_requests_are_one_check() -> None:
    services.request_provider_check()
    services.request_provider_check()
    assert RunStep.objects.filter(kind=StepKind.CHECK).count() == 1


def test_a_viewer_sees_the_page_and_cannot_ask(person: Callable[..., Any]) -> None:
    viewer = Client()
    viewer.force_login(person("viewer", is_staff=True))
    page = viewer.get("/admin/discovery/providers/").content.decode()
    assert "Check now" not in page.partition("No check yet")[0]
    assert viewer.post("/admin/discovery/providers/check-now").status_code == 403
