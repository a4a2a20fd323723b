"""A parameter of a run is declared once: form, command, serializer, API documents,
columns and bounds follow.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("walltrack", "discovery", "health", "templates", "static")
DECLARATION = """    min_holders: Annotated[
        int,
        ParamSpec(
            label="Minimum holders",
            help="Minimum number of holders of the token.",
            kind="integer",
            unit="holders",
            min=Decimal(1),
            max=Decimal(5000),
        ),
    ] = 12
    profile_immediately: Annotated["""
REPORT = """
import json
import django; django.setup()
from discovery.admin.pages.forms import ParamsForm
from discovery.api.schema import description
from discovery.domain.run_params import InvalidParams, Params, check_params
from discovery.models import Config, Run
from discovery.reads.config import ConfigView, ConfigParams
form = ParamsForm({"min_holders": "9000"}, saved=Params())
try:
    check_params({"min_holders": 0})
except InvalidParams as error:
    problem = error.problems["min_holders"]
schemas = description()["components"]["schemas"]
print(json.dumps({
    "form": form["min_holders"].label,
    "form_error": form.errors["min_holders"],
    "bound": problem,
    "config_default": Config().min_holders,
    "run_column_is_null": Run._meta.get_field("min_holders").null,
    "in_configuration": "min_holders" in ConfigParams.__struct_fields__,
    "request_schema": schemas["Params"]["properties"]["min_holders"],
    "response_schema": sorted(name for name in schemas if "min_holders" in schemas[name].get("properties", {})),
}))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the product with one more parameter."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / "manage.py", tmp_path)
    module = tmp_path / "discovery/domain/run_params.py"
    source = module.read_text()
    assert source.count("    profile_immediately: Annotated[") == 1
    module.write_text(
        source.replace("    profile_immediately: Annotated[", DECLARATION)
    )
    return tmp_path


def python(checkout: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "walltrack.settings",
        "COLUMNS": "200",
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_parameter_needs_one_declaration_and_one_migration(
    checkout: Path,
) -> None:
    before = {path.name for path in (checkout / "discovery/migrations").iterdir()}
    python(
        checkout, "manage.py", "makemigrations", "discovery", "--name", "min_holders"
    )
    (migration,) = (
        {path.name for path in (checkout / "discovery/migrations").iterdir()}
        - before
        - {"__pycache__"}
    )
    text = (checkout / "discovery/migrations" / migration).read_text()
    assert text.count("AddField") == 3  # configuration, its history, runs
    report = json.loads(python(checkout, "-c", REPORT))
    assert report["form"] == "Minimum holders"
    assert report["form_error"] == ["9,000 is not between 1 and 5,000 holders"]
    assert report["bound"] == "0 is not between 1 and 5,000 holders"
    assert report["config_default"] == 12
    assert report["run_column_is_null"] is True
    assert report["in_configuration"] is True
    assert (
        report["request_schema"]["minimum"],
        report["request_schema"]["maximum"],
    ) == (1, 5000)
    assert {"ConfigParams", "RunParams", "Params"} <= set(report["response_schema"])


def test_a_new_parameter_is_an_option_of_the_command(checkout: Path) -> None:
    options = python(checkout, "manage.py", "discover", "--help")
    assert "--min-holders HOLDERS" in options
    assert "Minimum number of holders of the token. 1–5,000 holders" in options
