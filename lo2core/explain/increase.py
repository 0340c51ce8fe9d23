"""What increased: the messages whose rate differs most between some sequences and others, such as the normals.

The rate of a message is its number per event. Counts of two groups of sequences are compared by the difference of their
square roots, which stabilises the variance (Anscombe, Biometrika 35, 1948), divided by the spread that the message has
between the other sequences (an overdispersed Poisson distribution). P-values are corrected for the number of messages
(Benjamini and Hochberg, JRSS B 57, 1995).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from lo2core.base.schemas import Increased
from lo2core.base.types import Floats
from lo2core.messages.counts import MessageCounts
from lo2core.messages.titles import titles

NEW, VANISHED, MORE, LESS = CHANGES = ("new", "vanished", "more", "less")
LEVEL = 0.05
"""Largest corrected p-value of a message whose rate counts as changed."""
LEAST = 5
"""A message that the others contain needs at least so many occurrences, or expected ones."""
BINS = 24
"""Parts of the time in `over_time`."""


def increased(items: MessageCounts, seq_ids: pl.Series, others: MessageCounts, other_ids: pl.Series) -> pl.DataFrame:
    """`schemas.Increased`: the messages of sequences whose rate differs from that in other sequences.

    First new and vanished ones, then those with the most significant difference. items, others: of the logs, masked by
    the same rules. No rows if one of the groups has no event.
    """
    mine, theirs = _counts(items, seq_ids), _counts(others, other_ids)
    events, usual_events = int(mine["n"].sum()), int(theirs["n"].sum())
    if not events or not usual_events:
        return Increased.create_empty()
    usual = theirs.group_by("message_id").agg(n_usual=pl.col("n").sum())
    both = mine.group_by("message_id").agg(pl.col("n").sum()).join(usual, on="message_id", how="full", coalesce=True)
    both = both.join(_spreads(theirs), on="message_id", how="left").with_columns(pl.col("n", "n_usual").fill_null(0))
    ratio = events / usual_events
    both = both.with_columns(expected=pl.col("n_usual") * ratio, spread=pl.col("spread").fill_null(1.0))
    both = both.with_columns(p_value=_p_values(both, ratio), change=_change())
    is_new = pl.col("change") == NEW
    enough = both.filter(is_new | (pl.max_horizontal("n", "expected") >= LEAST))
    found = enough.with_columns(p_value=_corrected(enough["p_value"])).filter(is_new | (pl.col("p_value") <= LEVEL))
    rates = {"rate": 1000 * pl.col("n") / events, "usual_rate": 1000 * pl.col("n_usual") / usual_events}
    return _named(found.with_columns(**rates), pl.concat([items.messages, others.messages]))


def _counts(items: MessageCounts, seq_ids: pl.Series) -> pl.DataFrame:
    """The messages of sequences: seq_id, message_id, n."""
    found = items.counts.filter(pl.col("seq_id").is_in(seq_ids.implode()), pl.col("kind") == "message")
    return found.select("seq_id", "message_id", "n")


def _spreads(counts: pl.DataFrame) -> pl.DataFrame:
    """How much more the counts of a message vary between sequences than by chance: message_id, spread (at least 1).

    It is the Pearson statistic of the counts, given the events of each sequence, per degree of freedom.
    """
    n = counts["seq_id"].n_unique()
    size, rate = pl.col("n").sum().over("seq_id"), pl.col("n").sum().over("message_id") / pl.col("n").sum()
    cells = counts.with_columns(mean=rate * size)
    present = ((pl.col("n") - pl.col("mean")) ** 2 / pl.col("mean")).sum()
    absent = pl.col("n").sum() - pl.col("mean").sum()  # each sequence without the message adds what was expected in it
    return cells.group_by("message_id").agg(spread=((present + absent) / max(1, n - 1)).clip(1))


def _p_values(both: pl.DataFrame, ratio: float) -> pl.Series:
    from scipy import stats  # takes half a second to import

    n, expected, spread = (both[name].to_numpy().astype(float) for name in ("n", "expected", "spread"))
    distance = 2 * np.abs(np.sqrt(n + 3 / 8) - np.sqrt(expected + 3 / 8))
    return pl.Series(2 * stats.norm.sf(distance / np.sqrt(spread * (1 + ratio))))


def _corrected(values: pl.Series) -> pl.Series:
    """P-values, so corrected that of the differences below a level, at most about this share is due to chance."""
    p: Floats = values.to_numpy()
    order = np.argsort(p)
    ranked = p[order] * len(p) / np.arange(1, len(p) + 1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)
    return pl.Series(out)


def _change() -> pl.Expr:
    found = pl.when(pl.col("n_usual") == 0).then(pl.lit(NEW)).when(pl.col("n") == 0).then(pl.lit(VANISHED))
    return found.when(pl.col("n") > pl.col("expected")).then(pl.lit(MORE)).otherwise(pl.lit(LESS))


def _named(found: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    messages = messages.unique("message_id", keep="first")
    texts = messages.select("message_id", pl.col("kind").cast(pl.String), item="text")
    named = found.join(texts, on="message_id", maintain_order="left").with_columns(feature="message_id")
    named = named.with_columns(title=titles(named, messages, _NO_USUAL), change=pl.col("change").cast(pl.Enum(CHANGES)))
    alone = pl.col("change").is_in([NEW, VANISHED])
    schema = Increased.create_empty().schema
    ordered = named.sort(~alone, "p_value", "change", "item")
    return ordered.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


_NO_USUAL = pl.DataFrame(schema={"message_id": pl.UInt64, "normal_n": pl.Int64})


def over_time(events: pl.LazyFrame, message_ids: pl.Series, seq_ids: pl.Series) -> pl.DataFrame:
    """How often messages occur in sequences, in `BINS` equal parts of their time: message_id, counts (list).

    events: `schemas.Events`. Messages without a time are left out.
    """
    timed = (
        events.filter(pl.col("seq_id").is_in(seq_ids.implode())).select("message_id", at="m_timestamp").drop_nulls("at")
    )
    whole = timed.select(first=pl.col("at").min(), last=pl.col("at").max())
    wanted = timed.filter(pl.col("message_id").is_in(message_ids.implode()))
    found, ends = pl.collect_all([wanted, whole])
    if not found.height:
        return pl.DataFrame(schema={"message_id": pl.UInt64, "counts": pl.List(pl.Int64)})
    first, last = ends.row(0)
    length = max(1, int((last - first).total_seconds() * 1000) + 1)
    part = (pl.col("at") - first).dt.total_milliseconds() * BINS // length
    counted = found.group_by("message_id", part=part).agg(n=pl.len().cast(pl.Int64))
    grid = found.select("message_id").unique().join(pl.DataFrame({"part": range(BINS)}), how="cross")
    filled = grid.join(counted, on=["message_id", "part"], how="left").with_columns(pl.col("n").fill_null(0))
    return filled.sort("part").group_by("message_id").agg(counts=pl.col("n"))
