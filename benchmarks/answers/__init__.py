"""Record what the product answers to a fixed set of questions, and compare two
recordings.

    python -m benchmarks answers record FILE        about ten minutes; needs ../shared/realdata for all of it
    python -m benchmarks answers compare OLD NEW    prints the differences; exit code 1 if there are any

Only outer entry points are used (manage.py, the HTTP API, health, a simulated market
and the embedded servers), so that the same file records any version. Each scenario has
databases of its own. The clock of all programs stands almost still at one moment, so
that nothing depends on the hour or on the speed of the machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.answers.form import SLOWDOWN, differences
from benchmarks.answers.recorder import Recorder
from benchmarks.answers.scenarios import SCENARIOS
from benchmarks.answers.servers import ROOT, Failure, Installation

MAX_SECONDS: Final = SLOWDOWN * 9 // 10
"""A scenario that takes longer would reach the next second of its slow clock."""
MAX_SHOWN: Final = 200


def main(arguments: Sequence[str]) -> int:
    """Record or compare. Exit code: 0 done or equal, 1 different or failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks answers", description=__doc__
    )
    actions = parser.add_subparsers(dest="action", required=True)
    record = actions.add_parser("record", help="record all answers of this checkout")
    record.add_argument("file", type=Path)
    record.add_argument(
        "--only",
        action="append",
        choices=list(SCENARIOS),
        help="one scenario; repeatable",
    )
    compare = actions.add_parser(
        "compare", help="print the differences of two recordings"
    )
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    scenario = actions.add_parser(
        "scenario", help="record one scenario beside servers that run already"
    )
    scenario.add_argument("name", choices=list(SCENARIOS))
    scenario.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    if options.action == "compare":
        return _compare(options.old, options.new)
    if options.action == "scenario":
        return _record_scenario(options.name, options.file)
    return _record(options.file, options.only or list(SCENARIOS))


def _record(file: Path, names: Sequence[str]) -> int:
    """Record scenarios, each beside throw-away servers of its own."""
    answers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            started = time.monotonic()
            part = Path(folder) / "part.json"
            command = [sys.executable, "-m", "walltrack.embedded", "run", "--"]
            command += [
                sys.executable,
                "-m",
                "benchmarks",
                "answers",
                "scenario",
                name,
                str(part),
            ]
            done = subprocess.run(command, cwd=ROOT, check=False)
            if done.returncode:
                print(f"{name}: failed")
                return 1
            answers[name] = json.loads(part.read_bytes())
            file.write_text(json.dumps(answers, indent=0, ensure_ascii=False))
            print(
                f"{name}: {len(answers[name])} answers in {time.monotonic() - started:.0f} s",
                flush=True,
            )
    return 0


def _record_scenario(name: str, file: Path) -> int:
    recorder = Recorder()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="answers-") as folder:
        installation = Installation(Path(folder))
        try:
            SCENARIOS[name](recorder, installation)
        except Failure as failure:
            print(
                f"{name}: {failure}",
                *installation.log_tail(),
                sep="\n",
                file=sys.stderr,
            )
            return 1
    if time.monotonic() - started > MAX_SECONDS:
        print(
            f"{name}: took longer than {MAX_SECONDS} s; try again on an idle machine",
            file=sys.stderr,
        )
        return 1
    file.write_text(json.dumps(recorder.answers, ensure_ascii=False))
    return 0


def _compare(old: Path, new: Path) -> int:
    lines = list(
        differences(json.loads(old.read_bytes()), json.loads(new.read_bytes()))
    )
    for line in lines[:MAX_SHOWN]:
        print(line)
    if len(lines) > MAX_SHOWN:
        print(f"… and {len(lines) - MAX_SHOWN} more")
    print(f"{len(lines)} differences" if lines else "no difference")
    return 1 if lines else 0
