"""Enhancing: columns made once a distinct message, calls that add up, frames that stay frames."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_log, write_runs

from lo2core.base.errors import ExistsError, InputError
from lo2core.base.schemas import EnrichedEvents
from lo2core.detect.vectorizer import Vectorizer
from lo2core.enhance.enhancers import EnhancedFrame, EventLogEnhancer, SequenceEnhancer
from lo2core.enhance.enrich import enrich_messages, templates_of
from lo2core.load.loader import LO2Loader
from lo2core.messages.hashing import content_hash
from lo2core.pipeline.enhance import enhance_events
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

TEXTS = pl.Series(
    ["INFO a.B m - user x1 in", "INFO a.B m - user x2 in", "ERROR a.B m - CLIENT_NOT_FOUND", "INFO a.B m - user x1 in"]
)


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> LO2Loader:
    loader = LO2Loader(write_runs(tmp_path_factory.mktemp("logs")))
    loader.execute()
    return loader


def test_messages_are_enriched_once_in_sorted_order() -> None:
    found = enrich_messages(TEXTS)
    assert found["e_message_normalized"].to_list() == sorted(set(TEXTS))
    assert found["e_words"][0].to_list() == ["ERROR", "a.B", "m", "-", "CLIENT_NOT_FOUND"]
    assert found["e_trigrams"][1].to_list()[:3] == ["INF", "NFO", "FO "]
    assert found["e_words_len"].to_list() == found["e_words"].list.len().to_list()
    assert found["e_template"].to_list() == ["ERROR a.B m - CLIENT_NOT_FOUND", *["INFO a.B m - user x<*> in"] * 2]
    assert found["e_event_drain_id"][1] == content_hash("INFO a.B m - user x<*> in")


def test_missing_texts_stay_missing() -> None:
    frame = EventLogEnhancer(pl.DataFrame({"m_message": ["one", None]})).normalize().words()
    assert frame["e_words"].to_list() == [["one"], None]


def test_each_call_adds_to_what_was_made_before(loader: LO2Loader) -> None:
    enhancer = EventLogEnhancer(loader.df)
    first = enhancer.normalize().words().trigrams()
    assert first.columns == [*loader.df.columns, "e_message_normalized", "e_words", "e_trigrams"]
    second = enhancer.length()
    assert second.columns == [*first.columns, "e_chars_len", "e_words_len", "e_event_id_len", "e_event_drain_id"]
    assert enhancer.drain().columns == [*second.columns, "e_template"]
    assert second["e_event_id_len"].unique().to_list() == [1]
    assert second["e_chars_len"].equals(loader.df["m_message"].str.len_chars().cast(pl.Int32).alias("e_chars_len"))


def test_lengths_alone_leave_no_other_column(loader: LO2Loader) -> None:
    columns = set(EventLogEnhancer(loader.df).length().columns) - set(loader.df.columns)
    assert columns == {"e_chars_len", "e_words_len", "e_event_id_len", "e_event_drain_id"}


def test_the_enhancer_leaves_its_input_alone(loader: LO2Loader) -> None:
    before = list(loader.df.columns)
    EventLogEnhancer(loader.df).normalize()
    assert loader.df.columns == before


def test_an_enhanced_frame_is_a_frame(loader: LO2Loader, tmp_path: Path) -> None:
    frame = EventLogEnhancer(loader.df).normalize()
    assert isinstance(frame, EnhancedFrame)
    assert len(frame) == loader.df.height
    assert frame["service"].equals(loader.df["service"])
    assert frame[:2].height == 2
    assert pl.concat([frame, frame]).height == 2 * frame.height
    assert pl.concat([frame, pl.DataFrame(frame)]).height == 2 * frame.height
    assert EventLogEnhancer(frame.filter(pl.col("service") == "client")).words().columns[-1] == "e_words"
    assert frame.join(loader.df_seq.select("seq_id", "events"), on="seq_id").height == frame.height
    frame.write_parquet(tmp_path / "x.parquet")
    assert pl.read_parquet(tmp_path / "x.parquet").equals(frame)


def test_events_without_their_message_are_refused() -> None:
    with pytest.raises(InputError, match="need the column m_message, found text"):
        EventLogEnhancer(pl.DataFrame({"text": ["x"]}))


def test_frames_of_other_tools_need_only_a_message() -> None:
    frame = EventLogEnhancer(pl.DataFrame({"m_message": ["size: 5\n\tat x", "size: 6", ""]})).normalize().trigrams()
    assert frame["e_message_normalized"].to_list() == ["size: <NUM>", "size: <NUM>", ""]
    assert frame["e_trigrams"][2].to_list() == []


def test_normalised_text_is_the_message_that_was_loaded(loader: LO2Loader) -> None:
    texts = dict(loader.items.messages.select("message_id", "text").iter_rows())
    frame = EventLogEnhancer(loader.df).normalize()
    assert frame["e_message_normalized"].to_list() == [texts[item] for item in loader.df["message_id"]]


@pytest.mark.real
def test_normalised_text_is_the_message_that_was_loaded_on_real_logs(labeled: Path) -> None:
    loader = LO2Loader(labeled / "get_token_page_400_no_page_1")
    loader.execute()
    frame = EventLogEnhancer(loader.df).normalize().join(loader.items.messages, on="message_id", how="left")
    assert frame.height == loader.df.height
    assert frame.filter(pl.col("e_message_normalized").ne_missing(pl.col("text"))).height == 0


def test_with_a_vectorizer_templates_are_those_it_learned(loader: LO2Loader) -> None:
    enhancer = EventLogEnhancer(loader.df)
    vec = Vectorizer(item_column="e_event_drain_id").fit_frame(enhancer.normalize().drain())
    new = pl.DataFrame({"m_message": ["DEBUG c.n.handler.Chain handle - beat 7 of size 1", "never heard of"]})
    found = EventLogEnhancer(new, vectorizer=vec).drain()
    assert found["e_template"].to_list() == ["DEBUG c.n.handler.Chain handle - beat <*> of size <*>", "<unseen>"]
    assert found["e_event_drain_id"][0] in set(enhancer.df["e_event_drain_id"])


@pytest.mark.parametrize(
    "cut", [lambda frame: frame.head(1), lambda frame: frame[:1], pl.DataFrame.clone, lambda frame: frame.sample(1)]
)
def test_a_frame_cut_out_of_an_enhanced_one_does_not_learn_templates_of_its_own(
    cut: Callable[[pl.DataFrame], EnhancedFrame],
) -> None:
    known = EventLogEnhancer(pl.DataFrame({"m_message": ["INFO a.B m - known"]})).drain()
    vec = Vectorizer(item_column="e_event_drain_id").fit_frame(known)
    part = cut(EventLogEnhancer(pl.DataFrame({"m_message": ["never heard of"]}), vectorizer=vec).normalize())
    with pytest.raises(InputError, match=r"call EventLogEnhancer\(frame, vectorizer\)\.drain\(\) on it"):
        part.drain()
    assert EventLogEnhancer(part, vectorizer=vec).drain()["e_template"].to_list() == ["<unseen>"]


def test_thousands_of_templates_do_not_make_it_slow() -> None:
    texts = pl.Series([f"INFO a.B{n} m - done with it" for n in range(6000)])
    begin = time.perf_counter()
    found = templates_of(texts)
    assert time.perf_counter() - begin < 2
    assert found.height == 6000


def test_templates_alone_are_those_of_the_enriched_messages() -> None:
    found = templates_of(TEXTS)
    assert found.equals(enrich_messages(TEXTS).select(found.columns))


def test_template_ids_do_not_depend_on_the_order_of_events(loader: LO2Loader) -> None:
    forth, back = EventLogEnhancer(loader.df).drain(), EventLogEnhancer(loader.df.reverse()).drain()
    assert forth["e_event_drain_id"].equals(back["e_event_drain_id"].reverse())


def test_the_stage_saves_every_event_with_its_columns(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [write_runs(tmp_path / "logs")])
    path = enhance_events(workspace)
    saved = workspace.read(EnrichedEvents)
    frame = EventLogEnhancer(LO2Loader(tmp_path / "logs").execute())
    frame.normalize().words().trigrams().drain()
    made = frame.length()
    columns = [name for name in saved.columns if name != "source"]
    assert path.name == "lo2_events_enriched.parquet"
    assert saved.select(columns).equals(pl.DataFrame(made).select(columns))
    with pytest.raises(ExistsError):
        enhance_events(workspace)


def test_sequences_are_described_by_their_events(tmp_path: Path) -> None:
    folder = tmp_path / "run_1" / "correct"
    write_log(folder, line("a b", "10:00:00.000") + line("c", "10:00:02.500") + "\tat x\n")
    write_log(folder, "", "token")
    loader = LO2Loader(tmp_path)
    loader.execute()
    events = EventLogEnhancer(loader.df).normalize().words().drain()
    enhancer = SequenceEnhancer(events, loader.df_seq)
    for step in ("seq_len", "start_time", "end_time", "duration", "tokens", "eve_len"):
        getattr(enhancer, step)()
    rows = enhancer.events().sort("service").rows(named=True)
    assert (rows[0]["seq_len"], rows[0]["duration"]) == (2, timedelta(seconds=2.5))
    assert rows[0]["end_time"] - rows[0]["start_time"] == rows[0]["duration"]
    assert rows[0]["e_words"] == [word for words in events["e_words"] for word in words]
    assert rows[0]["e_event_drain_id"] == events["e_event_drain_id"].to_list()
    assert (rows[0]["eve_len"], rows[0]["eve_len_max"], rows[0]["eve_len_min"]) == (5.0, 7, 3)
    assert (rows[1]["seq_len"], rows[1]["e_words"]) == (None, None)
