"""What page Enhance shows: templates, what rules do, what a new one would do."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_log

from lo2core.base.errors import ArtefactError, InputError
from lo2core.base.schemas import Counts, EnrichedEvents, Events, Messages
from lo2core.enhance.mask_trial import excerpt, rule_effect, rule_table
from lo2core.messages.masks import DEFAULT_RULES, Masker, user_rule
from lo2core.pipeline.enhance import enhance_events, sample_lines, templates
from lo2core.pipeline.inputs import extended_masker, masker_of
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, sample_logs: Path) -> Workspace:
    """One run of the sample."""
    workspace = Workspace(tmp_path_factory.mktemp("templates"))
    load_logs(workspace, [min(path for path in sample_logs.iterdir() if path.is_dir())], jobs=1)
    return workspace


def test_templates_account_for_every_event(workspace: Workspace) -> None:
    found = templates(workspace)
    assert found["events"].sum() == workspace.read(Events).height
    assert found["messages"].sum() == workspace.read(Messages).filter(kind="message").height
    assert found["events"].is_sorted(descending=True)


def test_a_template_of_faults_only_is_in_no_normal_test_case(workspace: Workspace) -> None:
    found = templates(workspace).filter(pl.col("example").str.contains("CLIENT_NOT_FOUND"))
    assert found["normal"].to_list() == [0.0] * found.height
    assert found.height
    assert (found["other"] > 0).all()


def test_a_template_says_first_what_it_says(workspace: Workspace) -> None:
    found = templates(workspace)
    title = found.filter(pl.col("example").str.contains("CLIENT_NOT_FOUND"))["title"][0]
    assert title.startswith("ERROR 404 ERR12014 CLIENT_NOT_FOUND")


def test_sampled_lines_are_spread_over_all_events(workspace: Workspace) -> None:
    lines = sample_lines(workspace, n=50)
    assert len(lines) == 50
    assert lines.str.contains(r"^[A-Z]+ \S+ .* - ").all()


def test_rules_show_where_they_changed_a_line() -> None:
    lines = pl.Series(["GET /client/bb56e5b5-3eaf-481f-a7b2-2bf58b3d7711 of the very long line"])
    uuid = rule_table(Masker(), lines).row(0, named=True)
    assert uuid["hits"] == 1
    assert uuid["before"] == "GET /client/bb56e5b5-3eaf-481f-a7b2-2bf58b3d7711 of the very lon…"
    assert uuid["after"] == "GET /client/<UUID> of the very lon…"


@pytest.mark.parametrize(
    ("before", "after", "cut"),
    [
        ("a 1 b", "a <N> b", ("a 1 b", "a <N> b")),
        ("x" * 30 + "1", "x" * 30 + "2", ("…" + "x" * 4 + "1", "…" + "x" * 4 + "2")),
        ("y" * 40, "", ("y" * 10 + "…" + "y" * 10, "")),
        ("same", "same", ("same", "same")),
    ],
)
def test_excerpts_keep_the_difference(before: str, after: str, cut: tuple[str, str]) -> None:
    assert excerpt(before, after, around=4, longest=20) == cut


def test_a_new_rule_tells_what_it_would_merge() -> None:
    lines = pl.Series(["order 1 made", "order 2 made", "order 2 made", "nothing"])
    effect = rule_effect(Masker(), user_rule("order", r"order \d+", "order <N>"), lines, lines.unique())
    assert (effect.lines, effect.examples.height, effect.messages) == (3, 2, (3, 2))


def test_rules_that_take_too_long_are_refused() -> None:
    lines = pl.Series(["order 1 made"])
    order = user_rule("order", r"order \d+", "order <N>")
    with pytest.raises(InputError, match=r"added masks \(order\) take longer than 0 s for 1 lines: simplify"):
        rule_effect(Masker(), order, lines, lines, longest=0)
    with pytest.raises(InputError, match=r"added masks \(order\) take longer"):
        rule_table(Masker((*DEFAULT_RULES, order)), lines, longest=0)
    assert rule_table(Masker(), lines, longest=0).height == len(DEFAULT_RULES)


def test_a_new_rule_is_tried_behind_rules_that_match_what_they_made() -> None:
    first = user_rule("key", r"Null (.+)", "<Null ${1}>")
    masker = Masker((*DEFAULT_RULES, first))
    lines = pl.Series(["Null key 1", "Null key 2"])
    effect = rule_effect(masker, user_rule("number", r"key \d", "key"), lines, masker.mask(lines))
    assert effect.examples.rows() == [("<Null key 1>", "<Null key>"), ("<Null key 2>", "<Null key>")]
    assert effect.messages == (2, 1)


def test_added_rules_extend_those_of_the_workspace_and_mask_its_events(workspace: Workspace) -> None:
    rules = [("first word", r"Trying to load \w+", "Trying to load <WORD>")]
    masker = extended_masker(workspace, rules)
    before = workspace.metadata(Counts)["data_fingerprint"]
    enhance_events(workspace, masker=masker, replace=True)
    assert masker_of(workspace).fingerprint == masker.fingerprint
    assert extended_masker(workspace, rules).fingerprint == masker.fingerprint
    assert (
        workspace.read(EnrichedEvents)["e_message_normalized"].str.contains("Trying to load <WORD>", literal=True).any()
    )
    assert workspace.metadata(EnrichedEvents)["data_fingerprint"] not in (before, None)


def test_tables_of_which_some_are_masked_by_other_rules_are_refused(tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "run_1" / "correct", line("Null key 1"))
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [tmp_path / "logs"])
    masker = extended_masker(workspace, [("digit", r"\d", "<N>")])
    before = workspace.path(Messages).read_bytes()
    enhance_events(workspace, masker=masker, replace=True)
    workspace.path(Messages).write_bytes(before)

    with pytest.raises(ArtefactError, match="contains tables that were not written together"):
        enhance_events(workspace, masker=masker, replace=True)


def test_a_rule_that_matches_what_it_made_is_applied_once(tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "run_1" / "correct", line("Null key 1") + line("Null key 2"))
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [tmp_path / "logs"])
    for rule in (("key", r"Null (.+)", "<Null ${1}>"), ("digit", r"\d", "<N>")):
        masker = extended_masker(workspace, [rule])
        enhance_events(workspace, masker=masker, replace=True)
    texts = workspace.read(Messages).filter(kind="message")["text"].to_list()
    assert texts == ["DEBUG c.n.handler.Chain handle - <Null key <N>>"]
    fresh = Workspace(tmp_path / "fresh")
    load_logs(fresh, [tmp_path / "logs"], masker=masker)
    assert workspace.read(Messages).equals(fresh.read(Messages))
    assert workspace.read(Counts).equals(fresh.read(Counts))


def test_a_table_with_a_mask_that_cannot_be_used_names_the_way_out(workspace: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path)
    rules = json.dumps([{"name": "old", "pattern": "(?<=a)b", "replacement": "c", "stage": "distinct"}])
    other.write(Messages, workspace.read(Messages), provenance={"masks": rules})
    with pytest.raises(ArtefactError, match=r"'old' cannot be used.*look-around.*load the logs again with .*--default"):
        masker_of(other)


def test_a_rule_with_the_name_of_another_is_refused(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="Two masks have the name 'uuid'"):
        extended_masker(workspace, [("uuid", "x+", "y")])
