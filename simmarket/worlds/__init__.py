"""Worlds: what happens in them, and the results that are expected of whoever reads
them.
"""

from simmarket.worlds.catalogue import NAMES, build, from_trades

__all__ = ["NAMES", "build", "from_trades"]
