"""The description of the API: current, true for generated requests, and shown without
requests to other hosts.
"""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import schemathesis
import yaml
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from discovery.api.urls import PATHS
from discovery.models import Wallet
from discovery.reads.additions import addition_id
from tests.api.client import Api
from tests.factories import (
    CycleFactory,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    TradeFactory,
    WalletFactory,
    address,
)

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs" / "openapi.yaml"
WRITE_COMMAND = (
    "python manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn"
)

for media_type in ("text/csv", "application/x-ndjson"):
    schemathesis.serializer.alias(media_type, "text/plain")
schema = schemathesis.openapi.from_path(COMMITTED)
schema.app = get_wsgi_application()
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# OpenAPI cannot express which digits a number may have, which version is in force,
# which day exists.
NOT_EXPRESSIBLE = [positive_data_acceptance]
# A change without If-Match is 428 (RFC 6585).
schema.config.checks.missing_required_header.expected_statuses.append("428")
# A body may also be refused for its size.
schema.config.checks.negative_data_rejection.expected_statuses.append("413")


@pytest.fixture
def rows(db: None, config, monkeypatch) -> dict[str, str]:
    """Create some rows of everything; return the ids of a run and a wallet."""
    # As Django's own test client does: the end of a request must not end the test's
    # transaction.
    monkeypatch.setattr("django.core.signals.request_started.receivers", [])
    monkeypatch.setattr("django.core.signals.request_finished.receivers", [])
    run = RunFactory(errors=["lost", {"step": "s", "code": "c", "message": "m"}])
    WalletFactory(number=1)
    added = Wallet.history.get(address=address(1))  # type: ignore[attr-defined]
    TradeFactory(wallet=1)
    CycleFactory(wallet=1)
    PositionFactory(wallet=1)
    RunWalletFactory(run=run, wallet=1)
    RunTokenFactory(run=run)
    return {
        "run_id": str(run.pk),
        "address": address(1),
        "category": "out_transfer",
        "addition_id": addition_id(added.history_date),
    }


@pytest.mark.parametrize("scope", ["admin", None])
@schema.parametrize()
@BOUNDED
def test_the_api_conforms_to_its_description(
    case, scope: str | None, rows: dict[str, str], make_key: Callable
) -> None:
    headers = {"Authorization": f"Bearer {make_key(scope)}"} if scope else {}
    case.call_and_validate(headers=headers, excluded_checks=NOT_EXPRESSIBLE)
    if case.path_parameters:
        case.path_parameters = {name: rows[name] for name in case.path_parameters}
        response = case.call(headers=headers)
        case.validate_response(
            response,
            headers=headers,
            excluded_checks=[
                *NOT_EXPRESSIBLE,
                schemathesis.checks.negative_data_rejection,
            ],
        )


def test_the_committed_description_is_current(tmp_path: Path) -> None:
    now = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(now), validate=True, fail_on_warn=True)
    assert now.read_text() == COMMITTED.read_text(), (
        f"if the change is intended: {WRITE_COMMAND}"
    )


def test_the_docs_name_the_command_that_writes_the_description() -> None:
    assert WRITE_COMMAND in (ROOT / "docs" / "api.md").read_text()


def test_every_path_is_described_once() -> None:
    described = yaml.safe_load(COMMITTED.read_text())["paths"]
    served = {
        re.sub(r"<str:(\w+)>", r"{\1}", f"/api/{route}") for route, _ in PATHS.values()
    }
    assert set(described) == served - {"/api/schema", "/api/docs"}


def test_every_call_describes_its_summary_and_401() -> None:
    for path in yaml.safe_load(COMMITTED.read_text())["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert "401" in operation["responses"]


def test_every_enum_has_a_name() -> None:
    text = COMMITTED.read_text()
    named = yaml.safe_load(text)["components"]["schemas"]
    assert {"RunStatus", "RunStage", "Trigger", "WalletStatus", "CycleResult"} <= set(
        named
    )
    assert not re.search(r"\w+[0-9a-f]{3}Enum", text)


def test_the_description_is_openapi_3_1_as_json_and_as_yaml() -> None:
    api = Api(Client())
    assert api.get("/api/schema").json()["openapi"] == "3.1.0"
    text = api.get("/api/schema", Accept="application/vnd.oai.openapi").content
    assert (
        yaml.safe_load(text)["paths"] == yaml.safe_load(COMMITTED.read_text())["paths"]
    )


def test_the_docs_page_loads_only_local_files_and_no_inline_script() -> None:
    page = Client().get("/api/docs").content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert not any(urlsplit(each).netloc for each in addresses)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    for each in addresses:
        if each.startswith("/static/"):
            assert finders.find(each.removeprefix("/static/")), each


def test_the_script_of_the_docs_page_calls_no_validator() -> None:
    page = Client().get("/api/docs").content.decode()
    (script,) = re.findall(r'src="([^"]*script=)"', page)
    response = Client().get(script)
    assert response.headers["Content-Type"].startswith("application/javascript")
    text = response.content.decode()
    assert '"validatorUrl": null' in text
    assert "/api/schema" in text
