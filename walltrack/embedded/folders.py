"""The folders of the embedded servers, and the account that runs them if root starts
them.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
from pathlib import Path

from walltrack.processes import EmbeddedError

CHECKOUT = Path(__file__).resolve().parents[2]
ROOT_ACCOUNTS = ("postgres", "nobody", "daemon")


def root_bases() -> list[Path]:
    """Return the folders that root may use for databases and programs, in order of
    preference.
    """
    key = _short_hash(CHECKOUT)
    return [Path(parent) / f"walltrack-{key}" for parent in ("/var/lib", "/var/tmp")]  # noqa: S108


def root_base() -> Path:
    """Return the first usable folder of `root_bases`, created if needed. Raises
    EmbeddedError if there is none.
    """
    for base in root_bases():
        with contextlib.suppress(OSError):
            if _prepare_base(base):
                return base
    raise EmbeddedError(
        f"Neither of {root_bases()} can be used.\nMake one's parent writable, or do not run as root."
    )


def _prepare_base(base: Path) -> bool:
    """Create the folder if needed. Return True if other accounts reach it and only root
    can write to it.
    """
    for parent in base.parents:
        if not parent.stat().st_mode & 0o001:
            return False
    with contextlib.suppress(FileExistsError):
        base.mkdir()
        base.chmod(0o711)  # separately, because the umask applies to the mode of mkdir
    # In /var/tmp, an existing folder or link of that name can belong to somebody else.
    status = base.lstat()
    return status.st_uid == 0 and status.st_mode == 0o040711


def root_account() -> pwd.struct_passwd:
    """Return the account that runs the servers of root. Raises EmbeddedError if there
    is none.
    """
    for name in ROOT_ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and there is no account postgres, nobody or daemon: create one."
    )


def root_home(base: Path, data_dir: Path) -> Path:
    """Return the folder under `base` for the databases of `data_dir`."""
    return base / _short_hash(data_dir.resolve())


def _short_hash(path: Path) -> str:
    return hashlib.sha256(bytes(path)).hexdigest()[:12]


def remove_data(data_dir: Path) -> None:
    """Delete `data_dir` and its databases. The servers must not be running. Raises
    OSError.
    """
    remove_folder(data_dir)
    if os.geteuid() != 0:
        return
    for base in root_bases():
        remove_folder(root_home(base, data_dir))


def remove_all_bases() -> None:
    """Delete root's databases and programs of this checkout. Does nothing for other
    users. Raises OSError.
    """
    if os.geteuid() != 0:
        return
    for base in root_bases():
        remove_folder(base)


def remove_folder(folder: Path) -> None:
    """Delete a folder with its content if it exists. Raises OSError."""
    if folder.exists():
        shutil.rmtree(folder)
