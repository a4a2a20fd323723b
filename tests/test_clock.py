"""The time that the product lives in."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from walltrack import clock

DAY = 86_400


@pytest.fixture
def clock_file(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "clock.json"
    settings.SIMULATED_CLOCK_FILE = str(path)
    return path


def write(path: Path, *, days_ago: float, speed: float) -> None:
    real = time.time()
    values = {"real": real, "simulated": real - days_ago * DAY, "speed": speed}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(values))
    draft.replace(path)


def test_without_a_file_time_is_real() -> None:
    assert clock.unix_now() == pytest.approx(time.time(), abs=1)
    assert clock.speed() == 1


def test_a_file_moves_the_time(clock_file: Path) -> None:
    write(clock_file, days_ago=10, speed=1)
    assert clock.unix_now() == pytest.approx(time.time() - 10 * DAY, abs=2)
    assert clock.now().timestamp() == pytest.approx(time.time() - 10 * DAY, abs=2)


def test_a_file_that_changes_is_read_again(clock_file: Path) -> None:
    write(clock_file, days_ago=10, speed=1)
    clock.unix_now()
    write(clock_file, days_ago=5, speed=3)
    assert clock.unix_now() == pytest.approx(time.time() - 5 * DAY, abs=2)
    assert clock.speed() == 3


def test_the_time_is_never_later_than_the_present(clock_file: Path) -> None:
    write(clock_file, days_ago=-1, speed=1_000)
    assert clock.unix_now() <= time.time()
    assert clock.speed() == 1


def test_an_unreadable_file_is_an_error(clock_file: Path) -> None:
    clock_file.write_text("no clock")
    with pytest.raises(ValueError, match="Expecting value"):
        clock.now()
