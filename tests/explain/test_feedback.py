"""Known benign: marks change later scores visibly, can be taken back, and never hide anything silently."""

from __future__ import annotations

import polars as pl
import pytest
from helpers.explained import FAULT, FAULTY, OK, evidence, logs, predictions, sequence

from lo2core.base.errors import InputError
from lo2core.base.schemas import Feedback
from lo2core.explain import feedback, requests
from lo2core.explain.evidence import Evidence
from lo2core.explain.items import explained_items


@pytest.fixture(scope="module")
def found() -> Evidence:
    return evidence()


def scored(found: Evidence) -> pl.DataFrame:
    return predictions(found).with_columns(pred_ano=pl.col("seq_id") == FAULTY)


def marks_of_all_new_items(found: Evidence) -> pl.DataFrame:
    new = explained_items(found, FAULTY).filter(~pl.col("known"))
    rows = [feedback.benign("item", f, t, "planned", "ann") for f, t in new.select("feature", "title").iter_rows()]
    return pl.concat(rows)


def test_marked_items_bring_the_score_down_and_the_old_one_stays(found: Evidence) -> None:
    marks = marks_of_all_new_items(found)
    Feedback.validate(marks)
    applied = feedback.apply(found, scored(found), marks).filter(pl.col("seq_id") == FAULTY).row(0, named=True)
    before = scored(found).filter(pl.col("seq_id") == FAULTY)["z_score"][0]
    assert applied["z_score"] == before
    assert applied["z_after"] < applied["threshold"] < before
    assert (applied["pred_ano"], applied["flagged_after"]) == (True, False)
    assert len(applied["marks"]) == marks.height


def test_what_is_suppressed_is_counted(found: Evidence) -> None:
    applied = feedback.apply(found, scored(found), marks_of_all_new_items(found))
    assert feedback.suppressed(applied)["folder"].to_list() == ["no_client"]
    assert feedback.sentence(applied) == "Marks affect 1 sequence; incidents no longer flagged: 1."


def test_a_mark_is_not_taken_back_without_a_reason(found: Evidence) -> None:
    marks = marks_of_all_new_items(found)
    with pytest.raises(InputError, match="To take a mark back, give a reason"):
        feedback.undo(marks, marks["mark"][0], " ", "ann")


def test_untouched_sequences_keep_their_scores(found: Evidence) -> None:
    applied = feedback.apply(found, scored(found), marks_of_all_new_items(found)).filter(pl.col("seq_id") != FAULTY)
    assert applied["z_after"].equals(applied["z_score"], check_names=False)
    assert applied["marks"].list.len().sum() == 0


def test_a_marked_request_kind_is_taken_out(found: Evidence) -> None:
    request = requests.foreign_requests(found, FAULTY).row(0, named=True)
    mark = feedback.benign("request", request["feature"], request["title"], "known", "ann")
    applied = feedback.apply(found, scored(found), mark).filter(pl.col("seq_id") == FAULTY)
    assert applied["z_after"][0] < applied["threshold"][0]


TIMEOUT = ("DEBUG", "found nothing"), ("ERROR", "timed out")
"""Has a message in common with FAULT."""


def in_two(events: pl.DataFrame, at: int) -> pl.DataFrame:
    """The events in two windows, the second of which begins at the event `at`."""
    part = (pl.int_range(pl.len()) >= at).cast(pl.Int32)
    return events.with_columns(seq_id=pl.format("{}__w00{}", "seq_id", part), window=part)


def z_of(found: Evidence, *parts: pl.DataFrame, marked: str) -> dict[str, tuple[float, float]]:
    """Folder and window of each sequence of the logs with its z before and after, all request kinds marked that no
    normal holds in the sequence `marked`.
    """
    here = Evidence(found.model, found.vec, logs(pl.concat(parts)), found.training)
    kinds = requests.foreign_requests(here, marked).select("feature", "title").iter_rows()
    marks = pl.concat([feedback.benign("request", feature, title, "known", "ann") for feature, title in kinds])
    applied = feedback.apply(here, scored(here), marks)
    named = pl.concat_str("folder", pl.col("window").cast(pl.String), ignore_nulls=True)
    return {name: (before, after) for name, before, after in applied.select(named, "z_score", "z_after").iter_rows()}


def test_several_marked_request_kinds_are_taken_out_together(found: Evidence) -> None:
    mixed = sequence("run_9", "mixed", [OK, FAULT, TIMEOUT, OK, FAULT])
    z = z_of(found, mixed, sequence("run_9", "calm", [OK, OK]), marked="run_9__mixed__client")
    assert z["mixed"][0] > z["mixed"][1] == z["calm"][0]


def test_a_marked_request_is_taken_out_of_every_window_that_it_lasts(found: Evidence) -> None:
    mixed = in_two(sequence("run_9", "mixed", [OK, FAULT, OK]), at=3)
    calm = in_two(sequence("run_9", "calm", [OK, OK]), at=2)
    z = z_of(found, mixed, calm, marked="run_9__mixed__client__w000")
    assert z["mixed0"][0] > z["mixed0"][1] == z["calm0"][0]
    assert z["mixed1"][0] > z["mixed1"][1] == z["calm1"][0]


