"""Write the pages of `docs/` that are made from the code: commands with their options, tables, and the glossary.

    python docs/reference.py        `make docs` does it, too; a test fails where a page is not up to date

A page in the repository can be read without building the site, and its history shows what changed for users.
"""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import polars as pl

from lo2core.base import glossary, schemas
from lo2core.base.arguments import REQUIRED, defaults
from lo2core.base.table import Column, Table
from lo2core.cli.options import parser
from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.wrappers import WRAPPERS
from lo2core.store.names import COMPARED, EXPLAINED, TABLES

DOCS = Path(__file__).parent


def pages() -> dict[Path, str]:
    """The text of each page, by its path."""
    made = "<!-- Made by docs/reference.py from the code: change it there, then run `make docs`. -->\n\n"
    return {
        DOCS / "command-line.md": made + command_line(),
        DOCS / "tables.md": made + tables(),
        DOCS / "formats.md": made + log_formats(),
        DOCS / "glossary.md": made + glossary_page(),
    }


def command_line() -> str:
    """Every command with its options."""
    introduction = """\
        # Command line

            python -m lo2core COMMAND [OPTIONS]         or: lo2core COMMAND [OPTIONS]

        - A command prints the files that it wrote. It ends with status 0, or with 2 and one sentence on standard error
          that says what was wrong and what to do.
        - Existing artefacts are not overwritten without `--replace`.
        - Commands that write to a workspace run one at a time; Ctrl-C stops one and keeps what was finished.
        - `WORKSPACE` is a folder of artefacts, see [Files](files.md).
        - The `NAME` of a prediction is its file name without `.parquet`; `SAMPLE/NAME` names a prediction of a sample.
        - Settings that are no options are environment variables, see [Configuration](configuration.md).
        """
    text = [dedent(introduction)]
    (commands,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        default = defaults(command.get_default("command"))
        options = [action for action in command._actions if action.dest != "help"]
        rows = [(_invocation(action), _meaning(action, default[action.dest])) for action in options]
        text.append(f"## {name}\n\n{command.description}\n\n{_table(('option', 'meaning'), rows)}")
    return "\n".join(text)


def _invocation(action: argparse.Action) -> str:
    """How an option is given: `--root PATH [PATH ...]`, or `--unit sequence|event`."""
    values = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    if isinstance(values, tuple):
        given = " ".join(values)
    else:
        given = {0: "", "?": f"[{values}]", "+": f"{values} [{values} ...]"}.get(action.nargs, values)
    return _code(f"{', '.join(action.option_strings)} {given}".strip())


def _meaning(action: argparse.Action, default: object) -> str:
    """The help of an option, and its default where the help does not give it."""
    help_ = action.help or ""
    if default is REQUIRED:
        return f"{help_} (required)"
    if isinstance(default, bool) or default in (None, (), "") or "default" in help_:
        return help_
    shown = " ".join(default) if isinstance(default, tuple) else default
    return f"{help_} (default: {_code(str(shown))})"


def tables() -> str:
    """Every table with its columns."""
    introduction = """\
        # Tables, column by column

        The columns of each table that is saved, as declared in `lo2core/base/schemas.py`.
        [Files](files.md) describes how the tables belong together.
        """
    stems = TABLES | {schema: f"explainability/.../{stem}" for stem, schema in (EXPLAINED | COMPARED).items()}
    text = [dedent(introduction)]
    for name, schema in vars(schemas).items():
        if isinstance(schema, type) and issubclass(schema, Table) and schema is not Table and name[0] != "_":
            file = f", {_code(f'{stems[schema]}.parquet')}" if schema in stems else ""
            notes = _notes(schema)
            columns = sorted(schema.columns().items(), key=lambda column: not column[1].primary_key)
            rows = [(_code(column), _type(of), notes.get(column, "")) for column, of in columns]
            text.append(f"## {name}{file}\n\n{inspect.getdoc(schema)}\n\n{_table(('column', 'type', 'meaning'), rows)}")
    return "\n".join(text)


def _notes(schema: type[Table]) -> dict[str, str]:
    """The text below each column's declaration, also of those that the schema inherits."""
    found: dict[str, str] = {}
    for declared in reversed(schema.__mro__):
        if issubclass(declared, Table) and declared.__module__ == schemas.__name__:
            found |= _notes_of_class(declared)
    return found


def _notes_of_class(declared: type) -> Iterator[tuple[str, str]]:
    body = ast.parse(dedent(inspect.getsource(declared))).body[0].body
    for statement, below in pairwise(body):
        if isinstance(statement, ast.Assign) and isinstance(below, ast.Expr):
            yield statement.targets[0].id, " ".join(below.value.value.split())


def _type(column: Column) -> str:
    if isinstance(column.dtype, pl.Enum):
        name = "one of " + ", ".join(_code(value) for value in column.dtype.categories)
    elif isinstance(column.dtype, pl.Datetime):
        name = "Datetime in ms"
    else:
        name = str(column.dtype)
    return name + (", key" if column.primary_key else "") + (", or null" if column.nullable else "")


def log_formats() -> str:
    """Every log format with its first example, and the wrappers."""
    introduction = """\
        # Log formats

        The format of each log is recognised by a sample of its lines: the format that explains most of them, and of two
        that explain as many the one that is further up in this table. A log may change its format half way: each line
        of a format of the table begins an event. All other lines belong to the event above them, as stack traces do.
        A log whose last line was cut while it was written is read without that line. A damaged compressed log or
        archive is read up to the damage: the load, the ledger and the verdict *read in part* say how far, and
        `--strict` refuses it.
        The ledger records what each log was read as, how many of its events are of a known format, have a level and a
        time, and what was assumed about times.

        - `--format NAME` reads logs by this format only; it can be repeated, and the first format that explains most
          lines of a log is taken. Named formats take the place of the table: a line begins an event if it is of one of
          them, or begins with the time stamp of the log's format (such an event counts as not explained). Any other
          line belongs to the event above it, also if it is of another format of the table.
        - `--format '^{stamp} <(?P<level>[a-z]+)> {message}'` describes another one. `{stamp}` stands for a date with a
          time of day, `{when}` for the same with or without the date, `{clock}` for a time of day, `{epoch}` for
          seconds, milliseconds, microseconds or nanoseconds since 1970, `{level}` for a level, and `{message}` for the
          rest of the line; there are also `{syslog}` (`Jun 28 16:40:52`), `{internet}` (RFC 3339), `{word}` (a level
          that is not the first word of a sentence), `{letter}` (a level of one letter) and `{brackets}` (text in which
          brackets are closed). Any other word in braces is refused; a brace of the log is `\\{`. Groups can be named
          `level`, `thread`, `logger`, `method`, `correlation_id` and `message`.
          The syntax is that of masks: regular expressions without look-around. A pattern begins at the start of a line.
        - `--format text` takes every line as an event.
        - `formats.toml` in the workspace holds formats of your own; page Load proposes and writes them. They are tried
          before the table below, and can be named with `--format`:

              [payment]
              pattern = "^@@ {stamp} <{level}> {message}"

        A model records by which formats its training logs were read. A sample is read as the logs of its workspace, and
        `load --like models/NAME.joblib` reads new logs elsewhere in the same way.

        ## Time stamps

        Dates are ISO (basic or extended), day first with dots, with names of months, or of the forms 03/04/2026 and
        17/06/09. Times have whole seconds or up to nanoseconds (cut to milliseconds), a comma or a point, and may end
        in AM or PM. Zones are offsets, names such as CEST, or regions such as Europe/Berlin. Second 60 is read as
        59.999.

        What a log does not say is assumed, and the load reports it once for each assumption:

        - A name of a zone with several meanings, such as CST or IST, is not used: the time is taken as UTC.
        - Of dates such as 03/04/2026 the first number is the month, unless another date of the log shows that it is the
          day, or the log was written on that day.
        - A date without a year is the one nearest to the start of the run, or to the time when the file was written.
        - In a log without times, only the order of the lines counts.

        ## Records that are no lines

        JSON that goes over several lines (pretty-printed objects or an array), the records of OpenTelemetry
        (`resourceLogs`) and CloudTrail (`Records`), and answers of Loki, CloudWatch (`events`) and Elasticsearch
        (`hits`) are read as one line per record, and are counted so. In tables whose columns are named in a comment
        (`#fields` of Zeek, `#Fields:` of W3C extended logs such as those of IIS and CloudFront) or in the first line
        (flow logs of a VPC) each row is a record; comments count as blank lines.

        ## Wrappers

        These are taken off each line first, in any combination; colours and other control sequences of terminals, and
        byte order marks, too.

        """
    parts = [dedent(introduction), "".join(f"- {wrapper.name}\n" for wrapper in WRAPPERS), "\n## Formats\n\n"]
    rows = [(known.name, _code(known.examples[0].line.replace("\t", " "))) for known in FORMATS]
    return "".join([*parts, _table(("format", "a line of it"), rows)])


def glossary_page() -> str:
    """Every term with its meaning."""
    text = ["# Glossary\n"]
    for term in glossary.TERMS:
        text.append(f"## {term.name}\n\n{term.meaning}\n\nShown on: {term.shown}.\n")
    return "\n".join(text)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`"


def write() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    write()
