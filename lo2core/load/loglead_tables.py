"""Event tables of LogLead's LO2Loader: `m_message` is the raw line, `service` the name of the container.

Their lines are written to log files, which are then loaded. Continuation lines are missing, since LogLead drops them.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from lo2core.base.disk import writing
from lo2core.base.errors import InputError
from lo2core.base.untrusted import is_file
from lo2core.load.event_tables import as_table
from lo2core.load.names import lo2_service

_COLUMNS = ("run", "test_case", "service", "m_message")
_NAME = re.compile(r"[\w-][\w.-]*")


def is_loglead(path: Path) -> bool:
    """Whether the file is a Parquet table with the columns and the service names of LogLead's LO2Loader.

    Raises InputError for a table with these columns that is damaged.
    """
    if path.suffix.lower() != ".parquet" or not is_file(path):
        return False
    table = pl.scan_parquet(path, glob=False)
    try:
        with as_table(path):
            columns = table.collect_schema().names()
    except InputError:
        return False  # it will be read as another table, with an error that says what is wrong
    if not set(_COLUMNS) <= set(columns):
        return False
    with as_table(path):
        services = table.select(pl.col("service").cast(pl.String).unique()).collect().to_series()
    return any(lo2_service(f"{name}.log") for name in services.drop_nulls())


def write_logs(path: Path, into: Path) -> Path:
    """Write the lines to `into/<table>/<run>/<test case>/<service>.log` and return `into/<table>`.

    Raises InputError if the table is damaged, or if the name of a run, test case or service cannot be a file name.
    """
    target = into / path.stem
    with as_table(path):
        events = pl.read_parquet(path, columns=list(_COLUMNS)).cast(pl.String).drop_nulls()
    for names, lines in events.group_by(_COLUMNS[:3], maintain_order=True):
        if not all(_NAME.fullmatch(str(name)) for name in names):
            raise InputError(
                f"{path.name} contains {'/'.join(map(str, names))!r} (run/test case/service), which cannot be the "
                "path of a log. Use letters, digits, '.', '-' and '_' only."
            )
        run, test_case, service = map(str, names)
        log = target / run / test_case / f"{service}.log"
        with writing(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("\n".join(lines["m_message"]) + "\n", encoding="utf-8")
    return target
