"""Known benign: items that a person has marked as harmless, and the scores if these are treated as normal.

Marks are rows that are only added; an undo is also a row. Marks hide nothing: both scores are kept, and suppressed
incidents are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.schemas import Feedback
from lo2core.base.text import plural
from lo2core.detect.incidents import per_incident
from lo2core.enhance.enrich import templates_of
from lo2core.explain.evidence import Evidence
from lo2core.explain.raw_lines import raw_lines
from lo2core.explain.requests import all_windows, requests_of
from lo2core.messages.counts import COUNTS, MessageCounts
from lo2core.messages.hashing import content_hash
from lo2core.messages.templates import covered

MARKS = Feedback.create_empty().schema
KINDS = ("item", "template", "request", "sequence")
_KEY = ("seq_id", "kind", "message_id")
_CONCERNED = pl.col("service").is_null() | (pl.col("service") == pl.col("own"))
"""Whether a mark (for one `service`, or all if null) applies to a sequence (of the service `own`)."""
_VISIBLE = 0.05
"""A smaller change of z is not visible with one decimal."""


def benign(kind: str, target: int | str, text: str, reason: str, who: str, service: str | None = None) -> pl.DataFrame:
    """One row of `schemas.Feedback`: something is harmless, in one service or (None) in all.

    target: the id of an item, template or request kind, or a seq_id. Raises InputError without a reason or a name.
    """
    if kind not in KINDS:
        raise InputError(f"A mark is for an {', '.join(KINDS[:-1])} or {KINDS[-1]}, found {kind!r}.")
    return _row("benign", kind, str(target), text, reason, who, service)


def unless_marked(marks: pl.DataFrame, row: pl.DataFrame) -> pl.DataFrame:
    """The row of `benign`, if it is new. Raises InputError if an active mark has the same effect already."""
    own = row.row(0, named=True)
    everywhere = pl.col("service").is_null()
    twins = _same_target(active(marks), own).filter(everywhere | (pl.col("service") == pl.lit(own["service"])))
    if twins.height:
        first = twins.row(0, named=True)
        raise InputError(f"This is already marked as benign by {first['who']}: {first['reason']}.")
    return row


def undo(marks: pl.DataFrame, mark: str, reason: str, who: str) -> pl.DataFrame:
    """The rows that undo a mark and all marks equal to it, since two people may set the same one at once.

    Raises InputError without a reason or a name, or if no such mark is active.
    """
    force = active(marks)
    matches = force.filter(pl.col("mark") == mark)
    if not reason.strip() or not who.strip():
        raise InputError("To take a mark back, give a reason and your name, so that others can review it later.")
    if not matches.height:
        raise InputError(f"There is no active mark {mark!r}; it may have been taken back already.")
    of = matches.row(0, named=True)
    twins = _same_target(force, of).filter(pl.col("service").eq_missing(pl.lit(of["service"], dtype=pl.String)))
    facts = of["kind"], of["target"], of["text"], reason, who, of["service"]
    return pl.concat([_row("undo", *facts, undoes=twin) for twin in twins["mark"]])


def _same_target(marks: pl.DataFrame, of: Mapping[str, Any]) -> pl.DataFrame:
    return marks.filter(pl.col("kind").cast(pl.String) == of["kind"], pl.col("target") == of["target"])


def _row(
    action: str,
    kind: str,
    target: str,
    text: str,
    reason: str,
    who: str,
    service: str | None,
    undoes: str | None = None,
) -> pl.DataFrame:
    if not reason.strip() or not who.strip():
        raise InputError("A mark needs a reason and a name, so that others can review it later.")
    facts = {"mark": uuid4().hex[:12], "action": action, "undoes": undoes, "kind": kind, "target": target}
    words = {"service": service, "text": text, "reason": reason.strip(), "who": who.strip()}
    moment = datetime.now(UTC).replace(tzinfo=None)
    return pl.DataFrame([facts | words | {"when": moment}], schema=MARKS)


def active(marks: pl.DataFrame) -> pl.DataFrame:
    """The active marks: set, and not undone."""
    undone = marks.filter(pl.col("action") == "undo").select(mark="undoes")
    return marks.filter(pl.col("action") == "benign").join(undone, on="mark", how="anti", maintain_order="left")


def apply(evidence: Evidence, predictions: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """The predictions with score_after, z_after, flagged_after and marks (ids of the marks that affect the sequence).

    Counts of marked messages are set to their usual level, the median over the training normals of the service (0 if no
    normal contains them); requests of a marked kind are removed. Sequences that are marked themselves have no
    score_after. All others keep their scores. Raises InputError for scores of events, and if the training logs are
    missing, which define the usual level.
    """
    if "line_no" in predictions.columns or not evidence.unit.from_counts:
        raise InputError("Marks can be applied to scores of sequences only; these are scores of single events.")
    if evidence.remark:
        raise InputError(
            "The usual counts are unknown because the training logs of the model are missing or have changed."
        )
    force = active(marks)
    touched, items = _without_marked(evidence, force)
    seq_ids = touched["seq_id"].unique().sort()
    after = _rescored(evidence, items, seq_ids)
    whole = force.filter(pl.col("kind") == "sequence").select(seq_id="target", mark="mark")
    named = pl.concat([touched, whole]).group_by("seq_id").agg(marks=pl.col("mark").unique().sort())
    joined = predictions.join(after, on="seq_id", how="left", maintain_order="left")
    joined = joined.join(named, on="seq_id", how="left", maintain_order="left")
    is_new, is_whole = pl.col("seq_id").is_in(seq_ids.implode()), pl.col("seq_id").is_in(whole["seq_id"].implode())
    both = joined.with_columns(
        pl.when(~is_whole).then(pl.when(is_new).then(after).otherwise(before)).alias(after)
        for before, after in (("score", "score_after"), ("z_score", "z_after"))
    )
    flagged = pl.when(pl.col("z_score").is_not_null()).then(pl.col("z_after") >= pl.col("threshold"))
    scored = pl.col("z_score").is_not_null()
    return both.with_columns(
        flagged_after=pl.when(scored).then(flagged.fill_null(False)),
        marks=pl.col("marks").fill_null([]),
    )


def suppressed(applied: pl.DataFrame) -> pl.DataFrame:
    """Incidents that only marks keep from being flagged: run, folder, window, test_case, z_before, z_after, marks."""
    incidents = per_incident(
        applied,
        pl.col("pred_ano").any(),
        pl.col("flagged_after").any(),
        z_before=pl.col("z_score").max(),
        z_after=pl.col("z_after").max(),
        marks=pl.col("marks").explode().drop_nulls().unique().sort(),
    )
    return incidents.filter(pl.col("pred_ano"), ~pl.col("flagged_after")).drop("pred_ano", "flagged_after")


def foreseen(evidence: Evidence, predictions: pl.DataFrame, marks: pl.DataFrame, row: pl.DataFrame, seq_id: str) -> str:
    """How a row of `benign` would change the z of a sequence, in words, given the active marks. Raises like `apply`."""
    own = predictions.filter(pl.col("seq_id") == seq_id)
    now, then = (apply(evidence, own, force)["z_after"][0] for force in (marks, pl.concat([marks, row])))
    threshold = own["threshold"][0]
    if now is None:
        return "The whole sequence is marked already."
    if then is None:
        return f"The sequence would be no alarm; its z stays {now:.1f}."
    if then > now - _VISIBLE:
        return f"z would stay at {now:.1f}: other items keep it high."
    side = "below the threshold" if then < threshold else "not below the threshold"
    return f"z would be {then:.1f} instead of {now:.1f}, {side} of {threshold:.1f}."


def marked_items(evidence: Evidence, marks: pl.DataFrame, service: str) -> pl.Series:
    """The ids of the items of a service that active marks name, directly or by their template."""
    concerned = pl.col("service").is_null() | (pl.col("service") == service)
    force = active(marks).filter(concerned)
    named = force.filter(pl.col("kind").is_in(["item", "template", "request"]))
    own = named["target"].cast(pl.UInt64).alias("feature")
    return pl.concat([own, _carriers(evidence, force, "template")["message_id"]]).unique()


def sentence(applied: pl.DataFrame) -> str:
    """The effect of the marks, in words; never empty, so that nothing is suppressed silently."""
    n = suppressed(applied).height
    touched = applied.filter(pl.col("marks").list.len() > 0).height
    if not touched:
        return "No mark affects these predictions."
    return f"Marks affect {plural(touched, 'sequence')}; incidents no longer flagged: {n:,}."


def _without_marked(evidence: Evidence, force: pl.DataFrame) -> tuple[pl.DataFrame, MessageCounts]:
    """The sequences that each mark affects (seq_id, mark), and the items, with marked ones at their usual level."""
    logs = evidence.here
    owners = logs.sequences.select("seq_id", "run", "folder", own="service")
    usual = pl.concat([_usual_rows(evidence, force, owners), _request_rows(evidence, force, owners)])
    changed = usual.group_by(_KEY).agg(pl.col("n_new").min())
    counts = logs.items.counts.join(changed, on=_KEY, how="left", maintain_order="left")
    counts = counts.with_columns(n=pl.coalesce("n_new", "n")).drop("n_new").filter(pl.col("n") > 0)
    return usual.select("seq_id", "mark").unique(), MessageCounts(logs.items.messages, counts)


def _usual_rows(evidence: Evidence, force: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Counts of marked items and templates with their usual level n_new: mark, seq_id, kind, message_id, n_new."""
    carriers = pl.concat([_carriers(evidence, force, "item"), _carriers(evidence, force, "template")])
    rows = evidence.here.items.counts.join(carriers, on="message_id").join(owners, on="seq_id").filter(_CONCERNED)
    rows = rows.join(_medians(evidence), left_on=["own", "message_id"], right_on=["own", "message_id"], how="left")
    usual = pl.min_horizontal("n", pl.col("median").fill_null(0))
    return rows.select("mark", *_KEY, n_new=usual)


