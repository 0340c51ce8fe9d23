"""Items as one line that a person can read."""

from __future__ import annotations

import polars as pl

TITLE_LENGTH = 160
_PATH = r"(?:^|[\s=])((?:/(?:[\w<>.-]|\{\w+\})+)+)"
STACK_FRAME = r"^\s+(at |\.\.\. |- )"
"""A line of a stack trace below its exception: it says where, not what."""
SEVERE = ("ERROR", "FATAL", "SEVERE")


def titles(found: pl.DataFrame, messages: pl.DataFrame, usual: pl.DataFrame) -> pl.Series:
    """A line for each item (columns feature, kind, item): its text, or what says most of a request kind.

    messages: `tables.Messages`; usual: how often messages occur where nothing is wrong (message_id, normal_n).
    """
    requests = found.filter(pl.col("kind") == "request").select("feature")
    telling = telling_messages(requests, messages, usual).select("feature", "path", telling="text")
    joined = found.join(telling, on="feature", how="left", maintain_order="left")
    request = pl.format("request {} -> {}", pl.col("path").fill_null("?"), pl.col("telling"))
    text = pl.coalesce(request, "item", pl.lit("?")).str.strip_chars().str.replace_all(r"\s+", " ")
    return joined.select(_shortened(text)).to_series()


def telling_messages(requests: pl.DataFrame, messages: pl.DataFrame, usual: pl.DataFrame) -> pl.DataFrame:
    """For each request kind (column feature) the message that says most: severe first, then what is usually rare.

    Columns feature, message_id, text, and path, null where none is named: of the paths below what most of its messages
    name (as /oauth2, not /config) the rarest.
    """
    members = requests.join(messages, left_on="feature", right_on="message_id").select("feature", message_id="members")
    ranked = (
        members.explode("message_id")
        .join(messages.select("message_id", "text"), on="message_id")
        .join(usual, on="message_id", how="left")
        .with_columns(
            pl.col("normal_n").fill_null(0),
            severity=severity(pl.col("text").str.extract(r"^(\w+)")),
            path=pl.col("text").str.extract(_PATH),
        )
        .sort("severity", "normal_n", "message_id", descending=[True, False, False])
    )
    named = ranked.drop_nulls("path").with_columns(root=pl.col("path").str.extract(r"^(/[^/]*)"))
    named = named.with_columns(times=pl.len().over("feature", "root"))
    longest = pl.col("path").str.len_chars()
    rarest = named.sort("times", "normal_n", longest, descending=[True, False, True], maintain_order=True)
    paths = rarest.unique("feature", keep="first", maintain_order=True).select("feature", "path")
    first = ranked.unique("feature", keep="first", maintain_order=True).select("feature", "message_id", "text")
    return first.join(paths, on="feature", how="left", maintain_order="left")


def severity(level: pl.Expr) -> pl.Expr:
    """2 for errors, 1 for warnings, 0 for all else."""
    return pl.when(level.is_in(SEVERE)).then(2).when(level.is_in(["WARN", "WARNING"])).then(1).otherwise(0)


def _shortened(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_chars() > TITLE_LENGTH).then(text.str.slice(0, TITLE_LENGTH - 1) + "…").otherwise(text)
