"""Early buyers: who is early, who qualifies, and in which order."""

from decimal import Decimal
from fractions import Fraction

import pytest

from discovery.analysis.early_buyers import evaluate_buyers, first_early_buy
from discovery.domain.findings import EventKind, HoldingEvent, Launch
from discovery.domain.run_params import Params

LAUNCH = 1_790_000_000
ANA = "DQmMnakiKr1YNE2gcpggLCzBrauBwFbQkAaao2FTbjgp"
BEN = "HsBK95XGUpVD3ENufWapD3Jib6zodHE6xj3VLArNBX3v"
SOL = 10**9
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"


def event(
    kind: EventKind, seconds: int, units: int = 100, value: int = SOL
) -> HoldingEvent:
    return HoldingEvent(
        kind, f"{kind}-{seconds}", seconds, LAUNCH + seconds, units, Fraction(value)
    )


@pytest.mark.parametrize(
    ("history", "early"),
    [
        ([event("buy", 0)], True),
        ([event("buy", 1800)], True),
        ([event("buy", 1801)], False),
        ([event("buy", -1)], False),
        ([event("transfer_in", 5), event("buy", 10)], False),
        ([event("transfer_in", 5, 1), event("buy", 10)], False),
        ([event("transfer_in", 5, 1), event("buy", 10, 101)], True),
        ([event("order_closed", 5), event("buy", 10)], False),
        ([event("sell", 5), event("buy", 10)], False),
        ([event("buy", 5), event("transfer_in", 6)], True),
        ([], False),
    ],
)
def test_early_means_that_the_first_acquisition_beyond_dust_is_a_buy_in_the_window(
    history: list[HoldingEvent], early: bool
) -> None:
    assert (first_early_buy(history, LAUNCH, 30) is not None) is early


def test_ranks_count_the_early_buyers_in_the_order_of_the_chain() -> None:
    histories = {ANA: [event("buy", 9)], BEN: [event("buy", 4)]}
    buyers = evaluate_buyers(
        MINT, histories, Params(), launched_at=LAUNCH, entry_order=[BEN, ANA]
    )
    assert [(b.wallet, b.entry_rank, b.entry_seconds) for b in buyers] == [
        (BEN, 1, 4),
        (ANA, 2, 9),
    ]


def test_a_wallet_that_is_not_early_takes_no_rank() -> None:
    histories = {
        BEN: [event("transfer_in", 1), event("buy", 4)],
        ANA: [event("buy", 9)],
    }
    (buyer,) = evaluate_buyers(
        MINT, histories, Params(), launched_at=LAUNCH, entry_order=[BEN, ANA]
    )
    assert (buyer.wallet, buyer.entry_rank) == (ANA, 1)


def test_the_exact_profit_qualifies_not_the_rounded_one() -> None:
    """49.999 % is shown as 50.00 and does not qualify at 50."""
    just_below = [event("buy", 1, 100, SOL), event("sell", 2, 100, 3 * SOL // 2 - 1)]
    exactly = [event("buy", 1, 100, SOL), event("sell", 2, 100, 3 * SOL // 2)]
    params = Params(min_profit_pct=Decimal(50))
    (below,) = evaluate_buyers(
        MINT, {ANA: just_below}, params, launched_at=LAUNCH, entry_order=[ANA]
    )
    (at,) = evaluate_buyers(
        MINT, {ANA: exactly}, params, launched_at=LAUNCH, entry_order=[ANA]
    )
    assert (below.qualified, below.rejection) == (False, "profit")
    assert (at.qualified, at.rejection) == (True, "")


def test_a_buyer_whose_result_is_unknown_does_not_qualify() -> None:
    unknown = [HoldingEvent("buy", "b", 1, LAUNCH + 1, 100, None), event("sell", 2)]
    (buyer,) = evaluate_buyers(
        MINT,
        {ANA: unknown},
        Params(min_profit_pct=Decimal(0)),
        launched_at=LAUNCH,
        entry_order=[ANA],
    )
    assert (buyer.qualified, buyer.rejection) == (False, "result_unknown")


@pytest.mark.parametrize(
    ("cost_lamports", "rejection"), [(49_999_999, "min_cost"), (50_000_000, "")]
)
def test_a_gain_on_less_than_the_minimum_cost_does_not_qualify(
    cost_lamports: int, rejection: str
) -> None:
    history = [
        event("buy", 1, 100, cost_lamports),
        event("sell", 2, 100, 9 * cost_lamports),
    ]
    (buyer,) = evaluate_buyers(
        MINT, {ANA: history}, Params(), launched_at=LAUNCH, entry_order=[ANA]
    )
    assert buyer.rejection == rejection


def test_a_later_holding_neither_qualifies_nor_disqualifies() -> None:
    loser = [
        event("buy", 1),
        event("sell", 2, 100, SOL // 2),
        event("buy", 3),
        event("sell", 4, 100, 9 * SOL),
    ]
    (buyer,) = evaluate_buyers(
        MINT, {ANA: loser}, Params(), launched_at=LAUNCH, entry_order=[ANA]
    )
    assert (buyer.rejection, buyer.position.profit_pct) == ("profit", -50)


def test_a_programs_account_is_infrastructure_and_excluded_by_default() -> None:
    authority = "5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1"
    history = [event("buy", 1, 100, SOL), event("sell", 2, 100, 9 * SOL)]
    (buyer,) = evaluate_buyers(
        MINT,
        {authority: history},
        Params(),
        launched_at=LAUNCH,
        entry_order=[authority],
    )
    assert set(buyer.flags) == {"plumbing"}
    assert buyer.rejection == "flag_plumbing"


def winner(slot: int) -> list[HoldingEvent]:
    return [
        HoldingEvent("buy", "b", slot, LAUNCH + 1, 100, Fraction(SOL)),
        event("sell", 50, 100, 9 * SOL),
    ]


def test_the_creator_of_a_token_does_not_qualify_on_it() -> None:
    launch = Launch(slot=5, creators=(BEN, ANA))
    (buyer,) = evaluate_buyers(
        MINT,
        {ANA: winner(99)},
        Params(),
        launched_at=LAUNCH,
        entry_order=[ANA],
        launch=launch,
    )
    assert (buyer.qualified, buyer.rejection) == (False, "flag_creator")
    assert MINT in buyer.flags["creator"]


@pytest.mark.parametrize(("slot", "sniper"), [(5, True), (8, True), (9, False)])
def test_a_buyer_within_three_slots_of_the_launch_is_a_sniper(
    slot: int, sniper: bool
) -> None:
    (buyer,) = evaluate_buyers(
        MINT,
        {ANA: winner(slot)},
        Params(),
        launched_at=LAUNCH,
        entry_order=[ANA],
        launch=Launch(slot=5),
    )
    assert ("sniper" in buyer.flags) is sniper
    assert buyer.qualified  # shown, not excluded by default


def test_without_the_creation_no_wallet_is_flagged_as_sniper_or_creator() -> None:
    (buyer,) = evaluate_buyers(
        MINT, {ANA: winner(5)}, Params(), launched_at=LAUNCH, entry_order=[ANA]
    )
    assert buyer.flags == {}
