"""The import contracts are enforced: a broken layer and a module outside the layers
make `lint-imports` fail.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = [
    sys.executable,
    "-c",
    "from importlinter.cli import lint_imports_command; lint_imports_command()",
    "--no-cache",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages and the contracts, for tests that break them."""
    for package in ("walltrack", "discovery", "health", "simmarket"):
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        LINT, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_contracts_hold(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "discovery/domain/units.py",
            "import discovery.jobs.run_lifecycle",
            "Discovery is built in layers",
        ),
        (
            "discovery/analysis/pumps.py",
            "import discovery.providers.http",
            "Analysis imports the domain only",
        ),
        (
            "discovery/providers/http.py",
            "import django.conf",
            "Domain, providers, decoding",
        ),
        (
            "discovery/providers/jupiter.py",
            "import discovery.providers.prices",
            "Providers do not import each other",
        ),
        (
            "discovery/decode/swaps.py",
            "import discovery.providers.http",
            "Decoding does not fetch data",
        ),
        (
            "discovery/admin/run_admin.py",
            "import discovery.jobs.inline_runner",
            "Pages and health do not fetch",
        ),
        (
            "discovery/reads/stats.py",
            "import discovery.pipeline.scoring",
            "Reads do not import the engine",
        ),
        (
            "discovery/jobs/inline_runner.py",
            "import simmarket.worlds.expected_results",
            "The product does not import",
        ),
        (
            "simmarket/worlds/expected_results.py",
            "import discovery.domain.units",
            "The simulated market is independent",
        ),
        (
            "simmarket/chain/ledger.py",
            "import simmarket.api.market",
            "The simulated market is built in layers",
        ),
        (
            "walltrack/logs.py",
            "import discovery.domain.units",
            "The project package does not import its apps",
        ),
    ],
)
def test_a_broken_layer_fails(
    copy: Path, module: str, line: str, contract: str
) -> None:
    path = copy / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    result = lint(copy)
    assert result.returncode != 0
    broken = [row for row in result.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken), result.stdout


def test_a_module_outside_the_layers_fails(copy: Path) -> None:
    (copy / "discovery" / "utils.py").write_text('"""A module outside the layers."""\n')
    assert lint(copy).returncode != 0
