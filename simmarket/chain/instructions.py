"""Instructions of the base programs: real data bytes, their accounts, and their effect
on the ledger.
"""

import struct

from simmarket.chain import programs
from simmarket.chain.ledger import SIGNER, WRITABLE, Draft, Mint

SYSTEM_CREATE, SYSTEM_TRANSFER, SYSTEM_CREATE_WITH_SEED = 0, 2, 3
TOKEN_MINT_TO, TOKEN_CLOSE, TOKEN_TRANSFER_CHECKED, TOKEN_SYNC_NATIVE = 7, 9, 12, 17
TOKEN_INIT_ACCOUNT_3, TOKEN_INIT_MINT_2, TOKEN_DATA_SIZE, TOKEN_IMMUTABLE_OWNER = (
    18,
    20,
    21,
    22,
)
CREATE_IDEMPOTENT = 1
SEED = "wsol"


def sol_transfer(draft: Draft, source: int, target: int, lamports: int) -> None:
    """Add a System Transfer: u32 2, u64 lamports."""
    draft.move_lamports(source, target, lamports)
    _system(draft, (source, target), struct.pack("<IQ", SYSTEM_TRANSFER, lamports))


def units_transfer(
    draft: Draft, source: int, target: int, authority: int, units: int
) -> None:
    """Add a Token transferChecked: u8 12, u64 amount, u8 decimals; accounts source,
    mint, destination, authority.
    """
    mint = draft.ledger.tokens[source].mint
    draft.move_units(source, target, units)
    data = struct.pack("<BQB", TOKEN_TRANSFER_CHECKED, units, mint.decimals)
    _token(draft, mint.program, (source, mint.account, target, authority), data)


def open_associated(draft: Draft, owner: int, mint: Mint, funder: int) -> int:
    """Add createIdempotent of the associated token program; return the account.

    The ledger does not change if the account exists already.
    """
    accounts = draft.ledger.accounts
    account = accounts.associated(owner, mint.account, mint.program)
    system, token = accounts.add(programs.SYSTEM), accounts.add(mint.program)
    exists = account in draft.ledger.tokens
    draft.key(funder, WRITABLE)
    draft.key(account, WRITABLE)
    program = accounts.add(programs.ASSOCIATED_TOKEN)
    draft.enter(
        program,
        (funder, account, owner, mint.account, system, token),
        bytes([CREATE_IDEMPOTENT]),
    )
    if not exists:
        _create_associated(draft, account, owner, mint, funder)
    draft.leave()
    return account


def _create_associated(
    draft: Draft, account: int, owner: int, mint: Mint, funder: int
) -> None:
    """Add the inner instructions that create an associated token account."""
    accounts = draft.ledger.accounts
    token_program = accounts.raw(accounts.add(mint.program))
    space = 170 if mint.program == programs.TOKEN_2022 else 165
    create = (
        struct.pack("<IQQ", SYSTEM_CREATE, mint.rent_lamports, space) + token_program
    )
    init = bytes([TOKEN_INIT_ACCOUNT_3]) + accounts.raw(owner)
    _token(draft, mint.program, (mint.account,), bytes([TOKEN_DATA_SIZE, 7, 0]))
    draft.open_account(account, owner, mint, funder)
    _system(draft, (funder, account), create)
    _token(draft, mint.program, (account,), bytes([TOKEN_IMMUTABLE_OWNER]))
    _token(draft, mint.program, (account, mint.account), init)


def open_seeded_wsol(draft: Draft, wallet: int) -> int:
    """Add CreateAccountWithSeed and initializeAccount3 of a wrapped-SOL account, as
    bots do; return the account.
    """
    accounts = draft.ledger.accounts
    mint = draft.ledger.native
    account = accounts.seeded(wallet, SEED)
    draft.open_account(account, wallet, mint, wallet)
    token = accounts.add(programs.TOKEN)
    data = struct.pack("<I", SYSTEM_CREATE_WITH_SEED) + accounts.raw(wallet)
    data += struct.pack("<Q", len(SEED)) + SEED.encode()
    data += struct.pack("<QQ", mint.rent_lamports, 165) + accounts.raw(token)
    _system(draft, (wallet, account, wallet), data)
    _token(
        draft,
        mint.program,
        (account, mint.account),
        bytes([TOKEN_INIT_ACCOUNT_3]) + accounts.raw(wallet),
    )
    return account


def wrap_sol(draft: Draft, wallet: int, account: int, lamports: int) -> None:
    """Add a System Transfer into a wrapped-SOL account and syncNative."""
    draft.wrap(wallet, account, lamports)
    _system(draft, (wallet, account), struct.pack("<IQ", SYSTEM_TRANSFER, lamports))
    _token(draft, programs.TOKEN, (account,), bytes([TOKEN_SYNC_NATIVE]))


def close_account(draft: Draft, account: int, owner: int) -> None:
    """Add a Token closeAccount to the owner."""
    program = draft.ledger.tokens[account].mint.program
    draft.close_account(account, owner)
    _token(draft, program, (account, owner, owner), bytes([TOKEN_CLOSE]))


def create_account(
    draft: Draft, funder: int, account: int, *, lamports: int, space: int, owner: str
) -> None:
    """Add a System CreateAccount of any program's account."""
    accounts = draft.ledger.accounts
    draft.move_lamports(funder, account, lamports)
    data = struct.pack("<IQQ", SYSTEM_CREATE, lamports, space) + accounts.raw(
        accounts.add(owner)
    )
    _system(draft, (funder, account), data)


def mint_to(draft: Draft, account: int, authority: int, units: int) -> None:
    """Add a Token mintTo: u8 7, u64 amount."""
    mint = draft.ledger.tokens[account].mint
    draft.key(account, WRITABLE)
    draft.key(mint.account, WRITABLE)
    draft.mint_to(account, units)
    _token(
        draft,
        mint.program,
        (mint.account, account, authority),
        struct.pack("<BQ", TOKEN_MINT_TO, units),
    )


def init_mint(draft: Draft, mint: Mint, authority: int) -> None:
    """Add a Token initializeMint2 without a freeze authority."""
    raw = draft.ledger.accounts.raw(authority)
    _token(
        draft,
        mint.program,
        (mint.account,),
        bytes([TOKEN_INIT_MINT_2, mint.decimals]) + raw + b"\0",
    )


def compute_budget(draft: Draft, unit_limit: int, micro_lamports: int) -> None:
    """Add SetComputeUnitLimit and SetComputeUnitPrice."""
    program = draft.ledger.accounts.add(programs.COMPUTE_BUDGET)
    draft.call(program, (), struct.pack("<BI", 2, unit_limit))
    draft.call(program, (), struct.pack("<BQ", 3, micro_lamports))


def signer(draft: Draft, account: int, *, writable: bool = False) -> int:
    """Add an account that signs the message; return the account."""
    flags = SIGNER | WRITABLE if writable else SIGNER
    return draft.key(account, flags)


def _system(draft: Draft, accounts: tuple[int, ...], data: bytes) -> None:
    draft.call(draft.ledger.accounts.add(programs.SYSTEM), accounts, data)


def _token(draft: Draft, program: str, accounts: tuple[int, ...], data: bytes) -> None:
    draft.call(draft.ledger.accounts.add(program), accounts, data)
