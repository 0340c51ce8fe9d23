"""How long a search over many saved events takes until its first page is there.

    python demo/search_speed.py --root RUN [--events 4400000] [--repeats 5]

The events of a real run are repeated under other names of runs. Each search runs in a process of its own: "cold" is the
first one in a new process with the file dropped from the memory of the operating system where that is possible, "warm"
the median of the others, "CPU" their median CPU time (user and system, of all cores).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

SEARCHES: dict[str, dict[str, Any]] = {
    "no filter": {"text": ""},
    "a frequent word": {"text": "user"},
    "a word in no line": {"text": "xylophone"},
    "a masked value (correlation id)": {},
    "a number in masked values": {"text": "59298"},
    "a time of day": {"text": ":17.234"},
    "header and message": {"text": "ERROR c.n"},
    "a rare regular expression": {"text": r"ERROR .*(NOT_FOUND|DUPLICATE)", "regex": True},
    "a regular expression in no line": {"text": r"xylo\w+phone", "regex": True},
    "an error of one service": {"text": "not_found", "levels": ("ERROR",), "services": ("token",)},
    "a word in one minute": {"text": "xylophone", "since": "SINCE", "until": "UNTIL"},
}


def repeat(one: Path, folder: Path, events: int) -> None:
    """The tables of a loaded run as often as needed, each time under another name."""
    import polars as pl

    from lo2core.base.schemas import Events, Files, Ledger, Messages, Sequences
    from lo2core.store.workspace import Workspace

    source, target = Workspace(one), Workspace(folder)
    times = -(-events // source.artefact(Events).rows)
    for schema in (Events, Sequences, Ledger, Files):
        names = [name for name in ("run", "seq_id", "source") if name in schema.column_names()]
        parts = []
        for number in range(times):
            later = pl.duration(days=number)
            moments = [name for name in ("m_timestamp", "start_time", "end_time") if name in schema.column_names()]
            copy = source.scan(schema).with_columns(
                *(pl.format("{}-{}", pl.lit(f"{number:02}"), pl.col(name)).alias(name) for name in names),
                *(pl.col(name) + later for name in moments),
            )
            parts.append(copy.select(schema.column_names()))
        target.sink(schema, pl.concat(parts), provenance={})
    target.write(Messages, source.read(Messages), provenance={})


def one_search(folder: Path, asked: dict[str, Any]) -> None:
    """Search in this process, several times; prints seconds and the number of lines of the page, as JSON."""
    from lo2core.pipeline import search
    from lo2core.pipeline.line_filter import LineFilter
    from lo2core.store.workspace import Workspace

    wanted = LineFilter(**{name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()})
    seconds, used = [], []
    for _ in range(4):
        began, cpu = time.perf_counter(), time.process_time()
        page = search.find_lines(Workspace(folder), wanted, limit=100)
        seconds.append(time.perf_counter() - began)
        used.append(time.process_time() - cpu)
    began = time.perf_counter()
    counted = int(search.over_time(Workspace(folder), wanted)["events"].sum())
    found = {"seconds": seconds, "cpu": used, "lines": page.height, "all": counted}
    print(json.dumps(found | {"chart": time.perf_counter() - began}))


def drop_from_memory(path: Path) -> None:
    """Ask the operating system to forget the pages of a file."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measured(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import polars as pl

    from lo2core.base.schemas import Events
    from lo2core.store.workspace import Workspace

    workspace = Workspace(folder)
    sample = workspace.scan(Events).filter(pl.col("correlation_id").is_not_null()).slice(3_000_000, 1).collect()
    cid, moment = sample.select("correlation_id", "m_timestamp").row(0)
    for name, asked in SEARCHES.items():
        filled = asked or {"text": cid[2:16]}  # any 14 characters of an id
        if "since" in asked:
            filled = asked | {"since": moment.isoformat()[:16], "until": f"{moment.isoformat()[:17]}59"}
        drop_from_memory(workspace.path(Events))
        command = [sys.executable, __file__, "--workspace", str(folder), "--search", json.dumps(filled)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        yield name, json.loads(done.stdout.splitlines()[-1])


def compare(folder: Path) -> None:
    """Print a table of all searches."""
    print(f"{'search':36s} {'cold':>7s} {'warm':>7s} {'CPU':>7s} {'chart':>7s}  lines of the page, of all")
    for name, found in measured(folder):
        cold, *warm = found["seconds"]
        lines, cpu = f"{found['lines']:,} of {found['all']:,}", median(found["cpu"][1:])
        print(
            f"{name:36s} {cold:6.2f} s {median(warm):5.2f} s {cpu:5.2f} s {found['chart']:5.2f} s  {lines}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path, help="a folder with one real run")
    parser.add_argument("--events", type=int, default=4_400_000)
    parser.add_argument("--workspace", type=Path, help="use these saved events as they are")
    parser.add_argument("--search", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.search:
        one_search(asked.workspace, json.loads(asked.search))
    elif asked.workspace:
        compare(asked.workspace)
    else:
        from lo2core.pipeline.load import load_logs
        from lo2core.store.workspace import Workspace

        with tempfile.TemporaryDirectory() as folder:
            one, many = Path(folder) / "one", Path(folder) / "many"
            load_logs(Workspace(one), [asked.root])
            repeat(one, many, asked.events)
            compare(many)


if __name__ == "__main__":
    main()
