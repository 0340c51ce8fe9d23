"""Logs whose entries are no lines: JSON that goes over several lines or holds many records, and tables with a header.

They are rewritten as JSON lines, one for each record, which are then read like any others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lo2core.load.formats.objects import is_entry

_BEGINS_JSON = re.compile(r"\s*(?:\{|\[\s*[{\]])")
_HEADER = re.compile(r"^#(?:fields\t|Fields: )", re.MULTILINE)
_FLOWS = re.compile(r"(?=[a-z -]*\bsrcaddr\b)(?=[a-z -]*\bdstaddr\b)[a-z -]+\n")
"""The first line of a flow log of a VPC, which names its columns."""
_HEADER_WITHIN = 4_000
"""Characters at the start of a text in which the names of the columns are looked for."""
_OBJECT = re.compile(r"^\{[ \t]*$", re.MULTILINE)
"""The first line of an object that goes over several."""
_OBJECT_WITHIN = 20_000
_FAILURES = 100
"""Objects that cannot be read, after which no further ones are looked for."""
_BETWEEN = re.compile(r"[\s,\[\]]*")
"""What is between records, also those of an array, which may be cut."""


def as_lines(text: str) -> str:
    """The text with one JSON object per record and line, if it holds records of another form; else the same text.

    Examples:
        >>> from lo2core.load.formats.documents import as_lines
        >>> print(as_lines('[{"msg": "a", "level": "info"}, {"msg": "b"}]'))
        {"msg": "a", "level": "info"}
        {"msg": "b"}
    """
    if text.startswith("#") and _HEADER.search(text, 0, _HEADER_WITHIN):
        return "\n".join(_rows(text.split("\n")))
    if _FLOWS.match(text):
        names, *rows = text.split("\n")
        return "\n".join(["", *(_flow(names.split(), row) for row in rows)])
    if is_json_document(text):
        return _from_json(text)
    return _with_objects_on_lines(text) if _OBJECT.search(text, 0, _OBJECT_WITHIN) else text


def is_json_document(text: str) -> bool:
    """Whether a text begins as JSON, but its first line that is not empty is not a whole record."""
    return bool(_BEGINS_JSON.match(text)) and not _begins_with_record(text)


def _begins_with_record(text: str) -> bool:
    first = text.lstrip().partition("\n")[0]
    if first.rstrip() == "[":
        first = text.lstrip()[1:].lstrip().partition("\n")[0].rstrip().removesuffix(",")
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and list(_records(found)) == [found]


def _from_json(text: str) -> str:
    """The records of JSON values one after the other.

    What follows the last one that can be read stays as it is; if it is a record without its end, it is one line.
    """
    decode = json.JSONDecoder().raw_decode
    at, lines, rest = _skipped(text, 0), [], ""
    while at < len(text):
        try:
            value, at = decode(text, at)
        except (ValueError, RecursionError) as error:
            rest = " ".join(text[at:].split()) if _is_end(error, text) else text[at:]
            break
        if not isinstance(value, (dict, list)):
            return text
        lines += [_written(record) for record in _records(value)]
        at = _skipped(text, at)
    return "\n".join([*lines, rest]) if lines else text


def _written(record: Any) -> str:
    """A record as one line; halves of surrogate pairs, which are no text, become question marks."""
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace").decode()


def _is_end(error: Exception, text: str) -> bool:
    """Whether JSON could not be read because the text ends."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")


def _with_objects_on_lines(text: str) -> str:
    """The text with each record that goes over several lines on one, if it consists of them for the most part.

    Else they are objects that were printed in a message.
    """
    decode = json.JSONDecoder().raw_decode
    parts: list[str] = []
    at = failures = size = 0
    for begin in _OBJECT.finditer(text):
        if begin.start() < at:
            continue
        try:
            value, end = decode(text, begin.start())
        except (ValueError, RecursionError):
            failures += 1
            if failures > _FAILURES:
                break
            continue
        record = _written(value)
        if is_entry(record, "json"):
            parts += [text[at : begin.start()], record]
            at, size = end, size + end - begin.start()
    return "".join([*parts, text[at:]]) if size > len(text) / 2 else text