def test_a_template_covers_its_messages(found: Evidence) -> None:
    texts = ["DEBUG c.e.Handler handle - path = <*>", "DEBUG c.e.Handler handle - found nothing"]
    marks = pl.concat([feedback.benign("template", n, text, "known", "ann") for n, text in enumerate(texts)])
    applied = feedback.apply(found, scored(found), marks).filter(pl.col("seq_id") == FAULTY)
    assert set(applied["marks"][0]) == set(marks["mark"])


def test_a_marked_sequence_is_not_flagged_and_has_no_score_after(found: Evidence) -> None:
    applied = feedback.apply(found, scored(found), feedback.benign("sequence", FAULTY, "", "planned", "ann"))
    row = applied.filter(pl.col("seq_id") == FAULTY).row(0, named=True)
    assert (row["z_after"], row["flagged_after"], len(row["marks"])) == (None, False, 1)


def test_marks_of_another_service_do_not_count(found: Evidence) -> None:
    item = explained_items(found, FAULTY).row(0, named=True)
    mark = feedback.benign("item", item["feature"], item["title"], "known", "ann", service="token")
    assert feedback.sentence(feedback.apply(found, scored(found), mark)) == "No mark affects these predictions."


def test_an_undo_is_a_row_and_brings_the_score_back(found: Evidence) -> None:
    mark = feedback.benign("sequence", FAULTY, "", "planned", "ann")
    both = pl.concat([mark, feedback.undo(mark, mark["mark"][0], "it was not", "bob")])
    assert feedback.active(both).height == 0
    assert feedback.apply(found, scored(found), both)["flagged_after"].sum() == 1
    with pytest.raises(InputError, match="taken back already"):
        feedback.undo(both, mark["mark"][0], "again", "bob")


def test_the_same_is_not_marked_twice() -> None:
    mark = feedback.benign("item", 1, "text", "known", "ann")
    Feedback.validate(feedback.unless_marked(mark, feedback.benign("item", 2, "other", "why", "bob")))
    with pytest.raises(InputError, match="already marked as benign by ann: known"):
        feedback.unless_marked(mark, feedback.benign("item", 1, "text", "why", "bob", "client"))
    undone = pl.concat([mark, feedback.undo(mark, mark["mark"][0], "it was not", "bob")])
    assert feedback.unless_marked(undone, feedback.benign("item", 1, "text", "why", "bob")).height == 1


def test_of_two_equal_marks_both_are_taken_back() -> None:
    twins = pl.concat([feedback.benign("item", 1, "text", "known", who, "client") for who in ("ann", "bob")])
    elsewhere = feedback.benign("item", 1, "text", "known", "ann", "token")
    marks = pl.concat([twins, elsewhere])
    both = pl.concat([marks, feedback.undo(marks, twins["mark"][0], "it was not", "bob")])
    assert feedback.active(both)["mark"].to_list() == elsewhere["mark"].to_list()


def test_what_a_mark_would_do_is_said_beforehand(found: Evidence) -> None:
    new = explained_items(found, FAULTY).filter(~pl.col("known"))
    rows = [feedback.benign("item", f, t, "planned", "ann") for f, t in new.select("feature", "title").iter_rows()]
    none = rows[0].clear()
    assert "other items keep it high" in feedback.foreseen(found, scored(found), none, rows[0], FAULTY)
    others = pl.concat(rows[1:])
    assert "below the threshold" in feedback.foreseen(found, scored(found), others, rows[0], FAULTY)
    whole = feedback.benign("sequence", FAULTY, "", "planned", "ann")
    assert "would be no alarm" in feedback.foreseen(found, scored(found), none, whole, FAULTY)
    assert feedback.foreseen(found, scored(found), whole, rows[0], FAULTY) == "The whole sequence is marked already."


def test_marked_items_are_told_by_service_and_by_template(found: Evidence) -> None:
    item = explained_items(found, FAULTY).row(0, named=True)
    text = "DEBUG c.e.Handler handle - found nothing"
    here = feedback.benign("item", item["feature"], item["title"], "known", "ann", "client")
    matched = feedback.benign("template", 1, text, "known", "ann")
    ids = found.messages.filter(text=text)["message_id"].to_list()
    marks = pl.concat([here, matched])
    assert set(feedback.marked_items(found, marks, "client")) == {item["feature"], 1, *ids}
    assert set(feedback.marked_items(found, marks, "token")) == {1, *ids}


def test_a_mark_needs_a_reason_and_a_name() -> None:
    with pytest.raises(InputError, match="needs a reason"):
        feedback.benign("item", 1, "text", "  ", "ann")
    with pytest.raises(InputError, match="A mark is for"):
        feedback.benign("service", 1, "text", "why", "ann")


def test_marks_are_not_for_scored_events(found: Evidence) -> None:
    events = scored(found).with_columns(line_no=pl.lit(1))
    with pytest.raises(InputError, match="single events"):
        feedback.apply(found, events, feedback.benign("item", 1, "text", "why", "ann"))
