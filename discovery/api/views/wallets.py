"""The watchlist and the evidence behind it."""

from functools import partial
from typing import ClassVar, Final

import msgspec
from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services, watchlist
from discovery.api.pagination import (
    MovedUnitsPagination,
    PositionPagination,
    ScorePagination,
    TokenPagination,
    TradePagination,
    WalletPagination,
)
from discovery.api.parsers import LIST_PARSERS
from discovery.api.problems import RETRY_SECONDS, invalid
from discovery.api.renderers import EXPORT_RENDERERS, WALLET_LIST_RENDERERS
from discovery.api.schema import (
    ADDITION_ID,
    ADDRESS,
    BODY_PROBLEMS,
    CATEGORY,
    LOCATION,
    RETRY_AFTER,
    export_responses,
    list_responses,
    responses,
)
from discovery.api.serializers import (
    AdditionProgressSerializer,
    CoverageSerializer,
    MovedUnitsSerializer,
    PositionRowSerializer,
    SnapshotRowSerializer,
    TokenResultRowSerializer,
    TradeRowSerializer,
    WalletChangeSerializer,
    WalletDetailSerializer,
    WalletRowSerializer,
    WhySerializer,
)
from discovery.api.struct_serializers import struct_serializer
from discovery.api.views.base import (
    ApiView,
    ExportView,
    ListView,
    parsed_addition,
    parsed_address,
    parsed_category,
)
from discovery.api.wallet_lists import (
    EXAMPLE_ADDRESS,
    LIST_BODIES,
    AddedWalletsSerializer,
    added_wallets,
    wallet_list_of,
)
from discovery.models.enums import ApiScope
from discovery.reads import (
    additions,
    coverage,
    positions,
    score_history,
    token_results,
    trades,
    wallets,
    why,
)
from discovery.reads.filters import TradeFilterSet, WalletFilterSet

TAGS: Final = ["wallets"]


class ProfileAccepted(msgspec.Struct, frozen=True):
    """The request is accepted; `profiled_at` of the wallet shows when it is done."""

    address: str
    message: str


ProfileAcceptedSerializer: Final = struct_serializer(ProfileAccepted)


