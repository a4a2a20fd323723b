"""Providers that fail, lie or say nothing cost their own findings; the run says what
was lost and goes on.
"""

from collections.abc import Callable
from functools import cache

import pytest
from django.core.management import CommandError, call_command

from discovery.models import Run
from simmarket import worlds
from simmarket.worlds import expected_results as truth
from tests.markets import EVERYTHING
from tests.runs.test_against_truth import figures, true_figures

WORLD = ("--world", "small", "--seed", "2")
UNKNOWN_MINT = "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R"


@cache
def expected() -> dict[str, truth.ExpectedToken]:
    return truth.tokens(worlds.build("small", 2))


def assert_exact(answer: dict) -> None:
    assert answer["tokens"]
    for token in answer["tokens"]:
        assert figures(answer, token["mint"]) == true_figures(expected()[token["mint"]])


@pytest.mark.parametrize(
    ("source", "provider", "match", "kind", "count"),
    [
        ("helius", "helius", "getTransactionsForAddress", "garbled", 3),
        ("helius", "helius", "getTransactionsForAddress", "cut_json", 3),
        ("helius", "helius", "getTransactionsForAddress", "cut_connection", 3),
        ("helius", "helius", "getTransactionsForAddress", "500", 3),
        ("helius", "helius", "*", "429", 4),
        ("helius", "helius", "getTransactionsForAddress", "null_block_time", 5),
        ("solana_rpc", "rpc", "getTransaction", "garbled", 2),
        ("solana_rpc", "rpc", "getTransaction", "null_block_time", 40),
        ("solana_rpc", "rpc", "getTransaction", "null_result", 1),
        ("solana_rpc", "rpc", "getTransaction", "cut_json", 2),
        ("solana_rpc", "rpc", "getSignaturesForAddress", "cut_connection", 3),
        ("solana_rpc", "rpc", "getSignaturesForAddress", "503", 3),
        ("solana_rpc", "rpc", "*", "429", 4),
        ("solana_rpc", "rpc", "*", "429_no_retry_after", 2),
    ],
)
def test_a_passing_fault_costs_time_and_no_lamport(
    source: str,
    provider: str,
    match: str,
    kind: str,
    count: int,
    use_market: Callable,
    discover: Callable,
) -> None:
    market = use_market(*WORLD, source=source)
    market.fault(provider, kind, match=match, count=count)
    answer = discover("--all-buyers", "--max-tokens=3")
    assert market.stats()["faults"], "the fault was never met"
    assert answer["status"] == "completed"
    assert answer["errors"] == []
    assert_exact(answer)
    if kind.startswith("429"):
        counted = answer["usage"]["helius" if provider == "helius" else "solana_rpc"][
            "rate_limited"
        ]
        assert counted >= count


def test_a_transaction_the_node_never_gives_is_left_out_and_said(
    use_market: Callable, discover: Callable
) -> None:
    market = use_market(*WORLD, source="solana_rpc")
    market.fault("rpc", "null_result", match="getTransaction", count=100_000)
    answer = discover("--all-buyers", "--max-tokens=1")
    assert answer["status"] == "completed"
    assert {error["code"] for error in answer["errors"]} == {"incomplete"}
    assert "transactions were left out, the first" in answer["errors"][0]["message"]
    assert answer["wallets"] == []


@pytest.mark.parametrize("kind", ["429", "503", "garbled", "cut_connection"])
@pytest.mark.parametrize("provider", ["geckoterminal", "dexscreener"])
def test_a_source_of_tokens_that_stays_down_costs_its_own_candidates_only(
    provider: str,
    kind: str,
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 2)
    monkeypatch.setattr("discovery.providers.http.DEFAULT_PAUSE_SECONDS", 0.1)
    market = use_market(*WORLD)
    market.fault(provider, kind, count=500, seconds=0.1)
    answer = discover("--all-buyers", "--max-tokens=5")
    assert answer["status"] == "completed"
    assert_exact(answer)
    messages = [error["message"] for error in answer["errors"]]
    assert messages
    of_search = [
        error["message"] for error in answer["errors"] if error["step"] == "find_tokens"
    ]
    assert of_search
    assert all(message.startswith(provider) for message in of_search), messages
    # What open holdings would bring is asked of the same source; so many wallets are
    # one entry.
    others = [message for message in messages if message not in of_search]
    assert all(
        message.startswith("exit values: pairs not known") for message in others
    ), others
    assert len(others) <= 1


