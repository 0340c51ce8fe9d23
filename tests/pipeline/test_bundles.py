"""Opening, saving and vouching for models, with every detector; the trust in a file is tested in tests/store."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import joblib
import pytest
from helpers.models import of_logs, of_rows, rows_of, scores, source_of
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import CountVectorizer

import lo2core
from lo2core import AnomalyDetector
from lo2core.base.errors import BundleError, UntrustedError
from lo2core.detect.detectors import REGISTRY
from lo2core.detect.recipe import Recipe
from lo2core.messages.masks import MaskRule
from lo2core.pipeline import bundles
from lo2core.pipeline.bundles import default_bundle, open_bundle, save_bundle, vouch
from lo2core.store import signing
from lo2core.store.bundles import FORMAT, state
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return save(tmp_path / "models" / "lo2_if.joblib")


def save(path: Path, detector: str = "Rarity", **options: Any) -> Path:
    model, vec = of_rows(detector)
    return save_bundle(model, vec, path, model.facts, **options)


def sign(bundle: Path, **changes: Any) -> None:
    """The manifest with changes, signed by this user."""
    path = signing.manifest_path(bundle)
    path.write_text(json.dumps(signing.signed(json.loads(path.read_text()) | changes)))


def resign(bundle: Path, content: object) -> None:
    """Other content, signed by this user as if the program had saved it."""
    joblib.dump(content, bundle)
    sign(bundle, sha256=hashlib.sha256(bundle.read_bytes()).hexdigest())


@pytest.mark.parametrize(
    ("detector", "numeric"), [*((detector, ()) for detector in REGISTRY), ("IsolationForest", ("e_words_len",))]
)
def test_every_detector_scores_the_same_after_a_restart(
    tmp_path: Path, detector: str, numeric: tuple[str, ...]
) -> None:
    model, vec = of_rows(detector, numeric)
    path = save_bundle(model, vec, tmp_path / "m.joblib", model.facts)
    opened = open_bundle(path)
    assert scores(opened.model, opened.vec, rows_of(numeric)).equals(scores(model, vec, rows_of(numeric)))
    assert opened.facts["detector"] == detector
    assert opened.warnings == ()


@pytest.mark.parametrize(
    "recipe",
    [
        *(Recipe(items="messages+requests"), Recipe(items="templates"), Recipe(items="words+trigrams")),
        *(Recipe("Rarity", weighting="tf-idf"), Recipe("OutOfVocabulary", unit="event", items="templates")),
    ],
    ids=lambda recipe: f"{recipe.detector}-{recipe.items}-{recipe.unit}",
)
def test_every_kind_of_model_of_logs_scores_the_same_after_a_restart(
    tmp_path: Path, trained_runs: Path, recipe: Recipe
) -> None:
    workspace = Workspace(trained_runs / "ws")
    model, vec = of_logs(workspace, recipe)
    opened = open_bundle(save_bundle(model, vec, tmp_path / "m.joblib", model.facts))
    source = source_of(workspace, recipe.unit)
    assert scores(opened.model, opened.vec, source).equals(scores(model, vec, source))
    assert opened.vec.feature_names_ == vec.feature_names_


def test_a_model_with_a_mask_of_another_syntax_is_refused_with_the_way_out(tmp_path: Path) -> None:
    model, vec = of_rows("NearestNormal")
    vec.masker.rules = (MaskRule("old", "(?<=a)b", "c", "distinct"),)
    path = save_bundle(model, vec, tmp_path / "m.joblib", model.facts)
    for opening in (open_bundle, vouch):
        with pytest.raises(BundleError, match=r"'old' cannot be used.*look-around.*--default-masks.*train the model"):
            opening(path)


def names_in(path: Path) -> set[str]:
    """All texts in the pickle; those of arrays lie between its opcodes."""
    data, found = path.read_bytes(), set()
    for module in sys.modules:
        if module.startswith("lo2core.") and module.encode() in data:
            found.add(module)
    return found


@pytest.mark.parametrize("detector", REGISTRY)
def test_a_bundle_names_no_module_that_can_move(tmp_path: Path, detector: str) -> None:
    assert names_in(save(tmp_path / "m.joblib", detector)) == set()


@pytest.mark.parametrize("name", sorted(lo2core._PICKLED))
def test_each_class_of_a_model_says_that_it_is_of_lo2core(name: str) -> None:
    kind = getattr(lo2core, name)
    assert (kind.__module__, kind.__qualname__) == ("lo2core", name)


def test_plain_joblib_gives_the_tuple_in_a_process_that_imports_nothing_of_ours(bundle: Path) -> None:
    code = f"import joblib; model, vec = joblib.load({str(bundle)!r}); print(type(model), type(vec), model.unit)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "<class 'lo2core.Model'> <class 'lo2core.Vectorizer'> row"


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_a_tuple_that_a_person_dumped_can_be_vouched_for(tmp_path: Path, compress: Any) -> None:
    sad = AnomalyDetector()
    sad.model, sad.vec = of_rows("IsolationForest")
    path = tmp_path / "mine.joblib"
    joblib.dump((sad.model, sad.vec), path, compress=compress)
    with pytest.raises(UntrustedError, match="without manifest"):
        open_bundle(path)
    vouch(path)
    opened = open_bundle(path)
    assert opened.facts["detector"] == "IsolationForest"
    assert "vouched" in opened.facts
    assert scores(opened.model, opened.vec, rows_of()).equals(scores(sad.model, sad.vec, rows_of()))


def test_vouching_for_a_truncated_bundle_fails_clearly(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-20])
    with pytest.raises(BundleError, match="truncated"):
        vouch(bundle)
    assert state(bundle) is BundleState.CHANGED


@pytest.mark.parametrize("content", [(IsolationForest(), CountVectorizer()), {"model": 1}, ()])
def test_other_content_is_not_a_bundle(bundle: Path, content: object) -> None:
    joblib.dump(content, bundle)
    with pytest.raises(BundleError, match=r"not a lo2core bundle|which no model contains"):
        vouch(bundle)


def test_a_bundle_that_scores_differently_is_refused(bundle: Path) -> None:
    model, vec = of_rows("Rarity")
    model.detectors["client"].weights_ *= 2
    resign(bundle, (model, vec))
    with pytest.raises(BundleError, match="does not score as when it was saved"):
        open_bundle(bundle)


@pytest.mark.parametrize("number", [FORMAT + 1, None])
def test_a_bundle_of_another_format_is_refused(bundle: Path, number: int | None) -> None:
    sign(bundle, format=number)
    with pytest.raises(BundleError, match=r"format.*reads format 1: train the model again"):
        open_bundle(bundle)


def test_another_minor_version_is_a_warning(bundle: Path) -> None:
    installed = bundles._versions()
    sign(bundle, versions=installed | {"scikit-learn": "1.0.2", "numpy": "1.0"})
    assert open_bundle(bundle).warnings == (
        f"It was saved with scikit-learn 1.0.2; {installed['scikit-learn']} is installed.",
    )


@pytest.mark.filterwarnings("ignore:Trying to unpickle")
def test_what_scikit_learn_warns_of_is_said_in_our_words(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as then:
        then.setattr("sklearn.base.__version__", "1.0.2")
        save(bundle, "IsolationForest", replace=True)
    said = (f"It was saved with scikit-learn 1.0.2; {bundles._versions()['scikit-learn']} is installed.",)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_bundle(bundle).warnings == vouch(bundle).warnings == said


def test_a_forest_that_this_scikit_learn_cannot_read_is_one_sentence(bundle: Path) -> None:
    save(bundle, "IsolationForest", replace=True)
    content = bundle.read_bytes().replace(b"missing_go_to_left", b"missing_go_to_east")
    bundle.write_bytes(content)
    versions = bundles._versions() | {"scikit-learn": "0.24.2"}
    sign(bundle, sha256=hashlib.sha256(content).hexdigest(), versions=versions)
    with pytest.raises(BundleError, match=r"cannot be read by the installed libraries .*scikit-learn 0\.24\.2;"):
        open_bundle(bundle)


def test_a_forest_without_an_attribute_that_this_scikit_learn_needs_is_one_sentence(bundle: Path) -> None:
    save(bundle, "IsolationForest", replace=True)
    model, vec = of_rows("IsolationForest")
    del model.detectors["client"].trees_[0].tree_
    resign(bundle, (model, vec))
    sign(bundle, versions=bundles._versions() | {"scikit-learn": "1.0.2"})
    with pytest.raises(BundleError, match=r"self-test failed with .*AttributeError.*scikit-learn 1\.0\.2;"):
        open_bundle(bundle)


def test_an_opened_bundle_prints_in_one_line(bundle: Path) -> None:
    assert repr(open_bundle(bundle)) == f"LoadedBundle(path={bundle!r}, warnings=())"


def test_vouching_for_an_own_bundle_keeps_what_its_manifest_says(bundle: Path) -> None:
    sign(bundle, facts={"workspace": "/data/ws"})
    before = signing.manifest_path(bundle).read_bytes()
    assert vouch(bundle).facts == {"workspace": "/data/ws"}
    assert signing.manifest_path(bundle).read_bytes() == before


@pytest.mark.parametrize(
    ("workspace", "name"),
    [
        ("demo/result/lo2", "lo2_nn"),
        ("demo/result/today", "today_nn"),
        ("demo/result/my logs", "my_logs_nn"),
        ("elsewhere/first", "lo2_nn"),
    ],
)
def test_models_are_named_after_their_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workspace: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LO2_MODELS", raising=False)
    assert default_bundle(Workspace(workspace), Recipe()) == Path(f"models/{name}.joblib")


def test_the_default_is_never_the_model_of_another_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LO2_MODELS", str(tmp_path))
    first, second = Workspace(tmp_path / "first"), Workspace(tmp_path / "second")
    model, vec = of_rows("Rarity")
    path = default_bundle(first, Recipe())
    save_bundle(model, vec, path, model.facts | {"workspace": str(first.root)})
    assert default_bundle(first, Recipe()) == path
    assert default_bundle(second, Recipe()) == tmp_path / "second_nn.joblib"
