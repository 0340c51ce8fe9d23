"""Signed manifests: what a saved model claims to be, and whether this user said so.

The manifest beside a bundle holds the SHA-256 of its bytes and is signed (HMAC-SHA256) with a key that only this user
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
from pathlib import Path
from typing import Any

import platformdirs

from lo2core.base.errors import BundleError, ExistsError
from lo2core.store.atomic import write_atomic

KEY_FILE_VARIABLE = "LO2_SIGNING_KEY_FILE"
_KEY_BYTES = 32


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


def manifest_path(path: Path) -> Path:
    """The manifest beside a bundle: `models/lo2_if.joblib` -> `models/lo2_if.json`."""
    return Path(path).with_suffix(".json")


def read_manifest(path: Path) -> dict[str, Any] | None:
    """The manifest as it stands, unproven; empty when it is not ours, None when there is none."""
    try:
        manifest = json.loads(manifest_path(path).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    ours = isinstance(manifest, dict) and isinstance(manifest.get("facts"), dict)
    return manifest if ours else {}


def judge(manifest: dict[str, Any] | None, sha256: str) -> BundleState:
    """What a manifest, as `read_manifest` gives it, proves about the bundle whose bytes have this hash."""
    if manifest is None:
        return BundleState.NO_MANIFEST
    key = _read_key()
    if "key_id" in manifest and (key is None or manifest["key_id"] != _key_id(key)):
        return BundleState.OTHER_KEY
    claimed = str(manifest.get("signature")).encode(errors="replace")  # JSON may hold what UTF-8 cannot
    untouched = key is not None and hmac.compare_digest(claimed, _signature(manifest, key).encode())
    return BundleState.SIGNED if untouched and manifest.get("sha256") == sha256 else BundleState.CHANGED


def signed(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with `key_id` and `signature`; the key is made where there is none yet."""
    key = _read_key() or _make_key()
    manifest = json.loads(json.dumps({**manifest, "key_id": _key_id(key)}))  # sign what will be read back
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
