"""One-line titles of items."""

from __future__ import annotations

import polars as pl

from lo2core.messages.salience import informative_messages

TITLE_LENGTH = 160
"""Maximum number of characters, without the origin that follows the text."""
_LEVEL = r"(?P<level>(?:[a-z ]+: )?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL|<\*>) )"
_HEADER = rf"^{_LEVEL}(?:\S*\.)?(?P<logger>[^\s.]+)(?: (?P<method>\S+))? -(?: (?P<body>.*))?$"
_FRAME = r"^at (?:\S*/)?(?:[\w$]+\.)*([\w$]+\.[\w$<>]+)\((.*)\)$"
_EXCEPTION = r"\b(?:[a-z_][\w$]*\.)+([A-Z][\w$]*(?:Exception|Error|Throwable))\b"
_OBJECT = r'^((?:[^{"]*: )?)\{\s*"'
_LONG_OBJECT = r'(\{"[^{}]{40})[^{}]{20,}\}'
_ERROR_KEYS = {"status": "statusCode|status", "code": "code|errorCode", "name": "message|error|title"}
_DESCRIPTION = "description|error_description|detail|details"


def titles(items: pl.DataFrame, messages: pl.DataFrame, usual: pl.DataFrame) -> pl.Series:
    """The title of each item (columns feature, kind, item), in the same order.

    It is `one_line` of the text; for a request kind, of its most informative message. messages: `schemas.Messages`.
    usual: how often messages occur in normal logs (message_id, normal_n).
    """
    requests = items.filter(pl.col("kind") == "request").select("feature")
    messages_of_requests = informative_messages(requests, messages, usual).select("feature", "path", message="text")
    joined = items.join(messages_of_requests, on="feature", how="left", maintain_order="left")
    request = pl.format("request {} -> {}", pl.col("path").fill_null("?"), one_line(joined["message"]))
    return joined.select(pl.coalesce(request, one_line(joined["item"]), pl.lit("?"))).to_series()


def one_line(texts: pl.Series) -> pl.Series:
    """Each message as one line: the text first, the origin last.

    `ERROR a.b.Logger method - text` becomes `ERROR text  ·  Logger.method`. A JSON object that describes an error
    becomes its status, code and name, and then the description. Package names of exceptions and stack frames are
    removed.
    """
    # As one expression, a step would be computed again wherever a later one refers to it.
    whole, body = pl.col("whole"), pl.col("body")
    return (
        pl.select(whole=texts.str.strip_chars().str.replace_all(r"\s+", " "))
        .with_columns(header=whole.str.extract_groups(_HEADER))
        .unnest("header")
        .with_columns(
            pl.col("level").fill_null(""),
            content=pl.when(pl.col("level").is_null()).then(whole).otherwise(body.fill_null("")),
            origin=pl.concat_str("logger", "method", separator=".", ignore_nulls=True),
        )
        .pipe(_in_words)
        .with_columns(body=_shortened((pl.col("level") + pl.col("words")).str.strip_chars()))
        .select(pl.when(pl.col("origin") != "").then(pl.format("{}  ·  {}", body, "origin")).otherwise(body))
        .to_series()
        .alias(texts.name)
    )


def title_of(text: str) -> str:
    """`one_line` of one text."""
    return str(one_line(pl.Series([text]))[0])


def _in_words(parts: pl.DataFrame) -> pl.DataFrame:
    """Adds column words: the text without package names, with its JSON put into words or shortened."""
    plain, before, name, description = (pl.col(column) for column in ("plain", "before", "name", "description"))
    first = pl.concat_str(*_ERROR_KEYS, separator=" ", ignore_nulls=True)
    error = pl.when(description.is_null()).then(first).when(first == "").then(description)
    is_error = before.is_not_null() & pl.coalesce(name, description).is_not_null()
    return (
        parts.with_columns(plain=pl.col("content").str.replace(_FRAME, "at ${1} (${2})"))
        .with_columns(plain=plain.str.replace_all(_EXCEPTION, "${1}"))
        .with_columns(before=plain.str.extract(_OBJECT), description=_value(plain, _DESCRIPTION))
        .with_columns(_value(plain, keys).alias(column) for column, keys in _ERROR_KEYS.items())
        .with_columns(words=before + error.otherwise(pl.format("{}: {}", first, description)))
        .with_columns(words=pl.when(is_error).then("words").otherwise(plain.str.replace_all(_LONG_OBJECT, "${1}…}")))
    )


def _value(text: pl.Expr, keys: str) -> pl.Expr:
    """The value of the first of these keys in a JSON object, which may be incomplete in a template."""
    return text.str.extract(rf'"(?:{keys})"\s*:\s*"?((?:[^"\\,}}]|\\.|, |,$)+)')


def _shortened(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_chars() > TITLE_LENGTH).then(text.str.slice(0, TITLE_LENGTH - 1) + "…").otherwise(text)
