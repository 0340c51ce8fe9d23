"""Building blocks of a self-contained HTML page: escaped text, tables, charts as inline SVG, one style."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any

import polars as pl

from lo2core.report.charts import NEUTRAL, Chart

_STYLE = """
:root {
  color-scheme: light dark;
  --text: #1b2430; --soft: #5d6673; --line: #d9dde3; --back: #fff; --mark: #fff3d1; --code: #f5f6f8 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ee; --soft: #9aa3b0; --line: #39414d; --back: #14181f; --mark: #4a3c12; --code: #1d232c } }
body {
  font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  max-width: 1100px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem } p.soft, td.soft, caption { color: var(--soft) }
table { border-collapse: collapse; width: 100%; font-size: 13px } caption { text-align: left; padding: .3rem 0 }
th { text-align: left; color: var(--soft); font-weight: 600 }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .5rem; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.scroll { overflow-x: auto }
pre, td.text { font: 12px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
pre { background: var(--code); padding: .6rem; margin: .3rem 0 }
tr.mark td { background: var(--mark) } details summary { cursor: pointer }
svg { max-width: 100%; height: auto; overflow: visible }
"""


def page(title: str, sections: Iterable[str]) -> str:
    """A whole page; it loads nothing, and forbids itself to."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what stands below it; empty parts are left out."""
    return f"<section><h2>{escape(title)}</h2>\n" + "\n".join(part for part in parts if part) + "</section>"


def paragraph(text: str, soft: bool = False) -> str:
    """A paragraph of plain text; `soft` for what is said aside."""
    return f'<p class="soft">{escape(text)}</p>' if soft else f"<p>{escape(text)}</p>"


def folded(summary: str, content: str) -> str:
    """What unfolds on a click."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def preformatted(text: str) -> str:
    """Log text as it stands."""
    return f"<pre>{escape(text)}</pre>"


def table(frame: pl.DataFrame, titles: dict[str, str], texts: Iterable[str] = (), marked: str | None = None) -> str:
    """The columns in `titles` under those names; `texts` are in monospace, rows where `marked` holds stand out."""
    texts = set(texts)
    head = "".join(f"<th>{escape(title)}</th>" for title in titles.values())
    rows = []
    for row in frame.iter_rows(named=True):
        cells = "".join(_cell(row[name], name in texts) for name in titles)
        rows.append(f'<tr class="mark">{cells}</tr>' if marked and row[marked] else f"<tr>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _cell(value: Any, is_text: bool) -> str:
    if isinstance(value, float):
        whole = value.is_integer() or abs(value) >= 1000
        return f'<td class="number">{value:,.0f}</td>' if whole else f'<td class="number">{value:,.3g}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="number">{value:,}</td>'
    if isinstance(value, datetime):
        value = value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, list):
        value = ", ".join(f"{part:,.0f}" if isinstance(part, float) else str(part) for part in value)
    if isinstance(value, bool):
        value = "yes" if value else "no"
    text = "" if value is None else str(value)
    return f'<td class="text">{escape(text)}</td>' if is_text else f"<td>{escape(text)}</td>"


def chart(drawn: Chart, width: int = 760) -> str:
    """A chart as inline SVG, made without a browser or network; grey text reads on light and on dark."""
    import vl_convert as vlc

    plain = drawn.properties(width=width) if "facet" not in drawn.to_dict() else drawn
    grey = {
        "labelColor": NEUTRAL,
        "titleColor": NEUTRAL,
        "gridColor": NEUTRAL,
        "gridOpacity": 0.25,
        "domainColor": NEUTRAL,
    }
    room = {"left": 50, "top": 5, "right": 20, "bottom": 5}  # a reader's font may be wider than the one measured here
    config = {
        "padding": room,
        "background": None,
        "view": {"stroke": None},
        "axis": grey,
        "legend": grey,
        "title": {"color": NEUTRAL},
    }
    spec = json.loads(plain.to_json())
    spec["config"] = {**spec.get("config", {}), **config}
    return str(vlc.vegalite_to_svg(spec))