def _carriers(evidence: Evidence, force: pl.DataFrame, of: str) -> pl.DataFrame:
    """mark, service, message_id: the messages that contain a marked item or match a marked template."""
    wanted = force.filter(pl.col("kind") == of)
    if of == "item":
        wanted = wanted.with_columns(feature=pl.col("target").cast(pl.UInt64))
        own = evidence.messages.select("message_id", feature="message_id")
        carried = pl.concat([own, evidence.features.select("message_id", "feature")]).unique()
        return wanted.join(carried, on="feature").select("mark", "service", "message_id")
    messages = evidence.messages.filter(pl.col("kind") == "message")
    matches = [
        messages.filter(covered(row["text"], messages["text"])).select(
            "message_id", mark=pl.lit(row["mark"]), service=pl.lit(row["service"], dtype=pl.String)
        )
        for row in wanted.iter_rows(named=True)
    ]
    empty = pl.DataFrame(schema={"mark": pl.String, "service": pl.String, "message_id": pl.UInt64})
    return pl.concat([empty, *(match.select(empty.columns) for match in matches)])


def template_of(evidence: Evidence, message_id: int) -> tuple[int, str] | None:
    """Id and text of the template of a message, to mark it; None if the item is no message."""
    texts = evidence.messages.filter(pl.col("kind") == "message")["text"]
    templates = templates_of(texts, evidence.vec.templates_)
    matches = templates.filter(pl.col("message_id") == message_id)["e_template"].to_list()
    return (content_hash(matches[0]), matches[0]) if matches else None


