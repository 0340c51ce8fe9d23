from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import CountVectorizer

from lo2core.base.errors import BundleError, ExistsError, InputError, UntrustedError
from lo2core.store import bundles, signing
from lo2core.store.bundles import load_bundle, save_bundle, state, vouch
from lo2core.store.signing import BundleState


class Vec:
    lo2core_kind = "vectorizer"


@dataclass
class Model:
    """The smallest model that a bundle can hold: it scores a number by a factor."""

    lo2core_kind = "model"
    factor: float = 2.0
    facts: dict[str, Any] = field(default_factory=lambda: {"detector": "Smallest"})

    def make_self_test(self, vec: Vec) -> list[list[float]]:
        return [[1.5, 1.5 * self.factor]]

    def self_test(self, vec: Vec, rows: list[list[float]]) -> str | None:
        wrong = [x for x, score in rows if x * self.factor != score]
        return f"{len(wrong)} of {len(rows)} rows score differently." if wrong else None


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "signing.key"
    monkeypatch.setenv("LO2_SIGNING_KEY_FILE", str(path))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return save(tmp_path / "models" / "lo2_if.joblib")


def save(path: Path, model: Model | None = None, **options: Any) -> Path:
    model = model or Model()
    return save_bundle(model, Vec(), path, {"items": "messages"}, model.make_self_test(Vec()), **options)


def edit_manifest(bundle: Path, **changes: Any) -> None:
    path = signing.manifest_path(bundle)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def other_user(key: Path) -> None:
    key.write_text("ab" * 32)


def dump_again(bundle: Path) -> None:
    joblib.dump((Model(3.0), Vec()), bundle)


def cut_short(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-20])


def test_a_saved_bundle_is_the_tuple_and_loads(bundle: Path) -> None:
    model, vec = joblib.load(bundle)
    assert (type(model), type(vec)) == (Model, Vec)
    loaded = load_bundle(bundle)
    assert loaded.model == Model()
    assert loaded.warnings == ()
    assert loaded.manifest["facts"] == {"items": "messages"}
    assert set(loaded.manifest["versions"]) == {"python", "lo2core", "scikit-learn", "polars", "numpy"}
    assert state(bundle) is BundleState.SIGNED


def test_the_key_is_for_its_user_only(bundle: Path, key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_text()
    save(bundle, replace=True)
    assert key.read_text() == before


def test_a_bundle_is_not_replaced_unasked(bundle: Path) -> None:
    before = bundle.read_bytes()
    with pytest.raises(ExistsError, match="--replace"):
        save(bundle, Model(3.0))
    assert bundle.read_bytes() == before
    save(bundle, Model(3.0), replace=True)
    assert load_bundle(bundle).model.factor == 3.0


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
        (lambda bundle: signing.manifest_path(bundle).unlink(), BundleState.NO_MANIFEST),
        (lambda bundle: bundle.unlink(), BundleState.MISSING),
    ],
)
def test_a_touched_bundle_is_told_apart_and_not_opened(bundle: Path, change, expected: BundleState) -> None:
    change(bundle)
    assert state(bundle) is expected
    assert expected.sentence
    with pytest.raises(BundleError, match=r"lo2core (trust|train)"):
        load_bundle(bundle)


def test_another_users_signature_is_told_apart(bundle: Path, key: Path) -> None:
    other_user(key)
    assert state(bundle) is BundleState.OTHER_KEY
    with pytest.raises(UntrustedError, match=r"signed with another key.*lo2core trust .*lo2_if\.joblib"):
        load_bundle(bundle)
    key.unlink()
    assert state(bundle) is BundleState.OTHER_KEY
    assert not key.exists()  # looking makes no key


def test_without_trust_nothing_is_unpickled(tmp_path: Path, bundle: Path) -> None:
    joblib.dump((Bomb(tmp_path / "mark"), Vec()), bundle)
    with pytest.raises(UntrustedError):
        load_bundle(bundle)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("touch", [dump_again, lambda bundle: signing.manifest_path(bundle).unlink()])
def test_a_person_can_vouch(bundle: Path, touch) -> None:
    touch(bundle)
    facts = vouch(bundle).manifest["facts"]
    assert facts["detector"] == "Smallest"
    assert "vouched" in facts
    assert state(bundle) is BundleState.SIGNED
    load_bundle(bundle)


def test_vouching_for_a_truncated_bundle_fails_clearly(bundle: Path) -> None:
    cut_short(bundle)
    with pytest.raises(BundleError, match="cut short, damaged"):
        vouch(bundle)
    assert state(bundle) is BundleState.CHANGED


@pytest.mark.parametrize("content", [(IsolationForest(), CountVectorizer()), {"model": 1}, (Vec(), Model()), ()])
def test_foreign_content_is_not_a_bundle(bundle: Path, content: Any) -> None:
    joblib.dump(content, bundle)
    with pytest.raises(BundleError, match="not a lo2core bundle"):
        vouch(bundle)
    with pytest.raises(BundleError, match="not a lo2core bundle"):
        save_bundle(CountVectorizer(), Vec(), bundle, {}, [], replace=True)


def test_a_bundle_that_scores_differently_is_refused(tmp_path: Path) -> None:
    path = save_bundle(Model(), Vec(), tmp_path / "m.joblib", {}, [[1.0, 2.5]])
    with pytest.raises(BundleError, match="1 of 1 rows score differently"):
        load_bundle(path)


def test_another_minor_version_is_a_warning(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = bundles._versions()
    monkeypatch.setattr(bundles, "_versions", lambda: installed | {"scikit-learn": "1.0.2", "numpy": "1.0"})
    assert load_bundle(bundle).warnings == (
        f"It was saved with scikit-learn {installed['scikit-learn']}, here is 1.0.2.",
    )


def test_a_folder_of_bundles_is_listed_without_opening(bundle: Path) -> None:
    joblib.dump((IsolationForest(), CountVectorizer()), bundle.with_name("foreign.joblib"))
    bundle.with_name("folder.joblib").mkdir()
    found = {path.stem: (state, facts) for path, state, facts in bundles.bundles(bundle.parent)}
    assert found == {
        "foreign": (BundleState.NO_MANIFEST, {}),
        "lo2_if": (BundleState.SIGNED, {"items": "messages"}),
    }
    assert bundles.bundles(bundle.parent / "nowhere") == []


def test_the_stamp_changes_with_the_bundle(bundle: Path) -> None:
    before = bundles.stamp(bundle)
    assert bundles.stamp(bundle) == before
    save(bundle, Model(3.0), replace=True)
    assert bundles.stamp(bundle) != before
    assert bundles.stamp(bundle.with_name("none.joblib")) == (0, 0, "")


@pytest.mark.parametrize("name", ["model.pkl", "my model.joblib", ".joblib"])
def test_odd_bundle_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        save(tmp_path / name)
    with pytest.raises(InputError):
        bundles.bundle_path("../up", tmp_path)
