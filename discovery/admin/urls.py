"""Paths of the operator's pages, below /admin/discovery/."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from discovery.admin.pages import (
    add_wallets,
    config_sections,
    coverage,
    history,
    home,
    providers,
    report,
    runs,
    score_history,
    storage,
    wallet_marks,
    wallets,
    why,
)

app_name = "discovery"
urlpatterns = [
    path("", home.home, name="home"),
    path("live", home.live_fragment, name="live"),
    path("estimate", home.estimate, name="estimate"),
    path("params", config_sections.save_params, name="save-params"),
    path("params/what-if", config_sections.try_params, name="what-if"),
    path("schedule", config_sections.save_schedule, name="save-schedule"),
    path("run", config_sections.start, name="start"),
    path("pumps", home.pumps_now, name="pumps"),
    path("overview", history.overview, name="overview"),
    path("runs/<uuid:run_id>/", runs.run_page, name="run"),
    path("runs/<uuid:run_id>/dialog", runs.dialog, name="run-dialog"),
    path("runs/<uuid:run_id>/live", runs.run_live_fragment, name="run-live"),
    path("runs/<uuid:run_id>/body", runs.body, name="run-body"),
    path("runs/<uuid:run_id>/early-buyers", runs.early_buyers, name="early-buyers"),
    path("runs/<uuid:run_id>/cancel", runs.cancel, name="cancel"),
    path("runs/<uuid:run_id>/retry", runs.retry, name="retry"),
    path("wallets/", wallets.leaderboard, name="wallets"),
    path("wallets/add/", add_wallets.add_page, name="add-wallets"),
    path("wallets/add/list", add_wallets.add, name="add-list"),
    path(
        "wallets/add/<str:addition_id>/progress", add_wallets.progress, name="addition"
    ),
    path("wallets/<str:address>/", wallets.wallet_page, name="wallet"),
    path("wallets/<str:address>/tokens", wallets.tokens, name="tokens"),
    path("wallets/<str:address>/scores", score_history.scores, name="scores"),
    path("wallets/<str:address>/trades", wallets.trades, name="trades"),
    path("wallets/<str:address>/coverage/", coverage.coverage_page, name="coverage"),
    path(
        "wallets/<str:address>/coverage/<str:category>",
        coverage.moved_units,
        name="moved-units",
    ),
    path("wallets/<str:address>/change", wallets.change, name="change-wallet"),
    path("wallets/<str:address>/tags", wallet_marks.tags, name="tag-wallet"),
    path("wallets/<str:address>/pin", wallet_marks.pin, name="pin-wallet"),
    path(
        "wallets/<str:address>/blacklist",
        wallet_marks.blacklist,
        name="blacklist-wallet",
    ),
    path("wallets/<str:address>/profile", wallets.profile, name="profile"),
    path("report/", report.report_page, name="report"),
    path("report/sentence", report.report_sentence, name="report-sentence"),
    path("why/", why.why_page, name="why"),
    path("providers/", providers.providers_page, name="providers"),
    path("providers/check", providers.provider_check, name="provider-check"),
    path("providers/check-now", providers.check_now, name="check-providers"),
    path("storage/", storage.storage_page, name="storage"),
    # Redirect bookmarks of admin tables from the time when model names began with the
    # name of the app.
    re_path(
        r"^discovery(?P<model>[a-z]+)/(?P<rest>.*)$",
        RedirectView.as_view(
            url="/admin/discovery/%(model)s/%(rest)s", query_string=True
        ),
        name="table-under-earlier-name",
    ),
]
