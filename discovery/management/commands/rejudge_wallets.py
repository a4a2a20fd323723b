"""`manage.py rejudge_wallets`: judge stored wallets by the score of this version."""

from collections import Counter
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from discovery.analysis.judging import SCORE_VERSION
from discovery.models import Wallet
from discovery.pipeline.rejudge import rebuild_token_results
from discovery.pipeline.scoring import rescore

BATCH: Final = 200


class Command(BaseCommand):
    """Rebuilds the token results of wallets from their stored trades and judges them."""

    help = (
        "Judge wallets again whose last judgement is of an earlier version of the score: from stored trades and "
        "balance changes, without a request. Prints what changed. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the choice of wallets."""
        parser.add_argument(
            "--all",
            action="store_true",
            help="judge every wallet with a profile, also those of this version",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge the wallets and print a line for each."""
        wallets = Wallet.objects.profiled().order_by("address")
        if not options["all"]:
            wallets = wallets.exclude(score_version=SCORE_VERSION)
        before = {wallet.address: wallet.verdict for wallet in wallets}
        for wallet in wallets.iterator(chunk_size=BATCH):
            with transaction.atomic():
                rebuild_token_results(wallet)
        rescore(before)
        judged = Wallet.objects.filter(address__in=before).order_by("address")
        verdicts: Counter[str] = Counter()
        for wallet in judged.iterator(chunk_size=BATCH):
            verdicts[wallet.verdict] += 1
            self.stdout.write(
                f"{wallet.address}  {before[wallet.address]} → {wallet.verdict}: {wallet.verdict_reason}"
            )
        counts = ", ".join(
            f"{count} {verdict}" for verdict, count in verdicts.most_common()
        )
        self.stdout.write(f"{len(before)} judged: {counts or 'none'}")
