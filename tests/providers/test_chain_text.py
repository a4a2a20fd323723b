"""Names and symbols from the chain, written by strangers."""

import unicodedata

import pytest

from discovery.domain.chain_text import clean_text

BIDI = [
    chr(code)
    for code in (0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
]
ZERO_WIDTH = [
    chr(code) for code in (0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x180E)
]
CONTROL = [chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"] + [
    chr(code) for code in range(0x7F, 0xA0)
]
SEPARATORS = ["\u2028", "\u2029"]


@pytest.mark.parametrize(
    "char",
    [*BIDI, *ZERO_WIDTH, *CONTROL, *SEPARATORS, "\ue000", "\U000e0041"],
    ids=ascii,
)
def test_an_invisible_or_control_character_is_removed(char):
    assert clean_text(f"a{char}b{char}", 64) == "ab"


@pytest.mark.parametrize(
    "text", ["Dogwifhat", "ドージ", "пёс", "🐶🚀", "$CAT", "=1+1", "<b>x</b>", "a'b\"c"]
)
def test_visible_text_stays_unchanged(text):
    assert clean_text(text, 64) == text


@pytest.mark.parametrize("text", ["  a \t\n b  ", "a\r\nb", "a\u00a0\u3000b"])
def test_runs_of_whitespace_become_one_space(text):
    assert clean_text(text, 64) == "a b"


@pytest.mark.parametrize("text", [None, "", "   ", "\u200b\u202e", "\x00"])
def test_text_without_visible_characters_is_empty(text):
    assert clean_text(text, 64) == ""


def test_a_very_long_text_is_cut():
    assert clean_text("ab" * 100_000, 64) == "ab" * 32


def test_removed_characters_do_not_count_towards_the_length():
    assert clean_text("\u202e" * 1000 + "x" * 100, 10) == "x" * 10


def test_no_unsafe_unicode_character_remains():
    everything = "".join(
        chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000
    )
    categories = {
        unicodedata.category(char) for char in clean_text(everything, len(everything))
    }
    assert not categories & {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
