"""What a profile starts from: the facts in the database about a wallet."""

from discovery.domain.flags import TOKEN_FLAGS
from discovery.models import Position, RunToken, RunWallet, Wallet
from discovery.pipeline.late_reserves import stored_late_reserves
from discovery.pipeline.profile_wallet import WalletContext
from discovery.pipeline.scoring import latest_prior


def load_wallet_context(address: str) -> WalletContext:
    """Return the wallet's seed tokens, its rank among the early buyers of each token,
    its flags, its late prices, and the prior of the last run. Six queries.
    """
    seeds = RunWallet.objects.seeds([address]).get(address, set())
    flags = Wallet.objects.filter(address=address).values_list("flags", flat=True)
    own_flags = flags.first() or {}
    prior, _ = latest_prior()
    return WalletContext(
        seeds=frozenset(seeds),
        entries=_entries(address),
        flags=frozenset(own_flags) & TOKEN_FLAGS,
        late=stored_late_reserves(address),
        prior=prior,
    )


def _entries(address: str) -> dict[str, tuple[int, int]]:
    """Return mint → rank of the wallet among the early buyers, and their number."""
    entered = Position.objects.filter(wallet_address=address, entry_rank__isnull=False)
    ranks = dict(entered.values_list("mint", "entry_rank"))
    analysed = RunToken.objects.filter(mint__in=ranks, early_buyers__isnull=False)
    buyer_counts = dict(analysed.order_by("pk").values_list("mint", "early_buyers"))
    entries: dict[str, tuple[int, int]] = {}
    for mint, rank in ranks.items():
        buyer_count = buyer_counts.get(mint)
        if rank is not None and buyer_count is not None:
            entries[mint] = (rank, max(rank, buyer_count))
    return entries
