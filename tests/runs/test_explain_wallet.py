"""`explain_wallet`: a score opened down to the transactions it rests on."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from discovery.models import Config, Cycle, TokenResult, Trade, Wallet
from tests.factories import (
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    WalletFactory,
    address,
)

UNKNOWN = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"


def explained(address: str) -> dict:
    out = io.StringIO()
    call_command("explain_wallet", address, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def best(use_market: Callable, discover: Callable) -> Wallet:
    use_market("--world", "small", "--seed", "2")
    discover(profiles=True)
    scored = Wallet.objects.listed().filter(edge_low_pct__isnull=False)
    wallet = scored.order_by("-edge_low_pct").first()
    assert wallet is not None
    return wallet


def test_every_token_of_a_score_opens_to_trades_that_are_facts(
    best: Wallet, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = explained(best.address)
    assert answer["score"] == float(best.score)
    assert (answer["verdict"], answer["reason"]) == (best.verdict, best.verdict_reason)
    counted = [token for token in answer["tokens"] if not token["exclusion"]]
    known = [token for token in counted if token["leader_return"] is not None]
    assert len(known) == answer["scored_tokens"] == best.scored_tokens
    assert all(token["level"] for token in known)
    stored = Trade.objects.filter(wallet_address=best.address)
    signatures = set(stored.values_list("signature", flat=True))
    cycles = {cycle["mint"]: cycle["trades"] for cycle in answer["cycles"]}
    for token in known:
        shown = {trade["signature"] for trade in cycles[token["mint"]]}
        assert shown
        assert shown <= signatures
    call_command("explain_wallet", best.address, "--trades")
    words = capsys.readouterr().out
    assert best.verdict_reason[:40] in words
    first_signature = answer["cycles"][0]["first_signature"]
    assert first_signature[:40] in words.replace("\n", "")


def test_stored_histories_give_the_judgements_of_the_run_again(best: Wallet) -> None:
    columns = ("score", "verdict", "edge_pct", "scored_tokens", "p_value", "q_value")
    by_run = judgements(columns)
    results_by_run = known_results()
    Wallet.objects.update(
        score=None, score_version=1, verdict="unscored", edge_pct=None, p_value=None
    )
    TokenResult.objects.all().delete()
    out = io.StringIO()
    call_command("rejudge_wallets", stdout=out)
    # Units that arrive in the transaction of a trade are not stored with it.
    lost = results_by_run.keys() - known_results().keys()
    assert len(lost) <= len(results_by_run) // 100
    assert known_results().items() <= results_by_run.items()
    incomplete = {wallet for wallet, _ in lost}
    for wallet, judgement in judgements(columns).items():
        assert wallet in incomplete or judgement == by_run[wallet]
    lines = out.getvalue().splitlines()
    assert f"{best.address}  unscored → {best.verdict}: {best.verdict_reason}" in lines
    judged_count = Wallet.objects.profiled().count()
    assert lines[-1].startswith(f"{judged_count} judged: ")


def test_judging_again_keeps_the_value_of_a_remainder(best: Wallet) -> None:
    remainders = TokenResult.objects.filter(bag_lamports__gt=0)
    closed = set(
        Cycle.objects.filter(held_units__gt=0, closed_at__isnull=False).values_list(
            "wallet_address", "mint"
        )
    )
    before = {
        (row.wallet_address, row.mint): row.bag_lamports
        for row in remainders
        if (row.wallet_address, row.mint) in closed
    }
    assert before
    call_command("rejudge_wallets", "--all", stdout=io.StringIO())
    after = {
        (row.wallet_address, row.mint): row.bag_lamports
        for row in TokenResult.objects.all()
    }
    changed = [
        key for key, lamports in before.items() if abs(after[key] - lamports) > 1
    ]
    assert changed == []


def judgements(columns: tuple[str, ...]) -> dict[str, tuple]:
    return {
        wallet.address: tuple(getattr(wallet, column) for column in columns)
        for wallet in Wallet.objects.listed()
    }


def known_results() -> dict[tuple[str, str], float]:
    """Return the known results of the watchlist."""
    known = TokenResult.objects.filter(
        leader_return__isnull=False,
        wallet_address__in=Wallet.objects.listed().values("address"),
    )
    return {
        (result.wallet_address, result.mint): result.leader_return for result in known
    }


def test_wallets_of_this_version_are_judged_again_only_on_request(
    best: Wallet,
) -> None:
    out = io.StringIO()
    call_command("rejudge_wallets", stdout=out)
    assert out.getvalue() == "0 judged: none\n"
    profiled = Wallet.objects.filter(profiled_at__isnull=False).count()
    everything = io.StringIO()
    call_command("rejudge_wallets", "--all", stdout=everything)
    assert everything.getvalue().splitlines()[-1].startswith(f"{profiled} judged: ")


@pytest.fixture
def rejected(db: None, config: Config) -> str:
    """Return the address of an early buyer that a run rejected."""
    run = RunFactory()
    RunTokenFactory(run=run, symbol="PUMP")
    PositionFactory(run=run, wallet=7, rejection="profit", profit_pct=20)
    return address(7)


def test_a_rejected_wallet_is_explained_by_a_table_of_its_tokens(
    rejected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("explain_wallet", rejected)
    words = " ".join(capsys.readouterr().out.split())
    assert "Not on the watchlist: an early buyer of 1 token" in words
    assert "profit 20.00 % is below the minimum of 50 %" in words
    assert "PUMP" in words


def test_the_json_of_a_rejected_wallet_has_figures_as_numbers(rejected: str) -> None:
    answer = explained(rejected)
    (row,) = answer["positions"]
    assert (answer["kind"], row["profit_pct"]) == ("rejected", 20)
    assert row["cost_lamports"] == "1000000000"


def test_an_address_that_was_never_seen_is_told(db: None, config: Config) -> None:
    with pytest.raises(CommandError, match=r"not on the watchlist.*Never seen") as told:
        call_command("explain_wallet", UNKNOWN)
    assert told.value.returncode == 1


def test_a_control_wallet_is_explained_as_one(
    rejected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    WalletFactory(number=7, origin="control", profiled_at=None)
    call_command("explain_wallet", rejected)
    assert "On no list: a control wallet" in capsys.readouterr().out


def test_what_is_no_address_is_told() -> None:
    with pytest.raises(CommandError) as told:
        call_command("explain_wallet", "nonsense")
    assert told.value.returncode == 2
