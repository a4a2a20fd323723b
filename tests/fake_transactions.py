"""Hand-built transactions, balanced to the lamport, for rules that no captured transaction shows."""

import hashlib
import json
from typing import Any, Self

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from discovery.decode.outcomes import Outcome
from discovery.decode.swaps import decode_json
from discovery.domain.programs import PUMPSWAP, SYSTEM, TOKEN, WRAPPED_SOL

RENT = 2_039_280
SOL = 10**9
FEE = 5_000
DEEP_UNITS = 10**15


def wallet(name: str) -> str:
    """An address on the curve."""
    return str(Keypair.from_seed(hashlib.sha256(name.encode()).digest()).pubkey())


def program_account(name: str) -> str:
    """An address off the curve: a pool, a vault, an escrow."""
    return str(Pubkey.find_program_address([name.encode()], Pubkey.from_string(PUMPSWAP))[0])


class FakeTransaction:
    """One transaction: lamports by `pay`, token accounts by `units`; the first signer pays the fee."""

    def __init__(self, *signers: str, venue: str | None = PUMPSWAP) -> None:
        self.signers = signers
        self.lamports: dict[str, list[int]] = {}
        self.rows: list[tuple[str, str, str, int | None, int | None, int]] = []
        self.transfers: list[tuple[str, str, int]] = []
        for key in (*signers, *([venue] if venue else []), SYSTEM):
            self.lamports[key] = [1000 * SOL, 1000 * SOL]
        self.pay(signers[0], -FEE)

    def pay(self, owner: str, lamports: int) -> Self:
        """Change an account's native lamports."""
        self.lamports.setdefault(owner, [1000 * SOL, 1000 * SOL])[1] += lamports
        return self

    def transfer(self, source: str, destination: str, lamports: int) -> Self:
        """A system transfer, with its instruction."""
        self.transfers.append((source, destination, lamports))
        return self.pay(source, -lamports).pay(destination, lamports)

    def units(self, owner: str, mint: str, before: int | None, after: int | None, decimals: int = 6) -> Self:
        """A token account of the owner; None = it does not exist on that side."""
        account = wallet(f"{owner}/{mint}")
        wrapped = mint == WRAPPED_SOL
        self.lamports[account] = [0 if units is None else RENT + (units if wrapped else 0) for units in (before, after)]
        self.rows.append((account, owner, mint, before, after, decimals))
        return self

    def record(self) -> dict[str, Any]:
        """The `getTransaction` result."""
        keys = list(self.lamports)

        def rows(side: int) -> list[dict[str, Any]]:
            return [
                {
                    "accountIndex": keys.index(account),
                    "mint": mint,
                    "owner": owner,
                    "programId": TOKEN,
                    "uiTokenAmount": {"amount": str((before, after)[side]), "decimals": decimals},
                }
                for account, owner, mint, before, after, decimals in self.rows
                if (before, after)[side] is not None
            ]

        return {
            "slot": 1,
            "blockTime": 1_790_000_000,
            "version": 0,
            "transaction": {
                "signatures": ["5" * 88],
                "message": {
                    "header": {"numRequiredSignatures": len(self.signers)},
                    "accountKeys": keys,
                    "instructions": [
                        {
                            "programIdIndex": keys.index(SYSTEM),
                            "accounts": [keys.index(source), keys.index(destination)],
                            "data": base58((2).to_bytes(4, "little") + lamports.to_bytes(8, "little")),
                        }
                        for source, destination, lamports in self.transfers
                    ],
                },
            },
            "meta": {
                "err": None,
                "fee": FEE,
                "preBalances": [before for before, _ in self.lamports.values()],
                "postBalances": [after for _, after in self.lamports.values()],
                "preTokenBalances": rows(0),
                "postTokenBalances": rows(1),
                "innerInstructions": [],
            },
        }

    def outcome(self) -> Outcome:
        """What the decoder makes of it."""
        return decode_json(json.dumps(self.record()).encode())


def base58(payload: bytes) -> str:
    """base58, leading zeros as ones."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "1" * (len(payload) - len(payload.lstrip(b"\0"))) + text
