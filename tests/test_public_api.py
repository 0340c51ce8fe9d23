"""The public API: every name of `lo2core.__all__` can be used, whatever was imported before."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

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
