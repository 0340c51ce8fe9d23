"""A small incident made by hand, to explain: logs of one service, and a model trained on their normals."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from lo2core.base.schemas import Events, Sequences
from lo2core.detect.logs import Logs
from lo2core.detect.predict import predict
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.detect.units import count_unit
from lo2core.explain.evidence import Evidence
from lo2core.explain.raw_lines import raw_lines
from lo2core.messages.counts import MessageCounts, as_messages, combine, count_items, masked, request_kinds
from lo2core.messages.hashing import message_ids
from lo2core.messages.masks import Masker
from lo2core.messages.text import event_lines

START = datetime(2026, 1, 1, 12)
OK = ("DEBUG", "path = /client"), ("INFO", "done")
TRACE = "\n\tat com.example.Handler.next(Handler.java:7)\nCaused by: java.lang.IllegalStateException: no such client"
FAULT = ("DEBUG", "path = /client/none"), ("DEBUG", "found nothing"), ("ERROR", "refused" + TRACE)

Call = tuple[tuple[str, str], ...]


def sequence(run: str, folder: str, calls: list[Call], service: str = "client") -> pl.DataFrame:
    """Events of one sequence: the calls one after the other, each with a correlation id of its own."""
    rows, line = [], 1
    for number, call in enumerate(calls):
        for level, text in call:
            rows.append({"line_no": line, "level": level, "m_message": text, "correlation_id": f"{folder}-{number}"})
            line += 1 + text.count("\n")
    frame = pl.DataFrame(rows).with_columns(
        seq_id=pl.lit(f"{run}__{folder}__{service}"),
        run=pl.lit(run),
        folder=pl.lit(folder),
        test_case=pl.lit(folder.rstrip("_0123456789")),
        service=pl.lit(service),
        logger=pl.lit("c.e.Handler"),
        method=pl.lit("handle"),
        thread=pl.lit("t"),
        source=pl.lit(f"{run}/{folder}/oauth2-{service}.log"),
        m_timestamp=pl.lit(START) + pl.duration(milliseconds=10 * pl.int_range(pl.len())),
        n_lines=1 + pl.col("m_message").str.count_matches("\n").cast(pl.Int32),
    )
    frame = frame.with_columns(normal=pl.col("test_case") == "correct")
    frame = frame.with_columns(anomaly=~pl.col("normal"), message_id=message_ids(Masker().mask(event_lines(frame))))
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in SCHEMA.items() if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


SCHEMA = Events.create_empty().schema


def logs(events: pl.DataFrame) -> Logs:
    """The events as loaded logs, counted as `load` counts them."""
    masker = Masker()
    texts = masked(event_lines(events), masker)
    below = pl.concat([_below(part, masker) for part in events.partition_by("seq_id")])
    requests = request_kinds(events.with_columns(file=pl.concat_str("run", "folder", "service")))
    messages = [as_messages(texts, "message"), as_messages(below, "trace"), requests.messages]
    counts = [count_items(events, below.select("seq_id", "message_id")), requests.counts]
    return Logs(combine([MessageCounts(pl.concat(messages), pl.concat(counts))]), _sequences(events), events.lazy())


def _below(events: pl.DataFrame, masker: Masker) -> pl.DataFrame:
    lines = raw_lines(events, masker).filter(pl.col("line_no") != pl.col("event_line"))
    return lines.select("message_id", "text", seq_id=pl.lit(events["seq_id"][0]))


def _sequences(events: pl.DataFrame) -> pl.DataFrame:
    schema = Sequences.create_empty().schema
    facts = events.group_by("seq_id", maintain_order=True).agg(
        *(pl.col(name).first() for name in schema if name in events.columns and name != "seq_id"),
        start_time=pl.col("m_timestamp").min(),
        end_time=pl.col("m_timestamp").max(),
        events=pl.len(),
        lines=pl.col("n_lines").sum(),
        bytes=pl.lit(1),
    )
    return facts.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def evidence(detector: str = "NearestNormal", items: str = "messages", unit: str = "sequence") -> Evidence:
    """Six normals of three runs, and in the last run a test case with two faulty calls."""
    normals = [sequence(f"run_{n % 3}", f"correct_{n}", [OK] * (4 + n)) for n in range(6)]
    fault = sequence("run_2", "no_client", [OK, OK, FAULT, OK, FAULT, OK])
    loaded = logs(pl.concat([*normals, fault]))
    model, vec = train(count_unit(unit).source(loaded.items, loaded.sequences), Recipe(detector, items, unit))
    return Evidence(model, vec, loaded, loaded)


def predictions(found: Evidence) -> pl.DataFrame:
    """The scores of all sequences of the evidence."""
    return predict(found.model, found.vec, found.here.items, found.here.sequences)


FAULTY = "run_2__no_client__client"
