"""`init_env` writes a file of settings that starts the stack, once, readable by its
owner only.
"""

import os
import re
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[1]
SECRETS = ("SECRET_KEY", "POSTGRES_PASSWORD", "ADMIN_PASSWORD")


def init_env(folder: Path, *options: str) -> str:
    out = StringIO()
    call_command("init_env", "--folder", str(folder), *options, stdout=out)
    return out.getvalue()


def values(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", path.read_text(), re.M))


def test_every_secret_is_long_random_and_safe_in_a_url(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        init_env(tmp_path / name)
        files.append(values(tmp_path / name / ".env"))
    for name in SECRETS:
        assert files[0][name] != files[1][name]
        assert re.fullmatch(r"[A-Za-z0-9_-]{20,}", files[0][name])


def test_everything_else_equals_the_example(tmp_path: Path) -> None:
    init_env(tmp_path)
    new = (tmp_path / ".env").read_text().splitlines()
    example = (ROOT / ".env.example").read_text().splitlines()
    changed = [
        line for line, before in zip(new, example, strict=True) if line != before
    ]
    assert {line.split("=")[0] for line in changed} <= {*SECRETS, "ADMIN_USERNAME"}


def test_only_its_owner_can_read_the_file_with_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        init_env(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_no_secret_is_printed(tmp_path: Path) -> None:
    printed = init_env(tmp_path)
    assert not [name for name in SECRETS if values(tmp_path / ".env")[name] in printed]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=existing\n")
    with pytest.raises(
        CommandError, match=r"exists already and is not changed; --force replaces it"
    ):
        init_env(tmp_path)
    assert (tmp_path / ".env").read_text() == "SECRET_KEY=existing\n"
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_force_replaces_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=existing\n")
    (tmp_path / ".env").chmod(0o644)
    init_env(tmp_path, "--force")
    assert len(values(tmp_path / ".env")["SECRET_KEY"]) == 64
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_a_missing_folder_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(
        CommandError,
        match=r"missing/\.env cannot be written: No such file or directory",
    ):
        init_env(tmp_path / "missing")


def test_init_env_needs_no_database_and_no_secret(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "init_env", "--folder", str(tmp_path)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert values(tmp_path / ".env")["ADMIN_USERNAME"] == "operator"
