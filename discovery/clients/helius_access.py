"""Methods available to the configured Helius key."""

from typing import Final

import msgspec
from django.conf import settings

from discovery.clients.client_factory import ClientFactory
from discovery.domain.programs import PUMPFUN
from discovery.providers import helius, solana_rpc
from discovery.providers.credits import CreditedRpc
from discovery.providers.errors import ProviderError, Unsupported
from discovery.providers.helius import Helius
from discovery.providers.solana_rpc import SolanaRpc

NO_KEY: Final = "no HELIUS_API_KEY: transactions come from plain RPC, much slower"
BY_TIME: Final = "transactions come from Helius by time"
NOT_BY_TIME: Final = "Helius is not used by time ({cause}): transactions come from plain RPC, much slower"


class HeliusAccess(msgspec.Struct, frozen=True):
    """The clients that the key allows, None for those that it does not, and a note for
    the operator.

    by_time: transactions by time. rpc: plain RPC methods.
    """

    by_time: Helius | None
    rpc: SolanaRpc | None
    note: str


async def open_helius(factory: ClientFactory, source: str) -> HeliusAccess:
    """Return the access of the configured key, none without a key.

    source: the transaction source that the run has already decided on; "" = find out
    with a request, whose ProviderError becomes the note.
    """
    if not settings.HELIUS_API_KEY:
        return HeliusAccess(None, None, NO_KEY)
    endpoint = CreditedRpc(
        factory.rpc(
            helius.NAME,
            settings.HELIUS_URL,
            secret_params={"api-key": settings.HELIUS_API_KEY},
        ),
        factory.meter,
    )
    access = HeliusAccess(Helius(endpoint, factory.meter), SolanaRpc(endpoint), BY_TIME)
    if source:
        return _restrict(access, source)
    return await _probe(access)


def _restrict(access: HeliusAccess, source: str) -> HeliusAccess:
    """Return the access without the clients that the source does not use."""
    if source == helius.NAME:
        return access
    if source == solana_rpc.NAME:
        return msgspec.structs.replace(access, by_time=None, rpc=None)
    return msgspec.structs.replace(access, by_time=None)


async def _probe(access: HeliusAccess) -> HeliusAccess:
    assert access.by_time is not None
    try:
        await access.by_time.probe(PUMPFUN)
    except ProviderError as error:
        # A key without the paid method still allows plain RPC; other errors concern the
        # key itself.
        rpc = access.rpc if isinstance(error, Unsupported) else None
        return HeliusAccess(None, rpc, NOT_BY_TIME.format(cause=error.cause))
    return access
