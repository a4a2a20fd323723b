"""jsonParsed forms of the instructions that a node parses; others keep program,
accounts and data.
"""

import struct
from collections.abc import Callable
from typing import Any

from simmarket.chain import base58, instructions, programs
from simmarket.chain.amount_json import ui_amount

Json = dict[str, Any]


def parsed_instruction(program: str, accounts: list[str], data: bytes) -> Json:
    """Return {program, programId, parsed} if a node parses the program, else
    {programId, accounts, data}.
    """
    if program == programs.SYSTEM:
        return {
            "parsed": _system(accounts, data),
            "program": "system",
            "programId": program,
        }
    if program in {programs.TOKEN, programs.TOKEN_2022}:
        return {
            "parsed": _token(accounts, data),
            "program": "spl-token",
            "programId": program,
        }
    if program == programs.ASSOCIATED_TOKEN:
        return {
            "parsed": _associated(accounts),
            "program": "spl-associated-token-account",
            "programId": program,
        }
    return {"accounts": accounts, "data": base58.encode(data), "programId": program}


def _system(accounts: list[str], data: bytes) -> Json:
    kind = int.from_bytes(data[:4], "little")
    if kind == instructions.SYSTEM_TRANSFER:
        info: Json = {
            "destination": accounts[1],
            "lamports": _u64(data, 4),
            "source": accounts[0],
        }
        return {"info": info, "type": "transfer"}
    if kind == instructions.SYSTEM_CREATE:
        return {"info": _create_account(accounts, data), "type": "createAccount"}
    return {
        "info": _create_account_with_seed(accounts, data),
        "type": "createAccountWithSeed",
    }


def _create_account(accounts: list[str], data: bytes) -> Json:
    return {
        "lamports": _u64(data, 4),
        "newAccount": accounts[1],
        "owner": base58.encode(data[20:52]),
        "source": accounts[0],
        "space": _u64(data, 12),
    }


def _create_account_with_seed(accounts: list[str], data: bytes) -> Json:
    seed_end = 44 + _u64(data, 36)
    return {
        "base": base58.encode(data[4:36]),
        "lamports": _u64(data, seed_end),
        "newAccount": accounts[1],
        "owner": base58.encode(data[seed_end + 16 : seed_end + 48]),
        "seed": data[44:seed_end].decode(),
        "source": accounts[0],
        "space": _u64(data, seed_end + 8),
    }


def _token(accounts: list[str], data: bytes) -> Json:
    kind, info = _TOKEN_INSTRUCTIONS[data[0]]
    return {"info": info(accounts, data), "type": kind}


def _transfer(accounts: list[str], data: bytes) -> Json:
    return {
        "authority": accounts[3],
        "destination": accounts[2],
        "mint": accounts[1],
        "source": accounts[0],
        "tokenAmount": ui_amount(_u64(data, 1), data[9]),
    }


def _close(accounts: list[str], _: bytes) -> Json:
    return {"account": accounts[0], "destination": accounts[1], "owner": accounts[2]}


def _account(accounts: list[str], _: bytes) -> Json:
    return {"account": accounts[0]}


def _mint_to(accounts: list[str], data: bytes) -> Json:
    return {
        "account": accounts[1],
        "amount": str(_u64(data, 1)),
        "mint": accounts[0],
        "mintAuthority": accounts[2],
    }


def _init_account(accounts: list[str], data: bytes) -> Json:
    return {
        "account": accounts[0],
        "mint": accounts[1],
        "owner": base58.encode(data[1:33]),
    }


def _init_mint(accounts: list[str], data: bytes) -> Json:
    return {
        "decimals": data[1],
        "mint": accounts[0],
        "mintAuthority": base58.encode(data[2:34]),
    }


def _data_size(accounts: list[str], _: bytes) -> Json:
    return {"extensionTypes": ["immutableOwner"], "mint": accounts[0]}


_TOKEN_INSTRUCTIONS: dict[int, tuple[str, Callable[[list[str], bytes], Json]]] = {
    instructions.TOKEN_TRANSFER_CHECKED: ("transferChecked", _transfer),
    instructions.TOKEN_CLOSE: ("closeAccount", _close),
    instructions.TOKEN_SYNC_NATIVE: ("syncNative", _account),
    instructions.TOKEN_MINT_TO: ("mintTo", _mint_to),
    instructions.TOKEN_INIT_ACCOUNT_3: ("initializeAccount3", _init_account),
    instructions.TOKEN_INIT_MINT_2: ("initializeMint2", _init_mint),
    instructions.TOKEN_DATA_SIZE: ("getAccountDataSize", _data_size),
    instructions.TOKEN_IMMUTABLE_OWNER: ("initializeImmutableOwner", _account),
}


def _associated(accounts: list[str]) -> Json:
    info = {
        "account": accounts[1],
        "mint": accounts[3],
        "source": accounts[0],
        "systemProgram": accounts[4],
        "tokenProgram": accounts[5],
        "wallet": accounts[2],
    }
    return {"info": info, "type": "createIdempotent"}


def _u64(data: bytes, offset: int) -> int:
    value: int = struct.unpack_from("<Q", data, offset)[0]
    return value
