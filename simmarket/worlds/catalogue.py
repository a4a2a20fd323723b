"""The worlds by name."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simmarket.chain.builder import Builder
from simmarket.chain.world import World
from simmarket.worlds import trades_file

NAMES = ("small", "empty")


def build(name: str = "small", seed: int = 7) -> World:
    """A named world; the same (name, seed) gives the same world in every process."""
    if name == "empty":
        builder = Builder(name, seed, 0)
        builder.world.index()
        return builder.world
    if name == "small":
        from simmarket.worlds import small_world

        with _uncollected():
            return small_world.build(seed)
    raise ValueError(f"unknown world {name!r}; known: {', '.join(NAMES)}")


def from_trades(path: str | Path) -> World:
    """The world of a trades file."""
    with _uncollected():
        return trades_file.build(Path(path))


@contextmanager
def _uncollected() -> Iterator[None]:
    """A world is a million small objects that all stay: looking for garbage among them doubles the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
