"""Costs of a wallet beside the market amount: network fee, tip, platform fee and rent."""

from collections.abc import Mapping
from typing import Final

import msgspec

from discovery.decode.deltas import Deltas
from discovery.decode.instructions import system_transfers
from discovery.domain.known_wallets import PLATFORM_FEE_WALLETS, TIP_ACCOUNTS
from discovery.providers.transactions import TransactionRecord

_SERVICES: Final = TIP_ACCOUNTS | PLATFORM_FEE_WALLETS.keys()


class ServiceFees(msgspec.Struct, frozen=True, gc=False):
    """Lamports that one signer paid to tip accounts and to fee wallets of trading
    platforms.
    """

    tip_lamports: int = 0
    platform_fee_lamports: int = 0


class WalletCosts(msgspec.Struct, frozen=True, gc=False):
    """Lamports that one wallet paid beside the market amount. Rent is + into its token
    accounts, - out of them.
    """

    network_fee_lamports: int = 0
    tip_lamports: int = 0
    platform_fee_lamports: int = 0
    rent_lamports: int = 0

    @property
    def total_lamports(self) -> int:
        """All costs together."""
        return (
            self.network_fee_lamports
            + self.tip_lamports
            + self.platform_fee_lamports
            + self.rent_lamports
        )


NO_FEES: Final = ServiceFees()
NO_COSTS: Final = WalletCosts()


def service_fees(deltas: Deltas, record: TransactionRecord) -> dict[str, ServiceFees]:
    """Return what each signer paid to tip accounts and platform fee wallets.

    A single signer paid all that these accounts gained. With several signers, the
    system transfers show who paid. What no transfer of a signer explains (a pool or
    router paid it out of the proceeds) is charged to no signer.
    """
    gains = _service_gains(deltas)
    if not gains:
        return {}
    if len(deltas.signers) == 1:
        return {deltas.signers[0]: _fees_of(gains)}
    payments: dict[str, dict[str, int]] = {}
    for transfer in system_transfers(deltas.keys, record):
        if transfer.destination in gains and transfer.source in deltas.signers:
            paid = payments.setdefault(transfer.source, {})
            paid[transfer.destination] = (
                paid.get(transfer.destination, 0) + transfer.lamports
            )
    return {signer: _fees_of(paid) for signer, paid in payments.items()}


def _service_gains(deltas: Deltas) -> dict[str, int]:
    """Return the lamports that each tip account and platform fee wallet gained."""
    if _SERVICES.isdisjoint(deltas.keys) and _SERVICES.isdisjoint(deltas.by_owner):
        return {}
    accounts = _SERVICES.intersection(deltas.keys) | _SERVICES.intersection(
        deltas.by_owner
    )
    gains = {account: deltas.sol_lamports(account) for account in accounts}
    return {account: lamports for account, lamports in gains.items() if lamports > 0}


def _fees_of(payments: Mapping[str, int]) -> ServiceFees:
    tip = sum(
        lamports for account, lamports in payments.items() if account in TIP_ACCOUNTS
    )
    return ServiceFees(tip, sum(payments.values()) - tip)
