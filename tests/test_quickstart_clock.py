"""The clock of `make run ARGS="--world living"`: its file, its line, and who gets it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from walltrack.embedded.folders import CHECKOUT
from walltrack.quickstart.options import parse_options
from walltrack.quickstart.programs import child_environment, choose_programs
from walltrack.quickstart.simulated_clock import describe_clock, prepare_clock
from walltrack.quickstart.supervisor import Quickstart

DAY = 86_400


def write(path: Path, *, real: float, simulated: float, speed: float) -> None:
    path.write_text(json.dumps({"real": real, "simulated": simulated, "speed": speed}))


def test_a_new_clock_begins_thirty_days_ago_and_needs_ten_minutes(
    tmp_path: Path,
) -> None:
    path = prepare_clock(tmp_path)
    state = json.loads(path.read_text())
    assert path == tmp_path / "clock.json"
    assert state["real"] == pytest.approx(time.time(), abs=10)
    assert state["real"] - state["simulated"] == pytest.approx(30 * DAY)
    assert state["speed"] * 600 == 30 * DAY
    assert [file.name for file in tmp_path.iterdir()] == ["clock.json"]


def test_an_existing_clock_goes_on(tmp_path: Path) -> None:
    path = prepare_clock(tmp_path)
    text = path.read_text()
    assert prepare_clock(tmp_path) == path
    assert path.read_text() == text


def test_a_line_describes_how_time_passes(tmp_path: Path) -> None:
    assert describe_clock(prepare_clock(tmp_path)) == (
        "Simulated time: 30 days pass in ten minutes, then time goes on as usual"
    )


def test_the_line_says_when_the_days_are_over(tmp_path: Path) -> None:
    path, started = tmp_path / "clock.json", time.time() - 700
    write(path, real=started, simulated=started - 30 * DAY, speed=4_320)
    assert "are over" in describe_clock(path)
    assert "--fresh" in describe_clock(path)


def test_children_get_the_clock_file_and_without_one_no_variable() -> None:
    def environment(clock_file: Path | None) -> dict[str, str]:
        return child_environment(
            {},
            database_url="postgresql://d",
            redis_url="redis://r",
            market_url="http://127.0.0.1:9",
            port=8081,
            secret_key="s",
            clock_file=clock_file,
        )

    assert environment(Path("/data/clock.json"))["SIMULATED_CLOCK_FILE"] == (
        "/data/clock.json"
    )
    assert "SIMULATED_CLOCK_FILE" not in environment(None)


@pytest.mark.parametrize(
    ("arguments", "has_clock"),
    [
        (["--world", "living"], True),
        (["--world", "small"], False),
        (["--world", "living", "--trades", "trades.csv"], False),
    ],
)
def test_only_the_world_living_has_a_clock_file(
    tmp_path: Path, arguments: list[str], has_clock: bool
) -> None:
    options = parse_options(arguments)
    programs = choose_programs(parse_options(["--world", "small"]))
    quickstart = Quickstart(options, programs, tmp_path)
    assert (quickstart.prepare_clock() is not None) == has_clock
    assert (tmp_path / "clock.json").exists() == has_clock


def test_the_market_starts_with_the_clock_of_the_data_folder(tmp_path: Path) -> None:
    path = prepare_clock(tmp_path)
    command = [sys.executable, "-m", "simmarket", "--port", "0", "--world", "empty"]
    with subprocess.Popen(
        [*command, "--clock", str(path)],
        cwd=CHECKOUT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "on http://127.0.0.1:" in process.stdout.readline()
        process.terminate()
    assert json.loads(path.read_text())["origin"] < time.time() - 29 * DAY
