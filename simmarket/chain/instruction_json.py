"""jsonParsed forms of the instructions a node knows how to parse; others keep program, accounts and data."""

import struct
from typing import Any

from simmarket.chain import base58, instructions, programs
from simmarket.chain.amount_json import ui_amount

Json = dict[str, Any]


def parsed_instruction(program: str, accounts: list[str], data: bytes) -> Json:
    """{program, programId, parsed} where the node parses the program, else {programId, accounts, data}."""
    if program == programs.SYSTEM:
        parsed = _system(accounts, data)
        name = "system"
    elif program in {programs.TOKEN, programs.TOKEN_2022}:
        parsed = _token(accounts, data)
        name = "spl-token"
    elif program == programs.ASSOCIATED_TOKEN:
        parsed = _associated(accounts)
        name = "spl-associated-token-account"
    else:
        return {"accounts": accounts, "data": base58.encode(data), "programId": program}
    return {"parsed": parsed, "program": name, "programId": program}


def _system(accounts: list[str], data: bytes) -> Json:
    kind = int.from_bytes(data[:4], "little")
    if kind == instructions.SYSTEM_TRANSFER:
        info: Json = {"destination": accounts[1], "lamports": _u64(data, 4), "source": accounts[0]}
        return {"info": info, "type": "transfer"}
    if kind == instructions.SYSTEM_CREATE:
        info = {
            "lamports": _u64(data, 4),
            "newAccount": accounts[1],
            "owner": base58.encode(data[20:52]),
            "source": accounts[0],
            "space": _u64(data, 12),
        }
        return {"info": info, "type": "createAccount"}
    length = _u64(data, 36)
    rest = 44 + length
    info = {
        "base": base58.encode(data[4:36]),
        "lamports": _u64(data, rest),
        "newAccount": accounts[1],
        "owner": base58.encode(data[rest + 16 : rest + 48]),
        "seed": data[44:rest].decode(),
        "source": accounts[0],
        "space": _u64(data, rest + 8),
    }
    return {"info": info, "type": "createAccountWithSeed"}


def _token(accounts: list[str], data: bytes) -> Json:
    kind = data[0]
    if kind == instructions.TOKEN_TRANSFER_CHECKED:
        return {"info": _transfer(accounts, data), "type": "transferChecked"}
    if kind == instructions.TOKEN_CLOSE:
        info: Json = {"account": accounts[0], "destination": accounts[1], "owner": accounts[2]}
        return {"info": info, "type": "closeAccount"}
    if kind == instructions.TOKEN_SYNC_NATIVE:
        return {"info": {"account": accounts[0]}, "type": "syncNative"}
    if kind == instructions.TOKEN_MINT_TO:
        info = {"account": accounts[1], "amount": str(_u64(data, 1)), "mint": accounts[0]}
        return {"info": {**info, "mintAuthority": accounts[2]}, "type": "mintTo"}
    if kind == instructions.TOKEN_INIT_ACCOUNT_3:
        info = {"account": accounts[0], "mint": accounts[1], "owner": base58.encode(data[1:33])}
        return {"info": info, "type": "initializeAccount3"}
    if kind == instructions.TOKEN_INIT_MINT_2:
        info = {"decimals": data[1], "mint": accounts[0], "mintAuthority": base58.encode(data[2:34])}
        return {"info": info, "type": "initializeMint2"}
    if kind == instructions.TOKEN_DATA_SIZE:
        info = {"extensionTypes": ["immutableOwner"], "mint": accounts[0]}
        return {"info": info, "type": "getAccountDataSize"}
    return {"info": {"account": accounts[0]}, "type": "initializeImmutableOwner"}


def _transfer(accounts: list[str], data: bytes) -> Json:
    amount = ui_amount(_u64(data, 1), data[9])
    return {
        "authority": accounts[3],
        "destination": accounts[2],
        "mint": accounts[1],
        "source": accounts[0],
        "tokenAmount": amount,
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


def _u64(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<Q", data, at)[0]
    return value
