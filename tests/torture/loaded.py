"""Hostile logs, folder trees and archives, to be loaded."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from functools import partial
from pathlib import Path
from random import Random

import polars.selectors as cs
from torture import mutations
from torture.place import Actions, Place, run

from lo2core.base.schemas import Events, Ledger
from lo2core.load.ledger import of_logs
from lo2core.load.plan import LoadOptions
from lo2core.pipeline import summary
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace


def logs(rng: Random, place: Place) -> Actions:
    """A folder of logs with odd lines, loaded into a new workspace; the ledger counts every line."""
    root = place.folder / "odd"
    for run_name in ("run_1", "light-oauth2-data-1719592986")[: rng.randint(1, 2)]:
        for case in ("correct", "get_client_404")[: rng.randint(1, 2)]:
            place.put(root / run_name / case / "light-oauth2-oauth2-client-1.log", mutations.log(rng))
    new = Workspace(place.folder / "new")
    window = rng.choice([None, None, 0.5, 60.0])

    def load_and_count() -> None:
        load_logs(new, [root], LoadOptions(window=window), jobs=1)
        bytes_read = of_logs(new.read(Ledger))["bytes"].sum()
        assert bytes_read == sum(path.stat().st_size for path in root.rglob("*.log")), "bytes are lost"
        kinds = new.read(Ledger).select(cs.by_name(*summary.LINE_KINDS, "lines")).sum().row(0, named=True)
        assert sum(kinds[kind] for kind in summary.LINE_KINDS) == kinds["lines"], f"lines are lost: {kinds}"

    yield load_and_count
    if rng.random() < 0.2:
        yield partial(run, "enhance", "--output-dir", new)
        yield partial(run, "train", "--output-dir", new, "--bundle", place.models / "new.joblib")


def trees(rng: Random, place: Place) -> Actions:
    """A folder tree with odd names, links, pipes and files of other kinds, as a root of logs."""
    root = place.folder / "odd"
    for _ in range(rng.randint(1, 12)):
        folder = root.joinpath(*(mutations.name(rng) for _ in range(rng.randint(0, 3))))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _entry(rng, folder / (mutations.name(rng) if rng.random() < 0.7 else "oauth2-client.log"), place)
        except OSError:  # a file is where a folder should be, or the name is too long
            continue
    roots = [root] if rng.random() < 0.7 else sorted(root.rglob("*"))[:2] or [root]
    new = place.folder / "new"
    yield partial(run, "load", "--dry-run", "--root", *roots, "--output-dir", new)
    yield partial(
        run, "load", "--root", *roots, "--output-dir", new, *(["--service", "x"] if rng.random() < 0.3 else [])
    )


def _entry(rng: Random, path: Path, place: Place) -> None:
    if os.path.lexists(path):  # whoever writes to a pipe waits
        return
    match rng.randrange(7):
        case 0:
            path.symlink_to(rng.choice(["/dev/zero", "nowhere", str(path), "..", str(path.parent)]))
        case 1:
            os.mkfifo(path)
        case 2:
            path.mkdir()
        case 3:
            path.write_bytes(mutations.damaged(rng, place.workspace.path(Events).read_bytes()))
        case 4:
            path.write_bytes(b"")
        case _:
            path.write_bytes(mutations.log(rng))


def archives(rng: Random, place: Place) -> Actions:
    """An archive with odd members, or with damaged bytes."""
    members = {mutations.name(rng): mutations.log(rng) for _ in range(rng.randint(0, 6))}
    members |= {"run_1/correct/oauth2-client.log": mutations.log(rng)} if rng.random() < 0.5 else {}
    packed = _zip(rng, members) if rng.random() < 0.5 else _tar(rng, members)
    suffix = rng.choice([".zip", ".tar", ".tar.gz", ".tar.xz", ".log.gz", ".zip"]) if rng.random() < 0.2 else packed[1]
    content = mutations.damaged(rng, packed[0]) if rng.random() < 0.5 else packed[0]
    path, new = place.put(place.folder / f"odd{suffix}", content), place.folder / "new"
    yield partial(run, "load", "--dry-run", "--root", path, "--output-dir", new)
    yield partial(run, "load", "--root", path, "--output-dir", new, "--service", "client")


def _zip(rng: Random, members: dict[str, bytes]) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    kinds = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    with zipfile.ZipFile(buffer, "w", rng.choice(kinds)) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(_prefix(rng) + os.fsencode(name).decode("latin-1"))
            info.external_attr = rng.choice([0, 0o120777 << 16, 0o10644 << 16, 0o40755 << 16, 0xFFFFFFFF])
            archive.writestr(info, content)
    return buffer.getvalue(), ".zip"


def _tar(rng: Random, members: dict[str, bytes]) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    mode, suffix = rng.choice([("w", ".tar"), ("w:gz", ".tar.gz"), ("w:xz", ".tar.xz")])
    layout = rng.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    with tarfile.open(fileobj=buffer, mode=mode, format=layout, errors="surrogateescape") as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(_prefix(rng) + name)
            info.type = rng.choice([tarfile.REGTYPE] * 5 + [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
            info.linkname = rng.choice(["", "/etc/passwd", "../..", "odd"])
            info.size = len(content) if info.isfile() else 0
            info.mtime = rng.choice([0, -1, 2**33, 1e300]) if layout == tarfile.PAX_FORMAT else 0
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue(), suffix


def _prefix(rng: Random) -> str:
    return rng.choice(["", "", "run_1/correct/", "/", "../", "./", "a/b/c/d/e/f/", "C:\\", "\0"])
