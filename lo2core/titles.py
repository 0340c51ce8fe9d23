"""Items as one line that a person can read."""

from __future__ import annotations

import polars as pl

TITLE_LENGTH = 160
"""Signs of a message; its origin stands behind it."""
_PATH = r"(?:^|[\s=])((?:/(?:[\w<>.-]|\{\w+\})+)+)"
STACK_FRAME = r"^\s+(at |\.\.\. |- )"
"""A line of a stack trace below its exception: it says where, not what."""
SEVERE = ("ERROR", "FATAL", "SEVERE")
_LEVEL = r"(?P<level>(?:[a-z ]+: )?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL|<\*>) )"
_HEADER = rf"^{_LEVEL}(?:\S*\.)?(?P<logger>[^\s.]+)(?: (?P<method>\S+))? -(?: (?P<body>.*))?$"
_FRAME = r"^at (?:\S*/)?(?:[\w$]+\.)*([\w$]+\.[\w$<>]+)\((.*)\)$"
_EXCEPTION = r"\b(?:[a-z_][\w$]*\.)+([A-Z][\w$]*(?:Exception|Error|Throwable))\b"
_OBJECT = r'^((?:[^{"]*: )?)\{\s*"'
_LONG_OBJECT = r'(\{"[^{}]{40})[^{}]{20,}\}'
_TOLD = {"status": "statusCode|status", "code": "code|errorCode", "name": "message|error|title"}
_DESCRIPTION = "description|error_description|detail|details"
WEIGHTS = {"exception": 2.0, "error": 2.0, "warning": 1.5, "other": 1.0, "frame": 0.1}
"""How much items of equal share say: a stack frame comes with its exception, an error is why one looks.

One that ends in a colon says nothing yet.
"""


def titles(found: pl.DataFrame, messages: pl.DataFrame, usual: pl.DataFrame) -> pl.Series:
    """A line for each item (columns feature, kind, item): `one_line` of its text, or of what says most of a
    request kind.

    messages: `tables.Messages`; usual: how often messages occur where nothing is wrong (message_id, normal_n).
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


def _shortened(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_chars() > TITLE_LENGTH).then(text.str.slice(0, TITLE_LENGTH - 1) + "…").otherwise(text)
