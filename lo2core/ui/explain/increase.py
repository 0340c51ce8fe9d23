"""What increased: messages whose rate differs from usual, new and vanished ones first, with their course over time."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.glossary import meaning
from lo2core.explain.evidence import Evidence
from lo2core.explain.increase import VANISHED, increased, over_time
from lo2core.messages.text import event_lines
from lo2core.ui.explain.choice import Chosen
from lo2core.ui.shell import scores, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.log_table import pick_line, show_event
from lo2core.ui.shell.widgets import downloads, notice, say

HERE, RUN = "this test case", "its whole run"
MOST_LINES = 200


@section
def show_increase(shown: Chosen) -> None:
    """The messages of the chosen service whose rate differs most from that in its training normals."""
    evidence = scores.evidence(shown.scores)
    if evidence.remark:
        notice(evidence.remark)
        return
    scope = st.segmented_control("Of", [HERE, RUN], default=HERE, required=True, key="increase-of")
    found = scores.ask(shown.scores, _increased, shown.seq_id, scope == RUN)
    row = table(found, f"increase-{shown.key}-{scope}", "the training normals of the service")
    if row is not None:
        gone = row["change"] == VANISHED
        lines = scores.ask(shown.scores, _lines, shown.seq_id, scope == RUN, row["message_id"], gone)
        at = pick_line(lines, f"increase-lines-{shown.key}-{row['message_id']}", most=6)
        if at is not None and not gone:
            show_event(shown.scores.logs, lines["seq_id"][at], lines["line_no"][at])


def table(found: pl.DataFrame, key: str, usual: str) -> dict[str, Any] | None:
    """The rows of `schemas.Increased` (and counts, over time); returns the selected one.

    usual: what they are compared with.
    """
    if not found.height:
        notice(f"No message is new, has vanished or changed its rate compared with {usual}.")
        return None
    n = dict(found["change"].cast(pl.String).value_counts().iter_rows())
    told = ", ".join(f"{n[change]:,} {words}" for change, words in _CHANGES.items() if change in n)
    say(f"Compared with {usual}: {told}.")
    shown = found.head(tables.MAX_ROWS)
    row = tables.pick(shown, _COLUMNS, f"{key}-{found.height}", most=12)
    st.caption("Rates are per 1,000 events of the log. Select a row to see its lines.")
    downloads(found.drop("counts", strict=False), "increase", key=key, what="Messages")
    return None if row is None else shown.row(row, named=True)


_CHANGES = {"new": "new", "vanished": "vanished", "more": "more frequent", "less": "less frequent"}
_COLUMNS = {
    "change": st.column_config.TextColumn("", width=70),
    "title": st.column_config.TextColumn("message", width=365),
    "n": st.column_config.NumberColumn("here", width=60, format="localized"),
    "expected": st.column_config.NumberColumn("expected", width=70, format="%.1f", help="At the usual rate"),
    "counts": st.column_config.BarChartColumn("over time", width=130, y_min=0),
    "rate": st.column_config.NumberColumn("rate", width=60, format="%.1f"),
    "usual_rate": st.column_config.NumberColumn("usual rate", width=75, format="%.1f"),
    "p_value": st.column_config.NumberColumn("p", width=70, format="scientific", help=meaning("p-value")),
}


def _increased(evidence: Evidence, seq_id: str, whole_run: bool) -> pl.DataFrame:
    """`schemas.Increased` with counts (over time, as list), if there are events."""
    here, normals = _compared(evidence, seq_id, whole_run)
    found = increased(evidence.here.items, here, evidence.training.items, normals)
    if evidence.here.events is None:
        return found
    timed = over_time(evidence.here.events, found["message_id"], here)
    return found.join(timed, on="message_id", how="left", maintain_order="left")


def _compared(evidence: Evidence, seq_id: str, whole_run: bool) -> tuple[pl.Series, pl.Series]:
    """The sequence, or all of its service in its run; and the training normals without them."""
    service, facts = evidence.service_of(seq_id), evidence.here.facts(seq_id)
    same = pl.col("run") == facts["run"], pl.col("service") == facts["service"]
    here = evidence.here.sequences.filter(*same)["seq_id"] if whole_run else pl.Series([seq_id])
    names = pl.Series("seq_id", evidence.normal_ids(service), dtype=pl.String)
    others = names.filter(~names.is_in(here.implode()))
    return here, others if len(others) else names


def _lines(evidence: Evidence, seq_id: str, whole_run: bool, message_id: int, gone: bool) -> pl.DataFrame:
    """The first lines with a message; if it has vanished, those of the normals."""
    here, normals = _compared(evidence, seq_id, whole_run)
    logs, seq_ids = (evidence.training, normals) if gone else (evidence.here, here)
    if logs.events is None:
        return pl.DataFrame(schema={"line_no": pl.Int64})
    found = logs.events.filter(pl.col("seq_id").is_in(seq_ids.implode()), pl.col("message_id") == message_id)
    events = found.head(MOST_LINES).collect()
    return events.select("line_no", "m_timestamp", "test_case", "source", "seq_id", text=event_lines(events))
