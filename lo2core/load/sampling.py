"""What is understood of logs before they are loaded: their first lines, read as a load reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import polars as pl

from lo2core.base.schemas import Ledger
from lo2core.load import ledger as load_ledger
from lo2core.load.compression import pieces
from lo2core.load.containers import of_container
from lo2core.load.formats.custom import chosen
from lo2core.load.log_file import TABLE, LogFile
from lo2core.load.parse import decode, parse
from lo2core.load.plan import LoadOptions, Plan

MOST_LOGS = 40
_HEAD = 1 << 17
"""Bytes of each log that are read."""


def sampled_ledger(plan: Plan, options: LoadOptions) -> pl.DataFrame:
    """`schemas.Ledger` of the beginnings of some logs of the plan, those of each service in turn. Raises InputError."""
    files = _some(plan.chosen)
    if not files:
        return Ledger.create_empty()
    data = [head(file) for file in files]
    texts, invalid = zip(*map(decode, data), strict=True)
    parsed = parse(texts, files[0].epoch, options.skip_init_lines, formats=chosen(options.formats, options.described))
    return load_ledger.read_rows(files, [len(one) for one in data], invalid, parsed.tally)


def head(file: LogFile) -> bytes:
    """The first whole lines of a log. Raises InputError for a file that cannot be read."""
    if file.container:
        data = of_container((*file.older, file.path), file.container)
    else:
        data = next(iter(pieces(file.older[0] if file.older else file.path)), b"")
    if len(data) <= _HEAD:
        return data
    return data[:_HEAD].rpartition(b"\n")[0] + b"\n"


def _some(files: Sequence[LogFile]) -> list[LogFile]:
    """At most `MOST_LOGS` logs, as many of each service as of the others."""
    of_service: dict[str | None, list[LogFile]] = defaultdict(list)
    for file in files:
        if file.layout != TABLE and file.bytes:
            of_service[file.service].append(file)
    each = max(1, MOST_LOGS // max(1, len(of_service)))
    some = [logs[:: max(1, -(-len(logs) // each))] for logs in of_service.values()]
    return [file for logs in some for file in logs][:MOST_LOGS]
