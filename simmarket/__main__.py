"""`python -m simmarket`: serve a world on this machine."""

import argparse
import gc
import sys
from pathlib import Path

from simmarket import worlds
from simmarket.api.clock import Clock, ClockError, ClockFile, RealClock
from simmarket.api.market import Options
from simmarket.api.server import RunningServer, serve
from simmarket.chain.world import World


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, build the world, serve it until a signal; return the exit
    status.
    """
    options = _parse(arguments)
    try:
        clock = _open_clock(options)
    except ClockError as error:
        print(f"simmarket: --clock: {error}", file=sys.stderr)
        return 2
    world = _build_world(options)
    gc.freeze()  # the world stays until the end

    def announce(server: RunningServer) -> None:
        print(
            f"simmarket: world {world.name}, seed {world.seed}, {len(world.tokens)} tokens, "
            f"{len(world.wallets)} wallets, {len(world.transactions)} transactions on {server.url}",
            flush=True,
        )

    market_options = Options(
        calls_per_second=None if options.limits == "real" else options.rps,
        helius=options.helius,
        batches=not options.no_batch,
        quirks=tuple(options.quirk),
        page_cap=options.page_cap,
    )
    try:
        serve(
            world,
            host=options.host,
            port=options.port,
            options=market_options,
            clock=clock,
            on_ready=announce,
        )
    except OSError as error:
        print(
            f"simmarket: cannot listen on {options.host}:{options.port}: {error}",
            file=sys.stderr,
        )
        return 1
    return 0


def _open_clock(options: argparse.Namespace) -> Clock:
    """Return the clock of a market. Raises ClockError."""
    if options.clock is None:
        return RealClock()
    return ClockFile(options.clock)


def _build_world(options: argparse.Namespace) -> World:
    if options.trades:
        return worlds.from_trades(options.trades)
    return worlds.build(options.world, options.seed)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simmarket", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 = any free port")
    parser.add_argument("--world", choices=worlds.NAMES, default="small")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--trades",
        type=Path,
        metavar="FILE.csv",
        help="a world out of a file of real trades",
    )
    parser.add_argument(
        "--rps",
        type=int,
        default=500,
        metavar="N",
        help="calls per second and provider",
    )
    parser.add_argument(
        "--limits",
        choices=("flat", "real"),
        default="flat",
        help="real = as documented",
    )
    parser.add_argument("--helius", choices=("full", "no-gtfa", "off"), default="full")
    parser.add_argument(
        "--clock",
        type=Path,
        metavar="FILE",
        help="take the time from this JSON file: real, simulated, speed",
    )
    parser.add_argument(
        "--no-batch", action="store_true", help="refuse JSON-RPC batches"
    )
    parser.add_argument(
        "--quirk",
        action="append",
        default=[],
        choices=("duplicate_rows", "shuffled_rows"),
        help="of every page of signatures or transactions; may be repeated",
    )
    parser.add_argument(
        "--page-cap",
        type=int,
        metavar="N",
        help="rows of such a page at most, whatever was asked for",
    )
    options = parser.parse_args(arguments)
    if options.rps < 1:
        parser.error("--rps must be at least 1")
    if options.page_cap is not None and options.page_cap < 1:
        parser.error("--page-cap must be at least 1")
    if options.trades is not None and not options.trades.is_file():
        parser.error(f"--trades: no file {options.trades}")
    return options


if __name__ == "__main__":
    sys.exit(main())
