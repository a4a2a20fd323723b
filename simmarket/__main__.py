"""`python -m simmarket`: serve a world on this machine."""

import argparse
import gc
import sys
from pathlib import Path

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.api.server import RunningServer, serve


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, build the world, serve it until a signal."""
    parser = argparse.ArgumentParser(prog="python -m simmarket", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 = any free port")
    parser.add_argument("--world", choices=worlds.NAMES, default="small")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--trades", type=Path, metavar="FILE.csv", help="a world out of a file of real trades")
    parser.add_argument("--rps", type=int, default=500, metavar="N", help="calls per second and provider")
    parser.add_argument("--limits", choices=("flat", "real"), default="flat", help="real = as documented")
    parser.add_argument("--helius", choices=("full", "no-gtfa", "off"), default="full")
    parser.add_argument("--no-batch", action="store_true", help="refuse JSON-RPC batches")
    given = parser.parse_args(arguments)
    if given.rps < 1:
        parser.error("--rps must be at least 1")
    if given.trades is not None and not given.trades.is_file():
        parser.error(f"--trades: no file {given.trades}")
    world = worlds.from_trades(given.trades) if given.trades else worlds.build(given.world, given.seed)
    gc.freeze()  # the world stays until the end
    calls_per_second = None if given.limits == "real" else given.rps
    options = Options(calls_per_second, given.helius, batches=not given.no_batch)

    def announce(server: RunningServer) -> None:
        print(
            f"simmarket: world {world.name}, seed {world.seed}, {len(world.tokens)} tokens, "
            f"{len(world.wallets)} wallets, {len(world.transactions)} transactions on {server.url}",
            flush=True,
        )

    try:
        serve(world, host=given.host, port=given.port, options=options, on_ready=announce)
    except OSError as error:
        print(f"simmarket: cannot listen on {given.host}:{given.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
