"""Worlds: what happens in them, and the results that a correct analysis finds."""

from simmarket.worlds.catalogue import NAMES, build, from_trades

__all__ = ["NAMES", "build", "from_trades"]
