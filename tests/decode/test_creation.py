"""Creators of tokens, from real create transactions of both encodings."""

import json
from pathlib import Path

import msgspec
import pytest

from discovery.decode.creation import creators_of
from discovery.providers.transactions import TransactionRecord, decode_record

CREATIONS = {
    "2RoRJxatbF9Qkv87": (
        "CWiTGbCiDd8BKtNYNE2boT9fJGFG2MU53Uf6HQk4pump",
        "5htGpHK2oV9g2BcDqLdRBqjCLdy8mc3fsESfR5DU73eM",
    ),
    "2s393PSYYxJJJfGi": (
        "5dNYcCZXEGfGgbdUdq7MMR7KLsNJLLLgL83wLH8Fpump",
        "6xo262KbDXepWbF3vPTrFXysr5vJwk3mozBXmXk3hmMx",
    ),
    "4HbY43S9UigSctrf": (
        "GGYkiUJGopoH9DZUjGFtLiKpXXW5AQovqZ7eVcjEpump",
        "CvoPbuS2AghzVBYJx7HfQGhALiqif4YwWgHvXmhehuJZ",
    ),
    "2nebvBA9wsBgxGNL": (
        "7F7TeMsGutc2YpxeH7U3PiFLwG2FygN2jMLeDKAXNbwu",
        "FiYwf895W6ntoitNvhVwBLS4uwKZmMhsxiQmYY44488U",
    ),
}
"""File -> (mint, creator). `create` and `create_v2`, `json` and `jsonParsed`, a creator
in the data or not.
"""


def record_of(realdata: Path, name: str) -> TransactionRecord:
    captured = json.loads((realdata / f"transactions/rpc/{name}.json").read_bytes())
    return decode_record(json.dumps(captured.get("result", captured)).encode())


@pytest.mark.parametrize("name", CREATIONS)
def test_the_creator_of_a_real_token_is_read_from_its_creation(
    name: str, realdata: Path
) -> None:
    mint, creator = CREATIONS[name]
    assert creators_of(record_of(realdata, name), mint) == (creator,)


def test_a_transaction_that_creates_another_token_names_no_creator(
    realdata: Path,
) -> None:
    assert (
        creators_of(
            record_of(realdata, "2s393PSYYxJJJfGi"), CREATIONS["4HbY43S9UigSctrf"][0]
        )
        == ()
    )


def test_the_creator_of_a_dynamic_bonding_curve_is_read_from_its_creation(
    realdata: Path,
) -> None:
    record = record_of(realdata, "5hsqkSAZ9qcF5yNk")
    (creator,) = creators_of(record, "GLZPY8BKvz4SskptWRpNZ29UJPmS9BYx1enRHUa9oSDx")
    assert creator.startswith("5awo")


def test_a_garbled_instruction_names_no_creator(realdata: Path) -> None:
    mint, _ = CREATIONS["2s393PSYYxJJJfGi"]
    record = record_of(realdata, "2s393PSYYxJJJfGi")
    garbled = record.transaction.message.instructions
    for old, new in (
        (b'"accounts":[', b'"accounts":[9999,'),
        (b'"data":"', b'"data":"0OIl'),
    ):
        text = (
            bytes(garbled)
            .replace(b'"accounts": [', b'"accounts":[')
            .replace(b'"data": "', b'"data":"')
        )
        message = msgspec.structs.replace(
            record.transaction.message, instructions=msgspec.Raw(text.replace(old, new))
        )
        bad = msgspec.structs.replace(
            record,
            transaction=msgspec.structs.replace(record.transaction, message=message),
        )
        assert creators_of(bad, mint) == ()
