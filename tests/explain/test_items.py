"""Explanations of a small incident made by hand: items, lines, nearest normals, requests."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from helpers.explained import FAULTY, OK, evidence, logs, predictions, sequence

from lo2core.base.errors import InputError
from lo2core.base.schemas import ExplainedItems, ExplainedLines, ExplainedRequests, NearestNormals
from lo2core.detect.incidents import Incident, compared_with_normals, in_words, rows_of
from lo2core.detect.logs import Logs
from lo2core.detect.predict import predict_events
from lo2core.detect.vectorizer import raw_counts
from lo2core.explain import raw_lines, requests
from lo2core.explain.evidence import Evidence
from lo2core.explain.incidents import false_positives, first_odd_events, services_of
from lo2core.explain.items import explained_items, nearest_normals
from lo2core.explain.lines import explained_lines, in_stretches
from lo2core.explain.top_items import top_items
from lo2core.explain.values import values_of_item


@pytest.fixture(scope="module")
def found() -> Evidence:
    return evidence()


def test_items_outside_the_vocabulary_stand_there_by_name(found: Evidence) -> None:
    items = explained_items(found, FAULTY)
    ExplainedItems.validate(items)
    new = items.filter(~pl.col("known"))
    assert set(new["item"].str.strip_chars()) == {
        "DEBUG c.e.Handler handle - path = /client/none",
        "DEBUG c.e.Handler handle - found nothing",
        "ERROR c.e.Handler handle - refused",
        "at com.example.Handler.next(Handler.java:7)",
        "Caused by: java.lang.IllegalStateException: no such client",
    }
    assert set(new["here"]) == {2.0}
    assert set(new["held_by"]) == {0}


def test_shares_add_up_and_contributions_to_the_score(found: Evidence) -> None:
    items = explained_items(found, FAULTY)
    score = predictions(found).filter(pl.col("seq_id") == FAULTY)["score"][0]
    assert items["share"].sum() == pytest.approx(1)
    assert items["contribution"].sum() == pytest.approx(score)


@pytest.mark.parametrize("weighting", ["counts", "log1p", "binary", "tf-idf"])
def test_counts_are_found_again_behind_the_weighting(found: Evidence, weighting: str) -> None:
    vec = type(found.vec)("messages", weighting).fit(found.here.items, found.here.sequences["seq_id"])
    plain = type(found.vec)("messages").fit(found.here.items, found.here.sequences["seq_id"])
    ids = pl.Series([FAULTY])
    counts = plain.transform(found.here.items, ids).X.toarray()
    expected = (counts > 0).astype(float) if weighting == "binary" else counts
    back = raw_counts(vec, vec.transform(found.here.items, ids).X)
    assert back.toarray() == pytest.approx(expected)


@pytest.mark.parametrize("items", ["templates", "requests", "words", "messages+requests"])
def test_every_kind_of_item_leads_to_the_error(items: str) -> None:
    found = evidence(items=items)
    shown = explained_lines(found, FAULTY, explained_items(found, FAULTY))
    assert shown.filter(pl.col("place") == 1)["event_line"].to_list() == [7]


@pytest.mark.parametrize("detector", ["IsolationForest", "Rarity", "OutOfVocabulary", "LocalOutlierFactor"])
def test_every_detector_can_be_explained(detector: str) -> None:
    found = evidence(detector)
    items = explained_items(found, FAULTY)
    assert items["share"].sum() == pytest.approx(1) or items["share"].sum() == 0
    ExplainedLines.validate(explained_lines(found, FAULTY, items))


def test_nearest_normals_leave_the_sequence_itself_out(found: Evidence) -> None:
    normal = "run_0__correct_0__client"
    nearest = nearest_normals(found, normal)
    NearestNormals.validate(nearest)
    assert nearest.height == 3
    assert normal not in nearest["normal"].to_list()
    assert nearest["distance"].is_sorted()


def test_nearest_normals_are_looked_for_once(found: Evidence) -> None:
    assert nearest_normals(found, FAULTY) is nearest_normals(found, FAULTY)


def test_unknown_sequences_and_services_are_named(found: Evidence) -> None:
    with pytest.raises(InputError, match="no sequence 'nobody'"):
        explained_items(found, "nobody")
    foreign = logs(pl.concat([sequence("run_9", "correct", [OK], service="token")]))
    with pytest.raises(InputError, match="knows client, but not 'token'"):
        explained_items(Evidence(found.model, found.vec, foreign, found.training), "run_9__correct__token")


def test_the_first_line_is_the_root_cause_of_the_error(found: Evidence) -> None:
    shown = explained_lines(found, FAULTY, explained_items(found, FAULTY))
    ExplainedLines.validate(shown)
    first = shown.filter(pl.col("place") == 1).row(0, named=True)
    assert first["text"] == "Caused by: java.lang.IllegalStateException: no such client"
    assert (first["event_line"], first["line_no"]) == (7, 9)
    assert first["trace"].splitlines()[0] == "\tat com.example.Handler.next(Handler.java:7)"


def test_shares_of_lines_add_up_and_neighbours_name_what_they_hold_too(found: Evidence) -> None:
    shown = explained_lines(found, FAULTY, explained_items(found, FAULTY))
    assert 0 < shown["share"].sum() <= 1
    numbered, around = shown.drop_nulls("place"), shown.filter(pl.col("place").is_null())
    assert numbered["items"].list.len().min() > 0
    assert set(around["items"].explode().drop_nulls()) <= set(numbered["items"].explode())


def test_surroundings_that_touch_are_one_stretch(found: Evidence) -> None:
    shown = explained_lines(found, FAULTY, explained_items(found, FAULTY), around=1)
    assert in_stretches(shown)["stretch"].unique().to_list() == [1]
    far = shown.head(1).with_columns((pl.col("line_no", "event_line") + 90), near=pl.lit(0, dtype=pl.Int64))
    apart = pl.concat([shown, far])
    assert in_stretches(apart).select("line_no", "stretch").row(0) == (far["line_no"][0], 1)
    assert in_stretches(apart)["stretch"].max() == 2


def test_the_values_of_an_item_are_those_of_its_lines_and_of_the_normals(found: Evidence) -> None:
    compared = {
        row["item"]: values_of_item(found, FAULTY, row["feature"])
        for row in explained_items(found, FAULTY).iter_rows(named=True)
    }
    assert all((values.height > 0) == ("<" in item) for item, values in compared.items() if "<" not in item)
    assert all(values["distinct"].min() for values in compared.values() if values.height)


def test_errors_come_first_and_stack_frames_last(found: Evidence) -> None:
    titles = explained_items(found, FAULTY).filter(pl.col("share") > 0)["title"].to_list()
    assert titles[:2] == ["Caused by: IllegalStateException: no such client", "ERROR refused  ·  Handler.handle"]
    assert titles[-1] == "at Handler.next (Handler.java:7)"


def test_of_scored_events_the_worst_stands_first() -> None:
    found = evidence("Rarity", unit="event")
    items = explained_items(found, FAULTY)
    parts = (found.model, found.vec, found.here.items, found.here.sequences, found.here.events)
    worst = predict_events(*parts).filter(pl.col("seq_id") == FAULTY).collect()["z_score"].max()
    assert items["contribution"].is_sorted(descending=True)
    assert items["contribution"][0] == pytest.approx(worst)


@pytest.mark.parametrize(
    ("detector", "unit", "kind"),
    [
        ("NearestNormal", "sequence", "messages+requests"),
        ("NearestNormal", "sequence", "templates"),
        ("Rarity", "sequence", "messages+requests"),
        ("Rarity", "event", "messages+templates"),
    ],
)
def test_the_headline_is_the_first_item(detector: str, unit: str, kind: str) -> None:
    found = evidence(detector, unit=unit, items=kind)
    sequences = found.here.sequences.select("seq_id", "service")
    told = top_items(found.model, found.vec, found.here.items, sequences)
    for seq_id, top in told.iter_rows():
        items = explained_items(found, seq_id).filter(pl.col("share") > 0)
        first = items["title"][0].removeprefix("no known template: ") if items.height else ""
        assert (top or "").removeprefix("new: ") == first


def test_each_event_is_shown_once_and_neighbours_stand_around(found: Evidence) -> None:
    shown = explained_lines(found, FAULTY, explained_items(found, FAULTY), around=1)
    marked = shown.drop_nulls("place")
    assert marked["text"].is_unique().all()
    assert {4, 8} & set(shown.filter(pl.col("place").is_null())["line_no"]) == {4}
    assert shown["line_no"].is_unique().all()


@pytest.mark.parametrize("kind", ["message", "trace", "request"])
def test_items_of_every_kind_lead_to_their_raw_lines(found: Evidence, kind: str) -> None:
    held = found.here.items.counts.filter(pl.col("seq_id") == FAULTY, pl.col("kind") == kind)
    texts = dict(found.here.items.messages.select("message_id", "text").iter_rows())
    for item, n in held.select("message_id", "n").iter_rows():
        shown = raw_lines.lines_with(found.here, found.vec.masker, item).filter(pl.col("seq_id") == FAULTY)
        assert shown.height == n
        if kind == "trace":
            assert set(found.vec.masker.mask(shown["text"])) == {texts[item]}
        if kind == "request":
            assert shown["line_no"].is_unique().all()


def test_requests_that_no_normal_has_come_with_an_example_and_its_path(found: Evidence) -> None:
    kinds = requests.foreign_requests(found, FAULTY)
    ExplainedRequests.validate(kinds)
    assert kinds.select("n", "example", "n_normals").rows() == [(2, "no_client-2", 6)]
    assert kinds["title"][0] == "request /client/none -> ERROR refused  ·  Handler.handle"
    path = requests.request_path(found, FAULTY, "no_client-2")
    assert path["text"].str.extract(r" - (.*)$").to_list() == ["path = /client/none", "found nothing", "refused"]


def test_logs_without_events_are_explained_without_lines(found: Evidence) -> None:
    counted = Logs(found.here.items, found.here.sequences, None)
    bare = Evidence(found.model, found.vec, counted, counted)
    assert explained_items(bare, FAULTY).height
    assert requests.foreign_requests(bare, FAULTY)["example"].to_list() == [None]
    with pytest.raises(InputError, match="--no-save-events"):
        explained_lines(bare, FAULTY, explained_items(bare, FAULTY))


def test_services_are_put_into_words(found: Evidence) -> None:
    rows = rows_of(predictions(found), Incident("run_2", "no_client"))
    assert services_of(rows, found.model)["words"].to_list() == ["higher than all 6 normals"]


def test_a_model_that_tells_no_services_apart_has_its_normals_for_all_of_them(found: Evidence) -> None:
    rows = rows_of(predictions(found), Incident("run_2", "no_client"))
    of_all = replace(found.model, calibrations={"": found.model.calibrations["client"]})
    assert services_of(rows, of_all)["words"].to_list() == ["higher than all 6 normals"]


def test_without_normals_it_is_not_known_how_odd_a_score_is() -> None:
    assert in_words(0.9, 0) == "not known how many normals score as high"


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (1 / 45, "higher than all 44 normals"),
        (2 / 45, "1 of 44 normals scores as high"),
        (3 / 45, "2 of 44 normals score as high"),
        (1.0, "all 44 normals score as high"),
    ],
)
def test_p_values_are_put_into_words(p_value: float, said: str) -> None:
    assert in_words(p_value, 44).startswith(said)


@pytest.mark.parametrize(
    ("service", "z_score", "said"),
    [
        ("client", 1.6, "no p-value: not known how many normals score as high"),
        ("client", None, "not scored"),
        ("key", None, "not scored: the model does not know this service"),
    ],
)
def test_scores_without_a_p_value_are_told_from_services_without_a_score(
    service: str, z_score: float | None, said: str
) -> None:
    row = pl.DataFrame({"service": [service], "z_score": [z_score], "p_value": [None]})
    assert compared_with_normals(row, {"client": 44}).to_list() == [said]


def test_normals_of_another_model_than_that_of_the_scores_are_not_counted(found: Evidence) -> None:
    rows = rows_of(predictions(found), Incident("run_2", "no_client"))
    of_another = rows.with_columns(pl.col("z_score") + 1)
    assert services_of(of_another, found.model)["words"].to_list() == ["not known how many normals score as high"]


def test_unknown_incidents_are_named(found: Evidence) -> None:
    with pytest.raises(InputError, match="no incident 'nowhere' of run 'run_2', window 3"):
        rows_of(predictions(found), Incident("run_2", "nowhere", 3))


def test_the_first_odd_event_is_the_first_that_no_normal_holds(found: Evidence) -> None:
    odd = first_odd_events(found, {FAULTY: explained_items(found, FAULTY)})
    assert odd.select("line_no", "known_to_normals").rows() == [(5, False)]


def test_false_positives_share_what_made_them(found: Evidence) -> None:
    mislabelled = predictions(found).with_columns(normal=pl.lit(True), pred_ano=pl.col("seq_id") == FAULTY)
    wrong, shared = false_positives(found, mislabelled)
    assert wrong["seq_id"].to_list() == [FAULTY]
    assert wrong["top_item"][0] in shared["title"].to_list()
    assert shared["examples"].to_list() == [[FAULTY]] * shared.height


def test_where_nothing_is_flagged_there_are_no_false_positives(found: Evidence) -> None:
    calm = predictions(found).with_columns(pred_ano=pl.lit(False))
    assert [frame.height for frame in false_positives(found, calm)] == [0, 0]
