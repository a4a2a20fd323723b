"""The sentence of the forward record."""

import msgspec
import pytest

from discovery.analysis.forward_outlook import outlook
from discovery.analysis.forward_record import (
    FollowedTrade,
    Missing,
    claims_lift,
    lift,
)
from discovery.analysis.forward_words import (
    SentenceTerms,
    claim_text,
    missing_text,
    most_missing_text,
    sentence,
)
from tests.analysis.forward_trades import DAY, START, followed, record


def _sentence(trades: list[FollowedTrade], **terms: int) -> str:
    measured = lift(trades)
    ahead = outlook(trades, START + 3 * DAY)
    return sentence(measured, claims_lift(measured), ahead, SentenceTerms(**terms))


def _seen(level: int, growth: float = 0.04) -> list[FollowedTrade]:
    return record(found_growth=growth, level=level)


def test_it_says_stake_delay_both_growths_claim_and_counts() -> None:
    text = _sentence(record(30, 60, found_growth=0.5, control_growth=-0.2))
    assert text.startswith(
        "Following these wallets with 0.5 SOL, 15 s late, earned +50.0 % a trade [+"
    )
    assert (
        "] against −20.0 % of matched early buyers: more than them, by +70.0 % [+"
        in text
    )
    assert text.endswith("; 600 trades in 60 tokens against 600 in 60, since 3 Nov.")


def test_less_than_the_control_wallets_is_said() -> None:
    text = _sentence(record(30, 60, found_growth=-0.2, control_growth=0.5))
    assert "brought −20.0 % a trade" in text
    assert "less than them, by −70.0 % [−" in text


def test_without_a_difference_none_is_claimed() -> None:
    text = _sentence(record(30, 60, found_growth=0.0, control_growth=0.0))
    assert "no difference shown yet, +0.0 % [−" in text
    assert "more than" not in text


def test_an_interval_of_one_look_that_excludes_zero_is_no_claim() -> None:
    wobble = [0.4, -0.3, 0.1, -0.2]
    trades = [
        msgspec.structs.replace(
            trade,
            follower_growth=(0.07 if trade.arm == "found" else 0.0)
            + wobble[number * 7 % 4] * (1 if trade.arm == "found" else -1),
        )
        for number, trade in enumerate(record(12, 15))
    ]
    measured = lift(trades)
    assert measured.low_stakes is not None
    assert measured.low_stakes > 0
    text = _sentence(trades)
    assert "no difference shown yet that holds for daily looks" in text
    assert "for one look" in text


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (0, "0.5 SOL, at the wallets' own prices less costs, earned"),
        (1, "0.5 SOL, right behind the wallet, earned"),
        (2, "0.5 SOL, 15 s late, earned"),
    ],
)
def test_the_level_of_seeing_decides_the_words(level: int, words: str) -> None:
    assert words in _sentence(_seen(level))


def test_mixed_levels_are_said_with_their_counts() -> None:
    trades = [*_seen(2), followed("found", 1, 77, level=1)]
    assert "15 s late in 60 and right behind the wallet in 1, earned" in _sentence(
        trades
    )


def test_stake_and_delay_are_those_of_the_terms() -> None:
    text = _sentence(_seen(2), stake_lamports=2 * 10**9, late_seconds=30)
    assert "with 2 SOL, 30 s late" in text


def test_unknown_trades_are_said() -> None:
    text = _sentence([*_seen(2), followed("control", 1, 77, follower_growth=None)])
    assert "against 60 in 15, 1 more not known, since 3 Nov." in text


def test_the_year_is_said_if_the_record_spans_two() -> None:
    trades = [*_seen(2), followed("found", 1, 77, entry_at=START + 90 * DAY)]
    assert _sentence(trades).endswith("since 3 Nov 2026.")


def test_while_something_is_missing_it_says_what_and_how_long() -> None:
    trades = [trade for trade in record(8, 30) if trade.entry_at < START + DAY]
    text = _sentence(trades)
    assert text == (
        "Not known yet whether following these wallets with 0.5 SOL pays: missing are 2 "
        "more followed wallets; 2 more control wallets. At the rate of the last days that "
        "takes about 1 day."
    )


def test_without_any_trade_it_cannot_say_when() -> None:
    text = _sentence([])
    assert (
        "missing are 10 more followed wallets, 10 more tokens and 30 more trades; 10 more "
        "control wallets, 10 more tokens and 30 more trades. No date can be given"
    ) in text


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (Missing(), ""),
        (Missing(wallets=1), "1 more control wallet"),
        (Missing(tokens=2), "2 more tokens of control wallets"),
        (
            Missing(tokens=1, trades=5),
            "1 more token of control wallets and 5 more trades",
        ),
        (Missing(3, 2, 1), "3 more control wallets, 2 more tokens and 1 more trade"),
    ],
)
def test_what_a_group_misses_names_the_group_once(missing: Missing, words: str) -> None:
    assert missing_text(missing, "control") == words


def test_of_many_lifts_what_each_group_misses_most_is_said() -> None:
    assert most_missing_text(lift(record(8, 30))) == (
        "2 more followed wallets; 2 more control wallets"
    )
    assert most_missing_text(lift(record(2, 3))) == (
        "28 more trades of followed wallets; 28 more trades of control wallets"
    )
    assert most_missing_text(lift(record(30, 60))) == ""


def test_the_claim_of_a_lift_in_words() -> None:
    measured = lift(record(30, 60, found_growth=0.5, control_growth=-0.2))
    assert claim_text(measured, claims_lift(measured)) == (
        "followed wallets bring more than control wallets"
    )
    unknown = lift([])
    assert claim_text(unknown, claims_lift(unknown)) == "nothing yet"


def test_plain_text_has_no_markup_and_true_minus_signs() -> None:
    text = _sentence(record(found_growth=-0.3, control_growth=-0.1))
    assert "<" not in text
    assert "-" not in text
