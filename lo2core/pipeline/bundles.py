"""Opening and saving models: from the bytes of a bundle to `Model` and `Vectorizer`, and back.

A bundle is the tuple `(model, vec)` in a joblib file; see `pipeline.unpickler` for how it is read.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import platform
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import joblib

from lo2core.base.calls import checked_arguments
from lo2core.base.clock import now
from lo2core.base.config import DEFAULT_WORKSPACE
from lo2core.base.errors import BundleError, InputError
from lo2core.base.provenance import BundleFacts, Manifest, typed
from lo2core.base.untrusted import json_value
from lo2core.detect.calibration import Calibration, Threshold
from lo2core.detect.detectors import Detector
from lo2core.detect.model import Model
from lo2core.detect.recipe import Recipe
from lo2core.detect.vectorizer import Vectorizer
from lo2core.messages.masks import Masker
from lo2core.pipeline.unpickler import Refused, read_pickle
from lo2core.store import bundles
from lo2core.store.names import cleaned
from lo2core.store.parquet import lo2core_version
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace

_WATCHED = ("scikit-learn", "polars")
"""Packages whose minor version may change scores."""


@dataclass(frozen=True)
class LoadedBundle:
    """An opened bundle; `warnings` are sentences about versions that differ from those it was saved with."""

    model: Model = field(repr=False)
    vec: Vectorizer = field(repr=False)
    manifest: Manifest = field(repr=False)
    path: Path
    warnings: tuple[str, ...] = ()

    @property
    def facts(self) -> BundleFacts:
        """What the manifest says about the training: the facts of the model, and of its data and workspace."""
        return self.manifest.get("facts", {})


def save_bundle(model: Model, vec: Vectorizer, path: Path, facts: BundleFacts, *, replace: bool = False) -> Path:
    """Save `(model, vec)` with a signed manifest that contains `facts` and self-test rows; returns the path.

    Raises `ExistsError` when the bundle exists and `replace` is false.
    """
    buffer = io.BytesIO()
    joblib.dump((model, vec), buffer)
    tests = model.make_self_test(vec)
    bundles.save_bundle(path, buffer.getvalue(), facts, tests, _versions(), replace=replace)
    return path


def default_bundle(workspace: Workspace, recipe: Recipe) -> Path:
    """Where a model is saved if no file is named; it never is the model of another workspace.

    Models of a workspace in `demo/result` have its name: `models/today_nn.joblib` for `demo/result/today`. Elsewhere
    the name is `models/lo2_nn.joblib`, unless another workspace has trained that one.
    """
    shared = recipe.default_bundle
    named = shared.with_name(shared.name.replace("lo2", cleaned(workspace.root.resolve().name), 1))
    if workspace.root.resolve().parent == Path(DEFAULT_WORKSPACE).parent.resolve():
        return named
    owner = bundles.facts_of(shared).get("workspace")
    return shared if owner is None or workspace.is_at(owner) else named


@checked_arguments
def open_bundle(path: str | Path) -> LoadedBundle:
    """Open a signed bundle and replay its self-test.

    Raises `UntrustedError`, which says what to do, if the bundle is not signed by this user; nothing is unpickled then.
    Raises `BundleError` if it is missing, damaged, of another format, or scores differently than when it was saved.

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
    data, manifest = bundles.read_bundle(path)
    versions = manifest.get("versions", {})
    model, vec, found = _unpickled(data, path, versions)
    _check_masks(vec, path)
    _replay(model, vec, manifest, path)
    return LoadedBundle(model, vec, manifest, path, tuple(_version_warnings(versions | found)))


def vouch(path: str | Path) -> LoadedBundle:
    """Trust a bundle because a person does: open it, check its content, make new self-test rows, sign it.

    Only call it when a person asked for it. The facts in the new manifest are those of the model itself
    (`model.facts`). A bundle that this user has signed is opened and stays as it is. Raises `BundleError` if it is
    missing, damaged or not a bundle.
    """
    path = bundles.checked_path(path)
    if bundles.state(path) is BundleState.SIGNED:
        return open_bundle(path)
    data = bundles.read_unverified(path)
    model, vec, found = _unpickled(data, path, {})
    try:
        _check_parts(model, vec)
        _check_masks(vec, path)
        facts = typed(BundleFacts, json_value(json.dumps(model.facts)))
        tests = model.make_self_test(vec)
        manifest = bundles.sign_bundle(path, data, facts | {"vouched": now()}, tests, _versions())
    except BundleError:
        raise
    except Exception as error:  # the parts of the model can be anything
        raise BundleError(f"{path} is incomplete or damaged ({_reason(error)}): train the model again.") from error
    return LoadedBundle(model, vec, manifest, path, tuple(_version_warnings(found)))