class WalletsView(ExportView):
    """The watchlist."""

    scopes: ClassVar = {"POST": ApiScope.ADMIN}
    filterset_class = WalletFilterSet
    pagination_class = WalletPagination
    serializer_class = WalletRowSerializer
    export_renderers = (*EXPORT_RENDERERS, *WALLET_LIST_RENDERERS)
    parser_classes = LIST_PARSERS

    @extend_schema(
        operation_id="list_wallets",
        summary="The watchlist, best lower end of the edge first; all of it as CSV, NDJSON or a terminal's list",
        tags=TAGS,
        responses=export_responses(
            WalletRowSerializer,
            renderers=(*EXPORT_RENDERERS, *WALLET_LIST_RENDERERS),
        ),
    )
    def get(self, request: Request) -> Response | StreamingHttpResponse:
        """Return a page of it, or every wallet of the filter."""
        if self.is_export:
            return self.export_response(
                wallets.wallet_export(self.filterset.qs), "wallets"
            )
        return self.paginated_response(partial(wallets.wallet_list, self.filterset.qs))

    @extend_schema(
        operation_id="add_wallets",
        summary="Add wallets, one or many; the response has a result for each",
        tags=TAGS,
        request=LIST_BODIES,
        responses=responses(
            (200, "application/json"), AddedWalletsSerializer, *BODY_PROBLEMS
        ),
        examples=[
            OpenApiExample(
                "Two wallets",
                {
                    "wallets": [
                        {"address": EXAMPLE_ADDRESS, "label": "whale", "tags": ["a"]},
                        EXAMPLE_ADDRESS,
                    ],
                    "profile": True,
                },
                request_only=True,
                media_type="application/json",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Return what became of each entry; 200 even if none can be used."""
        received = wallet_list_of(request.data, str(request.content_type))
        added = watchlist.add_wallets(
            received.entries,
            by=self.caller.name,
            origin=received.origin,
            tags=received.tags,
            profile=received.profile,
        )
        return Response(AddedWalletsSerializer(added_wallets(added)).data)


class AdditionView(ApiView):
    """Wallets that were added together."""

    @extend_schema(
        operation_id="get_addition",
        summary="How many of the wallets that were added together are profiled",
        tags=TAGS,
        parameters=[ADDITION_ID],
        responses=responses(200, AdditionProgressSerializer, 404),
    )
    def get(self, request: Request, addition_id: str) -> Response:
        """Return the progress of their profiles."""
        progress = additions.addition_progress(parsed_addition(addition_id))
        return Response(AdditionProgressSerializer(progress).data)


class WalletView(ApiView):
    """One wallet."""

    scopes: ClassVar = {"PATCH": ApiScope.ADMIN}

    @extend_schema(
        operation_id="get_wallet",
        summary="One wallet: verdict, edge, score, profile, flags with evidence, discoveries",
        tags=TAGS,
        parameters=[ADDRESS],
        responses=responses(200, WalletDetailSerializer, 404),
    )
    def get(self, request: Request, address: str) -> Response:
        """Return the wallet with its evidence."""
        return _wallet_response(parsed_address(address))

    @extend_schema(
        operation_id="change_wallet",
        summary="Change status, label, note, tags, pin or the reason for the blacklist",
        tags=TAGS,
        parameters=[ADDRESS],
        request=WalletChangeSerializer,
        responses=responses(200, WalletDetailSerializer, 404, *BODY_PROBLEMS),
        examples=[
            OpenApiExample(
                "Blacklist",
                {"status": "blacklisted", "blacklist_reason": "insider"},
                request_only=True,
            )
        ],
    )
    def patch(self, request: Request, address: str) -> Response:
        """Return the changed wallet. Its history names the author."""
        serializer = WalletChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            services.change_wallet(
                parsed_address(address), serializer.validated_data, by=self.caller.name
            )
        except services.NotBlacklisted as error:
            raise invalid({"blacklist_reason": str(error)}) from None
        return _wallet_response(address)


def _wallet_response(address: str) -> Response:
    return Response(WalletDetailSerializer(wallets.wallet_detail(address)).data)


class TokenResultsView(ListView):
    """The evidence of a wallet's score."""

    pagination_class = TokenPagination
    serializer_class = TokenResultRowSerializer

    @extend_schema(
        operation_id="list_token_results",
        summary="Results of a wallet by token, for itself and for a follower, last bought first",
        tags=TAGS,
        parameters=[ADDRESS],
        responses=list_responses(TokenResultRowSerializer, 404),
    )
    def get(self, request: Request, address: str) -> Response:
        """Return a page of them."""
        return self.paginated_response(
            partial(token_results.wallet_tokens, parsed_address(address))
        )


class ScoresView(ListView):
    """The judgements of a wallet as they were made."""

    pagination_class = ScorePagination
    serializer_class = SnapshotRowSerializer

    @extend_schema(
        operation_id="list_scores",
        summary="Score snapshots of a wallet with what changed and what followed, newest first",
        tags=TAGS,
        parameters=[ADDRESS],
        responses=list_responses(SnapshotRowSerializer, 404),
    )
    def get(self, request: Request, address: str) -> Response:
        """Return a page of them."""
        return self.paginated_response(
            partial(score_history.wallet_scores, parsed_address(address))
        )


class TradesView(ExportView):
    """The trades of a wallet."""

    filterset_class = TradeFilterSet
    pagination_class = TradePagination
    serializer_class = TradeRowSerializer

    @extend_schema(
        operation_id="list_trades",
        summary="Trades of a wallet, newest first; as CSV or NDJSON all of them",
        tags=TAGS,
        parameters=[ADDRESS],
        responses=export_responses(TradeRowSerializer, 404),
    )
    def get(self, request: Request, address: str) -> Response | StreamingHttpResponse:
        """Return a page of them, or every trade of the filter."""
        wallet, rows = parsed_address(address), self.filterset.qs
        if self.is_export:
            return self.export_response(
                trades.trades_export(wallet, rows), f"trades-{wallet[:8]}"
            )
        return self.paginated_response(partial(trades.wallet_trades, wallet, rows))


class PositionsView(ListView):
    """The tokens of a wallet."""

    pagination_class = PositionPagination
    serializer_class = PositionRowSerializer

    @extend_schema(
        operation_id="list_positions",
        summary="Tokens of a wallet with their cycles and the early purchase, last traded first",
        tags=TAGS,
        parameters=[ADDRESS],
        responses=list_responses(PositionRowSerializer, 404),
    )
    def get(self, request: Request, address: str) -> Response:
        """Return a page of them."""
        return self.paginated_response(
            partial(positions.wallet_positions, parsed_address(address))
        )


class CoverageView(ApiView):
    """How the units of a wallet came in and left."""

    @extend_schema(
        operation_id="get_coverage",
        summary="Outflows and inflows of a wallet by reason, and the share whose value is known",
        tags=TAGS,
        parameters=[ADDRESS],
        responses=responses(200, CoverageSerializer, 404),
    )
    def get(self, request: Request, address: str) -> Response:
        """Return the coverage."""
        found = coverage.wallet_coverage(parsed_address(address))
        return Response(CoverageSerializer(found).data)


class CoverageTransactionsView(ListView):
    """The transactions of one category of the coverage."""

    pagination_class = MovedUnitsPagination
    serializer_class = MovedUnitsSerializer

    @extend_schema(
        operation_id="list_coverage_transactions",
        summary="Transactions of one category of the coverage, newest first",
        tags=TAGS,
        parameters=[ADDRESS, CATEGORY],
        responses=list_responses(MovedUnitsSerializer, 404),
    )
    def get(self, request: Request, address: str, category: str) -> Response:
        """Return a page of them."""
        wallet, chosen = parsed_address(address), parsed_category(category)
        return self.paginated_response(partial(coverage.moved_units, wallet, chosen))


class ProfileView(ApiView):
    """Refresh the profile of a wallet."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="profile_wallet",
        summary="Refresh profile and score of a wallet",
        tags=TAGS,
        parameters=[ADDRESS, LOCATION, RETRY_AFTER],
        request=None,
        responses=responses(202, ProfileAcceptedSerializer, 404, 411),
    )
    def post(self, request: Request, address: str) -> Response:
        """Return 202. A pending request is not repeated."""
        services.request_profile(parsed_address(address), by=self.caller.name)
        body = ProfileAccepted(
            address,
            "A worker profiles the wallet; `profiled_at` shows when it is done.",
        )
        headers = {
            "Location": reverse("api:wallet", args=[address]),
            "Retry-After": str(RETRY_SECONDS),
        }
        return Response(
            ProfileAcceptedSerializer(body).data, status=202, headers=headers
        )


class WhyView(ApiView):
    """Why an address is on the watchlist or not."""

    @extend_schema(
        operation_id="explain_address",
        summary="Why an address is on the watchlist, was rejected, or was never seen",
        description="Answers for every address: a wallet of the watchlist, a control wallet, an early buyer that runs "
        "rejected (with figures, the threshold of the run and the one in force), a token, or one that nobody has seen.",
        tags=TAGS,
        parameters=[ADDRESS],
        responses=responses(200, WhySerializer),
    )
    def get(self, request: Request, address: str) -> Response:
        """Return what is stored about the address."""
        return Response(
            WhySerializer(why.explain_address(parsed_address(address))).data
        )
