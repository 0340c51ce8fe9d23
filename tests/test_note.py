"""The persistence note, word for word: its command and its snippets, in three processes, on real logs.

The snippets are cut from the note, the preambles (what the note takes for granted) from the README.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from helpers.kills import Commands

ROOT = Path(__file__).parents[1]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a Markdown text, without the indentation of the list they stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.S | re.M)
    return [re.sub(rf"^{indent}", "", body, flags=re.M) for indent, body in found]


def ran(folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def note(real_data: Path) -> str:
    return (
        (real_data.parent / "docs" / "persistence-note.md")
        .read_text()
        .replace("from loglead import", "from lo2core import")
    )


@pytest.fixture(scope="module")
def preambles() -> list[str]:
    section = (ROOT / "README.md").read_text().split("## From Python")[1].split("\n## ")[0]
    return blocks(section, "python")[:2]


@pytest.fixture(scope="module")
def folder(
    unpack: Callable[..., Path], note: str, preambles: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The working folder after the three processes, which had five of the public folders."""
    folder = tmp_path_factory.mktemp("note")
    logs = unpack("lo2-labeled.tar.xz", "*/correct_[1234]/*", "*/get_token_page_400_no_page_1/*") / "LO2" / "Labeled"
    (loader,) = blocks(note, "bash")
    command = loader.replace("\\\n", " ").replace("<pfad-zum-lo2-sample>", str(logs)).split()
    assert command[:2] == ["python", "demo/run_lo2_loader.py"]
    ran(folder, str(ROOT / command[1]), *command[2:])
    _loaded_again_with_a_kill(folder, [one for one in command[2:] if one != "--save-parquet"])
    enrich, keep_model, keep_predictions, *reuse = blocks(note, "python")
    ran(folder, "-c", "\n".join([preambles[0], enrich, preambles[1], keep_model, keep_predictions]))
    shutil.move(folder / "demo" / "result" / "lo2" / "lo2_events.parquet", folder / "not-needed.parquet")
    ran(folder, "-c", "\n".join(reuse))
    return folder


def _loaded_again_with_a_kill(folder: Path, arguments: list[str]) -> None:
    """A load that is killed when it has replaced some of the tables; the next command replaces the others."""
    with Commands() as run:
        assert run(folder, "load", *arguments, "--replace", kill_on="lo2_messages.parquet").killed
        assert list(folder.rglob(".lo2-journal.json"))
        assert run(folder, "predict", "--output-dir", "demo/result/lo2", "--bundle", "models/none.joblib").status == 2
    assert not list(folder.rglob(".lo2*"))


@pytest.mark.real
def test_its_results_are_the_files_it_names(folder: Path, note: str) -> None:
    named = set(re.findall(r'"((?:demo|models)/[^"<>]+\.\w+)"', note)) - {"demo/result/lo2/lo2_events.parquet"}
    assert named == {
        "demo/result/lo2/lo2_events_enriched.parquet",
        "demo/result/lo2/lo2_if_predictions.parquet",
        "demo/result/lo2/lo2_if_predictions_new.parquet",
        "models/lo2_if.joblib",
    }
    assert [name for name in sorted(named) if not (folder / name).is_file()] == []
    assert (folder / "demo/result/lo2/lo2_sequences.parquet").is_file()


@pytest.mark.real
def test_new_predictions_equal_the_old_ones(folder: Path) -> None:
    old, new = (pl.read_parquet(folder / f"demo/result/lo2/lo2_if_predictions{end}.parquet") for end in ("", "_new"))
    assert new.equals(old)
    events = pl.read_parquet(folder / "not-needed.parquet")
    assert old.select("seq_id", "line_no").equals(events.select("seq_id", "line_no"))
    assert set(old["service"]) == {"client"}
    assert old["score"].null_count() == 0
    assert old["score"].n_unique() > 10


@pytest.fixture(scope="module")
def trusted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the working folder with all events back and the bundle vouched for."""
    copy = Path(shutil.copytree(folder, tmp_path_factory.mktemp("trusted") / "copy"))
    shutil.copy(copy / "not-needed.parquet", copy / "demo" / "result" / "lo2" / "lo2_events.parquet")
    assert "IsolationForest" in ran(copy, "-m", "lo2core", "trust", "models/lo2_if.joblib")
    assert (copy / "models" / "lo2_if.json").is_file()
    return copy


@pytest.mark.real
def test_its_bundle_scores_a_workspace_as_the_note_does(trusted: Path) -> None:
    where = ("--output-dir", "demo/result/lo2", "--bundle", "models/lo2_if.joblib")
    ran(trusted, "-m", "lo2core", "predict", *where, "--predictions", "again")
    key = ["seq_id", "line_no"]
    by_hand, again = (
        pl.read_parquet(trusted / "demo/result/lo2" / f"{name}.parquet").sort(key)
        for name in ("lo2_if_predictions", "again")
    )
    columns = [*key, "score", "z_score", "p_value", "threshold", "pred_ano"]
    assert again.select(columns).equals(by_hand.select(columns))


@pytest.mark.real
def test_its_two_predictions_are_compared_event_by_event(trusted: Path) -> None:
    names = ("lo2_if_predictions", "lo2_if_predictions_new")
    said = ran(trusted, "-m", "lo2core", "compare", *names, "--output-dir", "demo/result/lo2")
    assert "flips: none" in said
    kept = trusted / "demo/result/lo2/explainability" / f"compare_{names[0]}_{names[1]}" / "pairs.parquet"
    assert pl.read_parquet(kept).height == pl.read_parquet(trusted / "not-needed.parquet").height


@pytest.mark.real
def test_its_predictions_are_explained_message_by_message(trusted: Path) -> None:
    where = ("--output-dir", "demo/result/lo2", "--predictions", "lo2_if_predictions")
    said = ran(trusted, "-m", "lo2core", "explain", *where, "--bundle", "models/lo2_if.joblib")
    assert "client, top items" in said
    kept = next((trusted / "demo/result/lo2/explainability/lo2_if_predictions").glob("*/items.parquet"))
    items = pl.read_parquet(kept)
    assert items["share"].sum() == pytest.approx(1)
    assert set(items["n_normals"]) == {4}
    assert (items["normals"].list.len() == 3).all()
