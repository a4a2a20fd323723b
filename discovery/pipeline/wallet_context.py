"""What a profile starts from: the facts in the database about a wallet."""

from collections.abc import Collection

from discovery.domain.flags import TOKEN_FLAGS
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
    entries = _entries(addresses)
    late = stored_late_reserves(addresses)
    histories = stored_histories(addresses)
    prior, _ = latest_prior()
    return {
        address: WalletContext(
            seeds=frozenset(seeds.get(address, ())),
            entries=entries.get(address, {}),
            flags=frozenset(flags.get(address, ())) & TOKEN_FLAGS,
            late=late.get(address, {}),
            prior=prior,
            history=histories.get(address),
        )
        for address in addresses
    }


def _entries(addresses: Collection[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Return wallet → mint → its rank among the early buyers, and their number. Two
    queries.
    """
    entered = Position.objects.filter(
        wallet_address__in=addresses, entry_rank__isnull=False
    )
    ranks = list(entered.values_list("wallet_address", "mint", "entry_rank"))
    mints = {mint for _, mint, _ in ranks}
    analysed = RunToken.objects.filter(mint__in=mints, early_buyers__isnull=False)
    buyer_counts = dict(analysed.order_by("pk").values_list("mint", "early_buyers"))
    entries: dict[str, dict[str, tuple[int, int]]] = {}
    for address, mint, rank in ranks:
        buyer_count = buyer_counts.get(mint)
        if rank is not None and buyer_count is not None:
            own = entries.setdefault(address, {})
            own[mint] = (rank, max(rank, buyer_count))
    return entries
