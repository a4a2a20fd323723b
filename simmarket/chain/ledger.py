"""The integer ledger and the drafts that change it.

A draft is a transaction under construction: it records every account's balances before
the first change, lets the programs move lamports and token units, and ends as a compact
`Transaction`. The lamports before and after differ by exactly the fee.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from simmarket.chain import programs
from simmarket.chain.accounts import AccountTable

SIGNER, WRITABLE, INVOKED = 1, 2, 4


@dataclass(slots=True)
class Mint:
    """A token mint: account id, its token program, decimals and raw supply."""

    account: int
    program: str
    decimals: int
    supply: int = 0

    @property
    def rent_lamports(self) -> int:
        """Rent of one token account of this mint."""
        if self.program == programs.TOKEN_2022:
            return programs.TOKEN_2022_ACCOUNT_RENT_LAMPORTS
        return programs.TOKEN_ACCOUNT_RENT_LAMPORTS


@dataclass(slots=True)
class TokenAccount:
    """A token account: its mint, its owner's account id and the raw units in it."""

    mint: Mint
    owner: int
    units: int


class Instruction(NamedTuple):
    """One instruction with indexes into `Transaction.all_keys`; `height` 1 is top
    level.
    """

    program: int
    accounts: tuple[int, ...]
    data: bytes
    height: int


class InstructionError(NamedTuple):
    """The failure of a transaction: the index of the top-level instruction and the
    program's error code.
    """

    instruction: int
    code: int


class TokenRow(NamedTuple):
    """One token account of a transaction: key index, mint, owner id, raw units before
    and after (None = absent).
    """

    key: int
    mint: Mint
    owner: int
    pre_units: int | None
    post_units: int | None


@dataclass(slots=True)
class Transaction:
    """One transaction of the chain. `index` is its position in the slot; keys are
    account ids.
    """

    signature: str
    slot: int
    index: int
    offset_seconds: int
    version: int | None
    error: InstructionError | None
    fee_lamports: int
    priority_lamports: int
    signer_count: int
    readonly_signer_count: int
    readonly_other_count: int
    keys: tuple[int, ...]
    loaded_writable: tuple[int, ...]
    loaded_readonly: tuple[int, ...]
    pre_lamports: tuple[int, ...]
    post_lamports: tuple[int, ...]
    tokens: tuple[TokenRow, ...]
    instructions: tuple[Instruction, ...]

    @property
    def all_keys(self) -> tuple[int, ...]:
        """Static keys, then loaded writable, then loaded readonly ones; all key indexes
        refer to this order.
        """
        return self.keys + self.loaded_writable + self.loaded_readonly


class Ledger:
    """Lamports of every account and the state of every token account."""

    def __init__(self, accounts: AccountTable) -> None:
        self.accounts = accounts
        self.lamports: dict[int, int] = {}
        self.tokens: dict[int, TokenAccount] = {}
        self.mints: dict[int, Mint] = {}
        self.native = self.add_mint(programs.WSOL, programs.TOKEN, 9)

    def add_mint(self, address: str, program: str, decimals: int) -> Mint:
        """Register a mint, so that token accounts can be opened for it."""
        mint = Mint(self.accounts.add(address), program, decimals)
        self.mints[mint.account] = mint
        return mint

    def fund(self, account: int, lamports: int) -> None:
        """Add opening lamports to an account (before the first transaction)."""
        self.lamports[account] = self.lamports.get(account, 0) + lamports

    def open_before(self, owner: int, mint: Mint, units: int) -> int:
        """Create an associated token account that exists before the first transaction;
        return its id.
        """
        account = self.accounts.associated(owner, mint.account, mint.program)
        self.tokens[account] = TokenAccount(mint, owner, units)
        self.lamports[account] = mint.rent_lamports
        if mint is self.native:
            self.lamports[account] += units
        else:
            mint.supply += units
        return account

    def units(self, account: int) -> int:
        """Return the raw units in a token account, 0 if it does not exist."""
        token_account = self.tokens.get(account)
        return token_account.units if token_account else 0


class _Step(NamedTuple):
    """An instruction of a draft, by account ids."""

    program: int
    accounts: tuple[int, ...]
    data: bytes
    height: int


