"""The clock of the world `living`: a file that the simulated market and the children
read. Its thirty days pass in ten minutes.
"""

import json
import time
from pathlib import Path

LIVING = "living"
DAYS = 30
MINUTES = 10
SPEED = DAYS * 24 * 60 / MINUTES  # simulated seconds per second: a day takes twenty
_DAY_SECONDS = 86_400


def prepare_clock(data_dir: Path) -> Path:
    """Return the path of the clock file in `data_dir`. A missing one is created, thirty
    days before now; an existing one goes on. Raises OSError.
    """
    path = data_dir.absolute() / "clock.json"
    if not path.exists():
        now = time.time()
        state = {"real": now, "simulated": now - DAYS * _DAY_SECONDS, "speed": SPEED}
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(state) + "\n")
        draft.replace(path)
    return path


def describe_clock(path: Path) -> str:
    """Return a line that describes how time passes. Raises OSError or
    ValueError for an unreadable file.
    """
    state = json.loads(path.read_text())
    elapsed_seconds = time.time() - float(state["real"])
    simulated = float(state["simulated"]) + elapsed_seconds * float(state["speed"])
    if simulated >= time.time():
        return (
            f"Simulated time: the {DAYS} days are over, time goes on as usual"
            " (--fresh starts them again)"
        )
    return (
        f"Simulated time: {DAYS} days pass in ten minutes, then time goes on as usual"
    )