def _unpickled(data: bytes, path: Path, versions: dict[str, str]) -> tuple[Model, Vectorizer, dict[str, str]]:
    """The parts of a bundle, and the version of scikit-learn if it warns that it is another one than installed."""
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            content = read_pickle(data)
    except Refused as error:
        raise BundleError(f"{path} was not opened: {error}. Train the model again.") from error
    except Exception as error:  # a damaged file raises nearly anything
        raise BundleError(_unreadable(path, versions, error)) from error
    parts = content if isinstance(content, tuple) else (content,)
    if [type(part) for part in parts] != [Model, Vectorizer]:
        found = ", ".join(type(part).__name__ for part in parts[:5]) or "nothing"
        raise BundleError(
            f"{path} is not a lo2core bundle: expected the tuple (model, vec) of an AnomalyDetector, found {found}. "
            "Train the model again with `python -m lo2core train`."
        )
    other = next((w.message for w in said if hasattr(w.message, "original_sklearn_version")), None)
    model, vec = cast(tuple[Model, Vectorizer], parts)
    return model, vec, {"scikit-learn": str(other.original_sklearn_version)} if other else {}


def _check_parts(model: Model, vec: Vectorizer) -> None:
    """Raises TypeError where parts of a model are not what every page takes for granted."""
    wanted = [
        (Threshold, [model.threshold]),
        (Calibration, model.calibrations.values()),
        (Detector, model.detectors.values()),
        (Masker, [vec.masker]),
        (str, [model.unit, vec.items, vec.weighting, *model.detectors, *model.calibrations, *vec.feature_names_]),
    ]
    for kind, parts in wanted:
        if wrong := [part for part in parts if not isinstance(part, kind)]:
            raise TypeError(f"expected a {kind.__name__}, found a {type(wrong[0]).__name__}")
    if model.detectors.keys() != model.calibrations.keys():
        raise TypeError("its detectors and calibrations are of different services")


def _check_masks(vec: Vectorizer, path: Path) -> None:
    """Raises BundleError for a mask that cannot be used any more: earlier versions had other syntax than this one."""
    try:
        Masker(getattr(getattr(vec, "masker", None), "rules", ()))
    except InputError as error:
        raise BundleError(
            f"{path} cannot be used. {error} Load the logs again with --replace --default-masks, add a corrected mask "
            "and train the model again."
        ) from error


def _unreadable(path: Path, versions: dict[str, str], error: Exception) -> str:
    """Verified bytes are what was saved: then it must be another version that cannot read them."""
    if remarks := " ".join(_version_warnings(versions)):
        return f"{path} cannot be read by the installed libraries ({_reason(error)}). {remarks} Train the model again."
    return f"{path} is truncated, damaged or of another version ({_reason(error)}): train the model again."


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(".: ")


def _replay(model: Model, vec: Vectorizer, manifest: Manifest, path: Path) -> None:
    try:
        difference = model.self_test(vec, manifest["selftest"])
    except Exception as error:  # a library that has changed, or content that is wrong, raises nearly anything
        difference = f"The self-test failed with {_reason(error)}."
    if difference:
        remarks = " ".join(["", *_version_warnings(manifest.get("versions", {}))])
        raise BundleError(f"{path} does not score as when it was saved. {difference}{remarks} Train the model again.")


def _version_warnings(recorded: dict[str, str]) -> list[str]:
    installed = _versions()
    return [
        f"It was saved with {name} {recorded[name]}; {installed[name]} is installed."
        for name in _WATCHED
        if name in recorded and recorded[name].split(".")[:2] != installed[name].split(".")[:2]
    ]


def _versions() -> dict[str, str]:
    installed = {name: importlib.metadata.version(name) for name in (*_WATCHED, "numpy")}
    return {"python": platform.python_version(), "lo2core": lo2core_version(), **installed}