class _Before(NamedTuple):
    """The state of an account before the draft changes it; `token_account` is None if
    there is none.
    """

    lamports: int
    token_account: TokenAccount | None
    units: int


@dataclass(slots=True)
class _KeyGroups:
    """The account ids of a message in the order that the message format demands."""

    writable_signers: list[int] = field(default_factory=list)
    readonly_signers: list[int] = field(default_factory=list)
    writable: list[int] = field(default_factory=list)
    readonly: list[int] = field(default_factory=list)
    loaded_writable: list[int] = field(default_factory=list)
    loaded_readonly: list[int] = field(default_factory=list)

    @property
    def static(self) -> list[int]:
        """The keys in the message itself."""
        return (
            self.writable_signers
            + self.readonly_signers
            + self.writable
            + self.readonly
        )

    @property
    def all_keys(self) -> list[int]:
        """The static keys and those loaded from the lookup table."""
        return self.static + self.loaded_writable + self.loaded_readonly

    def add(self, account: int, flags: int, *, is_loaded: bool) -> None:
        """Sort an account into its group."""
        is_writable = bool(flags & WRITABLE)
        if flags & SIGNER:
            group = self.writable_signers if is_writable else self.readonly_signers
        elif is_loaded:
            group = self.loaded_writable if is_writable else self.loaded_readonly
        else:
            group = self.writable if is_writable else self.readonly
        group.append(account)


