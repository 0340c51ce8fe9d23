"""Signed manifests: what a bundle claims to be, and whether this user has confirmed it.

The manifest of a bundle contains the SHA-256 of its bytes and is signed (HMAC-SHA256) with a key that only this user
can read. Nothing here opens a bundle.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from enum import Enum
from io import BufferedReader
from pathlib import Path

import platformdirs

from lo2core.base.errors import BundleError, ExistsError
from lo2core.base.provenance import Manifest, typed
from lo2core.base.untrusted import LARGEST, json_value, read_small
from lo2core.store.atomic import write_atomic
from lo2core.store.changes import opened

KEY_FILE_VARIABLE = "LO2_SIGNING_KEY_FILE"
_KEY_BYTES = 32
_MAX_KEY_FILE_BYTES = 4096


class BundleState(Enum):
    """Whether a bundle may be opened; only `SIGNED` is, until a person vouches for it."""

    SIGNED = "signed"
    CHANGED = "changed by hand"
    UNREADABLE = "unreadable"
    NO_MANIFEST = "without manifest"
    OTHER_KEY = "signed with another key"
    MISSING = "missing"

    @property
    def sentence(self) -> str:
        """What the state means, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    BundleState.SIGNED: "It is unchanged since it was saved here, or since you vouched for it.",
    BundleState.CHANGED: "The file or its manifest has changed since it was signed, or was not completely written.",
    BundleState.UNREADABLE: "It is not a regular file, its name is not UTF-8, or it may not be read.",
    BundleState.NO_MANIFEST: "It has no manifest, so its origin is unknown.",
    BundleState.OTHER_KEY: "Another user or another machine signed it.",
    BundleState.MISSING: "The file does not exist.",
}


def manifest_path(path: Path) -> Path:
    """The path of a bundle's manifest: `models/lo2_if.joblib` -> `models/lo2_if.json`."""
    return Path(path).with_suffix(".json")


def read_manifest(path: Path) -> Manifest | None:
    """The manifest, unverified; empty when it is not one of lo2core, None when there is none."""
    try:
        file = opened(manifest_path(path))
        if file is None:
            return None
        with file:
            return parsed_manifest(file)
    except OSError:
        return {}


def parsed_manifest(file: BufferedReader) -> Manifest:
    """The manifest in an open file, unverified; empty when it is not one of lo2core."""
    try:
        manifest = json_value(file.read(LARGEST + 1))
    except (OSError, ValueError):
        return {}
    ours = isinstance(manifest, dict) and isinstance(manifest.get("facts"), dict)
    return typed(Manifest, manifest) if ours else {}


def judge(manifest: Manifest | None, sha256: str) -> BundleState:
    """What a manifest from `read_manifest` proves about a bundle whose bytes have this hash."""
    if manifest is None:
        return BundleState.NO_MANIFEST
    key = _read_key()
    if "key_id" in manifest and (key is None or manifest["key_id"] != _key_id(key)):
        return BundleState.OTHER_KEY
    claimed = str(manifest.get("signature")).encode(errors="replace")  # JSON may hold what UTF-8 cannot
    untouched = key is not None and hmac.compare_digest(claimed, _signature(manifest, key).encode())
    return BundleState.SIGNED if untouched and manifest.get("sha256") == sha256 else BundleState.CHANGED


def signed(manifest: Manifest) -> Manifest:
    """The manifest with `key_id` and `signature`; the key is created on first use."""
    key = _read_key() or _make_key()
    read_back = typed(Manifest, json_value(json.dumps({**manifest, "key_id": _key_id(key)})))
    return {**read_back, "signature": _signature(read_back, key)}


def seal(text: str) -> str:
    """What shows that this user wrote a text; the key is created on first use."""
    return _hmac(text, _read_key() or _make_key())


def is_sealed(text: str, claimed: str) -> bool:
    """Whether `claimed` is the seal of a text by this user."""
    key = _read_key()
    return key is not None and hmac.compare_digest(claimed.encode(errors="replace"), _hmac(text, key).encode())


def _hmac(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(errors="replace"), hashlib.sha256).hexdigest()


def _signature(manifest: Manifest, key: bytes) -> str:
    body = {name: value for name, value in manifest.items() if name != "signature"}
    return _hmac(json.dumps(body, sort_keys=True, separators=(",", ":")), key)


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"lo2core key id" + key).hexdigest()[:12]


def _key_path() -> Path:
    named = os.environ.get(KEY_FILE_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("lo2core") / "signing.key"


def _read_key() -> bytes | None:
    path = _key_path()
    try:
        key = bytes.fromhex(read_small(path, _MAX_KEY_FILE_BYTES).decode().strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BundleError(f"The signing key {path} cannot be read ({error}): fix or remove it.") from error
    if len(key) < _KEY_BYTES:
        raise BundleError(
            f"The signing key {path} is too short: remove it, and a new one is created when the next bundle is saved."
        )
    return key


def _make_key() -> bytes:
    def write(temporary: Path) -> None:
        temporary.chmod(0o600)  # before anything is in it
        temporary.write_text(secrets.token_hex(_KEY_BYTES))

    with contextlib.suppress(ExistsError):  # another process was faster: use its key
        write_atomic(_key_path(), write)
    key = _read_key()
    if key is None:
        raise BundleError(f"The signing key {_key_path()} was removed while it was created: try again.")
    return key
