"""`decode_swaps` over every form of a file of transactions."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

SIGNATURE = "2ghHZXwyU6K1Q8KMJbLJg37ktmyctKmdzzZKGDvHk1MR865dDYyo8SfrKvmvijT43P6hdu6ozPtATiMeg2STszhc"
TRADER = "3HeEuccBzrTvWBvQGuiVgqbJcCpzTd4mFZjbKQoz5BYg"
FIELDS = [
    "signature", "slot", "block_time", "wallet", "side", "mint", "token_units", "token_decimals", "quote_mint",
    "quote_units", "network_fee_lamports", "tip_lamports", "platform_fee_lamports", "rent_lamports",
    "transfer_lamports", "unreconciled_lamports", "venues", "pool",
]  # fmt: skip


def run(*arguments: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("decode_swaps", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def captured(realdata: Path) -> Path:
    return realdata / "transactions/rpc/2ghHZXwyU6K1Q8KM.json"


def test_a_trade_is_one_line_with_the_documented_fields(captured: Path) -> None:
    (line,) = run(str(captured))
    assert list(line) == FIELDS
    assert line == {
        "signature": SIGNATURE,
        "slot": 356410419,
        "block_time": 1753751878,
        "wallet": TRADER,
        "side": "buy",
        "mint": "7k2255ueF3Ecnnjf9odEu7so3gmXKS8E29atDWmFpump",
        "token_units": "2878556000000",
        "token_decimals": 6,
        "quote_mint": "So11111111111111111111111111111111111111112",
        "quote_units": "131112615",
        "network_fee_lamports": 8600,
        "tip_lamports": 110000,
        "platform_fee_lamports": 0,
        "rent_lamports": 2039280,
        "transfer_lamports": 0,
        "unreconciled_lamports": 0,
        "venues": ["pumpfun"],
        "pool": "9A5TEByiBsj1RXZfe6cDr3tLn89vXtrZ11QsFWf13Njm",
    }


def test_every_form_of_a_file_gives_the_same_line(
    captured: Path, tmp_path: Path
) -> None:
    record = json.loads(captured.read_text())
    envelope = {"jsonrpc": "2.0", "id": 1, "result": record}
    forms = {
        "pretty": json.dumps(record, indent=2),
        "envelope": json.dumps(envelope),
        "array": json.dumps([record]),
        "batch": json.dumps([envelope]),
        "ndjson": f"{json.dumps(record)}\n\n{json.dumps(envelope)}\n",
        "page": json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "result": {"data": [record], "paginationToken": None},
            }
        ),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        lines = run(str(tmp_path / name))
        assert [line["signature"] for line in lines] == [SIGNATURE] * (
            2 if name == "ndjson" else 1
        ), name
        assert lines[0]["quote_units"] == "131112615", name


def test_a_bad_record_is_reported_by_its_signature_and_the_rest_is_decoded(
    captured: Path, tmp_path: Path
) -> None:
    good = json.loads(captured.read_text())
    bad = json.loads(captured.read_text())
    bad["transaction"]["signatures"] = ["5" * 88]
    bad["meta"]["preBalances"] = "nonsense"
    (tmp_path / "both").write_text(
        f"{json.dumps(bad)}\nnot json at all\n{json.dumps(good)}\n"
    )
    lines = run(str(tmp_path / "both"))
    assert [(line["signature"], line.get("outcome")) for line in lines] == [
        ("5" * 88, "failed"),
        ("", "failed"),
        (SIGNATURE, None),
    ]


def test_a_record_that_points_outside_its_keys_is_reported(
    captured: Path, tmp_path: Path
) -> None:
    record = json.loads(captured.read_text())
    record["meta"]["postTokenBalances"][0]["accountIndex"] = 999
    (tmp_path / "bad").write_text(json.dumps(record))
    (line,) = run(str(tmp_path / "bad"))
    assert (line["signature"], line["outcome"], line["reason"]) == (
        SIGNATURE,
        "failed",
        "bad_index",
    )


def test_a_truncated_record_is_one_line_with_its_signature(
    captured: Path, tmp_path: Path
) -> None:
    record = json.loads(captured.read_text())
    reordered = {"transaction": record["transaction"], "meta": record["meta"]}
    (tmp_path / "cut").write_text(json.dumps(reordered, indent=1)[:-500])
    (line,) = run(str(tmp_path / "cut"))
    assert (line["signature"], line["outcome"]) == (SIGNATURE, "failed")


def test_with_a_wallet_only_its_own_trades_are_printed(realdata: Path) -> None:
    bundle = str(realdata / "transactions/rpc/JBnrBbgqh9jRUkUD.json")
    all_lines = run(bundle)
    lines_of_wallet = run(bundle, "--wallet", all_lines[1]["wallet"])
    assert len(all_lines) == 4
    assert lines_of_wallet == [all_lines[1]]
    (line,) = run(bundle, "--wallet", TRADER)
    assert (line["outcome"], line["reason"]) == ("skipped", "other_wallet")


def test_a_dash_reads_standard_input(
    captured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stdin:
        buffer = io.BytesIO(captured.read_bytes())

    monkeypatch.setattr("sys.stdin", Stdin)
    (line,) = run("-")
    assert line["signature"] == SIGNATURE


def test_an_envelope_without_a_result_is_reported_as_failed(tmp_path: Path) -> None:
    (tmp_path / "null").write_text('{"jsonrpc":"2.0","id":1,"result":null}')
    (line,) = run(str(tmp_path / "null"))
    assert (line["outcome"], line["detail"]) == ("failed", "no such transaction")


def test_a_missing_file_is_reported_after_the_others_are_decoded(
    captured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 file"):
        call_command("decode_swaps", "/no/such/file", str(captured), stdout=out)
    assert SIGNATURE in out.getvalue()


def test_a_wallet_that_is_no_address_is_rejected() -> None:
    with pytest.raises(CommandError) as rejected:
        call_command("decode_swaps", "-", "--wallet", "me")
    assert rejected.value.returncode == 2
