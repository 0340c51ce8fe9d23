"""Page Enhance, run by Streamlit without a browser: rules are tried, wait, and are not applied unasked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.pageverbs import commands, dashboard_in, page, press, texts
from streamlit.testing.v1 import AppTest

from lo2core.base.schemas import EnrichedEvents
from lo2core.cli import commands as cli_commands
from lo2core.pipeline import jobs
from lo2core.pipeline.commands import Load
from lo2core.pipeline.inputs import masker_of
from lo2core.store.workspace import Workspace

ENHANCE = "pages/2_Enhance.py"


@pytest.fixture
def workspace(tmp_path: Path, loaded_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    shutil.copytree(loaded_sample, tmp_path / "ws")
    return dashboard_in(tmp_path, monkeypatch)


def add_rule(app: AppTest) -> AppTest:
    for key, text in {"rule-name": "mine", "rule-pattern": "path", "rule-replacement": "<P>"}.items():
        app.text_input(key=key).input(text)
    return press(app.run(), "Add")


def test_new_rules_are_not_applied_before_it_is_said_what_they_make_stale(workspace: Workspace) -> None:
    app = add_rule(page(ENHANCE))
    assert "1 new rule, applied when you enrich" in texts(app)
    app = press(app, "Enrich")
    assert "Existing models will not be able to score them" in texts(app)
    assert not jobs.status(workspace).running


def test_a_pattern_that_backtracks_is_tried_at_once_and_look_around_is_refused(workspace: Workspace) -> None:
    app = page(ENHANCE)
    app.text_input(key="rule-pattern").input(r"([\w.\-/]+\s*)+#").run()
    assert "lines change" in texts(app)
    app.text_input(key="rule-pattern").input("(?<=a)b").run()
    assert "contains look-around" in texts(app)


def test_a_rule_is_tried_added_and_enriched_with_and_the_way_back_is_told(workspace: Workspace) -> None:
    app = page(ENHANCE)
    assert "103 messages" in texts(app) or "messages →" in texts(app)
    assert "--default-masks" not in texts(app)
    app.text_input(key="rule-pattern").input("(").run()
    assert "cannot be used" in texts(app)
    app.text_input(key="rule-name").input("path")
    app.text_input(key="rule-replacement").input("path = <P>")
    app.text_input(key="rule-pattern").input(r"path = /\S+").run()
    assert "lines change;" in texts(app)
    app.button(key="rule-add").click().run()
    assert "--mask path 'path = /\\S+' 'path = <P>'" in texts(app)
    assert cli_commands.main(commands(app)[-1]) == 0
    assert workspace.has(EnrichedEvents)
    assert masker_of(workspace).rules[-1].name == "path"
    app.run()
    assert "--mask" not in texts(app)
    assert "To restore the default rules, load the raw logs again" in texts(app)
    anew = Load(root=(Path("LOGS"),), default_masks=True, output_dir=workspace.root, replace=True)
    assert anew.arguments() in commands(app)
