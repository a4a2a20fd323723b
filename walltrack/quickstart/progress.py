"""Progress lines in the terminal."""

import contextlib
import sys
import time
from collections.abc import Iterator


@contextlib.contextmanager
def progress_line(label: str) -> Iterator[None]:
    """Print a line with a tick and the seconds that the block took, or with a cross if
    it failed.
    """
    started = time.monotonic()
    line_start = ""
    if sys.stdout.isatty():
        print(f"  … {label}", end="", flush=True)
        line_start = "\r"
    try:
        yield
    except BaseException:
        print(line_start, f" ✗ {label}", sep="", flush=True)
        raise
    print(
        line_start,
        f"  ✓ {label:<44} {time.monotonic() - started:5.1f} s",
        sep="",
        flush=True,
    )