def _medians(evidence: Evidence) -> pl.DataFrame:
    """own (service), message_id, median of its count over the training normals of the service (0 if it is missing)."""
    parts = []
    for service in evidence.model.detectors:
        ids = evidence.normal_ids(service)
        counts = evidence.training.items.counts.filter(pl.col("seq_id").is_in(ids))
        padded = pl.concat_list(
            pl.col("n"), pl.lit(0, dtype=pl.Int64).repeat_by(pl.max_horizontal(len(ids) - pl.col("held"), 0))
        )
        observed = counts.group_by("message_id").agg("n", held=pl.len().cast(pl.Int64))
        medians = observed.select("message_id", own=pl.lit(service), median=padded.list.median().round().cast(pl.Int64))
        parts.append(medians)
    return pl.concat(parts)


def _request_rows(evidence: Evidence, force: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Counts without the requests of all marked kinds: mark, seq_id, kind, message_id, n_new."""
    marked = force.filter(pl.col("kind") == "request").select(
        "mark", "service", message_id=pl.col("target").cast(pl.UInt64)
    )
    counts = evidence.here.items.counts
    requests = counts.filter(pl.col("kind") == "request").join(marked, on="message_id")
    requests = requests.join(owners, on="seq_id").filter(_CONCERNED)
    whole = requests.select("mark", *_KEY, request="message_id", part="n")
    cases = requests.group_by("run", "folder", "own", maintain_order=True)
    parts = pl.concat([whole, *(_request_parts(evidence, case).select(whole.columns) for _, case in cases)])
    taken = parts.unique([*_KEY, "request"]).group_by(_KEY).agg(pl.col("part").sum())
    left = counts.join(taken, on=_KEY).select(*_KEY, n_new=(pl.col("n") - pl.col("part")).clip(0))
    return parts.select("mark", *_KEY).unique().join(left, on=_KEY)


def _request_parts(evidence: Evidence, requests: pl.DataFrame) -> pl.DataFrame:
    """Number of messages and trace lines of the marked requests of a service in a test case, in each of its windows.

    requests: mark, seq_id, message_id of the marked kinds in it. Columns mark, seq_id, kind, message_id, request, part.
    """
    events = all_windows(evidence.here, requests["seq_id"][0])
    marked = requests.select("mark", request="message_id").unique()
    kinds = requests_of(events, evidence.here.items.messages).select("correlation_id", request="feature")
    owned = events.join(kinds.join(marked, on="request", how="semi"), on="correlation_id", maintain_order="left")
    lines = raw_lines(owned, evidence.vec.masker).join(
        owned.select("seq_id", "request", event_line="line_no"), on="event_line"
    )
    is_first = pl.col("line_no") == pl.col("event_line")
    kind = pl.when(is_first).then(pl.lit("message")).otherwise(pl.lit("trace"))
    counted = lines.with_columns(kind=kind.cast(COUNTS["kind"])).group_by(*_KEY, "request")
    return counted.agg(part=pl.len().cast(pl.Int64)).join(marked, on="request")


def _rescored(evidence: Evidence, items: MessageCounts, seq_ids: pl.Series) -> pl.DataFrame:
    """seq_id, score_after, z_after of the given sequences, from changed counts."""
    services = seq_ids.to_frame().join(evidence.here.sequences, on="seq_id", how="left", maintain_order="left")[
        "service"
    ]
    if not len(seq_ids):
        return pl.DataFrame(schema={"seq_id": pl.String, "score_after": pl.Float64, "z_after": pl.Float64})
    scores = evidence.model.score(evidence.vec.transform(items, seq_ids).X, services)
    return scores.select(seq_id=seq_ids, score_after="score", z_after="z_score")
