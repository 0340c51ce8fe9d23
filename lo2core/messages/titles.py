"""Items as one line that a person can read."""

from __future__ import annotations

import polars as pl

from lo2core.messages.salience import telling_messages

TITLE_LENGTH = 160
"""Signs of a message; its origin stands behind it."""
_LEVEL = r"(?P<level>(?:[a-z ]+: )?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL|<\*>) )"
_HEADER = rf"^{_LEVEL}(?:\S*\.)?(?P<logger>[^\s.]+)(?: (?P<method>\S+))? -(?: (?P<body>.*))?$"
_FRAME = r"^at (?:\S*/)?(?:[\w$]+\.)*([\w$]+\.[\w$<>]+)\((.*)\)$"
_EXCEPTION = r"\b(?:[a-z_][\w$]*\.)+([A-Z][\w$]*(?:Exception|Error|Throwable))\b"
_OBJECT = r'^((?:[^{"]*: )?)\{\s*"'
_LONG_OBJECT = r'(\{"[^{}]{40})[^{}]{20,}\}'
_TOLD = {"status": "statusCode|status", "code": "code|errorCode", "name": "message|error|title"}
_DESCRIPTION = "description|error_description|detail|details"


def titles(found: pl.DataFrame, messages: pl.DataFrame, usual: pl.DataFrame) -> pl.Series:
    """A line for each item (columns feature, kind, item): `one_line` of its text, or of what says most of a
    request kind.

    messages: `schemas.Messages`; usual: how often messages occur where nothing is wrong (message_id, normal_n).
    """
    requests = found.filter(pl.col("kind") == "request").select("feature")
    telling = telling_messages(requests, messages, usual).select("feature", "path", telling="text")
    joined = found.join(telling, on="feature", how="left", maintain_order="left")
    request = pl.format("request {} -> {}", pl.col("path").fill_null("?"), one_line(pl.col("telling")))
    return joined.select(pl.coalesce(request, one_line(pl.col("item")), pl.lit("?"))).to_series()


def one_line(text: pl.Expr) -> pl.Expr:
    """A message as one line, what it says first and where it comes from last.

    `ERROR a.b.Logger method - text` becomes `ERROR text  ·  Logger.method`. A JSON object that tells of an error is put
    into words: status, code and name, then the description. Exceptions and stack frames lose their packages.
    """
    return text.map_batches(_one_line, return_dtype=pl.String)


def _one_line(texts: pl.Series) -> pl.Series:
    """`one_line`, a column a step: as one expression each step would be taken again wherever the next mentions it."""
    whole, body = pl.col("whole"), pl.col("body")
    return (
        pl.select(whole=texts.str.strip_chars().str.replace_all(r"\s+", " "))
        .with_columns(header=whole.str.extract_groups(_HEADER))
        .unnest("header")
        .with_columns(
            pl.col("level").fill_null(""),
            said=pl.when(pl.col("level").is_null()).then(whole).otherwise(body.fill_null("")),
            origin=pl.concat_str("logger", "method", separator=".", ignore_nulls=True),
        )
        .pipe(_in_words)
        .with_columns(body=_shortened((pl.col("level") + pl.col("words")).str.strip_chars()))
        .select(pl.when(pl.col("origin") != "").then(pl.format("{}  ·  {}", body, "origin")).otherwise(body))
        .to_series()
        .alias(texts.name)
    )


def said(text: str) -> str:
    """`one_line` of one text."""
    return str(pl.select(one_line(pl.lit(text))).item())


def _in_words(found: pl.DataFrame) -> pl.DataFrame:
    """Adds words: what is `said` without packages, its JSON in words or shortened."""
    plain, before, name, description = (pl.col(column) for column in ("plain", "before", "name", "description"))
    first = pl.concat_str(*_TOLD, separator=" ", ignore_nulls=True)
    told = pl.when(description.is_null()).then(first).when(first == "").then(description)
    is_told = before.is_not_null() & pl.coalesce(name, description).is_not_null()
    return (
        found.with_columns(plain=pl.col("said").str.replace(_FRAME, "at ${1} (${2})"))
        .with_columns(plain=plain.str.replace_all(_EXCEPTION, "${1}"))
        .with_columns(before=plain.str.extract(_OBJECT), description=_value(plain, _DESCRIPTION))
        .with_columns(_value(plain, keys).alias(column) for column, keys in _TOLD.items())
        .with_columns(words=before + told.otherwise(pl.format("{}: {}", first, description)))
        .with_columns(words=pl.when(is_told).then("words").otherwise(plain.str.replace_all(_LONG_OBJECT, "${1}…}")))
    )


def _value(text: pl.Expr, keys: str) -> pl.Expr:
    """The value of the first of these keys in a JSON object; a template may have cut it."""
    return text.str.extract(rf'"(?:{keys})"\s*:\s*"?((?:[^"\\,}}]|\\.|, |,$)+)')


def _shortened(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_chars() > TITLE_LENGTH).then(text.str.slice(0, TITLE_LENGTH - 1) + "…").otherwise(text)
