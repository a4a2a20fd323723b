"""Builds the transactions of a world from drafts: signatures, slots, versions, fees."""

from dataclasses import dataclass
from random import Random

from simmarket.chain import base58, programs
from simmarket.chain.accounts import AccountTable
from simmarket.chain.curve25519 import is_on_curve
from simmarket.chain.instructions import compute_budget, sol_transfer
from simmarket.chain.ledger import Draft, InstructionError, Ledger
from simmarket.chain.slots import SlotClock
from simmarket.chain.sol_price import SolPrice
from simmarket.chain.world import Movement, World

_UNIT_LIMIT = 200_000
_WELL_KNOWN_LAMPORTS = 1_461_600
_INFRASTRUCTURE_LAMPORTS = 10**13


@dataclass(slots=True, frozen=True)
class Style:
    """A wallet's way to send its transactions."""

    version: int | None = 0
    priority_micro_lamports: int = 0  # per compute unit
    tip_lamports: int = 0
    bot: str | None = None
    wrapped: str = (
        "associated"  # the wrapped-SOL account: associated | seeded | permanent
    )
    closes_empty: bool = False  # closes its token account after it sold everything

    def without_extras(self) -> "Style":
        """Return the style of a transaction without tip and bot."""
        return Style(self.version, self.priority_micro_lamports)


PLAIN = Style()


@dataclass(slots=True)
class Moment:
    """The time and slot at which a transaction lands."""

    offset_seconds: int
    slot: int


class Builder:
    """Builds the transactions of one world, in chain order."""

    def __init__(
        self,
        name: str,
        seed: int,
        oldest_offset_seconds: int,
        *,
        flat_price: bool = False,
    ) -> None:
        self.random = Random(f"{name}/{seed}")
        accounts = AccountTable()
        self.accounts = accounts
        self.ledger = Ledger(accounts)
        self.usdc = self.ledger.add_mint(programs.USDC, programs.TOKEN, 6)
        price = SolPrice(seed, flat=flat_price)
        self.world = World(
            name, seed, accounts, self.ledger, SlotClock(oldest_offset_seconds), price
        )
        self.lookup = frozenset(
            accounts.add(address) for address in programs.LOOKUP_TABLE
        )
        self._last: Moment | None = None
        for address in sorted({*programs.LOOKUP_TABLE, *programs.INFRASTRUCTURE}):
            self.ledger.fund(accounts.add(address), _WELL_KNOWN_LAMPORTS)
        for address in sorted(programs.INFRASTRUCTURE):
            self.ledger.fund(accounts.add(address), _INFRASTRUCTURE_LAMPORTS)

    def new_wallet(self, lamports: int) -> int:
        """Return a new on-curve wallet with opening lamports."""
        raw = self.random.randbytes(32)
        while not is_on_curve(raw):
            raw = self.random.randbytes(32)
        wallet = self.accounts.add_raw(raw)
        self.ledger.fund(wallet, lamports)
        return wallet

    def new_mint_address(self) -> str:
        """Return a new on-curve address that ends in `pump`."""
        while True:
            head = "".join(self.random.choice(base58.ALPHABET) for _ in range(40))
            address = head + "pump"
            if base58.is_address(address) and is_on_curve(base58.decode(address)):
                return address

    def moment(self, offset_seconds: int, step: int = 0) -> Moment:
        """Return the `step`-th slot of a second, but never a slot before the last one
        used.
        """
        slot = self.world.clock.slot_at(offset_seconds, step)
        if self._last is not None and slot < self._last.slot:
            return self._last
        self._last = Moment(offset_seconds, slot)
        return self._last

    def begin(self, payer: int, style: Style) -> Draft:
        """Return a draft with the compute budget and the tip of its sender."""
        draft = Draft(self.ledger, payer)
        if style.version != 1 and style.priority_micro_lamports:
            compute_budget(draft, _UNIT_LIMIT, style.priority_micro_lamports)
        if style.tip_lamports:
            target = self.accounts.add(
                programs.JITO_TIPS[payer % len(programs.JITO_TIPS)]
            )
            sol_transfer(draft, payer, target, style.tip_lamports)
        return draft

    @staticmethod
    def network_fee_lamports(style: Style, signers: int = 1) -> int:
        """Return base fee plus priority fee."""
        priority_lamports = -(-_UNIT_LIMIT * style.priority_micro_lamports // 1_000_000)
        return programs.LAMPORTS_PER_SIGNATURE * signers + priority_lamports

    def end(
        self,
        draft: Draft,
        when: Moment,
        style: Style,
        *,
        signers: int = 1,
        error: InstructionError | None = None,
        signature: str | None = None,
    ) -> int:
        """Add a draft as the next transaction of the chain; return its position."""
        fee_lamports = self.network_fee_lamports(style, signers)
        transaction = draft.finish(
            signature=signature or base58.encode(self.random.randbytes(64)),
            slot=when.slot,
            offset_seconds=when.offset_seconds,
            version=style.version,
            fee_lamports=fee_lamports,
            priority_lamports=fee_lamports - programs.LAMPORTS_PER_SIGNATURE * signers,
            lookup=self.lookup,
            error=error,
        )
        self.world.transactions.append(transaction)
        return len(self.world.transactions) - 1

    def log(self, movement: Movement) -> None:
        """Record what a wallet did; the expected results are computed from this log."""
        self.world.movements.append(movement)
