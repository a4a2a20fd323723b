"""`manage.py score_histories` as an operator runs it."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(__file__).parent / "score_vectors"
OPEN = ROOT.parent / "shared" / "realdata" / "score" / "open"


def _judged(path: Path) -> tuple[dict[str, dict], dict]:
    """Return wallet → its line, and the population."""
    output = io.StringIO()
    call_command("score_histories", str(path), stdout=output)
    *rows, last = map(json.loads, output.getvalue().splitlines())
    return {row["wallet"]: row for row in rows}, last["population"]


def test_the_command_needs_neither_database_nor_configuration() -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG"}
    }
    result = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "score_histories",
            str(VECTORS / "input.ndjson"),
        ],
        cwd=ROOT,
        env={**environment, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert len(result.stdout.splitlines()) == 49


def test_an_unreadable_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "histories.ndjson"
    path.write_text(
        '{"wallet":"a","as_of":1,"events":[]}\n'
        '{"wallet":"b","as_of":1,"events":[{"mint":"m","kind":"gift"}]}\n'
    )
    with pytest.raises(CommandError, match=r"line 2: Invalid enum value 'gift'"):
        _judged(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.ndjson: No such file"):
        _judged(tmp_path / "none.ndjson")


def test_an_empty_file_has_the_population_of_a_first_run(tmp_path: Path) -> None:
    path = tmp_path / "empty.ndjson"
    path.write_text("")
    rows, population = _judged(path)
    assert not rows
    assert population["wallets"] == 0
    assert population["prior"]["steps"] == [None, None]
    assert 0.5 < population["pi0"] < 1


@pytest.mark.skipif(
    not OPEN.is_dir(), reason="../shared/realdata/score/open is not there"
)
def test_the_open_population_gets_the_judgements_of_the_reference(
    tmp_path: Path,
) -> None:
    path = tmp_path / "histories.ndjson"
    path.write_bytes(gzip.decompress((OPEN / "histories.ndjson.gz").read_bytes()))
    rows, population = _judged(path)
    expected = map(json.loads, (OPEN / "expected.ndjson").read_text().splitlines())
    for line in expected:
        if "wallet" not in line:
            wanted = line["population"]
            assert population["luck_share"] == pytest.approx(wanted["luck_share"])
            assert population["follow"] == wanted["follow"]
            continue
        row = rows[line["wallet"]]
        assert row["verdict"] == line["verdict"]
        assert row["score"] == pytest.approx(line["score"], abs=2e-6)
        assert row["edge_low_pct"] == pytest.approx(line["edge_low_pct"], abs=1e-3)
        assert row["q_value"] == pytest.approx(line["q_value"], abs=2e-6)
