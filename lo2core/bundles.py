"""Saved models: the tuple `(model, vec)` in a joblib file, and a signed manifest beside it.

Unpickling runs code, so a bundle is opened only when its manifest proves that this user saved it or vouched for it:
the manifest holds the SHA-256 of the joblib file and is signed (HMAC-SHA256) with a key that only this user can read.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import importlib.metadata
import io
import json
import os
import platform
import secrets
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import platformdirs

from lo2core.atomic import write_atomic, write_bytes_atomic, write_json_atomic
from lo2core.errors import BundleError, ExistsError, InputError, UntrustedError
from lo2core.parquet import lo2core_version, now
from lo2core.store import clean_name

KEY_FILE_VARIABLE = "LO2_SIGNING_KEY_FILE"
_KEY_BYTES = 32
_WATCHED = ("scikit-learn", "polars")
"""Packages whose minor version may change scores."""


class BundleState(Enum):
    """Whether a bundle may be opened; only `SIGNED` is unpickled without a person's word."""

    SIGNED = "signed"
    CHANGED = "changed by hand"
    NO_MANIFEST = "without manifest"
    OTHER_KEY = "signed with another key"
    MISSING = "missing"

    @property
    def sentence(self) -> str:
        """What the state means, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    BundleState.SIGNED: "It is as it was saved here, or as you vouched for it.",
    BundleState.CHANGED: "The file or its manifest was changed since it was signed, or was not written to the end.",
    BundleState.NO_MANIFEST: "It has no manifest, so nobody can tell where it comes from.",
    BundleState.OTHER_KEY: "Another user or another machine signed it.",
    BundleState.MISSING: "There is no such file.",
}


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


def manifest_path(path: Path) -> Path:
    """The manifest beside a bundle: `models/lo2_if.joblib` -> `models/lo2_if.json`."""
    return Path(path).with_suffix(".json")


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
    manifest = _signed(path, buffer.getbuffer(), facts, selftest)
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
    return path


def load_bundle(path: str | Path) -> LoadedBundle:
    """Open a signed bundle and replay its self-test.

    Raises `UntrustedError` (with what to do) unless it is signed: nothing is unpickled then; `BundleError` when it is
    missing, damaged, not ours, or scores other than when it was saved.
    """
    path = Path(path)
    data = _read(path)
    manifest = _manifest(path)
    state = _judge(manifest, hashlib.sha256(data).hexdigest())
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
    manifest = _signed(path, data, facts, model.make_self_test(vec))
    write_json_atomic(manifest_path(path), manifest, replace=True)
    return LoadedBundle(model, vec, manifest, path)


def state(path: str | Path) -> BundleState:
    """Whether the bundle may be opened. Cheap when asked again: the file is hashed anew only when it changed."""
    path = Path(path)
    try:
        entry = path.stat()
    except OSError:
        return BundleState.MISSING
    return _judge(_manifest(path), _file_sha256(path, entry.st_mtime_ns, entry.st_size))


def bundles(folder: str | Path) -> list[BundleInfo]:
    """All bundles of a folder by name, none of them opened."""
    found = sorted(Path(folder).glob("[!.]*.joblib"))
    return [BundleInfo(path, state(path), (_manifest(path) or {}).get("facts", {})) for path in found]


def stamp(path: str | Path) -> tuple[int, int, str]:
    """(modification time in ns, bytes, SHA-256 by the manifest): changes with the bundle, costs no hashing."""
    path = Path(path)
    try:
        entry = path.stat()
    except OSError:
        return 0, 0, ""
    return entry.st_mtime_ns, entry.st_size, str((_manifest(path) or {}).get("sha256", ""))


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


def _manifest(path: Path) -> dict[str, Any] | None:
    """The manifest as it stands, unproven; empty when it is not ours, None when there is none."""
    try:
        manifest = json.loads(manifest_path(path).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    ours = isinstance(manifest, dict) and isinstance(manifest.get("facts"), dict)
    return manifest if ours else {}


def _judge(manifest: dict[str, Any] | None, sha256: str) -> BundleState:
    if manifest is None:
        return BundleState.NO_MANIFEST
    key = _read_key()
    if "key_id" in manifest and (key is None or manifest["key_id"] != _key_id(key)):
        return BundleState.OTHER_KEY
    claimed = str(manifest.get("signature")).encode()
    untouched = key is not None and hmac.compare_digest(claimed, _signature(manifest, key).encode())
    return BundleState.SIGNED if untouched and manifest.get("sha256") == sha256 else BundleState.CHANGED


def _signed(path: Path, data: bytes | memoryview, facts: dict[str, Any], selftest: object) -> dict[str, Any]:
    key = _read_key() or _make_key()
    manifest = {
        "bundle": path.stem,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "created": now(),
        "versions": _versions(),
        "facts": facts,
        "selftest": selftest,
        "key_id": _key_id(key),
    }
    manifest = json.loads(json.dumps(manifest))  # sign what will be read back
    return {**manifest, "signature": _signature(manifest, key)}


def _signature(manifest: dict[str, Any], key: bytes) -> str:
    body = {name: value for name, value in manifest.items() if name != "signature"}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(key, canonical, hashlib.sha256).hexdigest()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"lo2core key id" + key).hexdigest()[:12]


def _key_path() -> Path:
    named = os.environ.get(KEY_FILE_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("lo2core") / "signing.key"


def _read_key() -> bytes | None:
    path = _key_path()
    try:
        key = bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BundleError(f"The signing key {path} cannot be read ({error}): mend or remove it.") from error
    if len(key) < _KEY_BYTES:
        raise BundleError(f"The signing key {path} is too short: remove it, a new one is made when a bundle is saved.")
    return key


def _make_key() -> bytes:
    def write(temporary: Path) -> None:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES))

    with contextlib.suppress(ExistsError):  # another process was faster; its key is as good
        write_atomic(_key_path(), write)
    key = _read_key()
    if key is None:
        raise BundleError(f"The signing key {_key_path()} vanished while it was made: try again.")
    return key
