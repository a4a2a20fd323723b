"""What a profile starts from: the facts in the database about a wallet."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from discovery.domain.flags import TOKEN_FLAGS
from discovery.domain.times import unix_from_datetime
from discovery.models import Position, RunToken, RunWallet, Wallet
from discovery.pipeline.late_reserves import stored_late_reserves
from discovery.pipeline.profile_wallet import WalletContext
from discovery.pipeline.scoring import latest_prior
from discovery.pipeline.stored_histories import stored_histories


def load_wallet_context(address: str) -> WalletContext:
    """Return the context of one wallet. Seven queries."""
    return load_wallet_contexts([address])[address]


def load_wallet_contexts(addresses: Collection[str]) -> dict[str, WalletContext]:
    """Return wallet → its seed tokens, its rank among the early buyers of each token, its
    flags, its late prices, the prior of the last run, and what the last profile read.
    Seven queries.
    """
    seeds = RunWallet.objects.seeds(addresses)
    wallets = Wallet.objects.filter(address__in=addresses)
    flags = dict(wallets.values_list("address", "flags"))
    early = _early_buys(addresses)
    entries = _entries(early)
    late = stored_late_reserves(addresses)
    histories = stored_histories(addresses)
    prior, _ = latest_prior()
    return {
        address: WalletContext(
            seeds=frozenset(seeds.get(address, ())),
            entries=entries.get(address, {}),
            known_buys={each.mint: each.bought_at for each in early.get(address, ())},
            flags=frozenset(flags.get(address, ())) & TOKEN_FLAGS,
            late=late.get(address, {}),
            prior=prior,
            history=histories.get(address),
        )
        for address in addresses
    }


class _EarlyBuy(NamedTuple):
    """First buy of a token by an early buyer of it, in unix seconds, and its rank."""

    mint: str
    rank: int
    bought_at: int


def _early_buys(addresses: Collection[str]) -> dict[str, list[_EarlyBuy]]:
    """Return wallet → its early buys. One query."""
    entered = Position.objects.filter(
        wallet_address__in=addresses, entry_rank__isnull=False
    )
    columns = ("wallet_address", "mint", "entry_rank", "first_buy_at")
    early: dict[str, list[_EarlyBuy]] = {}
    for address, mint, rank, bought_at in entered.values_list(*columns):
        if rank is not None:
            buy = _EarlyBuy(mint, rank, unix_from_datetime(bought_at) or 0)
            early.setdefault(address, []).append(buy)
    return early


def _entries(
    early: Mapping[str, Iterable[_EarlyBuy]],
) -> dict[str, dict[str, tuple[int, int]]]:
    """Return wallet → mint → its rank among the early buyers, and their number. One
    query.
    """
    mints = {buy.mint for buys in early.values() for buy in buys}
    analysed = RunToken.objects.filter(mint__in=mints, early_buyers__isnull=False)
    buyer_counts = dict(analysed.order_by("pk").values_list("mint", "early_buyers"))
    entries: dict[str, dict[str, tuple[int, int]]] = {}
    for address, buys in early.items():
        for buy in buys:
            buyer_count = buyer_counts.get(buy.mint)
            if buyer_count is not None:
                own = entries.setdefault(address, {})
                own[buy.mint] = (buy.rank, max(buy.rank, buyer_count))
    return entries
