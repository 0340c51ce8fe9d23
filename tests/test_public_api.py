"""The public API: every name of `lo2core.__all__` can be used, whatever was imported before."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

import lo2core

PACKAGES = [module.name for module in pkgutil.iter_modules(lo2core.__path__) if module.ispkg]
MODULES = {"detectors", "errors", "schemas"}


@pytest.fixture(scope="module", autouse=True)
def _packages_imported() -> None:
    """Importing `lo2core.explain` sets an attribute `explain` of `lo2core`, which hides a public name that is equal."""
    for name in PACKAGES:
        importlib.import_module(f"lo2core.{name}")


@pytest.mark.parametrize("name", lo2core.__all__)
def test_a_public_name_is_what_it_says(name: str) -> None:
    found = getattr(lo2core, name)

    assert name not in PACKAGES
    assert isinstance(found, ModuleType) == (name in MODULES)
    assert name in MODULES or callable(found)


def test_every_public_name_has_one_home() -> None:
    homes = (lo2core._PUBLIC, lo2core._MODULES, lo2core._PICKLED)

    assert set(lo2core.__all__) <= {name for home in homes for name in home}
    assert set(lo2core._PUBLIC).isdisjoint(lo2core._PICKLED)
    assert {*lo2core._PUBLIC, *lo2core._MODULES} <= set(lo2core.__all__) <= set(dir(lo2core))


def test_importing_the_package_loads_no_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import lo2core; "
        "print({m.split('.')[0] for m in {*sys.modules} - before} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "{'lo2core'}"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lo2core.nothing  # noqa: B018


@pytest.mark.parametrize("name", sorted(lo2core._PICKLED))
def test_a_class_of_a_saved_model_is_found_under_its_short_name(name: str) -> None:
    assert getattr(lo2core, name).__name__ == name


def test_a_script_does_all_stages_with_public_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = lo2core.Workspace("result")
    logs = lo2core.write_sample("logs", runs=2)

    loaded = lo2core.load_logs(workspace, logs, lo2core.LoadOptions(services=("client", "user")))
    enhanced = lo2core.enhance_events(workspace)
    models = [lo2core.train_bundle(workspace, lo2core.Recipe(name)) for name in ("NearestNormal", "Rarity")]
    saved = [lo2core.predict_logs(workspace, model) for model in models]
    figures = lo2core.evaluate_recipes(workspace, [lo2core.Recipe("OutOfVocabulary")])
    explained = lo2core.explain_incident(workspace, saved[0].stem)
    compared = lo2core.compare_predictions(workspace, [path.stem for path in saved])
    pages = [*lo2core.save_explanation(workspace, explained), *lo2core.save_comparison(workspace, compared)]

    assert loaded.ledger["lines"].sum() > 0
    assert {"e_words", "e_template"} <= set(workspace.columns(lo2core.schemas.EnrichedEvents))
    assert [path.name for path in models] == ["lo2_nn.joblib", "lo2_rarity.joblib"]
    assert set(workspace.predictions()) == {path.stem for path in saved}
    assert set(figures.filter(kind="detector")["detector"]) == {"OutOfVocabulary"}
    assert explained.items["rank"][0] == 1
    assert compared.same_sequences
    assert all(path.is_file() for path in (enhanced, *pages))
    scores = lo2core.read_predictions(workspace, saved[0].stem)
    opened = lo2core.open_bundle(models[0])
    assert scores.filter(pl.col("score").is_not_null())["service"].unique().sort().to_list() == ["client", "user"]
    assert list(opened.model.detectors) == ["client", "user"]
    with pytest.raises(lo2core.errors.ExistsError):
        lo2core.load_logs(workspace, ["logs"])


@pytest.mark.parametrize("name", lo2core.__all__)
def test_a_public_name_has_an_example_that_uses_it(name: str) -> None:
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(lo2core, name)) or "")

    assert any(name in example.source for example in examples)
    assert any(re.match(r"from lo2core import .*", example.source) for example in examples)