def test_a_token_without_a_pair_is_still_found_by_what_the_others_say(
    use_market: Callable, discover: Callable
) -> None:
    market = use_market(*WORLD)
    market.fault("dexscreener", "missing_pair", match="*", count=50)
    answer = discover("--all-buyers", *EVERYTHING)
    assert answer["status"] == "completed"
    assert_exact(answer)


def test_when_nothing_answers_the_run_fails_and_says_each_cause(
    use_market: Callable, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    market = use_market(*WORLD)
    for provider in ("geckoterminal", "jupiter", "dexscreener"):
        market.fault(provider, "503", count=100)
    with pytest.raises(CommandError) as failed:
        call_command("discover", "--quiet")
    assert failed.value.returncode == 1
    run = Run.objects.get()
    assert run.status == "failed"
    assert run.errors[-1]["code"] == "nothing_answered"
    assert {
        message.split("/")[0]
        for message in (error["message"] for error in run.errors[:-1])
    } == {
        "geckoterminal",
        "jupiter",
        "dexscreener",
    }


def test_a_token_whose_transactions_cannot_be_had_fails_alone(
    use_market: Callable,
    discover: Callable,
    settings: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    monkeypatch.setattr("discovery.jobs.inline_runner.MAX_CONCURRENT_STEPS", 1)
    market = use_market(*WORLD)
    # Without a pause the attempts of the first token come before the second one.
    settings.PROVIDER_PATIENCE_SECONDS = 0
    # The probe and each of three attempts of the first token meet it; the second token
    # does not.
    names = sorted(truth.pumped(worlds.build("small", 2)))[:2]
    market.fault("helius", "503", match="getMultipleAccounts", count=3)
    answer = discover("--all-buyers", *(f"--token={mint}" for mint in names))
    assert answer["status"] == "completed"
    assert [token["early_buyers"] is None for token in answer["tokens"]] == [
        True,
        False,
    ]
    assert figures(answer, names[1]) == true_figures(expected()[names[1]])
    (error,) = answer["errors"]
    assert error["step"] == f"token {names[0]}"
    assert error["code"] == "server_failed"
    run = Run.objects.get(pk=answer["run_id"])
    assert sorted(run.steps.filter(kind="token").values_list("status", "attempt")) == [
        ("done", 1),
        ("failed", 3),
    ]


def test_an_unknown_mint_is_said_and_harms_nothing(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    known = min(truth.pumped(worlds.build("small", 2)))
    answer = discover("--all-buyers", f"--token={UNKNOWN_MINT}", f"--token={known}")
    assert answer["status"] == "completed"
    assert figures(answer, known) == true_figures(expected()[known])
    (error,) = answer["errors"]
    assert UNKNOWN_MINT in error["message"]
    assert "no launch time is known" in error["message"]


def test_a_run_that_knows_the_early_buyers_of_no_token_says_so(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    answer = discover("--all-buyers", f"--token={UNKNOWN_MINT}")
    (token,) = answer["tokens"]
    assert (token["early_buyers"], token["qualified"]) == (None, None)
    assert answer["funnel"]["no_launch_time"] == 1
    assert [error["step"] for error in answer["errors"]] == [
        f"token {UNKNOWN_MINT}",
        "run",
    ]
    assert answer["errors"][-1]["message"] == (
        "the early buyers of none of 1 token are known: the errors of the tokens say why, and what to do"
    )


def test_an_empty_world_gives_an_empty_run_and_no_error(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "empty")
    answer = discover()
    assert answer["status"] == "completed"
    assert (answer["tokens"], answer["wallets"], answer["errors"]) == ([], [], [])


def test_a_spent_budget_ends_the_run_cleanly_with_what_it_found(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD, source="solana_rpc")
    answer = discover("--all-buyers", "--max-requests-per-run=100", *EVERYTHING)
    assert answer["status"] == "completed"
    assert answer["funnel"]["budget"] >= 1
    assert {error["code"] for error in answer["errors"]} == {"budget"}
    assert sum(row["calls"] for row in answer["usage"].values()) <= 100


def test_the_key_of_a_provider_is_in_no_error_and_no_log(
    use_market: Callable,
    discover: Callable,
    settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    caplog.set_level("DEBUG")
    market = use_market(*WORLD)
    settings.HELIUS_API_KEY = "bad-5ecret-key"
    answer = discover("--max-tokens=1")
    assert answer["status"] == "completed"
    market.fault("rpc", "cut_connection", count=50)
    with pytest.raises(CommandError):
        discover("--max-tokens=1")
    run = Run.objects.order_by("started_at").last()
    assert run is not None
    assert run.errors
    assert "5ecret" not in caplog.text + str(run.errors) + str(run.usage) + str(
        list(run.steps.values("error"))
    )


def test_a_run_none_of_whose_tokens_could_be_analysed_has_failed(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    market = use_market(*WORLD, source="solana_rpc")
    market.fault("rpc", "503", count=10_000)
    with pytest.raises(CommandError) as failed:
        discover("--max-tokens=2")
    assert failed.value.returncode == 1
    run = Run.objects.get()
    assert run.status == "failed"
    assert run.funnel["tokens_failed"] == 2


def test_a_fault_of_ours_in_one_token_costs_that_token_alone(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from discovery.jobs import step_work

    use_market(*WORLD)
    names = sorted(truth.pumped(worlds.build("small", 2)))[:3]
    save_token = step_work.save_token

    def broken(run_id, result):
        if result.candidate.mint == names[0]:
            raise ZeroDivisionError
        save_token(run_id, result)

    monkeypatch.setattr(step_work, "save_token", broken)
    answer = discover("--all-buyers", *(f"--token={mint}" for mint in names))
    assert answer["status"] == "completed"
    assert [token["early_buyers"] is None for token in answer["tokens"]] == [
        True,
        False,
        False,
    ]
    assert [error["code"] for error in answer["errors"]] == ["internal"]
    run = Run.objects.get()
    assert sorted(run.steps.filter(kind="token").values_list("status", flat=True)) == [
        "done",
        "done",
        "failed",
    ]


def test_a_lost_database_connection_ends_nothing(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat that the database refuses is made up for, and a cancel asked for
    afterwards is still heard.
    """
    from django.db import OperationalError

    from discovery.jobs import step_queue

    use_market(*WORLD)
    monkeypatch.setattr("discovery.jobs.step_runner.STEP_HEARTBEAT_SECONDS", 0.05)
    beat, failed = step_queue.heartbeat, []

    def once(steps):
        if not failed:
            failed.append(steps)
            raise OperationalError("server closed the connection unexpectedly")
        return beat(steps)

    monkeypatch.setattr(step_queue, "heartbeat", once)
    monkeypatch.setattr(
        "discovery.clients.connections.connection.close", lambda: None
    )  # the transaction lives on it
    answer = discover("--all-buyers", "--max-tokens=3")
    assert failed
    assert answer["status"] == "completed"
    assert_exact(answer)


def test_a_budget_spent_while_searching_is_a_clean_end(
    use_market: Callable, db: None
) -> None:
    use_market(*WORLD)
    from asgiref.sync import async_to_sync

    from discovery.domain.run_params import Params
    from discovery.jobs import run_lifecycle
    from discovery.jobs.inline_runner import run_inline
    from discovery.models.enums import Trigger

    params = Params(max_requests_per_run=5)
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=params,
            trigger=Trigger.MANUAL,
            triggered_by="ana",
            in_foreground=True,
        )
    )
    async_to_sync(run_inline)(run)
    closed = Run.objects.get(pk=run.pk)
    assert closed.status == "completed"
    assert closed.funnel == {"budget": 1}
    assert [error["code"] for error in closed.errors] == ["budget"]
