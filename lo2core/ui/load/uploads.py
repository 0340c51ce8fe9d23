"""Uploads: saved in the workspace under safe names, and removed from the memory of the server."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lo2core.base.text import size
from lo2core.load.names import piece_of
from lo2core.store.atomic import write_atomic
from lo2core.store.names import cleaned
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.widgets import problem, say

KINDS = [
    "zip",
    "tar",
    "gz",
    "tgz",
    "xz",
    "txz",
    "bz2",
    "zst",
    "7z",
    "log",
    "txt",
    "json",
    "jsonl",
    "ndjson",
    "out",
    "err",
    "parquet",
    "csv",
]
_PIECE = 1 << 20
_GENERATION, _KEPT, _REFUSED = "upload_generation", "uploaded_files", "refused_files"


def uploads(workspace: Workspace, where: str = "") -> list[Path]:
    """The uploader; returns the files of the last upload, saved in ``<workspace>/uploads/<name of the first>/``.

    where: tells several uploaders apart.
    """
    generation = st.session_state.setdefault(_GENERATION + where, 0)
    files = st.file_uploader(
        "Archives (.zip, .tar.gz, .tar.xz, .tar.zst, .7z), .log or .log.gz files, or tables of events (.parquet, .csv)",
        accept_multiple_files=True,  # of any type, since the browser would refuse others without a useful reason
        key=f"upload{where}-{generation}",
    )
    if files:
        taken = [file for file in files if is_readable(file.name)]
        st.session_state[_REFUSED + where] = [file.name for file in files if file not in taken]
        if taken:
            st.session_state[_KEPT + where] = [str(path) for path in keep(taken, workspace.root / "uploads")]
        _forget(files)
        st.session_state[_GENERATION + where] = generation + 1
        st.rerun()
    for name in st.session_state.get(_REFUSED + where, []):
        ending = f"files that end in {Path(name).suffix}" if Path(name).suffix else "files without an ending"
        problem(f"{name} was not uploaded: {ending} are not read.", f"Choose files of these kinds: {', '.join(KINDS)}.")
    kept = [Path(path) for path in st.session_state.get(_KEPT + where, []) if Path(path).is_file()]
    for path in kept:
        say(f"{path.name}   {size(path.stat().st_size)}   saved in {path.parent}")
    return kept


def forget_kept(where: str = "") -> None:
    """Begin with an empty uploader; the files stay."""
    for name in (_KEPT, _REFUSED):
        st.session_state.pop(name + where, None)


def is_readable(name: str) -> bool:
    """Whether a file of this name may contain logs: by its ending, or as a piece of a rotated log."""
    return name.lower().rpartition(".")[2] in KINDS or piece_of(name) is not None


def keep(files: Sequence[UploadedFile], folder: Path) -> list[Path]:
    """Write the files to ``folder/<name of the first>/`` in pieces of 1 MiB; returns their paths."""
    batch = folder / stem(clean_file_name(files[0].name))
    kept: list[Path] = []
    for number, file in enumerate(files, 1):
        name = clean_file_name(file.name)
        path = batch / (name if batch / name not in kept else f"{number}-{name}")
        write_atomic(path, partial(_copy, file), replace=True, needed=file.size)
        kept.append(path)
    return kept


def _copy(file: UploadedFile, path: Path) -> None:
    file.seek(0)  # an earlier attempt may have failed in the middle
    with path.open("wb") as out:
        shutil.copyfileobj(file, out, _PIECE)


def clean_file_name(name: str) -> str:
    """The last part of `name`, with only letters, digits, `.`, `-` and `_`, and no leading dot or dash."""
    last = re.split(r"[/\\]", name)[-1]
    return cleaned(last)


def stem(name: str) -> str:
    """A file name without its extensions: `monday.tar.gz` -> `monday`."""
    return re.sub(r"(\.tar)?\.[A-Za-z0-9]{1,7}$", "", name) or name


def _forget(files: Sequence[UploadedFile]) -> None:
    """Streamlit keeps uploads in memory until the session ends, so remove them."""
    context = get_script_run_ctx()
    if context:
        manager = cast(MemoryUploadedFileManager, context.uploaded_file_mgr)
        for file in files:
            manager.remove_file(context.session_id, file.file_id)
