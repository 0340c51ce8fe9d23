"""The recipes of CONTRIBUTING.md, applied one after another to a copy of the project, as a reader would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.once import once

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^### (.+?)\n(.*?)(?=^###? |\Z)", TEXT, re.MULTILINE | re.DOTALL))
PARTS = [
    "lo2core",
    "pages",
    "docs",
    "tests",
    ".streamlit",
    "streamlit_app.py",
    "conftest.py",
    "pyproject.toml",
    "README.md",
]
IN_ONE_PROCESS = """
import json, sys
from lo2core.cli.commands import main
sys.exit(any([main(command) for command in json.loads(sys.argv[1])]))
"""
LOADS_PAGE = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=60).run().switch_page("pages/1_Load.py").run()
assert not app.exception, app.exception
print([element.value for element in app.subheader])
print([list(element.value.columns) for element in app.dataframe])
"""


@dataclass
class Copy:
    """A copy of the project with the sample loaded; commands run in it, with its own package."""

    root: Path

    def run(self, *command: str | Path) -> str:
        ours = ("SLIPCOVER", "PYTEST")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        environment |= {"PYTHONPATH": f"{self.root}:{os.environ['PYTHONPATH']}", "LO2_WORKSPACE": "demo/result/sample"}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def apply(self, recipe: str) -> None:
        """Write the recipe's new files and make its changes to existing ones."""
        for path, code in re.findall(r"^`([\w/.]+)`\n\n```python\n(.*?)^```", recipe, re.MULTILINE | re.DOTALL):
            assert not (self.root / path).exists()
            (self.root / path).write_text(code)
        for block in _blocks(recipe, "diff"):
            for path, changes in re.findall(r"^\+\+\+ (\S+)\n(.*?)(?=^\+\+\+|\Z)", block, re.MULTILINE | re.DOTALL):
                for change in changes.split("@@\n"):
                    self._change(self.root / path, change.splitlines(keepends=True))

    def _change(self, path: Path, lines: list[str]) -> None:
        old, new = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
        text = path.read_text()
        assert text.count(old) == 1, f"A recipe of CONTRIBUTING.md is out of date: not once in {path}:\n{old}"
        path.write_text(text.replace(old, new))

    def follow(self, recipe: str) -> str:
        """Run the recipe's commands and its examples; the output of the commands."""
        lines = "".join(_blocks(recipe, "bash")).splitlines()
        commands = [line.removeprefix("python -m lo2core ").split() for line in lines]
        said = self.run(sys.executable, "-c", IN_ONE_PROCESS, json.dumps(commands)) if commands else ""
        for number, example in enumerate(_blocks(recipe, "pycon")):
            (self.root / f"{number}.txt").write_text(example)
            self.run(sys.executable, "-m", "doctest", f"{number}.txt")
        return said


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def copy(trained_runs: Path, sample_logs: Path, shared_tmp: Path) -> Copy:
    """With all recipes applied, in their order."""

    def make(folder: Path) -> None:
        for name in PARTS:
            source = PROJECT / name
            shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
        shutil.copytree(trained_runs / "ws", folder / "demo/result/sample")
        shutil.copytree(next(sample_logs.iterdir()), folder / "logs-by-date" / "2026-11-28")
        for recipe in RECIPES.values():
            Copy(folder).apply(recipe)

    return Copy(once(shared_tmp / "recipes", make))


def test_every_kind_of_contribution_has_a_recipe() -> None:
    kinds = ("detector", "mask", "log layout", "chart", "page section", "table")
    assert list(RECIPES) == [f"Add a {kind}" for kind in kinds]


def test_the_code_of_all_recipes_keeps_the_rules(copy: Copy) -> None:
    copy.run(sys.executable, "-m", "ruff", "check", "lo2core", "pages")
    copy.run(sys.executable, "-m", "ruff", "format", "--check", "lo2core", "pages")
    imports = ("tests/test_architecture.py", "-k", "import or circle or rule or top or files")
    copy.run(sys.executable, "-m", "pytest", "-q", "--noconftest", "-o", "addopts=--import-mode=importlib", *imports)


def test_a_new_detector_trains_scores_and_is_evaluated(copy: Copy) -> None:
    said = copy.follow(RECIPES["Add a detector"])
    assert "Breadth" in said
    predictions = pl.read_parquet(copy.root / "demo/result/sample/breadth.parquet")
    assert predictions.filter(pl.col("z_score").is_not_null()).height == predictions.height > 0


@pytest.mark.parametrize("recipe", ["Add a mask", "Add a chart"])
def test_examples_of_a_recipe_say_what_they_promise(copy: Copy, recipe: str) -> None:
    copy.follow(RECIPES[recipe])


def test_a_new_layout_is_named_and_dates_the_lines(copy: Copy) -> None:
    said = copy.follow(RECIPES["Add a log layout"])
    assert said.startswith("by date: 1 run")
    events = pl.read_parquet(copy.root / "demo/result/by-date/lo2_events.parquet")
    assert set(events["m_timestamp"].dt.date()) == {date(2026, 11, 28)}


def test_a_new_page_section_shows_its_chart_and_its_table(copy: Copy) -> None:
    headings, tables = copy.run(sys.executable, "-c", LOADS_PAGE).splitlines()[-2:]
    assert "Events by service" in headings
    assert "['service', 'sequences', 'events']" in tables


def test_a_new_table_is_kept_checked_and_documented(copy: Copy) -> None:
    copy.follow(RECIPES["Add a table"])
    copy.run(sys.executable, "docs/reference.py")
    assert "## ServiceTotals, `lo2_service_totals.parquet`" in (copy.root / "docs/tables.md").read_text()
