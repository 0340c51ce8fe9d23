"""Lines that are objects: JSON lines and logfmt. Their fields are found by the keys that logging libraries use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl

from lo2core.load.formats import stamps
from lo2core.load.formats.format import FIELDS

KEYS: Mapping[str, tuple[str, ...]] = {
    "stamp": (
        "@timestamp", "timestamp", "time", "ts", "@t", "t.$date", "t", "datetime", "date", "asctime", "Timestamp",
        "eventTime", "timeMillis", "timeUnixNano", "observedTimeUnixNano", "instant.epochSecond",
        "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "start_time", "StartUTC", "time_local",
        "requestReceivedTimestamp", "stageTimestamp",
    ),
    "level": (
        "log.level", "level", "severity", "levelname", "lvl", "loglevel", "logLevel", "LogLevel", "Level", "@l",
        "severityText", "SeverityText", "s", "PRIORITY", "log_level", "l",
    ),
    "message": (
        "message", "msg", "body.stringValue", "body", "Body", "fields.message", "MESSAGE", "@m", "@mt",
        "RenderedMessage", "Message", "MessageTemplate", "event", "text", "short_message", "log",
        "jsonPayload.message", "textPayload", "data.message", "line",
    ),
    "logger": (
        "log.logger", "logger", "logger_name", "loggerName", "name", "target", "Category", "SourceContext",
        "Properties.SourceContext", "SYSLOG_IDENTIFIER", "c", "module", "component",
    ),
    "thread": ("process.thread.name", "thread_name", "thread", "threadName", "ctx", "processName"),
    "correlation_id": (
        "trace.id", "trace_id", "traceId", "traceid", "TraceId", "correlation_id", "correlationId", "CorrelationId",
        "request_id", "requestId", "RequestId", "req_id", "reqId", "x_request_id", "auditID", "requestID",
    ),
    "trace": (
        "error.stack_trace", "stack_trace", "stackTrace", "exception.stacktrace", "exc_info", "exception", "@x",
        "Exception", "err.stack", "error.stack", "stack", "stacktrace", "thrown.extendedStackTrace", "thrown.message",
        "traceback",
    ),
}  # fmt: skip
"""The keys of each field, by preference; nested objects are named with dots."""

_NOISE = frozenset(
    (
        *("pid", "hostname", "host", "v", "version", "@version", "ecs.version", "stream", "id", "c", "date", "flags"),
        *("caller", "file", "line", "lineno", "filename", "func", "funcName", "pathname", "log.origin.function"),
        *("log.origin.file.line", "log.origin.file.name", "process", "process.pid", "process.thread.id"),
        *("thread_id", "threadId", "threadPriority", "level_value", "levelno", "endOfBatch", "loggerFqcn"),
        *("created", "msecs", "relativeCreated", "time_unix", "instant.nanoOfSecond"),
        *(
            "service.name",
            "insertId",
            "receiveTimestamp",
            "logName",
            "nodeName",
            "namespace",
            "podName",
            "containerName",
        ),
        *("spanId", "span_id", "span.id", "transaction.id", "dd.trace_id", "dd.span_id"),
    )
)
_NOISE_IN = ("resource.", "kubernetes.", "labels.k8s-pod/")
"""Keys that say where a line comes from rather than what happened; all others are added to the message."""

_NO_LEVELS = ("Metadata", "Request", "RequestResponse", "None")
"""How much Kubernetes records of a request, in the audit log."""

PATTERNS = {
    "json": r'^\s*\[?\s*\{\s*".*\}\s*,?\s*\]?\s*$',
    "logfmt": r'^(?:[A-Za-z_@][\w.@/-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)){2,}$',
}
_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))')
_WHEN = re.compile(f"^{stamps.WHEN}".replace("?P<", "?P<"), re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOO_DEEP = 4
_FEW = 2


def read_objects(texts: pl.Series, kind: str) -> pl.DataFrame:
    """The fields of lines that are objects, and `trace`; `message` is null for a line that is no object of a log."""
    read: Callable[[str], Mapping[str, Any] | None] = _json if kind == "json" else _logfmt
    rows = [_fields(found) if text is not None and (found := read(text)) else None for text in texts]
    columns = (*FIELDS, "trace")
    data = {name: [row.get(name) if row else None for row in rows] for name in columns}
    return pl.DataFrame(data, schema=dict.fromkeys(columns, pl.String))


def is_entry(text: str, kind: str) -> bool:
    """Whether a line is an object of a log, as `read_objects` finds it."""
    found = _json(text) if kind == "json" else _logfmt(text)
    return found is not None and _fields(found) is not None


def _json(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text.strip().lstrip("[").rstrip(",]").strip())  # a line of an array
        if _SURROGATE.search(text):  # half of a pair is no text
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return dict(_flat(found)) if isinstance(found, dict) else None


def _flat(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The entries of an object, nested ones under names with dots."""
    for key, inner in value.items():
        if isinstance(inner, dict) and depth < _TOO_DEEP:
            yield from _flat(inner, f"{prefix}{key}.", depth + 1)
        elif inner is not None:
            yield prefix + key, inner


def _logfmt(text: str) -> Mapping[str, Any] | None:
    return {key: re.sub(r"\\(.)", r"\1", quoted) if quoted else plain for key, quoted, plain in _PAIR.findall(text)}


def _fields(entries: Mapping[str, Any]) -> dict[str, str] | None:
    """The fields of a log line; None for an object without a time that has no message or no level."""
    keys = {field: next((key for key in keys if key in entries), None) for field, keys in KEYS.items()}
    if not keys["stamp"] and not (keys["message"] and keys["level"]):
        return None
    if keys["level"] and entries[keys["level"]] in _NO_LEVELS:
        keys["level"] = None
    fields = {field: _text(entries[key]) for field, key in keys.items() if key}
    if keys["stamp"] == "@t" and keys["message"]:  # Serilog writes no level for INFO
        fields.setdefault("level", "INFO")
    stamp = fields.pop("stamp", "")
    if keys["stamp"] == "instant.epochSecond":
        stamp = f"{stamp}.{entries.get('instant.nanoOfSecond', 0):09d}"
    fields |= split_stamp(stamp)
    taken = {*keys.values(), *(key for field in ("stamp", "level") for key in KEYS[field])}
    further = [
        f"{key.removeprefix('fields.').removeprefix('jsonPayload.')}={_text(value)}"
        for key, value in entries.items()
        if not {key} & (taken | _NOISE) and not key.startswith(_NOISE_IN)
    ]
    if not keys["message"] and (len(further) < _FEW or not ({"date", "epoch"} & set(fields))):
        return None  # rather a value that was printed than an entry of an access log
    message, _, below = fields.get("message", "").partition("\n")
    fields["message"] = " ".join([message, *sorted(further)]).replace("\n", " ").strip()
    trace = "\n".join(part for part in (below, fields.get("trace", "")) if part)
    return fields | {"trace": trace} if trace else {k: v for k, v in fields.items() if k != "trace"}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def split_stamp(text: str) -> dict[str, str]:
    """The parts of a time stamp in a field of its own: date, time, zone, or epoch."""
    if re.fullmatch(stamps.EPOCH.replace("?P<epoch>", ""), text):
        return {"epoch": text}
    match = _WHEN.match(text)
    return {name: part for name, part in match.groupdict().items() if part} if match else {}
