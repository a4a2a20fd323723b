"""Lists of wallets: every shape is recognised, and every unusable entry says why."""

import contextlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.domain import programs
from discovery.domain.addresses import pump_curve
from discovery.domain.known_wallets import BURN_ADDRESS
from discovery.domain.wallet_formats import LIST_FORMATS, ExportedWallet, list_lines
from discovery.domain.wallet_labels import clean_label, clean_tags
from discovery.domain.wallet_lists import (
    MAX_BYTES,
    MAX_ENTRIES,
    ListEntry,
    ListError,
    ListTooLarge,
    parse_list,
)
from tests.wallet_addresses import wallet_address as wallet

A, B = wallet(1), wallet(2)


def usable(text: str | bytes) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return address, label and tags of the entries that can be used."""
    entries = parse_list(text)
    return [
        (entry.address, entry.label, entry.tags)
        for entry in entries
        if entry.rejection is None
    ]


def only(text: str | bytes) -> ListEntry:
    (entry,) = parse_list(text)
    return entry


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (A, ""),
        (f"{A},whale", "whale"),
        (f"{A}, the whale ", "the whale"),
        (f"{A};whale", "whale"),
        (f"{A}\twhale", "whale"),
        (f"{A} the whale", "the whale"),
        (f"  {A}  ,  whale", "whale"),
        (f"{A},a,b", "a,b"),
        (f'"{A}","a, ""b"""', 'a, "b"'),
        (f"{A}#1", None),
        (f"{A} #1", "#1"),
    ],
)
def test_a_plain_line_is_an_address_and_a_label(line: str, label: str | None) -> None:
    assert usable(line) == ([] if label is None else [(A, label, ())])


def test_empty_lines_comments_bom_and_line_ends_of_windows_are_tolerated() -> None:
    text = f"\ufeff# my list\r\n\r\n{A}\r\n  # more\r\n{B}\r\n".encode()
    assert [(entry.number, entry.address) for entry in parse_list(text)] == [
        (3, A),
        (5, B),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "header",
    [
        ("address", "label", "tags"),
        ("Wallet Address", "Name", "Groups"),
        ("trackedWalletAddress", "name", "groups"),
        ("WALLET", "LABEL", "TAG"),
    ],
)
def test_csv_is_read_by_its_header(header: tuple[str, ...], delimiter: str) -> None:
    rows = [("n", *header), ("1", A, "a b", '"x; y"'), ("2", B)]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert usable(text) == [(A, "a b", ("x", "y")), (B, "", ())]


def test_rows_of_csv_carry_the_number_of_their_line() -> None:
    text = f"# exported today\n\naddress,label\n{A},x\n# a comment, too\n\nnonsense,y\n"
    assert [(entry.number, entry.reason) for entry in parse_list(text)] == [
        (4, ""),
        (7, "not a Solana address"),
    ]


def test_a_row_of_csv_that_begins_with_a_number_sign_is_kept() -> None:
    assert usable(f"rank,address\n#1,{A}\n") == [(A, "", ())]


def test_an_escaped_formula_in_csv_is_what_it_was() -> None:
    assert usable(f"address,label\n{A},'=x\n{B},'y\n") == [(A, "=x", ()), (B, "'y", ())]


@pytest.mark.parametrize(
    "item",
    [
        {
            "trackedWalletAddress": A, "name": "whale", "emoji": "x", "alertsOnToast": True, "alertsOnBubble": True,
            "alertsOnFeed": True, "groups": ["g 1", "g2"], "sound": "default",
        },
        {"trackedWalletAddress": A, "name": "whale", "groupNames": ["g 1", "g2"], "createdAt": "2026-10-07"},
        {"address": A, "label": "whale", "name": "other", "tags": ["g 1", "g2"]},
        {"address": A, "label": "", "name": "whale", "tags": "g 1; g2"},
    ],
)  # fmt: skip
def test_keys_of_the_terminals_are_known_and_others_are_ignored(item: dict) -> None:
    expected = [(A, "whale", ("g 1", "g2"))]
    assert usable(json.dumps([item])) == expected
    assert usable(json.dumps(item)) == expected
    assert usable(json.dumps({"wallets": [item]})) == expected
    assert usable(json.dumps(item) + "\n\n" + json.dumps({"address": B})) == [
        *expected,
        (B, "", ()),
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"trackedWalletAddress": A, "name": "whale", "emoji": "x", "alertsOn": True},
        {"name": "whale", "address": A, "emoji": "x"},
    ],
)
def test_padre_bullx_gmgn_and_okx_have_a_name_and_no_groups(item: dict) -> None:
    assert usable(json.dumps([item])) == [(A, "whale", ())]


