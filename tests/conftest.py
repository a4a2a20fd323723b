"""What every test shares."""

from pathlib import Path

import pytest

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real captured transactions and responses, kept beside the project; skipped where it is absent."""
    if not REALDATA.is_dir():
        pytest.skip("real captured data is not beside the project (../shared/realdata)")
    return REALDATA