def _skipped(text: str, at: int) -> int:
    """The position of the next character that is part of a record."""
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _records(value: Any) -> Iterator[Mapping[str, Any]]:
    """The records in a JSON value: a list, or what the interface of a log store returns."""
    if isinstance(value, list):
        for entry in value:
            yield from _records(entry)
    elif isinstance(value, dict):
        read = next((read for key, read in _STORES.items() if isinstance(_at(value, key), list)), None)
        yield from read(value) if read else [value]


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _of_loki(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for stream in _objects(_at(answer, "data.result")):
        values = stream.get("values")
        for entry in values if isinstance(values, list) else []:
            if isinstance(entry, list) and len(entry) > 1:
                yield {"labels": stream.get("stream") or {}, "timestamp": entry[0], "line": entry[1]}


def _of_opentelemetry(batch: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Log records as the exporters of OpenTelemetry write them: below resource and scope, with typed values."""
    for resource in _objects(batch["resourceLogs"]):
        service = _attributes(_at(resource, "resource.attributes")).get("service.name")
        for scope in _objects(resource.get("scopeLogs") or resource.get("instrumentationLibraryLogs")):
            for record in _objects(scope.get("logRecords")):
                yield _record(record, service, _at(scope, "scope.name"))


def _record(record: Mapping[str, Any], service: Any, logger: Any) -> Mapping[str, Any]:
    time = next((record[key] for key in ("timeUnixNano", "observedTimeUnixNano") if _number(record.get(key))), None)
    level = record.get("severityText") or _severity(_number(record.get("severityNumber")))
    fields = {"timeUnixNano": time, "level": level, "logger": logger, "body": _plain(record.get("body"))}
    known = {**fields, "traceId": record.get("traceId"), "service.name": service}
    return {key: value for key, value in {**_attributes(record.get("attributes")), **known}.items() if value}


def _number(value: Any) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError, OverflowError):  # the last one is that of Infinity
        return 0


def _severity(number: int) -> str | None:
    """The level of a severity number: four of them each, from 1."""
    names = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
    return names[(number - 1) // 4] if 1 <= number <= 24 else None


def _attributes(pairs: Any) -> dict[str, Any]:
    return {str(pair.get("key")): _plain(pair.get("value")) for pair in _objects(pairs)}


def _plain(value: Any) -> Any:
    """A typed value (`{"stringValue": "x"}`) as a plain one."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    kind, inner = next(iter(value.items()))
    if kind == "kvlistValue":
        return _attributes(_at(inner, "values"))
    if kind == "arrayValue":
        return [_plain(one) for one in _objects(_at(inner, "values"))]
    return inner if kind.endswith("Value") else value


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


_STORES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Mapping[str, Any]]]] = {
    "resourceLogs": _of_opentelemetry,
    "data.result": _of_loki,
    "Records": lambda trail: iter(_objects(trail["Records"])),
    "events": lambda answer: iter(_objects(answer["events"])),
    "hits.hits": lambda answer: (hit.get("_source", hit) for hit in _objects(_at(answer, "hits.hits"))),
}
"""Where the records are in what OpenTelemetry, Loki, CloudTrail, CloudWatch and Elasticsearch write."""


def _rows(lines: Sequence[str]) -> Iterator[str]:
    """The lines of a table, whose columns are named in comments (Zeek, W3C extended logs), as JSON lines.

    Comments become empty lines, so that the numbers of lines stay the same.
    """
    names: list[str] = []
    separator: str | None = None
    date = ""
    for line in lines:
        if line.startswith("#"):
            if line.startswith("#Date: "):
                date = line[len("#Date: ") :][:10]
            if _HEADER.match(line):
                separator = "\t" if line.startswith("#fields") else None
                names = line.split(separator)[1:]
            yield ""
        else:
            values = line.split(separator)
            row = {name: value for name, value in zip(names, values, strict=False) if value not in _ABSENT}
            if "time" in row and (row.get("date") or date):
                row = {"timestamp": f"{row.pop('date', date)}T{row.pop('time')}Z", **row}
            yield _written(row) if row and len(values) == len(names) else line


def _flow(names: Sequence[str], line: str) -> str:
    """A line of a flow log as JSON, if it has all columns."""
    values = line.split()
    row = {name: value for name, value in zip(names, values, strict=False) if value not in _ABSENT}
    if len(values) != len(names) or not row:
        return line
    return _written({"timestamp": row.pop("start", row.get("end")), **row})


_ABSENT = ("-", "(empty)", "")
