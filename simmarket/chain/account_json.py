"""Accounts as getAccountInfo shows them: real byte layouts, and the parsed form of mints and token accounts."""

import struct
from base64 import b64encode
from hashlib import sha256
from typing import Any

from simmarket.chain import programs
from simmarket.chain.amount_json import ui_amount
from simmarket.chain.ledger import Mint, TokenAccount
from simmarket.chain.world import Pool, World

Json = dict[str, Any]
_RENT_EPOCH = 18_446_744_073_709_551_615


class AccountWire:
    """Renders the accounts of a world as they are at its end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pools: dict[int, Pool] = {}
        self._mint_names: dict[int, tuple[str, str, str]] = {}
        for token in world.tokens.values():
            self._mint_names[token.mint.account] = (token.name, token.symbol, token.uri)
            for pool in token.pools:
                self._pools[pool.account] = pool

    def value(self, address: str, encoding: str, data_slice: Json | None) -> Json | None:
        """The `value` of one account; None where nothing exists."""
        account = self._world.accounts.find(address)
        if account is None:
            return None
        lamports = self._world.ledger.lamports.get(account, 0)
        if lamports == 0:
            return None
        owner, data = self._owner_and_data(account, address)
        shown: Any = None
        if encoding == "jsonParsed":
            shown = self._parsed(account)
        if shown is None:
            if data_slice:
                data = data[int(data_slice["offset"]) :][: int(data_slice["length"])]
            shown = [b64encode(data).decode(), "base64"]
        return {
            "data": shown,
            "executable": owner == "BPFLoaderUpgradeab1e11111111111111111111111",
            "lamports": lamports,
            "owner": owner,
            "rentEpoch": _RENT_EPOCH,
            "space": len(data),
        }

    def _owner_and_data(self, account: int, address: str) -> tuple[str, bytes]:
        ledger = self._world.ledger
        if account in ledger.mints:
            mint = ledger.mints[account]
            return mint.program, self._mint_data(mint)
        if account in ledger.tokens:
            held = ledger.tokens[account]
            return held.mint.program, self._token_data(held)
        if account in self._pools:
            pool = self._pools[account]
            return (programs.PUMP if pool.is_curve else programs.PUMPSWAP), self._pool_data(pool)
        if address in programs.EXECUTABLES:
            return "BPFLoaderUpgradeab1e11111111111111111111111", bytes(36)
        return programs.SYSTEM, b""

    def _mint_data(self, mint: Mint) -> bytes:
        """82 bytes; a Token-2022 mint is padded and carries its metadata extensions."""
        fixed = bool(self._mint_names.get(mint.account))
        authority = b"\0" * 36 if fixed else b"\1\0\0\0" + bytes(32)
        supply = mint.supply
        base = authority + struct.pack("<QBB", supply, mint.decimals, 1) + b"\0" * 36
        if mint.program != programs.TOKEN_2022:
            return base
        raw = self._world.accounts.raw(mint.account)
        pointer = struct.pack("<HH", 18, 64) + bytes(32) + raw
        text = b"".join(
            struct.pack("<I", len(part.encode())) + part.encode() for part in self._mint_names[mint.account]
        )
        metadata = bytes(32) + raw + text + struct.pack("<I", 0)
        return base.ljust(165, b"\0") + b"\1" + pointer + struct.pack("<HH", 19, len(metadata)) + metadata

    def _token_data(self, held: TokenAccount) -> bytes:
        """165 bytes; a Token-2022 account adds the immutable-owner extension (170)."""
        raw = self._world.accounts.raw
        native = held.mint is self._world.ledger.native
        data = raw(held.mint.account) + raw(held.owner) + struct.pack("<Q", held.units) + bytes(36) + b"\1"
        data += struct.pack("<IQ", 1, programs.TOKEN_ACCOUNT_RENT_LAMPORTS) if native else bytes(12)
        data += bytes(8) + bytes(36)
        return data + b"\2" + struct.pack("<HH", 7, 0) if held.mint.program == programs.TOKEN_2022 else data

    def _pool_data(self, pool: Pool) -> bytes:
        raw = self._world.accounts.raw
        if pool.is_curve:
            numbers = struct.pack(
                "<QQQQQ?",
                pool.virtual_base,
                pool.virtual_quote,
                pool.real_base,
                max(pool.virtual_quote - pool.opening_quote, 0),
                pool.mint.supply,
                pool.complete,
            )
            return sha256(b"account:BondingCurve").digest()[:8] + numbers + raw(pool.creator)
        keys = (pool.authority, pool.mint.account, pool.quote.account)
        head = sha256(b"account:Pool").digest()[:8] + struct.pack("<BH", 255, pool.index)
        vaults = bytes(32) + raw(pool.base_vault) + raw(pool.quote_vault) + bytes(8) + raw(pool.creator)
        return (head + b"".join(raw(key) for key in keys) + vaults).ljust(301, b"\0")

    def _parsed(self, account: int) -> Json | None:
        ledger, address = self._world.ledger, self._world.accounts.address
        if account in ledger.mints:
            mint = ledger.mints[account]
            info: Json = {
                "decimals": mint.decimals,
                "freezeAuthority": None,
                "isInitialized": True,
                "mintAuthority": None,
                "supply": str(mint.supply),
            }
            return _described(mint, info, "mint", 82)
        if account in ledger.tokens:
            held = ledger.tokens[account]
            amount = ui_amount(held.units, held.mint.decimals)
            amount["uiAmount"] = amount["uiAmount"] or 0.0
            info = {
                "isNative": held.mint is ledger.native,
                "mint": address(held.mint.account),
                "owner": address(held.owner),
                "state": "initialized",
                "tokenAmount": amount,
            }
            if held.mint is ledger.native:
                info["rentExemptReserve"] = ui_amount(programs.TOKEN_ACCOUNT_RENT_LAMPORTS, 9)
            return _described(held.mint, info, "account", len(self._token_data(held)))
        return None


def _described(mint: Mint, info: Json, kind: str, space: int) -> Json:
    program = "spl-token-2022" if mint.program == programs.TOKEN_2022 else "spl-token"
    return {"parsed": {"info": info, "type": kind}, "program": program, "space": space}
