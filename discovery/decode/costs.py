"""Costs of a wallet beside the market amount: network fee, tip, platform fee and rent."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import chain
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
        """All costs together. Negative if more rent came back than the rest cost."""
        return (
            self.network_fee_lamports
            + self.tip_lamports
            + self.platform_fee_lamports
            + self.rent_lamports
        )


NO_FEES: Final = ServiceFees()
NO_COSTS: Final = WalletCosts()


def service_fees(deltas: Deltas, record: TransactionRecord) -> dict[str, ServiceFees]:
    """Return signer -> what it paid to tip accounts and platform fee wallets; signers
    that paid nothing may be absent.

    A single signer paid all that these accounts gained. With several signers, the
    system transfers show who paid. What no transfer of a signer explains (a pool or
    router paid it out of the proceeds) is charged to no signer. Raises
    msgspec.DecodeError, IndexError, KeyError or ValueError if the instructions make no
    sense.
    """
    gains = _service_gains(deltas)
    if not gains:
        return {}
    if len(deltas.signers) == 1:
        return {deltas.signers[0]: _fees_of(gains)}
    payments: dict[str, Counter[str]] = defaultdict(Counter)
    for transfer in system_transfers(deltas.keys, record):
        if transfer.destination in gains and transfer.source in deltas.signers:
            payments[transfer.source][transfer.destination] += transfer.lamports
    return {signer: _fees_of(paid) for signer, paid in payments.items()}


def _service_gains(deltas: Deltas) -> dict[str, int]:
    """Return the lamports that each tip account and platform fee wallet gained. A fee
    wallet that is paid in wrapped SOL may be an owner without being among the keys.
    """
    gains: dict[str, int] = {}
    if _SERVICES.isdisjoint(deltas.keys) and _SERVICES.isdisjoint(deltas.by_owner):
        return gains
    for account in _SERVICES.intersection(chain(deltas.keys, deltas.by_owner)):
        lamports = deltas.sol_lamports(account)
        if lamports > 0:
            gains[account] = lamports
    return gains


def _fees_of(payments: Mapping[str, int]) -> ServiceFees:
    """Split the lamports paid to each service into tips and platform fees."""
    tip = sum(payments[account] for account in TIP_ACCOUNTS.intersection(payments))
    return ServiceFees(tip, sum(payments.values()) - tip)