@dataclass(slots=True)
class Draft:
    """A transaction under construction. The payer is its first signer."""

    ledger: Ledger
    payer: int
    flags: dict[int, int] = field(default_factory=dict)
    _before: dict[int, _Before] = field(default_factory=dict)
    _steps: list[_Step] = field(default_factory=list)
    _depth: int = 0

    def __post_init__(self) -> None:
        self.key(self.payer, SIGNER | WRITABLE)

    def key(self, account: int, flags: int = 0) -> int:
        """Add an account to the message; the first call for an account records its
        balances.
        """
        existing = self.flags.get(account)
        if existing is not None:
            self.flags[account] = existing | flags
            return account
        token_account = self.ledger.tokens.get(account)
        units = token_account.units if token_account else 0
        self._before[account] = _Before(
            self.ledger.lamports.get(account, 0), token_account, units
        )
        self.flags[account] = flags
        return account

    def enter(self, program: int, accounts: tuple[int, ...], data: bytes) -> None:
        """Invoke a program; the instructions until `leave` are its inner ones."""
        for account in accounts:
            if account not in self.flags:
                self.key(account)
        self.key(program, INVOKED if self._depth == 0 else 0)
        self._depth += 1
        self._steps.append(_Step(program, accounts, data, self._depth))

    def leave(self) -> None:
        """End the innermost invocation."""
        self._depth -= 1

    def call(self, program: int, accounts: tuple[int, ...], data: bytes) -> None:
        """Invoke a program that calls no other."""
        self.enter(program, accounts, data)
        self.leave()

    @property
    def top_level_count(self) -> int:
        """The number of top-level instructions so far."""
        return sum(step.height == 1 for step in self._steps)

    def move_lamports(self, source: int, target: int, lamports: int) -> None:
        """Move lamports between two accounts. Raises ValueError for an overdraft."""
        self.key(source, WRITABLE)
        self.key(target, WRITABLE)
        balances = self.ledger.lamports
        remaining = balances.get(source, 0) - lamports
        if remaining < 0 or lamports < 0:
            raise ValueError(
                f"overdraft of {-remaining} lamports on {self.ledger.accounts.address(source)}"
            )
        balances[source] = remaining
        balances[target] = balances.get(target, 0) + lamports

    def move_units(self, source: int, target: int, units: int) -> None:
        """Move token units between two token accounts of one mint; wrapped SOL moves
        its lamports, too.
        """
        self.key(source, WRITABLE)
        self.key(target, WRITABLE)
        sender = self.ledger.tokens[source]
        receiver = self.ledger.tokens[target]
        if sender.mint is not receiver.mint or not 0 <= units <= sender.units:
            raise ValueError(f"cannot move {units} of {sender.units} units")
        sender.units -= units
        receiver.units += units
        if sender.mint is self.ledger.native:
            self.ledger.lamports[source] -= units
            self.ledger.lamports[target] += units

    def open_account(self, account: int, owner: int, mint: Mint, funder: int) -> None:
        """Create a token account; `funder` pays its rent."""
        self.move_lamports(funder, account, mint.rent_lamports)
        self.ledger.tokens[account] = TokenAccount(mint, owner, 0)

    def wrap(self, source: int, account: int, lamports: int) -> None:
        """Put lamports into a wrapped-SOL account."""
        self.move_lamports(source, account, lamports)
        self.ledger.tokens[account].units += lamports

    def close_account(self, account: int, target: int) -> None:
        """Close a token account; its lamports (rent and, for wrapped SOL, the balance)
        go to `target`.
        """
        token_account = self.ledger.tokens[account]
        if token_account.units and token_account.mint is not self.ledger.native:
            raise ValueError("a token account with units in it cannot be closed")
        self.move_lamports(account, target, self.ledger.lamports[account])
        del self.ledger.tokens[account]

    def mint_to(self, account: int, units: int) -> None:
        """Create token units in an account."""
        token_account = self.ledger.tokens[account]
        token_account.units += units
        token_account.mint.supply += units

    def finish(
        self,
        *,
        signature: str,
        slot: int,
        offset_seconds: int,
        version: int | None,
        fee_lamports: int,
        priority_lamports: int,
        lookup: frozenset[int],
        error: InstructionError | None = None,
    ) -> Transaction:
        """Charge the fee to the payer and return the transaction. Raises ValueError if
        the payer cannot pay.
        """
        self._charge(fee_lamports)
        groups = self._key_groups(version, lookup)
        all_keys = groups.all_keys
        return Transaction(
            signature=signature,
            slot=slot,
            index=0,
            offset_seconds=offset_seconds,
            version=version,
            error=error,
            fee_lamports=fee_lamports,
            priority_lamports=priority_lamports,
            signer_count=len(groups.writable_signers) + len(groups.readonly_signers),
            readonly_signer_count=len(groups.readonly_signers),
            readonly_other_count=len(groups.readonly),
            keys=tuple(groups.static),
            loaded_writable=tuple(groups.loaded_writable),
            loaded_readonly=tuple(groups.loaded_readonly),
            pre_lamports=tuple(
                [self._before[account].lamports for account in all_keys]
            ),
            post_lamports=tuple(
                [self.ledger.lamports.get(account, 0) for account in all_keys]
            ),
            tokens=self._token_rows(all_keys),
            instructions=self._instructions(all_keys),
        )

    def _charge(self, fee_lamports: int) -> None:
        remaining = self.ledger.lamports[self.payer] - fee_lamports
        if remaining < 0:
            raise ValueError(
                f"{self.ledger.accounts.address(self.payer)} cannot pay its fee"
            )
        self.ledger.lamports[self.payer] = remaining

    def _key_groups(self, version: int | None, lookup: frozenset[int]) -> _KeyGroups:
        """Only version 0 loads keys from the lookup table; a top-level program is never
        loaded.
        """
        groups = _KeyGroups()
        for account, flags in self.flags.items():
            is_loaded = version == 0 and account in lookup and not flags & INVOKED
            groups.add(account, flags, is_loaded=is_loaded)
        return groups

    def _token_rows(self, all_keys: list[int]) -> tuple[TokenRow, ...]:
        rows: list[TokenRow] = []
        for index, account in enumerate(all_keys):
            before = self._before[account]
            after = self.ledger.tokens.get(account)
            token_account = before.token_account or after
            if token_account is None:
                continue
            pre_units = before.units if before.token_account else None
            post_units = after.units if after else None
            rows.append(
                TokenRow(
                    index,
                    token_account.mint,
                    token_account.owner,
                    pre_units,
                    post_units,
                )
            )
        return tuple(rows)

    def _instructions(self, all_keys: list[int]) -> tuple[Instruction, ...]:
        index_of = {account: index for index, account in enumerate(all_keys)}
        instructions: list[Instruction] = []
        for program, accounts, data, height in self._steps:
            indexes = tuple([index_of[account] for account in accounts])
            instructions.append(Instruction(index_of[program], indexes, data, height))
        return tuple(instructions)
