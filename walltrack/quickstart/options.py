"""The options of `make run` and `make discover`."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; exits with 2 for wrong usage.

    `discover ARGS…` runs a discovery without a web server and passes ARGS to it as
    `discover_arguments`, which is None without `discover`.
    """
    parser = _build_parser()
    if list(arguments[:1]) == ["discover"]:
        options = parser.parse_args(["--no-web"])
        options.discover_arguments = list(arguments[1:])
        return options
    options = parser.parse_args(arguments)
    if not 0 < options.port < 65_536:
        parser.error(f"--port: {options.port} is not between 1 and 65535")
    options.discover_arguments = None
    return options


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make run ARGS=…", description="Start all of WallTrack on one machine."
    )
    parser.add_argument(
        "--trades",
        type=Path,
        metavar="FILE",
        help="build the market from these real trades (CSV)",
    )
    parser.add_argument(
        "--world",
        default="small",
        help="the simulated world (default: small); `living` lets thirty days pass in ten minutes",
    )
    parser.add_argument("--seed", type=int, default=7, help="its seed (default: 7)")
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("PORT") or "8080",
        help="web port (default: 8080)",
    )
    parser.add_argument(
        "--no-web",
        dest="web",
        action="store_false",
        help="stop after the first discovery",
    )
    parser.add_argument(
        "--no-discovery",
        dest="discovery",
        action="store_false",
        help="start without a discovery",
    )
    parser.add_argument("--fresh", action="store_true", help="delete all data first")
    return parser
