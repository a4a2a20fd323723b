"""Why an address is on the watchlist or not: what runs saw of it, and what decided."""

from typing import Final

from django.db.models import F

from discovery.analysis.qualification import rejection_under
from discovery.domain.display import counted
from discovery.domain.reasons import unknown_reason_label
from discovery.domain.rejections import BuyerFigures, explain_rejection
from discovery.domain.run_params import Params
from discovery.models import (
    Config,
    Position,
    Run,
    RunControl,
    RunToken,
    RunWallet,
    Wallet,
)
from discovery.models.enums import WalletOrigin
from discovery.reads.positions import symbols
from discovery.reads.row_values import safe_text
from discovery.reads.why_rows import (
    ListedWallet,
    Thresholds,
    Why,
    WhyControl,
    WhyDiscovery,
    WhyKind,
    WhyPosition,
    WhyToken,
)

MAX_POSITIONS: Final = 100
MAX_RUNS: Final = 20
_NEWEST_FIRST: Final = F("run__started_at").desc(nulls_last=True)
_LARGE_RUN_COLUMNS: Final = (
    "run__errors",
    "run__funnel",
    "run__usage",
    "run__prior",
    "run__given_mints",
)


def explain_address(address: str) -> Why:
    """Return what is stored about an address. At most seven queries.

    A wallet has one position for each token: the last run that analysed the token has
    replaced what earlier runs saw.
    """
    params = Config.load().params
    wallet = Wallet.objects.filter(pk=address).defer("profile", "score_detail").first()
    positions = _positions(address)
    discoveries = _discoveries(address)
    controls = _controls(address)
    is_wallet = wallet is not None or bool(positions) or bool(discoveries)
    tokens = [] if is_wallet else _tokens(address)
    mints = {row.mint for row in positions}
    mints.update(row.source_token for row in discoveries)
    mints.update(row.mint for row in controls)
    names = symbols(mints)
    rows = [
        _position(row, params, names.get(row.mint, ""))
        for row in positions[:MAX_POSITIONS]
    ]
    kind = _kind(wallet, is_wallet=is_wallet, is_token=bool(tokens))
    return Why(
        address=address,
        kind=kind,
        summary=_summary(kind, wallet, rows, tokens),
        wallet=None if wallet is None else _listed(wallet),
        thresholds_now=_thresholds(params),
        positions=rows,
        has_more_positions=len(positions) > MAX_POSITIONS,
        discoveries=[
            _discovery(row, names.get(row.source_token, "")) for row in discoveries
        ],
        controls=[_control(row, names.get(row.mint, "")) for row in controls],
        tokens=tokens,
    )


def _positions(address: str) -> list[Position]:
    """Return one row more than is shown, if there are more."""
    rows = Position.objects.filter(wallet_address=address).select_related("run")
    ordered = rows.defer(*_LARGE_RUN_COLUMNS).order_by(_NEWEST_FIRST, "mint")
    return list(ordered[: MAX_POSITIONS + 1])


def _discoveries(address: str) -> list[RunWallet]:
    rows = RunWallet.objects.filter(wallet_address=address).select_related("run")
    ordered = rows.defer(*_LARGE_RUN_COLUMNS).order_by(
        _NEWEST_FIRST, "source_token", "id"
    )
    return list(ordered[:MAX_RUNS])


def _controls(address: str) -> list[RunControl]:
    rows = RunControl.objects.filter(wallet_address=address).select_related("run")
    ordered = rows.defer(*_LARGE_RUN_COLUMNS).order_by(_NEWEST_FIRST, "id")
    return list(ordered[:MAX_RUNS])


def _kind(wallet: Wallet | None, *, is_wallet: bool, is_token: bool) -> WhyKind:
    if wallet is not None:
        is_control = wallet.origin == WalletOrigin.CONTROL
        return "control" if is_control else "listed"
    if is_wallet:
        return "rejected"
    return "token" if is_token else "never_seen"


def _summary(
    kind: WhyKind,
    wallet: Wallet | None,
    positions: list[WhyPosition],
    tokens: list[WhyToken],
) -> str:
    """Return the answer in a sentence or two."""
    match kind:
        case "listed" if wallet is not None:
            reason = wallet.verdict_reason or "not judged yet"
            return f"On the watchlist with the verdict “{wallet.verdict}”: {reason}."
        case "control":
            return (
                "On no list: a control wallet. It is a rejected early buyer that is followed, so that the wallets "
                "that runs find can be compared with it."
            )
        case "rejected" if positions:
            return _rejected_summary(positions)
        case "rejected":
            return "Not on the watchlist, although a run found it."
        case "token":
            runs = counted(len(tokens), "run")
            return f"The address of a token, not of a wallet. Analysed by {runs}."
        case _:
            return "Never seen: it is on no list, and no run has seen it buy one of its tokens within the early window."


