"""Records that cannot be decoded, and optional parts of a record."""

import json
from typing import Any

import pytest

from discovery.decode.outcomes import Failed, Outcome
from discovery.decode.swaps import decode_json
from discovery.domain.programs import WRAPPED_SOL
from tests.decode.fake_swaps import ANA, BEN, MINT, TIP, UNITS, legs, pool_sells
from tests.fake_transactions import SOL, FakeTransaction


def garble(change: Any) -> Outcome:
    fake = pool_sells(
        FakeTransaction(ANA, BEN).pay(ANA, -SOL).units(ANA, MINT, 0, UNITS), UNITS, SOL
    )
    record = fake.transfer(ANA, TIP, 1_000).record()
    change(record)
    return decode_json(json.dumps(record).encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["meta"]["postTokenBalances"][0]["uiTokenAmount"].update(
            amount="9" * 30
        ),
        lambda r: r["meta"]["postTokenBalances"][0]["uiTokenAmount"].update(
            amount="-1"
        ),
        lambda r: r["meta"]["postTokenBalances"][0]["uiTokenAmount"].update(
            decimals=99_999
        ),
        lambda r: r["meta"]["postTokenBalances"][0].update(accountIndex=-1),
        lambda r: r["meta"].update(fee=10**30),
        lambda r: r["meta"]["preBalances"].__setitem__(0, -5),
        lambda r: r["transaction"].update(signatures=["5" * 300]),
        lambda r: r["transaction"].update(signatures=[]),
        lambda r: r["transaction"]["message"].update(instructions=7),
        lambda r: r["transaction"]["message"]["accountKeys"].__setitem__(
            1, {"pubkey": BEN}
        ),
        lambda r: r["transaction"]["message"]["instructions"][0].update(data="0OIl"),
        lambda r: r["transaction"]["message"]["instructions"][0].update(
            programIdIndex=999
        ),
        lambda r: r.update(meta=None),
    ],
)
def test_a_record_that_cannot_exist_on_the_chain_is_failed(change: Any) -> None:
    assert isinstance(garble(change), Failed)


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe{}", b"[" * 5000, b'{"transaction":' * 5000, b"", b"null"]
)
def test_bytes_that_are_no_record_are_failed(raw: bytes) -> None:
    assert isinstance(decode_json(raw), Failed)


@pytest.mark.parametrize(
    "missing", ["loadedAddresses", "innerInstructions", "blockTime", "slot", "version"]
)
def test_fields_that_some_captures_lack_are_optional(missing: str) -> None:
    record = pool_sells(
        FakeTransaction(ANA).pay(ANA, -SOL).units(ANA, MINT, 0, UNITS), UNITS, SOL
    ).record()
    record.pop(missing, None)
    record["meta"].pop(missing, None)
    assert legs(decode_json(json.dumps(record).encode())) == [
        (ANA, "buy", UNITS, WRAPPED_SOL, SOL)
    ]


@pytest.mark.parametrize("version", ["legacy", 0, 1])
def test_every_message_version_decodes_to_the_same_trade(version: str | int) -> None:
    record = pool_sells(
        FakeTransaction(ANA).pay(ANA, -SOL).units(ANA, MINT, 0, UNITS), UNITS, SOL
    ).record()
    record["version"] = version
    if version == 1:
        record["transaction"]["message"]["transactionConfig"] = {
            "computeUnitLimit": 200_000,
            "priorityFee": 5_000,
        }
    assert legs(decode_json(json.dumps(record).encode())) == [
        (ANA, "buy", UNITS, WRAPPED_SOL, SOL)
    ]
