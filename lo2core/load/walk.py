"""The files in the folders that a person names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.base.untrusted import check_regular, url_of
from lo2core.load.compression import is_log
from lo2core.load.names import piece_of

_MANY = 20_000
"""A folder with more files than this and hardly any logs is refused."""
ROOTS = "a folder of logs, an archive (.zip, .tar.*, .7z) or a log (.log, .log.gz)"


def as_path(root: Path | str) -> Path:
    """The path of a root; raises InputError for anything that is not a path, and for an unknown user (~name)."""
    try:
        if url := url_of(root):
            raise InputError(
                f"{url} is a URL, and logs are read from folders: mount it (for S3, Google Cloud and SFTP with `rclone "
                "mount`), or copy the logs."
            )
        return Path(root).expanduser()
    except (TypeError, RuntimeError) as error:
        raise InputError(f"{root!r} is not a path ({error}). Give the path of {ROOTS}.") from None


def below(root: Path) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the files that the root stands for."""
    try:
        check_regular(root)
    except IsADirectoryError:
        base = root.resolve()
        return base, list(_walk(base))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{root} does not exist. Give the path of {ROOTS}.") from None
    except OSError as error:
        raise InputError(f"{root} cannot be read: {error.strerror}. Give the path of {ROOTS}.") from error
    if not piece_of(root.name):
        raise InputError(f"{root.name} is not a log, judging by its name. Give {ROOTS}.")
    return root.resolve().parent, [root.resolve()]


def _walk(base: Path) -> Iterator[Path]:
    """All files in a folder and its subfolders, also special ones. Links are followed, no folder is visited twice.

    A link to a folder that contains one of the visited folders, such as `/`, is not followed. Raises InputError for a
    folder that cannot be read, and for very many files with hardly any log among them.
    """

    def refuse(error: OSError) -> None:
        if isinstance(error, FileNotFoundError):  # removed in the meantime
            return
        advice = _without_link(base, Path(error.filename)) or "Change its permissions, or move it to another folder."
        raise InputError(f"{error.filename} cannot be read: {error.strerror}. {advice}")

    def is_there(path: Path) -> bool:
        try:
            return path.exists()
        except OSError as error:  # a link into a folder that may not be entered
            refuse(error)
            return False

    seen: set[Path] = set()
    above: set[Path] = set()
    files = logs = 0
    for name, subfolders, names in os.walk(base, followlinks=True, onerror=refuse):
        folder, real = Path(name), Path(name).resolve()
        if real in seen or (real in above and folder.is_symlink()):
            subfolders.clear()
            continue
        seen.add(real)
        above.update(real.parents)
        subfolders.sort()
        files, logs = files + len(names), logs + sum(map(is_log, names))
        if files > _MANY and logs * 100 < files:
            advice = _without_link(base, folder) or "Give the folder that contains the runs."
            raise InputError(f"{base} contains more than {_MANY:,} files and hardly any logs. {advice}")
        yield from (folder / name for name in sorted(names) if is_there(folder / name))


def _without_link(base: Path, path: Path) -> str:
    """What to do about a path below `base` that a link leads to; empty if no link does."""
    links = (
        folder for folder in (*reversed(path.parents), path) if folder.is_relative_to(base) and folder.is_symlink()
    )
    link = next((link for link in links if not link.resolve().is_relative_to(base)), None)
    return f"Remove the link {link}, which leads to {link.resolve()}." if link else ""
