"""Properties of cycles that hold for any history."""

from hypothesis import assume, given
from hypothesis import strategies as st

from discovery.analysis.holdings import split_cycles
from discovery.domain.findings import HoldingEvent
from tests.analysis.sample_histories import (
    buy,
    cycles_of,
    event,
    move_out,
    sell,
    totals_of,
)

units = st.integers(1, 10**12)
few = st.integers(1, 200)
lamports = st.integers(0, 10**12)
extras = st.integers(0, 10**8)
amounts = units | few
priced_buys = st.builds(buy, amounts, lamports, extras=extras)
priced_sells = st.builds(sell, amounts, lamports, extras=extras)
fair_sells = st.builds(sell, amounts, lamports)
moves = st.builds(
    event, st.sampled_from(["transfer_in", "transfer_out", "burn"]), amounts
)
blind = st.builds(event, st.sampled_from(["buy", "sell"]), amounts, st.none())
histories = st.lists(priced_buys | priced_sells | moves | blind, max_size=14)


@given(histories)
def test_sold_value_is_covered_unmatched_or_without_a_price(
    history: list[HoldingEvent],
) -> None:
    parts = split_cycles("M", history)
    value = sum(
        e.value_lamports
        for e in history
        if e.kind == "sell" and e.value_lamports is not None
    )
    assert sum(p.sold_value - p.unpriced_basis for p in parts) == value
    assert all(0 <= p.covered_value <= p.sold_value for p in parts)


@given(histories, st.integers(0, 14))
def test_later_events_do_not_renumber_earlier_cycles(
    history: list[HoldingEvent], known: int
) -> None:
    earlier, later = split_cycles("M", history[:known]), split_cycles("M", history)
    assert [(p.number, p.first_signature) for p in later[: len(earlier)]] == [
        (p.number, p.first_signature) for p in earlier
    ]


@given(histories)
def test_units_received_by_transfer_never_win(history: list[HoldingEvent]) -> None:
    for cycle in cycles_of(
        [e for e in history if e.kind != "buy"], liquidation_lamports=10**12
    ):
        assert cycle.net_lamports is None
        assert cycle.exclusion_reason == "unknown"


@given(histories)
def test_a_cycle_without_a_cost_never_wins(history: list[HoldingEvent]) -> None:
    assert all(c.result != "win" for c in cycles_of(history) if not c.put_in_lamports)


@given(
    st.lists(priced_buys | moves, min_size=1, max_size=8),
    units,
    lamports,
    st.lists(st.integers(1, 100), min_size=2),
)
def test_splitting_a_sale_into_clips_changes_neither_results_nor_their_number(
    before: list[HoldingEvent], sold: int, value: int, weights: list[int]
) -> None:
    total = sold * sum(weights)
    held = totals_of(before).held_units
    assume(total <= held)
    whole = cycles_of([*before, sell(total, value * sum(weights))])
    split_up = cycles_of(
        [*before, *(sell(sold * weight, value * weight) for weight in weights)]
    )
    facts = [
        (
            c.result,
            c.close_reason,
            c.net_lamports,
            c.matched_lamports,
            c.hold_seconds,
            c.exclusion_reason,
        )
        for c in whole
    ]
    assert [
        (
            c.result,
            c.close_reason,
            c.net_lamports,
            c.matched_lamports,
            c.hold_seconds,
            c.exclusion_reason,
        )
        for c in split_up
    ] == facts


@given(st.lists(priced_buys | fair_sells, min_size=1, max_size=8), lamports)
def test_transferring_a_loser_out_is_never_better_than_selling_it(
    history: list[HoldingEvent], price: int
) -> None:
    held = totals_of(history).known_units
    assume(held >= 1)
    sold = cycles_of([*history, sell(int(held), price)])[-1]
    moved = cycles_of([*history, move_out(int(held))])[-1]
    assume(moved.result != "unknown")
    order = {"loss": 0, "even": 1, "win": 2}
    assert moved.known_net_lamports <= sold.known_net_lamports
    assert order[moved.result] <= order[sold.result]
    assert moved.is_counted or sold.result != "loss"


@given(
    st.lists(priced_buys | fair_sells, min_size=1, max_size=8),
    st.integers(0, 8),
    amounts,
)
def test_transferring_units_out_at_any_time_never_raises_the_net(
    history: list[HoldingEvent], place: int, moved: int
) -> None:
    without = split_cycles("M", history)
    out = split_cycles("M", [*history[:place], move_out(moved), *history[place:]])
    assert sum(
        p.matched_proceeds - p.cost_basis + p.remaining_basis for p in out
    ) <= sum(p.matched_proceeds - p.cost_basis + p.remaining_basis for p in without)
    assert sum(p.matched_proceeds - p.cost_basis for p in out) <= sum(
        p.matched_proceeds - p.cost_basis for p in without
    )


@given(st.lists(priced_buys, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_buys_within_a_slot_changes_no_cycle(
    history: list[HoldingEvent], random
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    end = sell(sum(e.units for e in history), 10**9, at=50)
    assert cycles_of([*history, end]) == cycles_of([*shuffled, end])


@given(st.lists(priced_buys | priced_sells, max_size=10), st.integers(2, 1_000))
def test_scaling_all_units_of_a_token_changes_no_result(
    history: list[HoldingEvent], factor: int
) -> None:
    scaled = [
        HoldingEvent(
            e.kind,
            e.signature,
            e.slot,
            e.block_time,
            e.units * factor,
            e.value_lamports,
        )
        for e in history
    ]
    plain = [
        HoldingEvent(
            e.kind, e.signature, e.slot, e.block_time, e.units, e.value_lamports
        )
        for e in history
    ]
    assert [(c.net_lamports, c.result) for c in cycles_of(scaled)] == [
        (c.net_lamports, c.result) for c in cycles_of(plain)
    ]
