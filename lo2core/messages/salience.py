"""How much an item tells a reader: errors and exceptions before stack frames."""

from __future__ import annotations

import polars as pl

_PATH = r"(?:^|[\s=])((?:/(?:[\w<>.-]|\{\w+\})+)+)"
STACK_FRAME = r"^\s+(at |\.\.\. |- )"
"""A line of a stack trace below its exception: it says where, not what."""
SEVERE = ("ERROR", "FATAL", "SEVERE")
WEIGHTS = {"exception": 2.0, "error": 2.0, "warning": 1.5, "other": 1.0, "frame": 0.1}
"""How much items of equal share say: a stack frame comes with its exception, an error is why one looks.

One that ends in a colon says nothing yet.
"""


def said_most() -> pl.Expr:
    """What an item (columns share, item) says about a score: its share, less for stack frames, more for errors.

    Every list of items and every headline goes by it.
    """
    return pl.col("share") * weight(pl.col("item"))


def weight(text: pl.Expr) -> pl.Expr:
    """How much an item says beside others of the same share, by its text: see `WEIGHTS`."""
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
