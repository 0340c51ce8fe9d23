"""Event tables of LogLead's LO2Loader: the raw line in `m_message`, the container's name in `service`.

Their lines are written out as the log files they came from, and loaded as those. What that loader dropped, the
continuation lines, is not in them.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from lo2core.base.errors import InputError
from lo2core.load.layouts import service_of

_COLUMNS = ("run", "test_case", "service", "m_message")
_NAME = re.compile(r"[\w-][\w.-]*")


def is_loglead(path: Path) -> bool:
    """Whether the file is a Parquet table with the columns and the service names of LogLead's LO2Loader."""
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    try:
        table = pl.scan_parquet(path, glob=False)
        if not set(_COLUMNS) <= set(table.collect_schema().names()):
            return False
        services = table.select(pl.col("service").cast(pl.String).unique()).collect().to_series()
    except pl.exceptions.PolarsError:
        return False  # whoever reads it as a table says what is wrong with it
    return any(service_of(f"{name}.log") for name in services.drop_nulls())


def write_logs(path: Path, into: Path) -> Path:
    """Write the table's lines as `<run>/<test case>/<service>.log` below `into/<its name>` and return that folder.

    Raises InputError for a run, test case or service that cannot name a file.
    """
    target = into / path.stem
    events = pl.read_parquet(path, columns=list(_COLUMNS)).cast(pl.String).drop_nulls()
    for names, lines in events.group_by(_COLUMNS[:3], maintain_order=True):
        if not all(_NAME.fullmatch(str(name)) for name in names):
            raise InputError(f"{path.name} holds {'/'.join(map(str, names))!r}, which cannot be the place of a log.")
        run, test_case, service = map(str, names)
        log = target / run / test_case / f"{service}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("\n".join(lines["m_message"]) + "\n", encoding="utf-8")
    return target
