"""A few of the hostile inputs of `make torture`, of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from torture.inputs import KINDS, attacked
from torture.place import make_template

A_FEW = range(2)
SETTINGS = ("LO2_SIGNING_KEY_FILE", "LO2_MODELS", "LO2_WORKSPACE")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.setenv(name, "")  # to be restored
        return make_template(tmp_path_factory.mktemp("torture") / "template")


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_is_used_or_refused_with_a_sentence(
    kind: str, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SETTINGS:
        monkeypatch.setenv(name, "")
    assert [failure for one in attacked(kind, A_FEW, 7, template) for failure in one.failures] == []
