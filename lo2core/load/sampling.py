"""What is understood of logs before they are loaded: their first lines, read as a load reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import polars as pl

from lo2core.base.schemas import Ledger
from lo2core.load import ledger as load_ledger
from lo2core.load.compression import log_pieces
from lo2core.load.containers import of_container
from lo2core.load.formats.custom import chosen
from lo2core.load.ledger import with_damages
from lo2core.load.log_file import TABLE, LogFile
from lo2core.load.parse import decode, parse
from lo2core.load.plan import LoadOptions, Plan
from lo2core.load.read import written

MOST_LOGS = 40
_HEAD = 1 << 17
"""Bytes of each log that are read."""


def sampled_ledger(plan: Plan, options: LoadOptions) -> pl.DataFrame:
    """`schemas.Ledger` of the beginnings of some logs of the plan, those of each service in turn. Raises InputError."""
    by_run: dict[str | None, list[LogFile]] = defaultdict(list)
    for file in _some(plan.chosen):
        by_run[file.run].append(file)
    rows = [_rows(files, options) for files in by_run.values()]
    return pl.concat(rows) if rows else Ledger.create_empty()


def _rows(files: Sequence[LogFile], options: LoadOptions) -> pl.DataFrame:
    """Ledger rows of the beginnings of logs of one run."""
    data, damages = zip(*map(head, files), strict=True)
    texts, invalid = zip(*map(decode, data), strict=True)
    parsed = parse(
        texts,
        files[0].epoch,
        options.skip_init_lines,
        written=written(files),
        formats=chosen(options.formats, options.described),
    )
    return with_damages(load_ledger.read_rows(files, [len(one) for one in data], invalid, parsed.tally), damages)


def head(file: LogFile) -> tuple[bytes, str | None]:
    """The first whole lines of a log, and a text about its damage. Raises InputError for a file that cannot be read."""
    damages = [file.damage] if file.damage else []
    if file.container:
        data, damage = of_container((*file.older, file.path), file.container)
        damages += [damage] if damage else []
    else:
        data = b""
        for piece in log_pieces((*file.older, file.path), damages):
            data += piece
            if len(data) > _HEAD:
                break
    if len(data) > _HEAD:
        data = data[:_HEAD].rpartition(b"\n")[0] + b"\n"
    return data, "; ".join(damages) or None


def _some(files: Sequence[LogFile]) -> list[LogFile]:
    """At most `MOST_LOGS` logs, as many of each service as of the others."""
    of_service: dict[str | None, list[LogFile]] = defaultdict(list)
    for file in files:
        if file.layout != TABLE and file.bytes:
            of_service[file.service].append(file)
    each = max(1, MOST_LOGS // max(1, len(of_service)))
    some = [logs[:: max(1, -(-len(logs) // each))] for logs in of_service.values()]
    return [file for logs in some for file in logs][:MOST_LOGS]
