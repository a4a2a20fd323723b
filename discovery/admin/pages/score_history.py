"""The card of a wallet's page that shows how its score came about."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse

from discovery.admin.pages.access import VIEW_WALLETS, render_fragment, staff_view
from discovery.admin.pages.paging import fetch_page, page_number
from discovery.domain.addresses import is_address
from discovery.models import Wallet
from discovery.reads.score_history import ScorePoint, score_points, wallet_scores

SNAPSHOTS: Final = 12
MAX_SCORE: Final = 100


@staff_view(VIEW_WALLETS)
def scores(request: HttpRequest, address: str) -> HttpResponse:
    """Render charts of score and edge, and a page of the snapshots. Raises Http404 for a
    wallet that is not on the watchlist.
    """
    if not is_address(address):
        raise Http404
    try:
        page = fetch_page(
            page_number(request), SNAPSHOTS, partial(wallet_scores, address)
        )
    except Wallet.DoesNotExist:
        raise Http404 from None
    points = score_points(address)
    values = {
        "wallet_address": address,
        "snapshots": page.rows,
        "number": page.number,
        "score_chart": _score_chart(points),
        "edge_chart": _edge_chart(points),
    }
    return render_fragment(request, "discovery/scores.html", values)


def _score_chart(points: Sequence[ScorePoint]) -> dict[str, Any]:
    """Return the score, 0–100, as the page's script draws it; None is a gap."""
    values = [
        None if point.score is None else point.score * MAX_SCORE for point in points
    ]
    series = {"name": "score", "tone": "primary", "values": values}
    return {**_line(points, [series]), "min": 0, "max": MAX_SCORE}


def _edge_chart(points: Sequence[ScorePoint]) -> dict[str, Any]:
    """Return the edge and the lower end of its interval, in % of the stake."""
    edge = [point.edge_pct for point in points]
    low = [point.edge_low_pct for point in points]
    return _line(
        points,
        [
            {"name": "edge, %", "tone": "primary", "values": edge},
            {"name": "lower end, %", "tone": "dim", "values": low},
        ],
    )


def _line(points: Sequence[ScorePoint], series: list[dict[str, Any]]) -> dict[str, Any]:
    labels = [f"{point.at:%d %b %H:%M}" for point in points]
    return {"labels": labels, "line": True, "series": series}
