"""Base58 against a plain reference: one digit at a time."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from discovery.domain.base58 import base58_bytes, base58_text

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def reference_bytes(text: str) -> bytes:
    number = 0
    for char in text:
        number = number * 58 + ALPHABET.index(char)
    digits = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes(len(text) - len(text.lstrip("1"))) + digits


texts = st.text(ALPHABET, max_size=140)
texts_with_zeros = st.builds("1".__mul__, st.integers(0, 100)).flatmap(
    lambda zeros: texts.map(zeros.__add__)
)


@given(texts | texts_with_zeros)
@example("")
@example("1" * 64)
@example("1" * 65)
@example("z" * 86)
@example("z" * 87)
@example("z" * 88)
def test_bytes_are_those_of_the_reference(text: str) -> None:
    assert base58_bytes(text) == reference_bytes(text)


@pytest.mark.parametrize("length", range(1, 70))
def test_bytes_at_the_edge_of_each_length(length: int) -> None:
    for payload in (b"\xff" * length, b"\1" + bytes(length)):
        assert base58_bytes(base58_text(payload)) == payload


@given(st.binary(max_size=100))
def test_text_becomes_the_same_bytes_again(payload: bytes) -> None:
    assert base58_bytes(base58_text(payload)) == payload


@given(texts, st.characters(exclude_characters=ALPHABET), texts)
@example("2" * 30, "0", "2" * 30)
@example("1" * 63, "é", "")
def test_a_text_with_another_character_is_refused(
    before: str, character: str, after: str
) -> None:
    with pytest.raises(KeyError) as refused:
        base58_bytes(before + character + after)
    assert refused.value.args == (character,)
