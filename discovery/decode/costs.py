"""What one wallet paid and moved beside the market amount: network fee, tips, platform
fees, rent, and transfers of its own SOL.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final

import msgspec

from discovery.decode.deltas import Deltas
from discovery.decode.instructions import (
    Calls,
    Refund,
    SolMove,
)
from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import FEE_ACCOUNTS, SERVICES
from discovery.domain.programs import (
    ASSOCIATED_TOKEN,
    QUOTE_REQUESTS,
    QUOTES,
    WRAPPED_SOL,
)
from discovery.domain.tip_accounts import TIP_ACCOUNTS


class ServiceFees(msgspec.Struct, frozen=True, gc=False):
    """Lamports that one signer paid to tip accounts and to fee wallets of trading
    platforms.
    """

    tip_lamports: int = 0
    platform_fee_lamports: int = 0


class WalletCosts(msgspec.Struct, frozen=True, gc=False):
    """Lamports that one wallet paid or moved beside the market amount.

    Rent is + into its token accounts, - out of them. Transfers are + in, - out.
    """

    network_fee_lamports: int = 0
    tip_lamports: int = 0
    platform_fee_lamports: int = 0
    rent_lamports: int = 0
    transfer_lamports: int = 0
    wrapped_transfer_lamports: int = 0  # the part of it that stayed wrapped SOL

    @property
    def total_lamports(self) -> int:
        """Sum that all of it took from the wallet. Negative if more came in."""
        return (
            self.network_fee_lamports
            + self.tip_lamports
            + self.platform_fee_lamports
            + self.rent_lamports
            - self.transfer_lamports
        )


_ACCOUNT_CREATORS: Final = frozenset({ASSOCIATED_TOKEN})
NO_FEES: Final = ServiceFees()
NO_COSTS: Final = WalletCosts()


class CostReader:
    """Reads the costs of the wallets of one transaction.

    Its methods raise msgspec.DecodeError, IndexError, KeyError, TypeError or ValueError
    if the instructions make no sense.
    """

    __slots__ = ("_calls", "_costs", "_deltas", "_fees", "_refunds")

    def __init__(self, deltas: Deltas, calls: Calls) -> None:
        self._deltas = deltas
        self._calls = calls
        # Filled when a wallet needs them.
        self._costs: dict[str, WalletCosts] = {}
        self._fees: dict[str, ServiceFees] | None = None
        self._refunds: dict[str, Refund] | None = None

    def costs_of(self, wallet: str) -> WalletCosts:
        """Return what the wallet paid beside the market amount. A wallet that did not
        sign paid nothing: another owner paid its rent.
        """
        if wallet not in self._deltas.signers:
            return NO_COSTS
        costs = self._costs.get(wallet)
        if costs is None:
            costs = self._costs[wallet] = self._read_costs(wallet)
        return costs

    def _read_costs(self, signer: str) -> WalletCosts:
        """Return the costs of a signer. The first account key pays the network fee."""
        deltas = self._deltas
        if self._fees is None:
            self._fees = self._service_fees()
        fees = self._fees.get(signer, NO_FEES)
        is_fee_payer = deltas.keys[0] == signer
        transfer_lamports = self._transfer_lamports(signer)
        wrapped_lamports = 0
        if self._calls.has_token_instructions() and deltas.has_wrapped_sol():
            wrapped_lamports = self._wrapped_transfer_lamports(signer)
            transfer_lamports += wrapped_lamports
            transfer_lamports -= self._closed_to_others_lamports(signer)
        return WalletCosts(
            network_fee_lamports=deltas.meta.fee if is_fee_payer else 0,
            tip_lamports=fees.tip_lamports,
            platform_fee_lamports=fees.platform_fee_lamports,
            rent_lamports=self._rent_lamports(signer),
            transfer_lamports=transfer_lamports,
            wrapped_transfer_lamports=wrapped_lamports,
        )

    # --- Tips and platform fees -------------------------------------------------------

    def _service_fees(self) -> dict[str, ServiceFees]:
        """Return signer -> what it paid to tip accounts and platform fee wallets; signers that
        paid nothing may be absent.

        A single signer paid all that these accounts gained. With several signers, the
        system transfers show who paid. What no transfer of a signer explains (a pool or
        router paid it out of the proceeds) is charged to no signer.
        """
        gains = self._service_gains()
        if not gains:
            return {}
        signers = self._deltas.signers
        if len(signers) == 1:
            return {signers[0]: _fees_of(gains)}
        payments = self._payments(gains, self._calls.top_level_transfers())
        explained = sum((paid for paid in payments.values()), Counter[str]())
        if explained != gains:
            payments = self._payments(gains, self._calls.all_moves())
        return {signer: _fees_of(paid) for signer, paid in payments.items()}

    def _payments(
        self, gains: Mapping[str, int], moves: Iterable[SolMove]
    ) -> dict[str, Counter[str]]:
        """Return signer -> account -> lamports that the moves paid into `gains`."""
        payments: dict[str, Counter[str]] = defaultdict(Counter)
        for move in moves:
            if move.destination in gains and move.source in self._deltas.signers:
                payments[move.source][move.destination] += move.lamports
        return payments

    def _service_gains(self) -> dict[str, int]:
        """Return the lamports that each tip account and platform fee wallet gained. A
        fee wallet that is paid in wrapped SOL may be an owner without being among the
        keys.
        """
        deltas = self._deltas
        gains: dict[str, int] = {}
        known = deltas.known_keys
        if SERVICES.isdisjoint(known) and SERVICES.isdisjoint(deltas.by_owner):
            return gains
        for account in SERVICES.intersection(chain(known, deltas.by_owner)):
            lamports = deltas.sol_lamports(account)
            if lamports > 0:
                gains[account] = lamports
        return gains

    # --- Rent -------------------------------------------------------------------------

    def _rent_lamports(self, signer: str) -> int:
        """Return the lamports that the wallet itself put into (+) or got out of (-) its
        token accounts as rent.

        Rent that a sponsor paid or got is not the wallet's.
        """
        rent_by_account = self._deltas.rent_by_account(signer)
        rent = sum(rent_by_account.values())
        if not rent:
            return 0
        has_sponsors = self._may_have_sponsors(signer)
        for account, lamports in rent_by_account.items():
            if lamports < 0 and self._is_refund_of_others(account, signer):
                rent -= lamports
            elif lamports > 0 and has_sponsors:
                rent -= self._sponsored_lamports(account, signer, lamports)
        if not has_sponsors:
            return rent
        if rent and self._has_sponsor(signer, rent):
            return 0
        return rent

    def _may_have_sponsors(self, signer: str) -> bool:
        """Return True if another signer paid more, or got more, than the network fee."""
        deltas = self._deltas
        if len(deltas.signers) == 1:
            return False
        for other in deltas.signers:
            if other == signer:
                continue
            fee = deltas.meta.fee if other == deltas.keys[0] else 0
            if deltas.native_lamports(other) + fee:
                return True
        return False

    def _is_refund_of_others(self, account: str, signer: str) -> bool:
        """Return True if the rent of a closed token account went to another account."""
        if self._refunds is None:
            self._refunds = self._calls.refunds()
        refund = self._refunds.get(account)
        return refund is not None and refund.destination != signer

    def _sponsored_lamports(self, account: str, signer: str, rent: int) -> int:
        """Return the lamports of the rent that others put into a token account of the
        wallet.
        """
        # `Create` and `CreateIdempotent` name the payer, then the account.
        for call in self._calls.top_level(_ACCOUNT_CREATORS, account):
            if call.accounts[1:2] == [account]:
                return 0 if call.accounts[0] == signer else rent
        return sum(
            move.lamports
            for move in self._calls.all_moves()
            if move.destination == account and move.source != signer
        )

    def _has_sponsor(self, signer: str, rent: int) -> bool:
        """Return True if another signer lost (or gained) exactly the rent, beside the
        network fee: the instructions that would show it are missing.
        """
        for other in self._deltas.signers:
            if other == signer:
                continue
            fee = self._deltas.meta.fee if other == self._deltas.keys[0] else 0
            if self._deltas.native_lamports(other) + fee == -rent:
                return True
        return False

    # --- Transfers --------------------------------------------------------------------

    def _transfer_lamports(self, signer: str) -> int:
        """Return the SOL that came (+) or went (-) by plain transfers between the wallet
        and accounts that are no market.

        Plain: an instruction of the message, not one of a program. Tips and platform
        fees are counted apart; SOL into the wallet's own token account is wrapped.
        """
        lamports = 0
        for move in self._calls.top_level_transfers():
            if move.source == signer and self._is_own_transfer(move.destination, move):
                lamports -= move.lamports
            elif move.destination == signer and self._is_own_transfer(
                move.source, move
            ):
                lamports += move.lamports
        return lamports

    def _wrapped_transfer_lamports(self, signer: str) -> int:
        """Return the wrapped SOL that came (+) or went (-) by plain transfers between the
        wallet and other wallets.
        """
        lamports = 0
        for transfer in self._calls.token_transfers():
            other = self._deltas.owner_of(transfer.destination, WRAPPED_SOL)
            if transfer.authority == signer and self._is_other_wallet(other, signer):
                lamports -= transfer.units
            elif other == signer:
                source = self._deltas.owner_of(transfer.source, WRAPPED_SOL)
                if self._is_other_wallet(source, signer):
                    lamports += transfer.units
        return lamports

    def _closed_to_others_lamports(self, signer: str) -> int:
        """Return the lamports of wrapped SOL in accounts of the wallet that were closed
        to another wallet. The rent of an account that existed before is not the
        wallet's SOL.
        """
        deltas = self._deltas
        lamports = 0
        if self._refunds is None:
            self._refunds = self._calls.refunds()
        destinations: set[str] = set()
        for account, refund in self._refunds.items():
            destination = refund.destination
            is_own = refund.owner == signer
            if not is_own or not self._is_other_wallet(destination, signer):
                continue
            if destination not in destinations:
                lamports += max(0, deltas.native_lamports(destination))
                destinations.add(destination)
            if not deltas.is_transient(account):
                lamports += deltas.rent_by_account(signer).get(account, 0)
        return max(0, lamports)

    def _is_other_wallet(self, other: str | None, signer: str) -> bool:
        """Return True for a wallet that did not sign and is no side of a trade."""
        deltas = self._deltas
        if other is None or other in deltas.signers or other in FEE_ACCOUNTS:
            return False
        if not is_on_curve(other):
            return False
        mints = deltas.by_owner.get(other, {})
        return not any(units for mint, units in mints.items() if mint not in QUOTES)

    def _is_own_transfer(self, other: str, move: SolMove) -> bool:
        """Return True if SOL between a wallet and `other` belongs to no trade."""
        if move.is_creation or move.source == move.destination:
            return False
        deltas = self._deltas
        if other in SERVICES or deltas.is_transient(other):
            return False
        return not (self._is_counterparty(other) or other in deltas.token_accounts())

    def _is_counterparty(self, other: str) -> bool:
        """Return True if `other` is a market, or a market maker that signed."""
        if other not in self._deltas.by_owner:
            return False
        if other in self._deltas.signers:
            return not QUOTE_REQUESTS.isdisjoint(self._deltas.known_keys)
        return not is_on_curve(other)


def _fees_of(payments: Mapping[str, int]) -> ServiceFees:
    """Split the lamports paid to each service into tips and platform fees."""
    tip = platform_fee = 0
    for account, lamports in payments.items():
        if account in TIP_ACCOUNTS:
            tip += lamports
        else:
            platform_fee += lamports
    return ServiceFees(tip, platform_fee)
