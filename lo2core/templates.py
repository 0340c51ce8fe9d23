"""What the Enhance page shows: templates with their counts, what the mask rules do, what a new one would do."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lo2core.enhance import templates_of
from lo2core.masks import Masker, MaskRule
from lo2core.store import Workspace
from lo2core.tables import Counts, Events, Messages, Sequences
from lo2core.titles import one_line
from lo2core.vectorizer import event_lines

SAMPLE = 20_000
"""Raw lines on which the rules are counted: enough for a picture, masked in well under a second."""


def templates(workspace: Workspace) -> pl.DataFrame:
    """One row a template, most frequent first.

    Columns template, title (`titles.one_line` of it), events (how many), messages (distinct ones), services (list),
    normal and other (share of the normal, and of the other, test cases that hold it; null where there is none), example
    (its most frequent message), message_ids.
    """
    texts = workspace.scan(Messages).filter(pl.col("kind") == "message").collect()["text"]
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
    joined = found.with_columns(**absent, title=one_line(pl.col("template"))).join(example, on="template")
    return joined.select(columns).sort("events", "template", descending=[True, False])


def sample_lines(workspace: Workspace, n: int = SAMPLE) -> pl.Series:
    """About `n` raw first lines (`LEVEL logger method - text`), spread evenly over all events."""
    events = workspace.scan(Events, columns=["level", "logger", "method", "m_message"])
    step = max(1, workspace.artefact(Events).rows // n)
    return event_lines(events.gather_every(step).head(n).collect()).rename("line")


@dataclass(frozen=True)
class RuleEffect:
    """What a rule would change: how many lines, examples (before, after; cut to the change), distinct messages."""

    lines: int
    examples: pl.DataFrame
    messages: tuple[int, int]
    """Before and after."""


def rule_effect(masker: Masker, rule: MaskRule, lines: pl.Series, messages: pl.Series) -> RuleEffect:
    """Try `rule` behind those of `masker` on raw lines, and on the distinct messages that `masker` made of all lines.

    Raises InputError as `Masker`.
    """
    extended = Masker((*masker.rules, rule))
    tried = pl.DataFrame({"before": masker.mask(lines), "after": extended.mask(lines)})
    changed = tried.filter(pl.col("before") != pl.col("after"))
    after = extended.beyond(masker).mask(messages)
    return RuleEffect(
        changed.height, _cut(changed.unique(maintain_order=True)), (messages.n_unique(), after.n_unique())
    )


def rule_table(masker: Masker, lines: pl.Series) -> pl.DataFrame:
    """One row a rule of the masker, in running order: name, hits (lines it changed), an example before and after."""
    return _cut(masker.hits(lines))


def _cut(frame: pl.DataFrame) -> pl.DataFrame:
    """Its columns before and after, cut to where they differ."""
    pairs = [excerpt(before or "", after or "") for before, after in frame.select("before", "after").iter_rows()]
    return frame.with_columns(
        pl.Series(name, [pair[side] for pair in pairs], dtype=pl.String)
        for side, name in enumerate(("before", "after"))
    )


def excerpt(before: str, after: str, around: int = 16, longest: int = 60) -> tuple[str, str]:
    """Both texts cut to where they differ, with some characters on either side; a long difference loses its middle."""
    head = _in_common(before, after)
    tail = _in_common(before[head:][::-1], after[head:][::-1])
    first, second = (_window(text, head, len(text) - tail, around, longest) for text in (before, after))
    return first, second


def _in_common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (first, second) in pairs if first != second), min(len(one), len(other)))


def _window(text: str, start: int, end: int, around: int, longest: int) -> str:
    middle = text[start:end]
    if len(middle) > longest:
        middle = f"{middle[: longest // 2]}…{middle[-longest // 2 :]}"
    left, right = text[max(0, start - around) : start], text[end : end + around]
    return f"{'…' * (start > around)}{left}{middle}{right}{'…' * (end + around < len(text))}"
