"""Ends drafts as transactions of a world: signatures, slots, versions, fees."""

from dataclasses import dataclass
from random import Random

from simmarket.chain import base58, programs
from simmarket.chain.accounts import AccountTable
from simmarket.chain.curve25519 import is_on_curve
from simmarket.chain.instructions import compute_budget, sol_transfer
from simmarket.chain.ledger import Draft, Ledger
from simmarket.chain.slots import SlotClock
from simmarket.chain.sol_price import SolPrice
from simmarket.chain.world import Movement, World

_UNIT_LIMIT = 200_000
_RICH_LAMPORTS = 10**15


@dataclass(slots=True, frozen=True)
class Style:
    """How a wallet sends its transactions."""

    version: int | None = 0
    priority_micro_lamports: int = 0  # per compute unit
    tip_lamports: int = 0
    bot: str | None = None
    wrapped: str = "associated"  # associated | seeded | kept
    closes_empty: bool = False  # closes its token account after selling everything


PLAIN = Style()


@dataclass(slots=True)
class Moment:
    """When a transaction lands."""

    offset_seconds: int
    slot: int


class Builder:
    """Makes the transactions of one world, in chain order."""

    def __init__(self, name: str, seed: int, oldest_offset_seconds: int, *, flat_price: bool = False) -> None:
        self.random = Random(f"{name}/{seed}")
        accounts = AccountTable()
        self.accounts = accounts
        self.ledger = Ledger(accounts)
        self.usdc = self.ledger.add_mint(programs.USDC, programs.TOKEN, 6)
        price = SolPrice(seed, flat=flat_price)
        self.world = World(name, seed, accounts, self.ledger, SlotClock(oldest_offset_seconds), price)
        self.lookup = frozenset(accounts.add(address) for address in programs.LOOKUP_TABLE)
        self._last: Moment | None = None
        for address in sorted({*programs.LOOKUP_TABLE, *programs.PLUMBING}):
            self.ledger.fund(accounts.add(address), 1_461_600)
        for address in sorted(programs.PLUMBING):
            self.ledger.fund(accounts.add(address), _RICH_LAMPORTS // 100)

    def new_wallet(self, lamports: int) -> int:
        """A fresh on-curve wallet with opening lamports."""
        while not is_on_curve(raw := self.random.randbytes(32)):
            pass
        wallet = self.accounts.add_raw(raw)
        self.ledger.fund(wallet, lamports)
        return wallet

    def new_mint_address(self) -> str:
        """A fresh on-curve address that ends in `pump`."""
        while True:
            head = "".join(self.random.choice(base58.ALPHABET) for _ in range(40))
            address = head + "pump"
            if base58.is_address(address) and is_on_curve(base58.decode(address)):
                return address

    def moment(self, offset_seconds: int, step: int = 0) -> Moment:
        """The `step`-th slot of a second, never before the last one used."""
        slot = self.world.clock.slot_at(offset_seconds, step)
        if self._last is not None and slot < self._last.slot:
            return self._last
        self._last = Moment(offset_seconds, slot)
        return self._last

    def begin(self, payer: int, style: Style) -> Draft:
        """A draft with the compute budget and the tip of its sender."""
        draft = Draft(self.ledger, payer)
        if style.version != 1 and style.priority_micro_lamports:
            compute_budget(draft, _UNIT_LIMIT, style.priority_micro_lamports)
        if style.tip_lamports:
            target = self.accounts.add(programs.JITO_TIPS[payer % len(programs.JITO_TIPS)])
            sol_transfer(draft, payer, target, style.tip_lamports)
        return draft

    @staticmethod
    def network_fee(style: Style, signers: int = 1) -> int:
        """Base fee and priority fee in lamports."""
        priority = -(-_UNIT_LIMIT * style.priority_micro_lamports // 1_000_000)
        return programs.LAMPORTS_PER_SIGNATURE * signers + priority

    def end(
        self,
        draft: Draft,
        when: Moment,
        style: Style,
        *,
        signers: int = 1,
        error: tuple[int, int] | None = None,
        signature: str | None = None,
    ) -> int:
        """Freeze a draft as the next transaction of the chain; returns its place."""
        fee = self.network_fee(style, signers)
        transaction = draft.finish(
            signature=signature or base58.encode(self.random.randbytes(64)),
            slot=when.slot,
            offset_seconds=when.offset_seconds,
            version=style.version,
            fee=fee,
            priority_lamports=fee - programs.LAMPORTS_PER_SIGNATURE * signers,
            lookup=self.lookup,
            error=error,
        )
        self.world.transactions.append(transaction)
        return len(self.world.transactions) - 1

    def log(
        self,
        kind: str,
        wallet: int,
        mint: int,
        units: int,
        place: int,
        *,
        quote: int = 0,
        quote_units: int = 0,
        extras_lamports: int = 0,
    ) -> None:
        """Note what a wallet did, for the truth."""
        self.world.movements.append(Movement(kind, wallet, mint, units, quote_units, quote, extras_lamports, place))
