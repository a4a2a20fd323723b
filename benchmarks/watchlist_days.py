"""`python -m benchmarks.watchlist_days URL DAYS` with one wallet a line on the standard
input: add them, let days pass hour by hour, and print what the refreshes needed.

50 wallets are kept at `follow`, 150 at `watch`, the others are what they are: the rules
depend on verdicts, and here only their cost counts.
"""

import json
import sys
import urllib.request
from collections import Counter

import django

FOLLOWED, WATCHED = 50, 150


def main(url: str, days: int) -> None:
    """Print one line of JSON with the counts."""
    wallets = sys.stdin.read().split()
    _add(wallets)
    _work()
    first = Counter(_served(url))
    before = _usage()
    stale = 0
    for _ in range(24 * days):
        _set_verdicts(wallets)
        _advance(url)
        _work()
        stale += _count_stale()
    used = _usage() - before
    served = Counter(_served(url)) - first
    print(
        json.dumps(
            {
                "refreshes": used["wallets"],
                "calls": sum(served.values()),
                "credits": used["credits"],
                "stale": stale,
                "served": dict(served),
            }
        )
    )


def _add(wallets: list[str]) -> None:
    from discovery import watchlist
    from discovery.domain.wallet_lists import parse_list
    from discovery.models.enums import WalletOrigin

    entries = parse_list("\n".join(wallets))
    watchlist.add_wallets(entries, by="benchmark", origin=WalletOrigin.IMPORT)


def _work() -> None:
    """Plan and do what is due, as workers do."""
    from asgiref.sync import async_to_sync

    from discovery.jobs import upkeep
    from discovery.jobs.step_runner import run_step
    from discovery.models import RunStep

    while upkeep.plan_upkeep() or RunStep.objects.lone().open().exists():
        for step_id in RunStep.objects.lone().open().values_list("pk", flat=True):
            async_to_sync(run_step)(step_id, "benchmark")


def _set_verdicts(wallets: list[str]) -> None:
    from discovery.models import Wallet

    Wallet.objects.filter(pk__in=wallets[:FOLLOWED]).update(verdict="follow")
    watched = wallets[FOLLOWED : FOLLOWED + WATCHED]
    Wallet.objects.filter(pk__in=watched).update(verdict="watch")


def _count_stale() -> int:
    from discovery.models import Wallet
    from walltrack import clock

    return Wallet.objects.stale(clock.now()).count()


def _usage() -> Counter[str]:
    """Return the wallets, calls and credits of all refreshes; an outcome that is measured
    refreshes its wallet.
    """
    from discovery.domain.usage import sum_usage
    from discovery.models import RunStep
    from discovery.models.enums import StepKind, StepStatus

    total: Counter[str] = Counter()
    steps = RunStep.objects.lone().filter(
        kind__in=(StepKind.REFRESH, StepKind.OUTCOMES), status=StepStatus.DONE
    )
    for usage, payload in steps.values_list("usage", "payload"):
        total["wallets"] += len(payload["wallets"])
        for counts in sum_usage([usage]).values():
            total["calls"] += counts["calls"]
            total["credits"] += counts.get("credits", 0)
    return total


def _served(url: str) -> dict[str, int]:
    """Return provider and path → calls that the market has answered."""
    with urllib.request.urlopen(f"{url}/__sim__/stats", timeout=10) as response:  # noqa: S310 - loopback
        served: dict[str, dict[str, int]] = json.load(response)["served"]
    return {
        f"{provider} {name}": count
        for provider, counts in served.items()
        for name, count in counts.items()
    }


def _advance(url: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/__sim__/now",
        data=json.dumps({"advance_seconds": 3600}).encode(),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        response.read()


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], int(sys.argv[2]))
