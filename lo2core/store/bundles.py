"""Saved models: the tuple `(model, vec)` in a joblib file, and a signed manifest beside it.

Unpickling runs code, so a bundle is opened only when its manifest proves that this user saved it or vouched for it:
the manifest holds the SHA-256 of the joblib file and is signed (HMAC-SHA256) with a key that only this user can read.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import joblib

from lo2core.base.clock import now
from lo2core.base.errors import BundleError, ExistsError, InputError, UntrustedError
from lo2core.store import signing
from lo2core.store.atomic import write_bytes_atomic, write_json_atomic
from lo2core.store.names import clean_name
from lo2core.store.parquet import lo2core_version
from lo2core.store.signing import BundleState, judge, manifest_path, read_manifest

_WATCHED = ("scikit-learn", "polars")
"""Packages whose minor version may change scores."""


@dataclass(frozen=True)
class LoadedBundle:
    """An opened bundle; `warnings` are sentences about versions that differ from those it was saved with."""

    model: Any
    vec: Any
    manifest: dict[str, Any]
    path: Path
    warnings: tuple[str, ...] = ()


class BundleInfo(NamedTuple):
    """A bundle as a list shows it; `facts` are what its manifest claims, true only when it is signed."""

    path: Path
    state: BundleState
    facts: dict[str, Any]


def bundle_path(name: str, folder: str | Path) -> Path:
    """`<folder>/<name>.joblib`; raises `InputError` for a name with other than letters, digits, `.`, `-`, `_`."""
    return Path(folder) / f"{clean_name(name)}.joblib"


def save_bundle(
    model: Any, vec: Any, path: Path, facts: dict[str, Any], selftest: object, *, replace: bool = False
) -> Path:
    """Save `(model, vec)`, then the signed manifest with `facts` and the `selftest` rows (both JSON).

    Raises `ExistsError` when the bundle exists and `replace` is false, `BundleError` for other types than ours.
    """
    path = check_free(path, replace)
    _check_kinds((model, vec), path)
    buffer = io.BytesIO()
    joblib.dump((model, vec), buffer)
    manifest = _manifest_of(path, buffer.getbuffer(), facts, selftest)
    write_bytes_atomic(path, buffer.getvalue(), replace=replace)
    write_json_atomic(manifest_path(path), manifest, replace=True)
    return path


def check_free(path: Path, replace: bool) -> Path:
    """The path, if a bundle may be saved there; raises `InputError` for a name it cannot have, else `ExistsError`."""
    path = _checked_path(path)
    if not replace and path.exists():
        raise ExistsError(
            f"{path} exists already and was not touched: use --replace to train it anew, or another name."
        )
    _check_manifest(path)
    return path


def _check_manifest(path: Path) -> None:
    """Raises ExistsError where a file lies in the place of a new bundle's manifest that is none."""
    if read_manifest(path) == {} and not path.exists():
        raise ExistsError(
            f"{manifest_path(path)} is no manifest of ours and was not touched: give the bundle another name."
        )


def load_bundle(path: str | Path) -> LoadedBundle:
    """Open a signed bundle and replay its self-test.

    Raises `UntrustedError` (with what to do) unless it is signed: nothing is unpickled then; `BundleError` when it is
    missing, damaged, not ours, or scores other than when it was saved.

    Examples:
        >>> from lo2core import open_bundle
        >>> bundle = open_bundle("models/sample_nn.joblib")
        >>> bundle.model.facts["detector"], sorted(bundle.model.detectors)[:2]
        ('NearestNormal', ['client', 'code'])
        >>> bundle.model.threshold.budget
        5.0
        >>> bundle.vec.items
        'messages'
    """
    path = Path(path)
    data = _read(path)
    manifest = read_manifest(path)
    state = judge(manifest, hashlib.sha256(data).hexdigest())
    if state is not BundleState.SIGNED or manifest is None:
        raise UntrustedError(
            f"{path} is {state.value} and was not opened. {state.sentence} If you know and trust it, "
            f"vouch for it with `python -m lo2core trust {path}`; otherwise train it anew."
        )
    model, vec = _unpickle(data, path)
    _replay(model, vec, manifest, path)
    return LoadedBundle(model, vec, manifest, path, tuple(_version_warnings(manifest["versions"])))


