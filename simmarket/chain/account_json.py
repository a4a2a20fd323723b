"""Accounts as getAccountInfo returns them: real byte layouts, and the parsed form of
mints and token accounts.
"""

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
_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111"


class AccountRenderer:
    """Renders the accounts of a world in their newest state."""

    def __init__(self, world: World) -> None:
        self._world = world

    def value(
        self, address: str, encoding: str, data_slice: Json | None
    ) -> Json | None:
        """Return the `value` of one account, or None if it does not exist."""
        account = self._world.accounts.find(address)
        if account is None:
            return None
        lamports = self._world.ledger.lamports.get(account, 0)
        if lamports == 0:
            return None
        owner, data = self._owner_and_data(account, address)
        parsed = self._parsed(account) if encoding == "jsonParsed" else None
        if parsed is None and data_slice:
            start = int(data_slice["offset"])
            data = data[start:][: int(data_slice["length"])]
        return {
            "data": parsed or [b64encode(data).decode(), "base64"],
            "executable": owner == _LOADER,
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
            token_account = ledger.tokens[account]
            return token_account.mint.program, self._token_data(token_account)
        pool = self._world.pools.get(account)
        if pool is not None:
            if pool.is_curve:
                return programs.PUMP, self._curve_data(pool)
            return programs.PUMPSWAP, self._pool_data(pool)
        if address in programs.EXECUTABLES:
            return _LOADER, bytes(36)
        return programs.SYSTEM, b""

    def _mint_data(self, mint: Mint) -> bytes:
        """82 bytes; a Token-2022 mint is padded and has its metadata extensions."""
        token = self._world.tokens.get(self._world.accounts.address(mint.account))
        has_authority = token is None
        authority = b"\1\0\0\0" + bytes(32) if has_authority else b"\0" * 36
        base = (
            authority + struct.pack("<QBB", mint.supply, mint.decimals, 1) + b"\0" * 36
        )
        if mint.program != programs.TOKEN_2022 or token is None:
            return base
        raw = self._world.accounts.raw(mint.account)
        pointer = struct.pack("<HH", 18, 64) + bytes(32) + raw
        text = b"".join(map(_prefixed, (token.name, token.symbol, token.uri)))
        metadata = bytes(32) + raw + text + struct.pack("<I", 0)
        return (
            base.ljust(165, b"\0")
            + b"\1"
            + pointer
            + struct.pack("<HH", 19, len(metadata))
            + metadata
        )

    def _token_data(self, token_account: TokenAccount) -> bytes:
        """165 bytes; a Token-2022 account has the immutable-owner extension in addition
        (170).
        """
        raw = self._world.accounts.raw
        mint = token_account.mint
        data = (
            raw(mint.account)
            + raw(token_account.owner)
            + struct.pack("<Q", token_account.units)
        )
        data += bytes(36) + b"\1"
        if mint is self._world.ledger.native:
            data += struct.pack("<IQ", 1, programs.TOKEN_ACCOUNT_RENT_LAMPORTS)
        else:
            data += bytes(12)
        data += bytes(8) + bytes(36)
        if mint.program == programs.TOKEN_2022:
            data += b"\2" + struct.pack("<HH", 7, 0)
        return data

    def _curve_data(self, pool: Pool) -> bytes:
        numbers = struct.pack(
            "<QQQQQ?",
            pool.virtual_base,
            pool.virtual_quote,
            pool.real_base,
            max(pool.virtual_quote - pool.opening_quote, 0),
            pool.mint.supply,
            pool.is_complete,
        )
        return (
            sha256(b"account:BondingCurve").digest()[:8]
            + numbers
            + self._world.accounts.raw(pool.creator)
        )

    def _pool_data(self, pool: Pool) -> bytes:
        raw = self._world.accounts.raw
        data = sha256(b"account:Pool").digest()[:8] + struct.pack(
            "<BH", 255, pool.index
        )
        data += raw(pool.authority) + raw(pool.mint.account) + raw(pool.quote.account)
        data += (
            bytes(32)
            + raw(pool.base_vault)
            + raw(pool.quote_vault)
            + bytes(8)
            + raw(pool.creator)
        )
        return data.ljust(301, b"\0")

    def _parsed(self, account: int) -> Json | None:
        """Return the jsonParsed form, or None for an account that a node does not
        parse.
        """
        ledger = self._world.ledger
        if account in ledger.mints:
            return _parsed_mint(ledger.mints[account])
        if account in ledger.tokens:
            return self._parsed_token_account(ledger.tokens[account])
        return None

    def _parsed_token_account(self, token_account: TokenAccount) -> Json:
        address = self._world.accounts.address
        mint = token_account.mint
        is_native = mint is self._world.ledger.native
        amount = ui_amount(token_account.units, mint.decimals)
        amount["uiAmount"] = amount["uiAmount"] or 0.0
        info: Json = {
            "isNative": is_native,
            "mint": address(mint.account),
            "owner": address(token_account.owner),
            "state": "initialized",
            "tokenAmount": amount,
        }
        if is_native:
            info["rentExemptReserve"] = ui_amount(
                programs.TOKEN_ACCOUNT_RENT_LAMPORTS, 9
            )
        return _parsed_data(mint, info, "account", len(self._token_data(token_account)))


def _parsed_mint(mint: Mint) -> Json:
    info: Json = {
        "decimals": mint.decimals,
        "freezeAuthority": None,
        "isInitialized": True,
        "mintAuthority": None,
        "supply": str(mint.supply),
    }
    return _parsed_data(mint, info, "mint", 82)


def _parsed_data(mint: Mint, info: Json, kind: str, space: int) -> Json:
    program = "spl-token-2022" if mint.program == programs.TOKEN_2022 else "spl-token"
    return {"parsed": {"info": info, "type": kind}, "program": program, "space": space}


def _prefixed(text: str) -> bytes:
    """Return a string with its length in front."""
    raw = text.encode()
    return struct.pack("<I", len(raw)) + raw