def _rejected_summary(positions: list[WhyPosition]) -> str:
    last = positions[0]
    tokens = counted(len(positions), "token")
    name = last.symbol or last.mint
    return f"Not on the watchlist: an early buyer of {tokens}. Last, {name}: {last.reason}."


def _tokens(mint: str) -> list[WhyToken]:
    rows = (
        RunToken.objects.filter(mint=mint)
        .order_by(F("run__started_at").desc(), "pk")
        .values_list("run_id", "run__started_at", "symbol", "early_buyers", "qualified")
    )
    return [
        WhyToken(run_id, run_at, safe_text(symbol), early_buyers, qualified)
        for run_id, run_at, symbol, early_buyers, qualified in rows[:MAX_RUNS]
    ]


def _listed(wallet: Wallet) -> ListedWallet:
    return ListedWallet(
        verdict=wallet.verdict,
        verdict_reason=wallet.verdict_reason,
        score=wallet.score,
        edge_pct=wallet.edge_pct,
        edge_low_pct=wallet.edge_low_pct,
        edge_high_pct=wallet.edge_high_pct,
        status=wallet.status,
        origin=wallet.origin,
        label=wallet.label,
        since=wallet.first_discovered_at,
        discovery_count=wallet.discovery_count,
        profiled_at=wallet.profiled_at,
    )


def _discovery(row: RunWallet, symbol: str) -> WhyDiscovery:
    return WhyDiscovery(
        run_id=row.run_id,
        run_at=row.run.started_at,
        mint=row.source_token,
        symbol=symbol,
        profit_pct=row.profit_pct,
        cost_lamports=row.cost_lamports,
        entry_rank=row.entry_rank,
        entry_seconds=row.entry_seconds,
    )


def _control(row: RunControl, symbol: str) -> WhyControl:
    return WhyControl(
        run_id=row.run_id,
        run_at=row.run.started_at,
        mint=row.mint,
        symbol=symbol,
        matched_wallet=row.matched_wallet,
    )


def _position(row: Position, params: Params, symbol: str) -> WhyPosition:
    run: Run | None = row.run
    then = None if run is None else run.params
    buyer = BuyerFigures(
        entry_seconds=row.entry_seconds,
        profit_pct=row.profit_pct,
        cost_lamports=row.cost_lamports,
        flags=tuple(row.flags or ()),
        rejection=row.rejection,
        unknown_reason=row.unknown_reason,
        entry_rank=row.entry_rank,
    )
    rejection_now = rejection_under(buyer, params, then)
    return WhyPosition(
        run_id=row.run_id,
        run_at=None if run is None else run.started_at,
        mint=row.mint,
        symbol=symbol,
        rejection=row.rejection,
        reason=explain_rejection(row.rejection, buyer, then),
        profit_pct=row.profit_pct,
        realised_lamports=row.realised_lamports,
        cost_lamports=row.cost_lamports,
        entry_rank=row.entry_rank,
        entry_seconds=row.entry_seconds,
        first_buy_at=row.first_buy_at,
        flags=tuple(row.flags or ()),
        knowledge=row.knowledge,
        unknown_reason=row.unknown_reason,
        unknown_words=unknown_reason_label(row.unknown_reason),
        known_share=row.known_share,
        has_moved_out=row.has_moved_out,
        later_cycles=row.later_cycles,
        thresholds=None if then is None else _thresholds(then),
        passes_now=None if rejection_now is None else not rejection_now,
        now=_now_text(rejection_now, buyer, params),
    )


def _now_text(rejection: str | None, buyer: BuyerFigures, params: Params) -> str:
    if rejection is None:
        return (
            "not known: the time of its first purchase after the launch is not stored"
        )
    if not rejection:
        return "would qualify"
    return explain_rejection(rejection, buyer, params)


def _thresholds(params: Params) -> Thresholds:
    return Thresholds(
        min_profit_pct=params.min_profit_pct,
        min_cost_sol=params.min_cost_sol,
        early_window_minutes=params.early_window_minutes,
        max_early_buyers=params.max_early_buyers,
        excluded_flags=params.excluded_flags,
    )
