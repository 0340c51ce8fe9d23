"""Self-contained HTML pages: tables and charts as data, laid out and escaped by jinja2 templates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lo2core.base.text import visible
from lo2core.base.untrusted import printable
from lo2core.messages.secrets import masked
from lo2core.report import renderer
from lo2core.report.charts import NEUTRAL, TEXT, Chart


def _text_of(value: object) -> object:
    """What a template prints for a value: text is made visible, markup is complete already."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_TEMPLATES = Environment(
    finalize=_text_of,
    loader=PackageLoader("lo2core.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Report(Protocol):
    """The data of a page; each template expects a class of its own."""

    @property
    def title(self) -> str: ...


class Passage(NamedTuple):
    """Log text, shown verbatim below a caption."""

    caption: str
    text: str


class Cell(NamedTuple):
    """A value as text; `kind` is the style: numbers are right-aligned, `text` is monospaced."""

    text: str
    kind: Literal["", "number", "text"] = ""


class Row(NamedTuple):
    """The cells of a row; a marked row is highlighted."""

    cells: list[Cell]
    marked: bool = False


class Table(NamedTuple):
    """A table as shown: column titles, in the style of their column, and rows with one cell per column."""

    titles: list[Cell]
    rows: list[Row]


def render(template: str, report: Report, secrets: bool = False) -> str:
    """Render a whole page with the template `<template>.html.j2`. All text is escaped; the page loads nothing.

    Secrets in its texts are masked, unless `secrets` is true.
    """
    shown = report if secrets else _without_secrets(report)
    return _TEMPLATES.get_template(f"{template}.html.j2").render(report=shown)


def _without_secrets(report: Report) -> Any:
    texts = sorted(set(_texts(report)))
    without = masked(pl.Series([printable(text) for text in texts], dtype=pl.String))
    return _replaced(report, dict(zip(texts, without, strict=True)))


def _texts(part: Any) -> Iterator[str]:
    """All texts of a report, without charts."""
    if isinstance(part, str):
        if not isinstance(part, Markup):
            yield part
        return
    for one in _parts_of(part):
        yield from _texts(one)


def _replaced(part: Any, texts: Mapping[str, str]) -> Any:
    """The part with other texts."""
    if isinstance(part, str):
        return texts.get(part, part)
    parts = [_replaced(one, texts) for one in _parts_of(part)]
    if isinstance(part, list):
        return parts
    return type(part)(*parts) if parts else part


def _parts_of(part: Any) -> Sequence[Any]:
    """The values of a dataclass, a named tuple or a list."""
    if is_dataclass(part):
        return [getattr(part, field.name) for field in fields(part)]
    return part if isinstance(part, list | tuple) else ()


def table(frame: pl.DataFrame, titles: dict[str, str], texts: Iterable[str] = (), marked: str | None = None) -> Table:
    """The columns of `frame` that `titles` names, with these titles.

    Columns in `texts` are monospaced; rows in which the boolean column `marked` is true are highlighted.
    """
    texts = set(texts)
    rows = [
        Row([_cell(row[name], name in texts) for name in titles], bool(marked and row[marked]))
        for row in frame.iter_rows(named=True)
    ]
    heads = [Cell(title, "number" if frame.schema[name].is_numeric() else "") for name, title in titles.items()]
    return Table(heads, rows)


def table_html(frame: pl.DataFrame, titles: dict[str, str]) -> str:
    """A single table as HTML; see `table`."""
    return str(_parts().table(table(frame, titles)))


def preformatted(text: str) -> str:
    """Log text as HTML, verbatim."""
    return str(_parts().preformatted(text))


def _parts() -> Any:
    return _TEMPLATES.get_template("parts.html.j2").module


def _cell(value: Any, is_text: bool) -> Cell:
    if isinstance(value, float):
        whole = value.is_integer() or abs(value) >= 1000
        return Cell(f"{value:,.0f}" if whole else f"{value:,.3g}", "number")
    if isinstance(value, int) and not isinstance(value, bool):
        return Cell(f"{value:,}", "number")
    return Cell(_text(value), "text" if is_text else "")


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ", timespec="milliseconds")
        case list():
            return ", ".join(f"{part:,.0f}" if isinstance(part, float) else str(part) for part in value)
    return str(value)


def svg(chart: Chart, width: int = 760) -> Markup:
    """A chart as inline SVG, drawn without a browser or network; its text is legible on light and dark pages.

    Raises what `renderer.svg` raises.
    """
    spec = json.loads(chart.to_json())
    if "facet" not in spec:
        spec["width"] = width
    spec["config"] = {**spec.get("config", {}), **_SVG_CONFIG}
    return Markup(renderer.svg(_visible_spec(spec)))


def _visible_spec(part: Any) -> Any:
    """A part of a specification with all its texts made visible; SVG is XML, which forbids control characters."""
    match part:
        case str():
            return visible(part)
        case list():
            return [_visible_spec(one) for one in part]
        case dict():
            return {visible(name): _visible_spec(one) for name, one in part.items()}
    return part


_GREY = {
    "labelColor": TEXT,
    "titleColor": TEXT,
    "gridColor": NEUTRAL,
    "gridOpacity": 0.25,
    "domainColor": NEUTRAL,
}
_SVG_CONFIG = {
    "padding": {"left": 50, "top": 5, "right": 20, "bottom": 5},  # a reader's font may be wider than the one used here
    "background": None,
    "view": {"stroke": None},
    "axis": _GREY,
    "legend": _GREY,
    "title": {"color": TEXT},
}
