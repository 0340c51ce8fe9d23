"""Saved models as files: the joblib file of a bundle, and the signed manifest next to it. Nothing here unpickles.

The manifest contains the SHA-256 of the joblib file and is signed (HMAC-SHA256) with a key that only this user can
read. `read_bundle` returns the bytes only if the signature shows that this user saved them or vouched for them.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from lo2core.base.clock import now
from lo2core.base.errors import BundleError, ExistsError, InputError, UntrustedError
from lo2core.base.provenance import BundleFacts, Manifest, SelfTest
from lo2core.base.untrusted import is_text, printable, read_open
from lo2core.store import signing
from lo2core.store.atomic import already_there
from lo2core.store.changes import Change, current, names, opened_together
from lo2core.store.names import clean_name
from lo2core.store.signing import BundleState, judge, manifest_path, parsed_manifest, read_manifest

FORMAT = 1
"""Of bundles that this version saves and reads; it changes when the content of a bundle changes its meaning."""
MAX_BYTES = 1 << 30
"""A larger file is not opened as a bundle."""


class BundleInfo(NamedTuple):
    """A bundle in a list; `facts` are what its manifest claims, true only when it is signed."""

    path: Path
    state: BundleState
    facts: BundleFacts

    @property
    def name(self) -> str:
        """To be shown: its file name without .joblib."""
        return printable(self.path.stem)


def bundle_path(name: str, folder: str | Path) -> Path:
    """`<folder>/<name>.joblib`; raises `InputError` if the name contains anything but letters, digits, `.-_`."""
    return Path(folder) / f"{clean_name(name)}.joblib"


def save_bundle(
    path: Path,
    data: bytes,
    facts: BundleFacts,
    selftest: list[SelfTest],
    versions: dict[str, str],
    *,
    replace: bool = False,
) -> Manifest:
    """Save the bytes of a bundle together with its signed manifest. Raises as `check_free`."""
    path = check_free(path, replace)
    manifest = _manifest_of(path, data, facts, selftest, versions)
    with Change(path.parent) as change:
        change.write(path.name, lambda to: to.write_bytes(data), replace=replace, needed=len(data))
        change.write_json(manifest_path(path).name, manifest, replace=True)
    return manifest


def sign_bundle(
    path: Path, data: bytes, facts: BundleFacts, selftest: list[SelfTest], versions: dict[str, str]
) -> Manifest:
    """Write a new signed manifest for the bytes of an existing bundle; raises BundleError if it has other bytes now."""
    manifest = _manifest_of(path, data, facts, selftest, versions)
    with Change(path.parent) as change:
        change.write_json(manifest_path(path).name, manifest, replace=True)
        change.expect(lambda: _check_unchanged(path, data))
    return manifest


def _check_unchanged(path: Path, data: bytes) -> None:
    if read_unverified(path) != data:
        raise BundleError(f"{path} was replaced while it was opened, and was not signed: try again.")


def check_free(path: Path, replace: bool) -> Path:
    """The path, if a bundle may be saved there; raises `InputError` for an invalid name, else `ExistsError`."""
    path = checked_path(path)
    there = current(path)
    if not replace and there:
        raise already_there(path)
    if read_manifest(path) == {} and not there:
        raise ExistsError(
            f"{manifest_path(path)} is not a lo2core manifest and was not changed: give the bundle another name."
        )
    return path


def checked_path(path: str | Path) -> Path:
    """The path, if it can be a bundle's; raises InputError for another suffix or characters that are not allowed."""
    path = Path(path)
    clean_name(path.name)
    if path.suffix != ".joblib":
        raise InputError(f"{path} is not a valid bundle name: it must end in .joblib, as in models/lo2_if.joblib.")
    return path


