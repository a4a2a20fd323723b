"""The integer ledger and the drafts that change it.

A draft is one transaction being made: it notes every account's balances before, lets venue code move lamports and
token units, and ends as a compact `Transaction` whose pre and post lamports differ by exactly the fee.
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
    """One instruction with indexes into static + loaded keys; `height` 1 is top level."""

    program: int
    accounts: tuple[int, ...]
    data: bytes
    height: int


class TokenRow(NamedTuple):
    """One token account of a transaction: key index, mint, owner id, raw units before and after (None = absent)."""

    key: int
    mint: Mint
    owner: int
    pre: int | None
    post: int | None


@dataclass(slots=True)
class Transaction:
    """One transaction of the chain. `index` is its place in the slot; keys are account ids."""

    signature: str
    slot: int
    index: int
    offset_seconds: int
    version: int | None
    error: tuple[int, int] | None
    fee: int
    priority_lamports: int
    signers: int
    readonly_signers: int
    readonly_others: int
    keys: tuple[int, ...]
    loaded_writable: tuple[int, ...]
    loaded_readonly: tuple[int, ...]
    pre: tuple[int, ...]
    post: tuple[int, ...]
    tokens: tuple[TokenRow, ...]
    instructions: tuple[Instruction, ...]

    @property
    def all_keys(self) -> tuple[int, ...]:
        """Static keys, then loaded writable, then loaded readonly ones: what indexes point into."""
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
        """Register a mint that token accounts may be opened for."""
        mint = Mint(self.accounts.add(address), program, decimals)
        self.mints[mint.account] = mint
        return mint

    def fund(self, account: int, lamports: int) -> None:
        """Opening lamports of an account (before the first transaction)."""
        self.lamports[account] = self.lamports.get(account, 0) + lamports

    def open_before(self, owner: int, mint: Mint, units: int) -> int:
        """Make an associated token account that exists before the first transaction; returns its id."""
        account = self.accounts.associated(owner, mint.account, mint.program)
        self.tokens[account] = TokenAccount(mint, owner, units)
        self.lamports[account] = mint.rent_lamports + (units if mint is self.native else 0)
        if mint is not self.native:
            mint.supply += units
        return account

    def units(self, account: int) -> int:
        """Raw units in a token account, 0 where it does not exist."""
        held = self.tokens.get(account)
        return held.units if held else 0


class _Step(NamedTuple):
    program: int
    accounts: tuple[int, ...]
    data: bytes
    height: int


@dataclass(slots=True)
class Draft:
    """A transaction in the making. The payer is its first signer."""

    ledger: Ledger
    payer: int
    flags: dict[int, int] = field(default_factory=dict)
    _before: dict[int, tuple[int, TokenAccount | None, int]] = field(default_factory=dict)
    _steps: list[_Step] = field(default_factory=list)
    _depth: int = 0

    def __post_init__(self) -> None:
        self.key(self.payer, SIGNER | WRITABLE)

    def key(self, account: int, flags: int = 0) -> int:
        """Name an account in the message, remembering its balances at first sight."""
        known = self.flags.get(account)
        if known is None:
            held = self.ledger.tokens.get(account)
            self._before[account] = (self.ledger.lamports.get(account, 0), held, held.units if held else 0)
            self.flags[account] = flags
        else:
            self.flags[account] = known | flags
        return account

    def enter(self, program: int, accounts: tuple[int, ...], data: bytes) -> None:
        """Invoke a program; instructions until `leave` are its inner ones."""
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
        self._depth -= 1

    @property
    def top_level_count(self) -> int:
        """How many top-level instructions there are so far."""
        return sum(step.height == 1 for step in self._steps)

    def move_lamports(self, source: int, target: int, lamports: int) -> None:
        """Move lamports between two accounts; refuses an overdraft."""
        self.key(source, WRITABLE)
        self.key(target, WRITABLE)
        balances = self.ledger.lamports
        left = balances.get(source, 0) - lamports
        if left < 0 or lamports < 0:
            raise ValueError(f"overdraft of {-left} lamports on {self.ledger.accounts.address(source)}")
        balances[source] = left
        balances[target] = balances.get(target, 0) + lamports

    def move_units(self, source: int, target: int, units: int) -> None:
        """Move token units between two token accounts of one mint; wrapped SOL moves its lamports along."""
        self.key(source, WRITABLE)
        self.key(target, WRITABLE)
        giving, taking = self.ledger.tokens[source], self.ledger.tokens[target]
        if giving.mint is not taking.mint or not 0 <= units <= giving.units:
            raise ValueError(f"cannot move {units} of {giving.units} units")
        giving.units -= units
        taking.units += units
        if giving.mint is self.ledger.native:
            self.ledger.lamports[source] -= units
            self.ledger.lamports[target] += units

    def open_account(self, account: int, owner: int, mint: Mint, funder: int) -> None:
        """Make a token account; `funder` pays its rent."""
        self.move_lamports(funder, account, mint.rent_lamports)
        self.ledger.tokens[account] = TokenAccount(mint, owner, 0)

    def wrap(self, source: int, account: int, lamports: int) -> None:
        """Put lamports into a wrapped-SOL account."""
        self.move_lamports(source, account, lamports)
        self.ledger.tokens[account].units += lamports

    def close_account(self, account: int, target: int) -> None:
        """Close a token account; its lamports (rent and, for wrapped SOL, the balance) go to `target`."""
        held = self.ledger.tokens[account]
        if held.units and held.mint is not self.ledger.native:
            raise ValueError("a token account with units in it cannot be closed")
        self.move_lamports(account, target, self.ledger.lamports[account])
        del self.ledger.tokens[account]

    def mint_to(self, account: int, units: int) -> None:
        """Create token units in an account."""
        held = self.ledger.tokens[account]
        held.units += units
        held.mint.supply += units

    def finish(
        self,
        *,
        signature: str,
        slot: int,
        offset_seconds: int,
        version: int | None,
        fee: int,
        priority_lamports: int,
        lookup: frozenset[int],
        error: tuple[int, int] | None = None,
    ) -> Transaction:
        """Charge the fee to the payer and freeze the transaction."""
        ledger = self.ledger
        left = ledger.lamports[self.payer] - fee
        if left < 0:
            raise ValueError(f"{ledger.accounts.address(self.payer)} cannot pay its fee")
        ledger.lamports[self.payer] = left
        groups: tuple[list[int], ...] = ([], [], [], [], [], [])
        for account, flags in self.flags.items():
            if flags & SIGNER:
                groups[0 if flags & WRITABLE else 1].append(account)
            elif version == 0 and account in lookup and not flags & INVOKED:
                groups[4 if flags & WRITABLE else 5].append(account)
            else:
                groups[2 if flags & WRITABLE else 3].append(account)
        keys = groups[0] + groups[1] + groups[2] + groups[3]
        ordered = keys + groups[4] + groups[5]
        place = {account: index for index, account in enumerate(ordered)}
        rows: list[TokenRow] = []
        for index, account in enumerate(ordered):
            _, held_before, units_before = self._before[account]
            held_after = ledger.tokens.get(account)
            held = held_before or held_after
            if held is not None:
                pre = units_before if held_before else None
                rows.append(TokenRow(index, held.mint, held.owner, pre, held_after.units if held_after else None))
        return Transaction(
            signature=signature,
            slot=slot,
            index=0,
            offset_seconds=offset_seconds,
            version=version,
            error=error,
            fee=fee,
            priority_lamports=priority_lamports,
            signers=len(groups[0]) + len(groups[1]),
            readonly_signers=len(groups[1]),
            readonly_others=len(groups[3]),
            keys=tuple(keys),
            loaded_writable=tuple(groups[4]),
            loaded_readonly=tuple(groups[5]),
            pre=tuple(self._before[account][0] for account in ordered),
            post=tuple(ledger.lamports.get(account, 0) for account in ordered),
            tokens=tuple(rows),
            instructions=tuple(
                [
                    Instruction(place[program], tuple([place[account] for account in accounts]), data, height)
                    for program, accounts, data, height in self._steps
                ]
            ),
        )
