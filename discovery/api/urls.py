"""Paths of the API, each with and without a trailing slash."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path

from discovery.api.problems import not_found
from discovery.api.views.config import ConfigurationView, PlanView, WhatIfView
from discovery.api.views.docs import DocsView, SchemaView
from discovery.api.views.overview import (
    CurrentPumpsView,
    ReportView,
    StatsView,
    StatusView,
)
from discovery.api.views.runs import (
    CancelView,
    RetryView,
    RunEarlyBuyersView,
    RunsView,
    RunTokensView,
    RunView,
    RunWalletsView,
    StartView,
)
from discovery.api.views.wallets import (
    AdditionView,
    CoverageTransactionsView,
    CoverageView,
    PositionsView,
    ProfileView,
    ScoresView,
    TokenResultsView,
    TradesView,
    WalletsView,
    WalletView,
    WhyView,
)

app_name = "api"
PATHS: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
    "schema": ("schema", SchemaView.as_view()),
    "docs": ("docs", DocsView.as_view()),
    "start": ("discovery/run", StartView.as_view()),
    "runs": ("discovery/runs", RunsView.as_view()),
    "run": ("discovery/runs/<str:run_id>", RunView.as_view()),
    "run-wallets": ("discovery/runs/<str:run_id>/wallets", RunWalletsView.as_view()),
    "run-tokens": ("discovery/runs/<str:run_id>/tokens", RunTokensView.as_view()),
    "run-early-buyers": (
        "discovery/runs/<str:run_id>/early-buyers",
        RunEarlyBuyersView.as_view(),
    ),
    "cancel": ("discovery/runs/<str:run_id>/cancel", CancelView.as_view()),
    "retry": ("discovery/runs/<str:run_id>/retry", RetryView.as_view()),
    "stats": ("discovery/stats", StatsView.as_view()),
    "report": ("discovery/report", ReportView.as_view()),
    "config": ("discovery/config", ConfigurationView.as_view()),
    "what-if": ("discovery/config/what-if", WhatIfView.as_view()),
    "plan": ("discovery/config/plan", PlanView.as_view()),
    "status": ("discovery/status", StatusView.as_view()),
    "pumps": ("discovery/pumps", CurrentPumpsView.as_view()),
    "addition": ("discovery/additions/<str:addition_id>", AdditionView.as_view()),
    "wallets": ("discovery/wallets", WalletsView.as_view()),
    "wallet": ("discovery/wallets/<str:address>", WalletView.as_view()),
    "wallet-tokens": (
        "discovery/wallets/<str:address>/tokens",
        TokenResultsView.as_view(),
    ),
    "wallet-scores": (
        "discovery/wallets/<str:address>/scores",
        ScoresView.as_view(),
    ),
    "trades": ("discovery/wallets/<str:address>/trades", TradesView.as_view()),
    "positions": ("discovery/wallets/<str:address>/positions", PositionsView.as_view()),
    "coverage": ("discovery/wallets/<str:address>/coverage", CoverageView.as_view()),
    "coverage-transactions": (
        "discovery/wallets/<str:address>/coverage/<str:category>",
        CoverageTransactionsView.as_view(),
    ),
    "why": ("discovery/why/<str:address>", WhyView.as_view()),
    "profile": ("discovery/wallets/<str:address>/profile", ProfileView.as_view()),
}
"""Name → path and view."""


def _patterns() -> Iterator[URLPattern]:
    for name, (route, view) in PATHS.items():
        yield path(route, view, name=name)
        yield path(f"{route}/", view)


urlpatterns: list[Any] = [*_patterns(), re_path("", not_found)]
