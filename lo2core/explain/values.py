"""The values behind the placeholders of a template: how many, which, and where they differ from those of normals."""

from __future__ import annotations

import re

import polars as pl

from lo2core.detect.logs import Logs
from lo2core.explain.evidence import Evidence
from lo2core.messages.patterns import linear_pattern
from lo2core.messages.text import event_lines

MOST_SHOWN = 5
"""The most frequent values that are named for each placeholder."""
FEW = 20
"""With at most so many values in normals, another value is remarkable; with more, values are taken as arbitrary."""
_PLACEHOLDER = re.compile(r"<(?:[A-Z][A-Z0-9_]*|\*)>")
_CONTEXT = 30
_LONGEST = 800
"""Characters of a masked text in which placeholders are looked for."""
_VALUES = pl.Schema(
    {"position": pl.Int64, "placeholder": pl.String, "after": pl.String, "value": pl.String, "n": pl.Int64}
)


def values_behind(text: str, lines: pl.Series) -> pl.DataFrame:
    """The values of raw lines (`text.event_lines`) at each placeholder of a masked text or template.

    Returns one row per placeholder and value: position (from 1), placeholder (`<UUID>`), after (the text in front of
    it), value, n (how often), the most frequent first. Lines of another form are left out.

    Examples:
        >>> import polars as pl
        >>> lines = pl.Series(["user 7 logged in", "user 8 logged in", "user 7 logged in"])
        >>> values_behind("user <NUM> logged in", lines).select("placeholder", "value", "n").rows()
        [('<NUM>', '7', 2), ('<NUM>', '8', 1)]
    """
    text = text[:_LONGEST]
    found = list(_PLACEHOLDER.finditer(text))
    if not found:
        return pl.DataFrame(schema=_VALUES)
    distinct = lines.drop_nulls().to_frame("line").group_by("line").agg(n=pl.len().cast(pl.Int64))
    groups = distinct.select("n", parts=pl.col("line").str.extract_groups(_pattern(text, found))).unnest("parts")
    parts = [
        groups.select(
            "n",
            position=pl.lit(number, pl.Int64),
            placeholder=pl.lit(one[0]),
            after=pl.lit(text[max(end, one.start() - _CONTEXT) : one.start()].lstrip()),
            value=pl.col(str(number)),
        )
        for number, (one, end) in enumerate(zip(found, [0, *(one.end() for one in found)], strict=False), start=1)
    ]
    counted = pl.concat(parts).drop_nulls("value").group_by("position", "placeholder", "after", "value")
    return (
        counted.agg(pl.col("n").sum())
        .select(_VALUES.names())
        .sort("position", "n", "value", descending=[False, True, False])
    )


def _pattern(text: str, found: list[re.Match[str]]) -> str:
    """The pattern of a line, with a group for each placeholder; spaces may be wider than in the masked text."""
    ends = [0, *(one.end() for one in found)]
    starts = [*(one.start() for one in found), len(text)]
    literals = [r"\s+".join(map(pl.escape_regex, text[a:b].split(" "))) for a, b in zip(ends, starts, strict=True)]
    return linear_pattern(f"^{'(.+?)'.join(literals)}{'' if len(text) == _LONGEST else '$'}")


def compared_values(here: pl.DataFrame, normal: pl.DataFrame) -> pl.DataFrame:
    """Values of an incident next to those of normals, both as from `values_behind`.

    One row per placeholder: position, placeholder, after, distinct, most_frequent (values with their counts), shortest
    and longest (characters), the same for normals with `normal_` in front, new (values that no normal has), examples
    (the most frequent of them), differs (in words; null where nothing is remarkable).
    """
    new = here.join(normal.select("position", "value"), on=["position", "value"], how="anti", maintain_order="left")
    fresh = new.group_by("position").agg(new=pl.len(), examples=pl.col("value").head(MOST_SHOWN))
    both = _summary(here).join(_summary(normal, "normal_").drop("placeholder", "after"), on="position", how="left")
    both = both.join(fresh, on="position", how="left").with_columns(pl.col("new").fill_null(0))
    return both.with_columns(differs=_in_words()).sort("position")


def _summary(values: pl.DataFrame, prefix: str = "") -> pl.DataFrame:
    length = pl.col("value").str.len_chars().cast(pl.Int64)
    figures = {
        "distinct": pl.len().cast(pl.Int64),
        "most_frequent": pl.format("{} ({})", "value", "n").head(MOST_SHOWN),
        "shortest": length.min(),
        "longest": length.max(),
    }
    named = {f"{prefix}{name}": figure for name, figure in figures.items()}
    return values.group_by("position", "placeholder", "after").agg(**named)


def _in_words() -> pl.Expr:
    """What is remarkable: values outside of the few that normals have, or longer or shorter than all of theirs."""
    few = pl.col("normal_distinct") <= FEW
    longer = pl.col("longest") > pl.col("normal_longest")
    shorter = pl.col("shortest") < pl.col("normal_shortest")
    return (
        pl.when(pl.col("normal_distinct").is_null())
        .then(pl.lit("no normal has this message"))
        .when(few & (pl.col("new") > 0))
        .then(pl.format("{} of {} values are in no normal", "new", "distinct"))
        .when(longer)
        .then(pl.format("up to {} characters, in normals up to {}", "longest", "normal_longest"))
        .when(shorter)
        .then(pl.format("from {} characters on, in normals from {}", "shortest", "normal_shortest"))
    )


def values_of_item(evidence: Evidence, seq_id: str, feature: int) -> pl.DataFrame:
    """`compared_values` of an item in a sequence and in the training normals of its service.

    Empty for an item without placeholders, for which no line is read, and for traces and request kinds. Raises
    InputError if lines are needed, and no events were saved.
    """
    ids = evidence.carriers.filter(pl.col("feature") == feature)["message_id"]
    names = evidence.item_names.filter(pl.col("feature") == feature, pl.col("kind") == "message")
    text = names["item"][0] if names.height else ""
    if not _PLACEHOLDER.search(text[:_LONGEST]):
        nothing = pl.DataFrame(schema=_VALUES)
        return compared_values(nothing, nothing)
    here = _lines(evidence.here, [seq_id], ids)
    normals = evidence.normal_ids(evidence.service_of(seq_id)) if evidence.training.events is not None else []
    normal = _lines(evidence.training, normals, ids) if normals else here.clear()
    return compared_values(values_behind(text, here), values_behind(text, normal))


def _lines(logs: Logs, seq_ids: list[str], ids: pl.Series) -> pl.Series:
    return event_lines(logs.events_where(pl.col("seq_id").is_in(seq_ids), pl.col("message_id").is_in(ids.implode())))