def test_an_array_may_hold_plain_addresses() -> None:
    assert usable(json.dumps([A, B])) == [(A, "", ()), (B, "", ())]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (7, "neither an address nor an object"),
        (None, "neither an address nor an object"),
        ([A], "neither an address nor an object"),
        ({}, "no address"),
        ({"address": 7}, "no address"),
        ({"address": ""}, "no address"),
        ("", "no address"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "not a Solana address"),
        (A + "1", "not a Solana address"),
        ("\ud800\x00", "no address"),
    ],
)
def test_an_item_that_is_no_address_says_why(item: object, reason: str) -> None:
    entry = only(json.dumps([item]))
    assert (entry.rejection, entry.reason) == ("invalid", reason)


def test_a_bad_line_of_ndjson_leaves_the_others() -> None:
    text = f'{{"address": "{A}"}}\n{{"address": \n{{"address": "{B}"}}'
    assert [entry.reason for entry in parse_list(text)] == [
        "",
        "not a line of JSON",
        "",
    ]


def test_an_address_that_is_listed_twice_is_told_with_its_first_place() -> None:
    entries = parse_list(f"{A}\n{B}\n{A},again")
    assert [(entry.rejection, entry.reason) for entry in entries] == [
        (None, ""),
        (None, ""),
        ("duplicate", "listed before: number 1"),
    ]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (programs.SYSTEM, "a program"),
        (programs.PUMPFUN, "a program (pumpfun)"),
        (programs.WRAPPED_SOL, "a token"),
        ("J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn", "a token"),
        ("AVUCZyuT35YSuj4RH7fwiyPu82Djn2Hfg7y2ND2XcnZH", "a fee wallet of photon"),
        ("62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV", "receives fees or tips"),
        (BURN_ADDRESS, "an account of a service"),
        (pump_curve(programs.USDC), "no private key can sign for it"),
    ],
)
def test_an_address_that_cannot_be_a_trader_is_no_wallet(
    address: str, words: str
) -> None:
    entry = only(address)
    assert entry.rejection == "not_a_wallet"
    assert words in entry.reason


def test_labels_and_tags_are_cleaned_and_cut() -> None:
    item = {
        "address": A,
        "label": "\u202ea\x00 \n b" + "x" * 200,
        "tags": ["a,b", " a  b ", "", 7, "t" * 50, *map(str, range(30))],
    }
    entry = only(json.dumps([item]))
    assert entry.label == "a b" + "x" * 97
    assert entry.tags[:3] == ("a b", "t" * 40, "0")
    assert len(entry.tags) == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfa\x00", "not text in UTF-8"),
        ("[", "line 1, column 2"),
        ('{"address":', "not valid JSON"),
        ('[\n"a",\n]', "line 3, column 1"),
        ("[" * 100_000, "nested too deeply"),
        (f"[{'9' * 10_000}]", "a number that is too long"),
        (f'address,label\n{A},"{"x" * 200_000}"', "not valid CSV: line 2"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(text: str | bytes, words: str) -> None:
    with pytest.raises(ListError, match=words):
        parse_list(text)


@pytest.mark.parametrize("text", ["", " \n\n", "# nothing\n", "[]", "address,label\n"])
def test_an_empty_list_has_no_entries(text: str) -> None:
    assert parse_list(text) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: "x\n" * (MAX_ENTRIES + 1),
        lambda: json.dumps(["x"] * (MAX_ENTRIES + 1)),
        lambda: "# " + "x" * MAX_BYTES,
        lambda: b"x" * (MAX_BYTES + 1),
    ],
)
def test_a_list_beyond_the_bounds_is_refused(make: Callable[[], str | bytes]) -> None:
    with pytest.raises(ListTooLarge, match=r"10,000|5,000,000"):
        parse_list(make())


def test_the_largest_list_is_read() -> None:
    assert len(parse_list("x\n" * MAX_ENTRIES)) == MAX_ENTRIES


labels = st.text(max_size=120).map(clean_label)
tags = st.lists(st.text(max_size=50), max_size=30).map(clean_tags)
lists = st.dictionaries(st.integers(1, 500), st.tuples(labels, tags), max_size=5)


@pytest.mark.parametrize("list_format", LIST_FORMATS)
@given(lists)
def test_an_exported_list_is_read_as_it_was(list_format: str, content: dict) -> None:
    exported = [
        ExportedWallet(wallet(number), label, tags)
        for number, (label, tags) in content.items()
    ]
    text = "".join(list_lines(exported, list_format))
    has_tags = list_format == "axiom"
    assert usable(text.encode()) == [
        (row.address, row.label, row.tags if has_tags else ()) for row in exported
    ]


@given(st.text(max_size=300))
def test_an_entry_of_any_text_is_usable_or_says_why(text: str) -> None:
    with contextlib.suppress(ListError):
        entries = parse_list(text)
        assert all(entry.rejection is None or entry.reason for entry in entries)
