"""Runs the enhance stage on a workspace: saves the enriched events, lists the templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.errors import ExistsError
from lo2core.base.schemas import Counts, EnrichedEvents, Events, Messages, Sequences
from lo2core.enhance import enrich
from lo2core.enhance.enrich import templates_of
from lo2core.messages.counts import fingerprint
from lo2core.messages.masks import Masker
from lo2core.messages.text import event_lines
from lo2core.messages.titles import one_line
from lo2core.pipeline.inputs import mask_anew, masker_of
from lo2core.pipeline.progress import Progress
from lo2core.pipeline.provenance import data_provenance, made_by_this_command
from lo2core.store.parquet import reads_tables
from lo2core.store.workspace import Workspace

SAMPLE = 20_000
"""Number of raw lines on which mask rules are tried: representative, and masked in well under a second."""

_LIST_ROWS = 16_384
"""Rows in a row group of the enriched events, which contain lists of tokens."""


def templates(workspace: Workspace) -> pl.DataFrame:
    """One row per template, most frequent first.

    Columns template, title (`titles.one_line` of it), events (how many), messages (distinct ones), services (list),
    normal and other (share of the normal and of the other test cases that contain it; null if there are none), example
    (its most frequent message), message_ids.
    """
    workspace = workspace.snapshot()
    texts = workspace.collect(workspace.scan(Messages).filter(pl.col("kind") == "message"))["text"]
    known = templates_of(texts).select("message_id", template="e_template", text="e_message_normalized")
    cases = workspace.read(Sequences, columns=["seq_id", "run", "folder", "service", "normal"])
    counts = (
        workspace.read(Counts).filter(pl.col("kind") == "message").join(known, on="message_id").join(cases, on="seq_id")
    )
    case = pl.struct("run", "folder")
    labels = {"normal": pl.col("normal"), "other": ~pl.col("normal")}
    n_cases = {name: cases.filter(one).select("run", "folder").n_unique() for name, one in labels.items()}
    shares = {name: case.filter(one).n_unique() / n_cases[name] for name, one in labels.items() if n_cases[name]}
    absent = {name: pl.lit(None, dtype=pl.Float64) for name in labels if not n_cases[name]}
    found = counts.group_by("template").agg(
        events=pl.col("n").sum(),
        messages=pl.col("message_id").n_unique(),
        services=pl.col("service").unique().sort(),
        message_ids=pl.col("message_id").unique().sort(),
        **shares,
    )
    usual = counts.group_by("template", "text").agg(pl.col("n").sum()).sort("n", "text", descending=[True, False])
    example = usual.unique("template", keep="first", maintain_order=True).select("template", example="text")
    columns = ("template", "title", "events", "messages", "services", "normal", "other", "example", "message_ids")
    joined = found.with_columns(**absent, title=one_line(found["template"])).join(example, on="template")
    return joined.select(columns).sort("events", "template", descending=[True, False])


def sample_lines(workspace: Workspace, n: int = SAMPLE) -> pl.Series:
    """About `n` raw first lines (`LEVEL logger method - text`), spread evenly over all events."""
    workspace = workspace.snapshot()
    events = workspace.scan(Events, columns=["level", "logger", "method", "m_message"])
    step = max(1, workspace.artefact(Events).rows // n)
    return event_lines(workspace.collect(events.gather_every(step).head(n))).rename("line")


@checked_arguments
@reads_tables
def enhance_events(workspace: Workspace, *, masker: Masker | None = None, replace: bool = False) -> Path:
    """Enhance stage: save all events with their normalised text, words, trigrams, lengths and templates.

    masker: masks that extend those of the workspace; the messages and counts are then masked again first, and models
    trained before cannot score them.
    Returns the path of the table (`schemas.EnrichedEvents`, one row per event). Templates are learned
    from these events, see `Templates`.
    Raises ExistsError if the table exists, or masks would change, without `replace`, and InputError for masks that do
    not extend those of the workspace.

    Examples:
        >>> from lo2core import Workspace, enhance_events, schemas
        >>> workspace = Workspace("demo/result/sample")
        >>> enhance_events(workspace).name
        'lo2_events_enriched.parquet'
        >>> events = workspace.scan(schemas.EnrichedEvents, columns=["e_template", "e_words_len"])
        >>> events.collect().height == workspace.artefact(schemas.Events).rows
        True
    """
    if made_by_this_command(workspace, workspace.metadata(EnrichedEvents)):
        return workspace.path(EnrichedEvents)
    if workspace.has(EnrichedEvents) and not replace:
        raise ExistsError(f"{workspace.path(EnrichedEvents)} already exists and was not changed: use --replace.")
    masks_change = masker is not None and masker.fingerprint != masker_of(workspace).fingerprint
    if masks_change and not replace:
        raise ExistsError(
            f"The logs in {workspace.root} are masked without these rules and were not changed: use --replace to "
            "mask them again, then train again, since existing bundles cannot score them."
        )
    loaded = workspace.snapshot()
    messages, made = loaded.read(Messages), data_provenance(loaded)
    with Progress(None, "Enhance"), workspace.change() as change:
        if masker is not None and masks_change:
            events, items = mask_anew(workspace, masker, change)
            messages, made["data_fingerprint"] = items.messages, fingerprint(items.counts)
        else:
            events = loaded.scan(Events)
        enriched = enrich.enrich_events(events, messages)
        how: dict[str, Any] = {"replace": replace, "row_group": _LIST_ROWS, "change": change}
        return workspace.sink(EnrichedEvents, enriched, provenance=made, **how)
