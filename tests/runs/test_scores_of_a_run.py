"""Scores on world `small`: they distinguish skill from luck, and every figure agrees
with what the wallets did.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest

from discovery.models import (
    Cycle,
    Position,
    Run,
    RunToken,
    RunWallet,
    Wallet,
)
from simmarket import worlds
from simmarket.worlds import expected_results as truth

WORLD = ("--world", "small", "--seed", "2")


@pytest.fixture
def answer(use_market: Callable, discover: Callable) -> dict:
    use_market(*WORLD)
    return discover(profiles=True)


def test_skilled_wallets_rank_above_those_that_were_lucky_once(answer: dict) -> None:
    world = worlds.build("small", 2)
    skilled, lucky = truth.skilled(world), truth.lucky_once(world)
    scores = dict(Wallet.objects.values_list("address", "score"))
    of_skilled = [scores[address] for address in skilled & scores.keys()]
    of_lucky = [scores[address] for address in lucky & scores.keys()]
    assert of_lucky
    assert sum(score is not None for score in of_skilled) >= 6
    best_lucky = max(
        (score for score in of_lucky if score is not None), default=Decimal(0)
    )
    assert min(score for score in of_skilled if score is not None) > best_lucky
    assert all(Wallet.objects.values_list("verdict_reason", flat=True))


def test_a_wallet_whose_only_winner_is_its_seed_token_is_not_recommended(
    answer: dict,
) -> None:
    seeds: dict[str, set[str]] = {}
    for address, mint in RunWallet.objects.values_list(
        "wallet_address", "source_token"
    ):
        seeds.setdefault(address, set()).add(mint)
    winners: dict[str, set[str]] = {}
    for address, mint in Cycle.objects.filter(result="win").values_list(
        "wallet_address", "mint"
    ):
        winners.setdefault(address, set()).add(mint)
    only_seeds = [
        address
        for address in seeds
        if winners.get(address) and winners[address] <= seeds[address]
    ]
    assert only_seeds
    assert not Wallet.objects.filter(
        address__in=only_seeds, verdict__in=["follow", "watch"]
    ).exists()


def test_the_score_of_a_run_is_kept_with_its_wallets_and_its_prior_with_the_run(
    answer: dict,
) -> None:
    run = Run.objects.get()
    assert run.profiled_wallets == run.new_wallets > 0
    assert run.prior["wallets"] >= 10
    for row in RunWallet.objects.all():
        assert row.initial_score == Wallet.objects.get(pk=row.wallet_address).score
    given = {(row["address"], row["mint"]): row["score"] for row in answer["wallets"]}
    stored = RunWallet.objects.values_list(
        "wallet_address", "source_token", "initial_score"
    )
    assert given == {
        (wallet, mint): None if score is None else float(score)
        for wallet, mint, score in stored
    }


def test_closed_cycles_agree_with_what_the_wallets_did(answer: dict) -> None:
    true = truth.cycles(worlds.build("small", 2))
    compared = 0
    for wallet in Wallet.objects.values_list("address", flat=True):
        ours = Cycle.objects.filter(
            wallet_address=wallet,
            close_reason="closed",
            history_incomplete=False,
            net_lamports__isnull=False,
        )
        for cycle in ours:
            same = [
                each
                for each in true[wallet]
                if each.mint == cycle.mint
                and abs(each.put_in_lamports - cycle.put_in_lamports) <= 1
            ]
            assert same, (wallet, cycle.mint, cycle.number)
            # Dust of at most 1 % that is sold later pays the cycle that bought it.
            assert (
                min(abs(each.net_lamports - cycle.net_lamports) for each in same)
                <= cycle.put_in_lamports // 20 + 1
            )
            compared += 1
    assert compared > 100


def test_wallets_are_not_profiled_where_that_is_switched_off(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    discover("--max-tokens=3")
    run = Run.objects.get()
    assert (run.profiled_wallets, Cycle.objects.count()) == (0, 0)
    assert not Wallet.objects.filter(profiled_at__isnull=False).exists()
    discover("--max-tokens=1", profiles=True)
    assert not Wallet.objects.filter(
        profiled_at__isnull=True
    ).exists()  # the next run makes up for it


def test_creators_are_told_and_do_not_qualify_on_their_own_tokens(answer: dict) -> None:
    world = worlds.build("small", 2)
    creators = {
        mint: world.accounts.address(token.creator)
        for mint, token in world.tokens.items()
    }
    told = dict(
        RunToken.objects.filter(early_buyers__isnull=False).values_list(
            "mint", "creator"
        )
    )
    assert told == {mint: creators[mint] for mint in told}
    assert not any(
        creators[row.source_token] == row.wallet_address
        for row in RunWallet.objects.all()
    )
    assert Position.objects.filter(rejection="flag_creator").exists()


def test_snipers_are_flagged_with_how_many_slots_after_the_launch(answer: dict) -> None:
    rows = [row for row in RunWallet.objects.all() if "sniper" in row.flags]
    assert rows
    for row in rows:
        assert (
            "after its launch"
            in Wallet.objects.get(pk=row.wallet_address).flags["sniper"]
        )
        assert row.entry_seconds <= 2
