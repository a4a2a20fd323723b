"""The calls of docs/api.md return the responses that it shows."""

import json
import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from discovery.domain.api_keys import new_key
from discovery.models import ApiKey, Config, Run
from tests.factories import (
    MINT,
    BalanceChangeFactory,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    ScoreSnapshotFactory,
    TokenResultFactory,
    TradeFactory,
    WalletFactory,
    address,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
CALL = re.compile(
    r"```console\n\$ (curl [^\n]+)\n```\n(?:\n```(json|csv)\n(.*?)\n```\n)?", re.S
)
VARYING = [
    (
        re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        "<uuid>",
    ),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\d{8}T\d{12}Z"), "<addition>"),
    (re.compile(r'"request_id": ?"[0-9a-f]{32}"'), '"request_id": "<id>"'),
]


def masked(text: str) -> str:
    """Return the text without ids and times."""
    for pattern, mask in VARYING:
        text = pattern.sub(mask, text)
    return text


@pytest.fixture
def world(transactional_db: None, live_server) -> dict[str, str]:
    """Create the rows that the calls read; return the variables that they name."""
    Config.objects.all().delete()
    Config.load()
    run = RunFactory(
        errors=[
            {"step": MINT, "code": "rate_limited", "message": "Jupiter answered 429"}
        ]
    )
    RunTokenFactory(run=run)
    RunWalletFactory(run=run, wallet=1)
    WalletFactory(number=1, label="whale")
    TradeFactory(wallet=1, slot=381_000_123)
    TokenResultFactory(wallet=1)
    ScoreSnapshotFactory(wallet=1)
    PositionFactory(
        run=run,
        wallet=2,
        cost_lamports=1_000_005_000,
        realised_lamports=None,
        profit_pct=None,
        knowledge="unknown",
        unknown_reason="out_order_open",
        known_share=Decimal("0.0000"),
        rejection="result_unknown",
        entry_rank=4,
        entry_seconds=61,
    )
    BalanceChangeFactory(wallet=1, slot=381_000_124)
    key = new_key()
    ApiKey.objects.create(
        name="docs", prefix=key.prefix, secret_hash=key.secret_hash, scope="admin"
    )
    return {
        "API": f"{live_server.url}/api/discovery",
        "KEY": key.text,
        "FINISHED": str(run.pk),
        "WALLET": address(1),
        "REJECTED": address(2),
    }


def run_command(command: str, variables: dict[str, str]) -> str:
    """Return what the command prints."""
    active = Run.objects.exclude(pk=variables["FINISHED"]).first()
    known = {
        **variables,
        "RUN": str(active.pk) if active else "",
        "PATH": os.environ["PATH"],
    }
    process = subprocess.run(
        ["bash", "-c", command],
        env=known,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return process.stdout


def test_every_call_of_the_docs_returns_the_documented_response(
    world: dict[str, str],
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    calls = CALL.findall(PAGE.read_text())
    assert len(calls) >= 10
    for command, language, documented in calls:
        response: Any = masked(run_command(command, world))
        expected: Any = masked(documented)
        if language == "json":
            response, expected = json.loads(response), json.loads(expected)
        else:
            response, expected = response.splitlines(), expected.splitlines()
        assert response == expected, command
