"""The worlds by name."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simmarket.chain.builder import Builder
from simmarket.chain.world import World
from simmarket.worlds import (
    habits_world,
    living_world,
    small_world,
    traders_world,
    trades_file,
)

NAMES = ("small", "habits", "traders", "living", "empty")


def build(name: str = "small", seed: int = 7) -> World:
    """Return a named world; the same (name, seed) gives the same world in every
    process.

    Raises ValueError for an unknown name.
    """
    if name == "empty":
        return _empty_world(name, seed)
    if name == "habits":
        return habits_world.build(seed)
    if name == "small":
        with _garbage_collection_paused():
            return small_world.build(seed)
    if name == "traders":
        with _garbage_collection_paused():
            return traders_world.build(seed)
    if name == "living":
        with _garbage_collection_paused():
            return living_world.build(seed)
    raise ValueError(f"unknown world {name!r}; known: {', '.join(NAMES)}")


def from_trades(path: str | Path) -> World:
    """Return the world of a trades file."""
    with _garbage_collection_paused():
        return trades_file.build(Path(path))


def _empty_world(name: str, seed: int) -> World:
    builder = Builder(name, seed, 0)
    builder.world.index()
    return builder.world


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Pause the garbage collector: a world is a million live objects, and scanning them
    doubles the build time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
