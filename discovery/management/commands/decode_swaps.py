"""`manage.py decode_swaps`: trades of captured transactions, one JSON line each."""

import sys
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from discovery.decode.files import decode_bytes
from discovery.decode.outcomes import Decoded, Failed, Outcome
from discovery.domain.addresses import parse_address
from discovery.domain.trades import Trade


class Command(BaseCommand):
    """Reads `getTransaction` results and prints every trade, or the reason if there is
    none. Needs no database.
    """

    help = (
        "Print the trades in getTransaction results, one JSON line each. FILE holds one result, a JSON-RPC envelope, "
        "an array of them, or one a line (NDJSON); - is standard input."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the files and the wallet whose trades are printed."""
        parser.add_argument(
            "files", nargs="+", metavar="FILE", help="a file, or - for standard input"
        )
        parser.add_argument(
            "--wallet", metavar="ADDRESS", help="print this wallet's trades only"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Decode. Raises CommandError after the last file if one could not be read."""
        wallet = options["wallet"]
        if wallet is not None:
            try:
                wallet = parse_address(wallet)
            except ValueError as error:
                raise CommandError(f"--wallet: {error}", returncode=2) from error
        unread = 0
        for name in options["files"]:
            try:
                content = (
                    sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
                )
            except OSError as error:
                self.stderr.write(f"{name}: {error.strerror}")
                unread += 1
                continue
            for outcome in decode_bytes(content):
                for line in lines(outcome, wallet):
                    self.stdout.write(line)
        if unread:
            raise CommandError(f"{unread} file(s) could not be read")


def lines(outcome: Outcome, wallet: str | None) -> list[str]:
    """Return the JSON lines of one transaction."""
    if isinstance(outcome, Decoded):
        found = [
            _trade_line(trade)
            for trade in outcome.trades
            if wallet in (None, trade.wallet)
        ]
        return found or [
            _json(
                {
                    "signature": outcome.signature,
                    "outcome": "skipped",
                    "reason": "other_wallet",
                }
            )
        ]
    if isinstance(outcome, Failed):
        line = {
            "signature": outcome.signature,
            "outcome": "failed",
            "reason": str(outcome.reason),
        }
        return [_json({**line, "detail": outcome.detail} if outcome.detail else line)]
    return [
        _json(
            {
                "signature": outcome.signature,
                "outcome": "skipped",
                "reason": str(outcome.reason),
            }
        )
    ]


def _trade_line(trade: Trade) -> str:
    return _json(
        {
            "signature": trade.signature,
            "slot": trade.slot,
            "block_time": trade.block_time,
            "wallet": trade.wallet,
            "side": trade.side,
            "mint": trade.mint,
            "token_units": str(trade.token_units),
            "token_decimals": trade.token_decimals,
            "quote_mint": trade.quote_mint,
            "quote_units": str(trade.quote_units),
            "network_fee_lamports": trade.network_fee_lamports,
            "tip_lamports": trade.tip_lamports,
            "platform_fee_lamports": trade.platform_fee_lamports,
            "rent_lamports": trade.rent_lamports,
            "venues": trade.venues,
        }
    )


def _json(line: dict[str, Any]) -> str:
    return msgspec.json.encode(line).decode()
