"""How informative an item is for a reader: errors and exceptions more than stack frames."""

from __future__ import annotations

import polars as pl

_PATH = r"(?:^|[\s=])((?:/(?:[\w<>.-]|\{\w+\})+)+)"
STACK_FRAME = r"^\s+(at |\.\.\. |- )"
"""A line of a stack trace below its exception."""
SEVERE = ("ERROR", "FATAL", "SEVERE")
_PROBLEMS = (*SEVERE, "CRITICAL", "CRIT", "ALERT", "EMERG", "PANIC", "ERR", "WARN", "WARNING")
WEIGHTS = {"exception": 2.0, "error": 2.0, "warning": 1.5, "other": 1.0, "frame": 0.1}
"""Weights of items with equal shares, by kind: errors explain a score, stack frames only accompany an exception.

A message that ends in a colon counts as "other", since its content follows in other lines.
"""


def salience() -> pl.Expr:
    """How much an item (columns share, item) explains of a score: its share times `weight`.

    All lists of items and headlines are sorted by it.
    """
    return pl.col("share") * weight(pl.col("item"))


def weight(text: pl.Expr) -> pl.Expr:
    """The weight of an item by its text, see `WEIGHTS`."""
    start = r"(?m)^(?:[a-z ]+: )?"
    return (
        pl.when(text.str.contains(r"^\s*(at |\.\.\. \d|- )"))
        .then(WEIGHTS["frame"])
        .when(text.str.contains(r"^[^\n]*:\s*(null)?\s*$"))
        .then(WEIGHTS["other"])
        .when(text.str.contains(r"^(Caused by: )?[\w$.]*(Exception|Error)(:|$)"))
        .then(WEIGHTS["exception"])
        .when(text.str.contains(rf"{start}({'|'.join(SEVERE)})\b"))
        .then(WEIGHTS["error"])
        .when(text.str.contains(rf"{start}WARN"))
        .then(WEIGHTS["warning"])
        .otherwise(WEIGHTS["other"])
    )


def informative_messages(requests: pl.DataFrame, messages: pl.DataFrame, usual: pl.DataFrame) -> pl.DataFrame:
    """The most informative message of each request kind: the most severe one, then the one that is rarest in normals.

    requests: request kinds (column feature). messages: `schemas.Messages`. usual: how often messages occur in normal
    logs (message_id, normal_n).
    Returns columns feature, message_id, text and path. The path is the rarest one below the root that most messages of
    the kind name (such as /oauth2, not /config); null if no message names a path.
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


def is_problem(text: pl.Expr) -> pl.Expr:
    """Whether a message, or one of the messages of a request kind, is a warning, an error or an exception."""
    level = rf"(?im)^({'|'.join(_PROBLEMS)})\b"
    return text.str.contains(level) | text.str.contains(r"(?m)^(Caused by: )?[\w$.]*(Exception|Error)(:|$)")


def severity(level: pl.Expr) -> pl.Expr:
    """2 for errors, 1 for warnings, otherwise 0."""
    return pl.when(level.is_in(SEVERE)).then(2).when(level.is_in(["WARN", "WARNING"])).then(1).otherwise(0)
