"""The command as a person and a script use it."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from discovery.models import Config, Run, Wallet
from tests.markets import CALLS_PER_SECOND, EVERYTHING
from tests.runs.started_runs import MINT, start

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--max-tokens=0", "--max-tokens: 0 is not between 1 and 100 tokens"),
        (
            "--min-price-change-pct=1000",
            "--min-price-change-pct: 1,000 is not between 0 and 999.99 %",
        ),
        (
            "--early-window-minutes=4",
            "--early-window-minutes: 4 is not between 5 and 120 min",
        ),
        ("--min-profit-pct=much", "--min-profit-pct: 'much' is not a number"),
        ("--token=nonsense", "--token: not a Solana address: 'nonsense'"),
    ],
)
def test_a_bad_option_is_named_and_changes_nothing(option: str, words: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("discover", option)
    assert refused.value.returncode == 2
    assert words in str(refused.value)
    assert Run.objects.count() == 0


def test_a_second_start_is_refused_with_the_id_of_the_running_one() -> None:
    run = start()
    with pytest.raises(CommandError) as refused:
        call_command("discover")
    assert refused.value.returncode == 3
    assert str(run.pk) in str(refused.value)


def test_the_plan_is_printed_and_nothing_is_asked_or_changed(settings) -> None:
    settings.HELIUS_API_KEY = ""
    settings.PROVIDER_RPS = 0
    settings.MARKET = "live"
    out = io.StringIO()
    call_command("discover", "--plan", stdout=out)
    assert "Plan for 20 tokens, transactions from solana_rpc" in out.getvalue()
    assert "a month with a run every 6 h (124 runs)" in out.getvalue()
    assert "so that they end before the next one begins" in out.getvalue()
    assert Run.objects.count() == 0


def test_the_plan_follows_the_tokens_that_are_named(settings) -> None:
    settings.HELIUS_API_KEY = "a-key"
    out = io.StringIO()
    call_command("discover", "--plan", "--json", f"--token={MINT}", stdout=out)
    plan = json.loads(out.getvalue())
    assert (plan["tokens"], plan["source"]) == (1, "helius")
    assert plan["total_calls"] == sum(plan["calls"].values())


def test_options_left_out_come_from_the_saved_configuration(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "1")
    Config.load()
    Config.objects.update(max_tokens=2, early_window_minutes=45)
    answer = discover("--early-window-minutes=10")
    run = Run.objects.get(pk=answer["run_id"])
    assert (run.max_tokens, run.early_window_minutes) == (2, 10)
    assert len(answer["tokens"]) == 2
    assert answer["funnel"]["token_over_max_tokens"] > 0
    assert run.trigger_type == "manual"


def test_the_table_names_wallets_profit_and_evidence(use_market: Callable) -> None:
    use_market("--world", "small", "--seed", "1")
    out = io.StringIO()
    from contextlib import redirect_stdout

    with redirect_stdout(out):
        call_command("discover", "--quiet", "--max-tokens=3")
    run = Run.objects.get()
    for wallet in run.wallets.all():
        assert wallet.wallet_address in out.getvalue()
    assert "Wallets that took profit out" in out.getvalue()
    assert f"Run {run.pk}: completed" in out.getvalue()
    assert "Funnel:" in out.getvalue()


def test_the_table_ends_with_the_verdicts_and_the_reasons_of_the_best(
    use_market: Callable, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    use_market("--world", "small", "--seed", "1")
    call_command("discover", "--quiet")
    lines = capsys.readouterr().out.splitlines()
    found = set(Run.objects.get().wallets.values_list("wallet_address", flat=True))
    followed = Wallet.objects.filter(address__in=found, verdict="follow")
    assert followed
    best = followed.order_by("-edge_low_pct")[0]
    assert f"  {best.address}  {best.verdict_reason}" in lines
    (counts,) = [line for line in lines if line.startswith("Verdicts: ")]
    assert f"{followed.count()} follow" in counts


def test_without_all_buyers_the_answer_holds_the_qualified_alone(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "1")
    few = discover("--max-tokens=3")
    many = discover("--max-tokens=3", "--all-buyers")
    assert few["wallets"]
    assert all(row["qualified"] for row in few["wallets"])
    assert len(many["wallets"]) == sum(
        token["early_buyers"] for token in many["tokens"]
    )
    assert [token["qualified"] for token in few["tokens"]] == [
        token["qualified"] for token in many["tokens"]
    ]


def test_the_answer_has_the_fields_it_promises(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "1")
    answer = discover("--max-tokens=1")
    assert answer.keys() == {
        "run_id",
        "status",
        "tokens",
        "wallets",
        "funnel",
        "usage",
        "errors",
    }
    (token,) = answer["tokens"]
    assert token.keys() == {
        "mint",
        "symbol",
        "launched_at",
        "launch_clock",
        "window_read_until",
        "early_buyers",
        "qualified",
    }
    assert token["launched_at"].endswith("Z")
    promised = {
        "address", "mint", "qualified", "profit_pct", "realised_lamports", "cost_lamports", "first_buy_at",
        "entry_rank", "flags", "is_new", "score",
    }  # fmt: skip
    assert promised <= answer["wallets"][0].keys()


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_closes_the_run_as_cancelled_and_says_so(use_market: Callable) -> None:
    market = use_market("--world", "small", "--seed", "1")
    market.fault("helius", "slow", match="getMultipleAccounts", count=200, seconds=5)
    database = connection.settings_dict["NAME"]
    base, _, _ = os.environ["DATABASE_URL"].partition("?")
    query = os.environ["DATABASE_URL"].partition("?")[2]
    url = base.rsplit("/", 1)[0] + f"/{database}" + (f"?{query}" if query else "")
    environment = {
        **os.environ,
        **market.urls(),
        "DATABASE_URL": url,
        "HELIUS_API_KEY": "simulated",
        "MARKET": "simulated",
        "PROVIDER_RPS": str(CALLS_PER_SECOND),
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "discover"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        bound = threading.Timer(
            60, process.kill
        )  # a child that hangs fails the test, it does not hang it
        bound.start()
        before = ""
        for line in process.stderr:
            before += line
            if "tokens to analyse" in line:
                break
        process.send_signal(signal.SIGINT)
        words = process.stderr.read()
        assert process.wait() == 130, before + words
        bound.cancel()
    run = Run.objects.get()
    assert run.status == "cancelled"
    assert run.completed_at is not None
    assert str(run.pk) in words


def test_a_cancel_asked_for_elsewhere_ends_the_run(
    use_market: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = use_market("--world", "small", "--seed", "1")
    market.fault("helius", "slow", match="getMultipleAccounts", count=200, seconds=5)
    monkeypatch.setattr("discovery.jobs.step_runner.STEP_HEARTBEAT_SECONDS", 0.1)
    from discovery.jobs import step_queue

    beat = step_queue.heartbeat

    def beat_and_cancel(steps):
        from django.utils import timezone

        Run.objects.filter(pk=steps[0].claim.run_id, stage="analyse").update(
            cancel_requested_at=timezone.now()
        )
        return beat(steps)

    monkeypatch.setattr(step_queue, "heartbeat", beat_and_cancel)
    with pytest.raises(CommandError) as ended:
        call_command("discover", "--quiet", *EVERYTHING)
    assert ended.value.returncode == 1
    run = Run.objects.get()
    assert run.status == "cancelled"
    assert run.errors[-1]["message"] == "cancelled on request"
