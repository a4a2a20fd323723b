"""A program that calls the API, and rows for it to tell."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from solders.pubkey import Pubkey

from discovery.models import (
    Cycle,
    Position,
    Run,
    RunToken,
    RunWallet,
    Trade,
    Wallet,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
SOL = "So11111111111111111111111111111111111111112"
ROOT = "/api/discovery"


def address(number: int) -> str:
    """The address with this number."""
    return str(Pubkey.from_bytes((number + 1).to_bytes(32, "big")))


class Api:
    """Calls the API the way a program does."""

    def __init__(self, client: Client, key: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`path` is below /api/discovery unless it begins with /api."""
        return self.raw(method, path, "" if body is None else json.dumps(body), **headers)

    def raw(self, method: str, path: str, text: str | bytes, **headers: str) -> Any:
        """The same with the body as it goes over the wire."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"content_type": named.pop("Content-Type", "application/json")} if text else {}
        url = path if path.startswith("/api") else f"{ROOT}/{path}"
        return self.client.generic(method, url, data=text, headers={**self.headers, **named}, **kind)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)


def make_run(**values: Any) -> Run:
    """A completed run."""
    known = {
        "started_at": NOW, "completed_at": NOW + timedelta(seconds=90), "status": "completed", "stage": "done",
        "trigger_type": "manual", "triggered_by": "ana", "duration_seconds": Decimal("90.25"), "new_wallets": 2,
        "updated_wallets": 1, "tokens_analyzed": 4, "profiled_wallets": 2, "steps_total": 9, "steps_done": 9,
        "min_price_change_pct": Decimal("100"), "max_tokens": 20, "funnel": {"candidates": 9, "qualified": 3},
        "usage": {"helius": {"calls": 12, "credits": 120, "rate_limited": 1}},
    }  # fmt: skip
    return Run.objects.create(**{**known, **values})


def make_wallet(number: int = 0, **values: Any) -> Wallet:
    """A scored wallet."""
    known: dict[str, Any] = {
        "status": "active", "score": Decimal("0.7312"), "n_eff": Decimal("9.5"), "resolved_cycles": 12,
        "win_rate": Decimal("0.75"), "realised_lamports": 12_345_678_901, "coverage": Decimal("0.99"),
        "flags": {"sniper": "bought X 2 slots after its launch"}, "discovery_count": 2, "profiled_at": NOW,
        "first_discovered_at": NOW, "last_discovered_at": NOW, "last_trade_at": NOW,
        "score_detail": {
            "parts": [{"name": "win skill", "value": 0.5, "weight": 0.25, "note": "win rate above 60.0%"}],
            "gates": [{"name": "resolved cycles", "passed": True, "observed": "12", "needed": "at least 5"}],
            "n": 12, "n_eff": "9.5000", "win_rate": "0.7500", "low": "0.5100", "high": "0.8900", "freshness": "1.0000",
            "provisional_because": ["copyability: prices after each trade are not known"], "prior": {"alpha0": 1.0},
        },
    }  # fmt: skip
    return Wallet.objects.create(address=address(number), **{**known, **values})


def make_found(run: Run, number: int = 0, **values: Any) -> RunWallet:
    """A wallet that a run found through a token."""
    known: dict[str, Any] = {
        "source_token": MINT, "profit_pct": Decimal("180.55"), "realised_lamports": 5_000_000_000,
        "cost_lamports": 2_000_000_000, "entry_rank": 3, "entry_seconds": 40, "row_version": 1, "flags": ["sniper"],
    }  # fmt: skip
    return RunWallet.objects.create(run=run, wallet_address=address(number), **{**known, **values})


def make_token(run: Run, **values: Any) -> RunToken:
    """A token of a run."""
    known: dict[str, Any] = {
        "mint": MINT, "symbol": "PUMP", "name": "Pump", "rank": 1, "price_usd": Decimal("0.001234"),
        "volume_usd": Decimal("60000"), "early_buyers": 9, "qualified": 3, "sources": ["jupiter"],
    }  # fmt: skip
    return RunToken.objects.create(run=run, **{**known, **values})


def make_trade(number: int = 0, slot: int = 1, **values: Any) -> Trade:
    """A purchase for 1.5 SOL."""
    known: dict[str, Any] = {
        "signature": f"{number:x}z{slot}".ljust(88, "1"), "mint": MINT, "side": "buy", "block_time": NOW,
        "token_units": 18_446_744_073_709_551_615, "token_decimals": 6, "quote_mint": SOL,
        "quote_units": 1_500_000_000, "value_lamports": 1_500_000_000, "venues": ["pumpswap"],
    }  # fmt: skip
    return Trade.objects.create(wallet_address=address(number), slot=slot, **{**known, **values})


def make_cycle(wallet: int = 0, **values: Any) -> Cycle:
    """A win of 1 SOL."""
    known: dict[str, Any] = {
        "mint": MINT, "number": 1, "result": "win", "close_reason": "closed", "opened_at": NOW, "closed_at": NOW,
        "resolved_at": NOW, "last_trade_at": NOW, "put_in_lamports": 10**9, "matched_lamports": 2 * 10**9,
        "net_lamports": 10**9, "fees_lamports": 5000, "unmatched_lamports": 0, "sold_lamports": 2 * 10**9,
        "covered_lamports": 2 * 10**9, "basis_left_lamports": 0, "liquidation_value_lamports": None, "held_units": 0,
        "buys": 1, "sells": 1, "hold_seconds": 60, "history_incomplete": False, "reconciled": True,
        "first_signature": "1" * 88,
    }  # fmt: skip
    return Cycle.objects.create(wallet_address=address(wallet), **{**known, **values})


def make_position(number: int = 0, **values: Any) -> Position:
    """What an early buyer took out."""
    known: dict[str, Any] = {"mint": MINT, "realised_lamports": 10**9, "cost_lamports": 10**9, "profit_pct": 100}
    return Position.objects.create(wallet_address=address(number), **{**known, **values})