def read_bundle(path: str | Path) -> tuple[bytes, Manifest]:
    """The verified bytes of a signed bundle, and its manifest.

    Raises `UntrustedError` if it is not signed by this user, `BundleError` if it is missing or of another format.
    """
    path = Path(path)
    data, manifest = _read_pair(path)
    found = judge(manifest, hashlib.sha256(data).hexdigest())
    if found is not BundleState.SIGNED or manifest is None:
        raise UntrustedError(
            f"{path} is {found.value} and was not opened. {found.sentence} If you know where it comes from and trust "
            f"it, run `python -m lo2core trust {path}`; otherwise train the model again."
        )
    if manifest.get("format") != FORMAT:
        saved = f"has format {manifest['format']}" if "format" in manifest else "has no format number"
        raise BundleError(
            f"{path} {saved}, this version of lo2core reads format {FORMAT}: train the model again, or open it with "
            f"the version that saved it ({manifest.get('versions', {}).get('lo2core', 'not recorded')})."
        )
    return data, manifest


def read_unverified(path: Path) -> bytes:
    """The bytes of a bundle, whoever made it. Raises BundleError if it cannot be read."""
    return _read_pair(path)[0]


def _read_pair(path: Path) -> tuple[bytes, Manifest | None]:
    """The bytes of a bundle and its manifest as `read_manifest`, both of one moment; raises as `read_unverified`."""
    try:
        bundle, manifest = opened_together([path, manifest_path(path)])
        with bundle or nullcontext(), manifest or nullcontext():
            if bundle is None:
                raise BundleError(f"{path} does not exist: make it with `python -m lo2core train --bundle {path}`.")
            return read_open(bundle, MAX_BYTES), parsed_manifest(manifest) if manifest else None
    except OSError as error:
        raise BundleError(f"{error.filename or path} cannot be read: {error.strerror or error}.") from error


def state(path: str | Path) -> BundleState:
    """Whether the bundle may be opened. The file is hashed again only after it has changed."""
    path = Path(path)
    try:
        bundle, manifest = opened_together([path, manifest_path(path)])
    except OSError:
        return BundleState.UNREADABLE
    with bundle or nullcontext(), manifest or nullcontext():
        if bundle is None:
            return BundleState.MISSING
        if not is_text(path.name):
            return BundleState.UNREADABLE
        entry = os.fstat(bundle.fileno())
        sha256 = _sha256(_OpenFile(path, entry.st_mtime_ns, entry.st_size, bundle))
        return judge(parsed_manifest(manifest) if manifest else None, sha256)


def has_signed_manifest(path: Path) -> bool:
    """Whether this user saved or vouched for a bundle, judging by its manifest alone; the bundle is not read."""
    manifest = read_manifest(path)
    return manifest is not None and judge(manifest, str(manifest.get("sha256"))) is BundleState.SIGNED


def bundles(folder: str | Path) -> list[BundleInfo]:
    """All bundles of a folder, sorted by name; none is opened."""
    found = [Path(folder) / name for name in names(Path(folder), ".joblib")]
    return [BundleInfo(path, state(path), facts_of(path)) for path in found]


def facts_of(path: Path) -> BundleFacts:
    """What the manifest of a bundle claims; empty without one."""
    return (read_manifest(path) or {}).get("facts", {})


def stamp(path: str | Path) -> tuple[int, int, int, int]:
    """Modification time in ns and bytes of the bundle, then of its manifest: they change with the pair, unread."""
    path = Path(path)
    return *_entry(path), *_entry(manifest_path(path))


def claimed_sha256(path: str | Path) -> str:
    """The SHA-256 of a bundle by its manifest, without hashing the file; empty without one of them."""
    return (read_manifest(Path(path)) or {}).get("sha256", "") if current(Path(path)) else ""


def _entry(path: Path) -> tuple[int, int]:
    try:
        entry = (current(path) or path).stat()
    except OSError:
        return 0, 0
    return entry.st_mtime_ns, entry.st_size


@dataclass(frozen=True)
class _OpenFile:
    path: Path
    mtime_ns: int
    size: int
    file: BufferedReader = field(compare=False)


@lru_cache(maxsize=64)
def _sha256(opened: _OpenFile) -> str:
    return hashlib.file_digest(opened.file, "sha256").hexdigest()


def _manifest_of(
    path: Path, data: bytes, facts: BundleFacts, selftest: list[SelfTest], versions: dict[str, str]
) -> Manifest:
    return signing.signed(
        {
            "format": FORMAT,
            "bundle": path.stem,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "created": now(),
            "versions": versions,
            "facts": facts,
            "selftest": selftest,
        }
    )
