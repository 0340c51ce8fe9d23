"""The script of a view runs with the public API, and shows what the view shows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lo2core.base.config import SAMPLE_WORKSPACE
from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.commands import COMMANDS, Command, Compare, Explain, Load, Predict, Search, Train, Trust
from lo2core.pipeline.line_filter import LineFilter
from lo2core.pipeline.script import script

SAMPLE = Path(SAMPLE_WORKSPACE)
SCORES, WIDE = "sample_nn_predictions", "wide"
INCIDENT = "light-oauth2-data-1735736022/get_client_404_no_client"
MODEL = Path("models/sample_nn.joblib")
ODD = 'it\'s """\\ \n{x}'


def test_scripts_of_all_stages_run_one_after_the_other(
    sample_project: Path,
    sample_logs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(sample_project)
    own, oov = tmp_path / "own", tmp_path / "oov.joblib"
    stages: list[tuple[Command, str]] = [
        (Explain(output_dir=SAMPLE, predictions=SCORES, incident=INCIDENT), "CLIENT_NOT_FOUND"),
        (Search(wanted=LineFilter("CLIENT_NOT_FOUND", levels=("ERROR",)), output_dir=SAMPLE), "oauth2-client"),
        (Search(wanted=LineFilter(ODD, without="x"), output_dir=SAMPLE), "shape: (0, 5)"),
        (Load(root=(sample_logs,), options=LoadOptions(n_runs=2, services=("client",)), output_dir=own), "events"),
        (Train(output_dir=own, recipe=Recipe("OutOfVocabulary", budget=10.0), bundle=oov), "budget=10.0"),
        (Predict(output_dir=own, bundle=oov, predictions="oov"), "z_score"),
        (Predict(output_dir=own, bundle=MODEL, predictions=WIDE, budget=20.0), "z_score"),
        (Compare(names=("oov", WIDE), output_dir=own), "The logs are the same"),
    ]
    for command, shown in stages:
        text = script(command)
        assert text is not None
        with pl.Config():  # which a script changes
            exec(compile(text, command.stage(), "exec"), {})
        assert shown in capsys.readouterr().out, text


def test_a_command_without_a_counterpart_has_no_script() -> None:
    assert script(Trust(bundle=MODEL)) is None
    assert Trust in COMMANDS
