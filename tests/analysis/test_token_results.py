"""Results of single tokens, for whatever a wallet may have done."""

import math

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.analysis.evidence import read_evidence
from discovery.analysis.follower import FollowTerms
from discovery.analysis.late_sample import late_sample
from discovery.analysis.token_results import TokenResult, token_results
from discovery.domain.histories import PoolReserves, TokenEvent, TradingHistory
from discovery.domain.judgements import Exclusion

AS_OF = 1_790_000_000
DAY = 86_400
SOL = 10**9
MINT = "mint"
TERMS = FollowTerms()

reserves = st.none() | st.builds(
    PoolReserves,
    quote_lamports=st.integers(0, 10**14),
    base_units=st.integers(0, 10**18),
    fee_bps=st.integers(0, 10_000),
)
events = st.builds(
    TokenEvent,
    mint=st.just(MINT),
    kind=st.sampled_from(
        ["buy", "sell", "transfer_in", "transfer_out", "burn", "disposal"]
    ),
    slot=st.integers(1, 50),
    time=st.integers(AS_OF - 60 * DAY, AS_OF + DAY),
    units=st.integers(0, 10**16),
    value_lamports=st.none() | st.integers(0, 10**13),
    fees_lamports=st.integers(0, SOL),
    pool=reserves,
    pool_later=reserves,
)
histories = st.builds(
    TradingHistory,
    wallet=st.just("wallet"),
    as_of=st.just(AS_OF),
    events=st.lists(events, max_size=14),
    holdings=st.dictionaries(
        st.just(MINT), st.none() | st.integers(0, 10**13), max_size=1
    ),
    truncated=st.booleans(),
)


@settings(deadline=None, max_examples=400)
@given(histories)
def test_any_sequence_of_events_has_a_result_or_a_reason(
    history: TradingHistory,
) -> None:
    for result in token_results(history, TERMS):
        if result.leader_return is None:
            assert result.unknown is not None or result.put_in_lamports == 0
            assert result.follower_returns == ()
            continue
        assert result.unknown is None
        assert math.isfinite(result.leader_return)
        assert 1 <= len(result.follower_returns) <= 3
        for value in result.follower_returns:
            assert math.isfinite(value)
            assert value >= -1


@settings(deadline=None, max_examples=200)
@given(histories)
def test_what_happens_after_the_time_of_the_profile_changes_nothing(
    history: TradingHistory,
) -> None:
    earlier = [event for event in history.events if event.time <= history.as_of]
    cut = msgspec.structs.replace(history, events=earlier)
    assert token_results(history, TERMS) == token_results(cut, TERMS)


@settings(deadline=None, max_examples=200)
@given(histories, histories)
def test_other_tokens_change_nothing(
    history: TradingHistory, other: TradingHistory
) -> None:
    more = [msgspec.structs.replace(event, mint="other") for event in other.events]
    together = msgspec.structs.replace(history, events=[*more, *history.events])
    own = [result for result in token_results(together, TERMS) if result.mint == MINT]
    assert own == token_results(history, TERMS)


@settings(deadline=None, max_examples=200)
@given(histories)
def test_shares_of_the_evidence_are_shares(history: TradingHistory) -> None:
    evidence = read_evidence("wallet", "found", (), token_results(history, TERMS))
    assert 0 <= evidence.known_share <= 1
    assert evidence.tokens in {0, 1}


def result_of(mint: str, **changes: object) -> TokenResult:
    result = TokenResult(
        mint=mint,
        entry_at=AS_OF - 30 * DAY,
        weight=1.0,
        put_in_lamports=SOL,
        proceeds_lamports=SOL,
        bag_lamports=0,
        leader_return=0.0,
        follower_returns=(0.0, 0.0),
    )
    return msgspec.structs.replace(result, **changes)


@given(st.sets(st.text("abc", min_size=1, max_size=4), min_size=1), st.integers(1, 30))
def test_a_larger_late_sample_holds_the_smaller_one(
    mints: set[str], count: int
) -> None:
    results = [result_of(mint) for mint in sorted(mints)]
    small = late_sample("wallet", results, count)
    large = late_sample("wallet", reversed(results), count + 12)
    assert large[: len(small)] == small
    assert len(small) == min(count, len(mints))


def test_only_tokens_that_count_with_prices_behind_the_wallet_are_measured_late() -> (
    None
):
    results = [
        result_of("seen"),
        result_of("seed", exclusion=Exclusion.SEED),
        result_of("costs only", follower_returns=(0.0,)),
        result_of("unknown", leader_return=None, follower_returns=()),
    ]
    assert late_sample("wallet", results, 8) == ["seen"]
