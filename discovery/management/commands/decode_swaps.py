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
        wallet = _parse_wallet(options["wallet"])
        unread = 0
        for name in options["files"]:
            try:
                content = _read(name)
            except OSError as error:
                self.stderr.write(f"{name}: {error.strerror}")
                unread += 1
                continue
            for outcome in decode_bytes(content):
                for line in lines(outcome, wallet):
                    self.stdout.write(line)
        if unread:
            raise CommandError(f"{unread} file(s) could not be read")


def _parse_wallet(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return parse_address(text)
    except ValueError as error:
        raise CommandError(f"--wallet: {error}", returncode=2) from error


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    return Path(name).read_bytes()


def lines(outcome: Outcome, wallet: str | None) -> list[str]:
    """Return the JSON lines of one transaction: its trades, or the reason for which
    there is none. wallet: whose trades, None = everybody's.
    """
    signature = outcome.signature
    if isinstance(outcome, Decoded):
        trades = [trade for trade in outcome.trades if wallet in (None, trade.wallet)]
        if not trades:
            return [_reason_line(signature, "skipped", "other_wallet")]
        return [_trade_line(trade) for trade in trades]
    if isinstance(outcome, Failed):
        return [_reason_line(signature, "failed", outcome.reason, outcome.detail)]
    return [_reason_line(signature, "skipped", outcome.reason)]


def _reason_line(signature: str, outcome: str, reason: str, detail: str = "") -> str:
    line = {"signature": signature, "outcome": outcome, "reason": str(reason)}
    if detail:
        line["detail"] = detail
    return _json(line)


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
            "transfer_lamports": trade.transfer_lamports,
            "unreconciled_lamports": trade.unreconciled_lamports,
            "venues": trade.venues,
            "pool": trade.pool,
        }
    )


def _json(line: dict[str, Any]) -> str:
    return msgspec.json.encode(line).decode()
