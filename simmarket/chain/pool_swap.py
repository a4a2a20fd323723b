"""The parts that swaps in curves and pools share: fees, and the context of one swap."""

from dataclasses import dataclass
from typing import NamedTuple

from simmarket.chain import programs
from simmarket.chain.builder import Builder
from simmarket.chain.ledger import Draft
from simmarket.chain.world import Pool


class Fees(NamedTuple):
    """The fees of one swap in raw quote units."""

    protocol: int
    creator: int

    @property
    def total(self) -> int:
        """Protocol and creator fee together."""
        return self.protocol + self.creator


NO_FEES = Fees(0, 0)


def fee_of(amount: int, basis_points: int) -> int:
    """Return a fee, rounded up as the programs do."""
    return -(-amount * basis_points // 10_000)


@dataclass(slots=True, frozen=True)
class PoolSwap:
    """One wallet's swap in one pool, within a draft. `wrapped`: its wrapped-SOL
    account, None on a curve.
    """

    builder: Builder
    draft: Draft
    pool: Pool
    wallet: int
    wrapped: int | None = None

    @property
    def has_native_quote(self) -> bool:
        """True if the pool trades against SOL."""
        return self.pool.quote is self.builder.ledger.native

    @property
    def base_account(self) -> int:
        """The wallet's associated account of the token."""
        mint = self.pool.mint
        return self.builder.accounts.associated(self.wallet, mint.account, mint.program)

    @property
    def fee_recipient(self) -> int:
        """The account that the protocol fee of this pool goes to."""
        recipients = programs.FEE_RECIPIENTS
        return self.builder.accounts.add(
            recipients[self.pool.account % len(recipients)]
        )
