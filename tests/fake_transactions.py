"""Hand-built transactions, balanced to the lamport, for rules that no captured
transaction shows.
"""

import hashlib
import json
from typing import Any, NamedTuple, Self

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
    """Return an address on the curve."""
    return str(Keypair.from_seed(hashlib.sha256(name.encode()).digest()).pubkey())


def program_account(name: str) -> str:
    """Return an address off the curve: a pool, a vault or an escrow."""
    return str(
        Pubkey.find_program_address([name.encode()], Pubkey.from_string(PUMPSWAP))[0]
    )


class TokenAccount(NamedTuple):
    """A token account with its raw units before and after; None = it does not exist
    then.
    """

    address: str
    owner: str
    mint: str
    before: int | None
    after: int | None
    decimals: int


class SystemTransfer(NamedTuple):
    """A transfer of native SOL."""

    source: str
    destination: str
    lamports: int


class ProgramCall(NamedTuple):
    """An instruction of a program."""

    program: str
    data: bytes
    accounts: tuple[str, ...]


class FakeTransaction:
    """One transaction: `pay` moves lamports, `units` adds token accounts. The first
    signer pays the fee.
    """

    def __init__(self, *signers: str, venue: str | None = PUMPSWAP) -> None:
        self.signers = signers
        self.lamports: dict[str, list[int]] = {}
        self.accounts: list[TokenAccount] = []
        self.transfers: list[SystemTransfer] = []
        self.calls: list[ProgramCall] = []
        programs = [SYSTEM] if venue is None else [venue, SYSTEM]
        for key in (*signers, *programs):
            self.lamports[key] = [1000 * SOL, 1000 * SOL]
        self.pay(signers[0], -FEE)

    def pay(self, owner: str, lamports: int) -> Self:
        """Change an account's native lamports."""
        self.lamports.setdefault(owner, [1000 * SOL, 1000 * SOL])[1] += lamports
        return self

    def transfer(self, source: str, destination: str, lamports: int) -> Self:
        """Add a system transfer and its instruction."""
        self.transfers.append(SystemTransfer(source, destination, lamports))
        return self.pay(source, -lamports).pay(destination, lamports)

    def call(self, program: str, data: bytes, *accounts: str) -> Self:
        """Add an instruction of a program; it moves nothing by itself."""
        for key in (program, *accounts):
            self.lamports.setdefault(key, [1000 * SOL, 1000 * SOL])
        self.calls.append(ProgramCall(program, data, accounts))
        return self

    def units(
        self,
        owner: str,
        mint: str,
        before: int | None,
        after: int | None,
        decimals: int = 6,
    ) -> Self:
        """Add a token account of the owner. None = it does not exist before or after."""
        account = TokenAccount(
            wallet(f"{owner}/{mint}"), owner, mint, before, after, decimals
        )
        self.accounts.append(account)
        self.lamports[account.address] = [
            _account_lamports(mint, before),
            _account_lamports(mint, after),
        ]
        return self

    def record(self) -> dict[str, Any]:
        """Return the `getTransaction` result."""
        return {
            "slot": 1,
            "blockTime": 1_790_000_000,
            "version": 0,
            "transaction": {
                "signatures": ["5" * 88],
                "message": {
                    "header": {"numRequiredSignatures": len(self.signers)},
                    "accountKeys": list(self.lamports),
                    "instructions": [
                        *map(self._transfer_instruction, self.transfers),
                        *map(self._call_instruction, self.calls),
                    ],
                },
            },
            "meta": {
                "err": None,
                "fee": FEE,
                "preBalances": [before for before, _ in self.lamports.values()],
                "postBalances": [after for _, after in self.lamports.values()],
                "preTokenBalances": self._rows(
                    {account: account.before for account in self.accounts}
                ),
                "postTokenBalances": self._rows(
                    {account: account.after for account in self.accounts}
                ),
                "innerInstructions": [],
            },
        }

    def _index(self, address: str) -> int:
        return list(self.lamports).index(address)

    def _call_instruction(self, call: ProgramCall) -> dict[str, Any]:
        return {
            "programIdIndex": self._index(call.program),
            "accounts": [self._index(account) for account in call.accounts],
            "data": base58(call.data),
        }

    def _transfer_instruction(self, transfer: SystemTransfer) -> dict[str, Any]:
        return {
            "programIdIndex": self._index(SYSTEM),
            "accounts": [
                self._index(transfer.source),
                self._index(transfer.destination),
            ],
            "data": base58(
                (2).to_bytes(4, "little") + transfer.lamports.to_bytes(8, "little")
            ),
        }

    def _rows(self, units_of: dict[TokenAccount, int | None]) -> list[dict[str, Any]]:
        return [
            self._row(account, units)
            for account, units in units_of.items()
            if units is not None
        ]

    def _row(self, account: TokenAccount, units: int) -> dict[str, Any]:
        return {
            "accountIndex": self._index(account.address),
            "mint": account.mint,
            "owner": account.owner,
            "programId": TOKEN,
            "uiTokenAmount": {"amount": str(units), "decimals": account.decimals},
        }

    def outcome(self) -> Outcome:
        """Decode the transaction."""
        return decode_json(json.dumps(self.record()).encode())


def _account_lamports(mint: str, units: int | None) -> int:
    if units is None:
        return 0
    return RENT + units if mint == WRAPPED_SOL else RENT


def base58(payload: bytes) -> str:
    """Return base58 text; leading zero bytes are ones."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "1" * (len(payload) - len(payload.lstrip(b"\0"))) + text