def vouch(path: str | Path) -> LoadedBundle:
    """A person's word for a bundle: open it, check its types, make new self-test rows, sign.

    This unpickles the file whatever its state: only call it when a person asked for it. The facts in the new manifest
    are those the model itself carries (`model.facts`). Raises `BundleError` when it is missing, damaged or not ours.
    """
    path = _checked_path(Path(path))
    data = _read(path)
    model, vec = _unpickle(data, path)
    facts = {**model.facts, "vouched": now()}
    manifest = _manifest_of(path, data, facts, model.make_self_test(vec))
    write_json_atomic(manifest_path(path), manifest, replace=True)
    return LoadedBundle(model, vec, manifest, path)


def state(path: str | Path) -> BundleState:
    """Whether the bundle may be opened. Cheap when asked again: the file is hashed anew only when it changed."""
    path = Path(path)
    try:
        entry = path.stat()
    except OSError:
        return BundleState.MISSING
    return judge(read_manifest(path), _file_sha256(path, entry.st_mtime_ns, entry.st_size))


def bundles(folder: str | Path) -> list[BundleInfo]:
    """All bundles of a folder by name, none of them opened."""
    found = sorted(path for path in Path(folder).glob("[!.]*.joblib") if path.is_file())
    return [BundleInfo(path, state(path), (read_manifest(path) or {}).get("facts", {})) for path in found]


def stamp(path: str | Path) -> tuple[int, int, str]:
    """(modification time in ns, bytes, SHA-256 by the manifest): changes with the bundle, costs no hashing."""
    path = Path(path)
    try:
        entry = path.stat()
    except OSError:
        return 0, 0, ""
    return entry.st_mtime_ns, entry.st_size, str((read_manifest(path) or {}).get("sha256", ""))


def _checked_path(path: Path) -> Path:
    path = Path(path)
    clean_name(path.name)
    if path.suffix != ".joblib":
        raise InputError(f"{path} cannot be a bundle's name: it must end in .joblib, as in models/lo2_if.joblib.")
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{path} does not exist: make it with `python -m lo2core train --bundle {path}`.") from None
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}.") from error


def _unpickle(data: bytes, path: Path) -> tuple[Any, Any]:
    try:
        content = joblib.load(io.BytesIO(data))
    except Exception as error:
        # a damaged pickle raises nearly anything
        reason = f"{type(error).__name__}: {error}".rstrip(".: ")
        raise BundleError(f"{path} is cut short, damaged or of another version ({reason}): train it anew.") from error
    _check_kinds(content, path)
    return content


def _check_kinds(content: Any, path: Path) -> None:
    if isinstance(content, tuple):
        kinds = [getattr(part, "lo2core_kind", None) for part in content]
        found = f"a tuple of {', '.join(type(part).__name__ for part in content) or 'nothing'}"
    else:
        kinds, found = [], f"a {type(content).__name__}"
    if kinds != ["model", "vectorizer"]:
        raise BundleError(
            f"{path} is not a lo2core bundle: it holds {found}, expected the tuple (model, vec) of an AnomalyDetector; "
            "train it anew with `python -m lo2core train`."
        )


def _replay(model: Any, vec: Any, manifest: dict[str, Any], path: Path) -> None:
    try:
        difference = model.self_test(vec, manifest["selftest"])
    except Exception as error:
        difference = f"the self-test stopped with {type(error).__name__}: {error}"
    if difference:
        hints = " ".join(_version_warnings(manifest["versions"]))
        raise BundleError(f"{path} does not score as when it was saved: {difference} {hints} Train it anew.")


def _version_warnings(recorded: dict[str, str]) -> list[str]:
    here = _versions()
    return [
        f"It was saved with {name} {recorded.get(name, '?')}, here is {here[name]}."
        for name in _WATCHED
        if recorded.get(name, "?").split(".")[:2] != here[name].split(".")[:2]
    ]


def _versions() -> dict[str, str]:
    installed = {name: importlib.metadata.version(name) for name in (*_WATCHED, "numpy")}
    return {"python": platform.python_version(), "lo2core": lo2core_version(), **installed}


@lru_cache(maxsize=64)
def _file_sha256(path: Path, mtime_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest_of(path: Path, data: bytes | memoryview, facts: dict[str, Any], selftest: object) -> dict[str, Any]:
    return signing.signed(
        {
            "bundle": path.stem,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "created": now(),
            "versions": _versions(),
            "facts": facts,
            "selftest": selftest,
        }
    )
