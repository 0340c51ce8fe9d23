from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from lo2core.base.errors import BundleError, ExistsError, InputError, UntrustedError
from lo2core.store import bundles, signing
from lo2core.store.bundles import read_bundle, save_bundle, state
from lo2core.store.signing import BundleState


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "signing.key"
    monkeypatch.setenv("LO2_SIGNING_KEY_FILE", str(path))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return save(tmp_path / "models" / "lo2_if.joblib")


def save(path: Path, data: bytes = b"pickled", **options: Any) -> Path:
    save_bundle(path, data, {"items": "messages"}, [], {"lo2core": "0.1.0"}, **options)
    return path


def edit_manifest(bundle: Path, **changes: Any) -> None:
    path = signing.manifest_path(bundle)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def other_user(key: Path) -> None:
    key.write_text("ab" * 32)


def dump_again(bundle: Path) -> None:
    bundle.write_bytes(b"other bytes")


def cut_short(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-2])


def test_a_saved_bundle_is_signed_and_gives_its_bytes(bundle: Path) -> None:
    data, manifest = read_bundle(bundle)
    assert data == b"pickled"
    assert manifest["facts"] == {"items": "messages"}
    assert (manifest["format"], manifest["bytes"]) == (bundles.FORMAT, 7)
    assert state(bundle) is BundleState.SIGNED


def test_the_key_is_for_its_user_only(bundle: Path, key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_text()
    save(bundle, replace=True)
    assert key.read_text() == before


def test_a_bundle_is_not_replaced_unasked(bundle: Path) -> None:
    before = bundle.read_bytes()
    with pytest.raises(ExistsError, match="--replace"):
        save(bundle, b"other")
    assert bundle.read_bytes() == before
    save(bundle, b"other", replace=True)
    assert read_bundle(bundle)[0] == b"other"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (dump_again, BundleState.CHANGED),
        (cut_short, BundleState.CHANGED),
        (lambda bundle: edit_manifest(bundle, facts={"items": "words"}), BundleState.CHANGED),
        (lambda bundle: edit_manifest(bundle, signature="ü"), BundleState.CHANGED),
        (lambda bundle: edit_manifest(bundle, signature="\ud800"), BundleState.CHANGED),
        (lambda bundle: signing.manifest_path(bundle).write_text("[]"), BundleState.CHANGED),
        (lambda bundle: signing.manifest_path(bundle).write_text("{"), BundleState.CHANGED),
        (lambda bundle: edit_manifest(bundle, format=2), BundleState.CHANGED),
        (lambda bundle: signing.manifest_path(bundle).unlink(), BundleState.NO_MANIFEST),
        (lambda bundle: bundle.unlink(), BundleState.MISSING),
    ],
)
def test_a_changed_bundle_is_recognised_and_not_read(bundle: Path, change, expected: BundleState) -> None:
    change(bundle)
    assert state(bundle) is expected
    assert expected.sentence
    with pytest.raises(BundleError, match=r"lo2core (trust|train)"):
        read_bundle(bundle)


def test_another_users_signature_is_recognised(bundle: Path, key: Path) -> None:
    other_user(key)
    assert state(bundle) is BundleState.OTHER_KEY
    with pytest.raises(UntrustedError, match=r"signed with another key.*lo2core trust .*lo2_if\.joblib"):
        read_bundle(bundle)
    key.unlink()
    assert state(bundle) is BundleState.OTHER_KEY
    assert not key.exists()  # looking makes no key


def test_a_folder_of_bundles_is_listed_without_opening(bundle: Path) -> None:
    bundle.with_name("foreign.joblib").write_bytes(b"other")
    bundle.with_name("folder.joblib").mkdir()
    found = {path.stem: (state, facts) for path, state, facts in bundles.bundles(bundle.parent)}
    assert found == {
        "folder": (BundleState.UNREADABLE, {}),
        "foreign": (BundleState.NO_MANIFEST, {}),
        "lo2_if": (BundleState.SIGNED, {"items": "messages"}),
    }
    assert bundles.bundles(bundle.parent / "nowhere") == []


def test_the_stamp_changes_with_the_bundle(bundle: Path) -> None:
    before = bundles.stamp(bundle)
    assert bundles.stamp(bundle) == before
    save(bundle, b"other", replace=True)
    assert bundles.stamp(bundle) != before
    assert bundles.stamp(bundle.with_name("none.joblib")) == (0, 0, 0, 0)


def test_the_claimed_hash_is_the_one_of_the_manifest_of_an_existing_bundle(bundle: Path) -> None:
    assert bundles.claimed_sha256(bundle) == hashlib.sha256(bundle.read_bytes()).hexdigest()
    bundle.unlink()
    assert bundles.claimed_sha256(bundle) == ""


@pytest.mark.parametrize("name", ["model.pkl", "my model.joblib", ".joblib"])
def test_odd_bundle_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        save(tmp_path / name)
    with pytest.raises(InputError):
        bundles.bundle_path("../up", tmp_path)
