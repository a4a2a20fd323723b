"""The watchlist and the evidence behind it."""

from typing import Any, ClassVar, Final

import msgspec
from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services
from discovery.api import serializers
from discovery.api.filters import PagedQuery, TradesQuery, WalletsQuery
from discovery.api.problems import RETRY_SECONDS
from discovery.api.renderers import EXPORTS, CsvRenderer, NdjsonRenderer, exported
from discovery.api.schema import page_serializer, plain, serializer_of
from discovery.api.views import base
from discovery.api.views.base import ApiView, address_of, page_answer, responses
from discovery.models.enums import ApiScope
from discovery.reads import positions, wallets

TAG: Final = ["wallets"]


class ProfileAccepted(msgspec.Struct, frozen=True):
    """The request was taken; the wallet shows when it is done (`profiled_at`)."""

    address: str
    message: str


def _as_list(name: str, rows: str, row: type[msgspec.Struct], *problems: int) -> dict[Any, Any]:
    """The answers of a list that can be had as JSON, CSV and NDJSON."""
    return {
        **responses((200, "application/json"), page_serializer(name, rows, row), *problems),
        (200, CsvRenderer.media_type): str,
        (200, NdjsonRenderer.media_type): str,
    }


class WalletsView(ApiView):
    """The watchlist."""

    query_class = WalletsQuery
    renderer_classes = [JSONRenderer, CsvRenderer, NdjsonRenderer]

    @extend_schema(
        operation_id="list_wallets",
        summary="The watchlist, best score first; as CSV or NDJSON the whole of it",
        tags=TAG,
        parameters=[WalletsQuery],
        responses=_as_list("WalletPage", "wallets", wallets.WalletRow),
    )
    def get(self, request: Request) -> Response | StreamingHttpResponse:
        """A page of it, or every wallet of the filter."""
        chosen, ordering = WalletsQuery.filter_of(self.params), self.params["ordering"]
        form = request.accepted_renderer.format
        if form in EXPORTS:
            return exported(form, wallets.wallet_export(chosen, ordering), wallets.WalletRow, "wallets")
        page = WalletsQuery.page_of(self.params)
        return page_answer("wallets", wallets.wallet_list(chosen, ordering, page), wallets.WalletRow, page)


class WalletView(ApiView):
    """One wallet."""

    scopes: ClassVar = {"PATCH": ApiScope.ADMIN}

    @extend_schema(
        operation_id="get_wallet",
        summary="One wallet: parts of the score, gates, profile, flags with evidence, discoveries",
        tags=TAG,
        parameters=[base.ADDRESS],
        responses=responses(200, serializer_of(wallets.WalletDetail), 404),
    )
    def get(self, request: Request, address: str) -> Response:
        """The wallet with its evidence."""
        return Response(plain(wallets.wallet_detail(address_of(address))))

    @extend_schema(
        operation_id="change_wallet",
        summary="Change status, label or note of a wallet",
        tags=TAG,
        parameters=[base.ADDRESS],
        request=serializers.WalletChangeSerializer,
        responses=responses(200, serializer_of(wallets.WalletDetail), 404, *base.WITH_BODY),
        examples=[OpenApiExample("Blacklist", {"status": "blacklisted", "label": "insider"}, request_only=True)],
    )
    def patch(self, request: Request, address: str) -> Response:
        """The wallet as it is now; who changed it is kept."""
        changes = serializers.wallet_changes(request.data)
        services.change_wallet(address_of(address), changes, by=self.caller.name)
        return Response(plain(wallets.wallet_detail(address)))


class TradesView(ApiView):
    """The trades of a wallet."""

    query_class = TradesQuery
    renderer_classes = [JSONRenderer, CsvRenderer, NdjsonRenderer]

    @extend_schema(
        operation_id="list_trades",
        summary="Trades of a wallet, newest first; as CSV or NDJSON all of them",
        tags=TAG,
        parameters=[base.ADDRESS, TradesQuery],
        responses=_as_list("TradePage", "trades", positions.TradeRow, 404),
    )
    def get(self, request: Request, address: str) -> Response | StreamingHttpResponse:
        """A page of them, or every trade of the filter."""
        chosen, form = TradesQuery.filter_of(self.params), request.accepted_renderer.format
        if form in EXPORTS:
            found_all = positions.trades_export(address_of(address), chosen)
            return exported(form, found_all, positions.TradeRow, f"trades-{address[:8]}")
        page = TradesQuery.page_of(self.params)
        found = positions.wallet_trades(address_of(address), chosen, page)
        return page_answer("trades", found, positions.TradeRow, page)


class PositionsView(ApiView):
    """The tokens of a wallet."""

    query_class = PagedQuery

    @extend_schema(
        operation_id="list_positions",
        summary="Tokens of a wallet with their cycles and the early purchase, last traded first",
        tags=TAG,
        parameters=[base.ADDRESS, PagedQuery],
        responses=responses(200, page_serializer("PositionPage", "positions", positions.PositionRow), 404),
    )
    def get(self, request: Request, address: str) -> Response:
        """A page of them."""
        page = PagedQuery.page_of(self.params)
        return page_answer(
            "positions", positions.wallet_positions(address_of(address), page), positions.PositionRow, page
        )


class ProfileView(ApiView):
    """Profile a wallet anew."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="profile_wallet",
        summary="Have a worker profile and score a wallet anew",
        tags=TAG,
        parameters=[base.ADDRESS, base.LOCATION, base.RETRY_AFTER],
        request=None,
        responses=responses(202, serializer_of(ProfileAccepted), 404, 411),
    )
    def post(self, request: Request, address: str) -> Response:
        """202; a wallet whose profile is on its way is not queued twice."""
        services.request_profile(address_of(address), by=self.caller.name)
        headers = {"Location": reverse("api:wallet", args=[address]), "Retry-After": str(RETRY_SECONDS)}
        body = ProfileAccepted(address, "A worker profiles the wallet; `profiled_at` says when it is done.")
        return Response(plain(body), status=202, headers=headers)
