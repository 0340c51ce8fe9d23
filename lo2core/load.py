"""Load: service logs in folders, archives or files become events, sequences, counts and a ledger of every line.

The unit of work is a test case folder: read, parsed, masked and counted at once, independent of all others, so folders may be
worked on in parallel and in any order with the same result.
"""

from __future__ import annotations

import random
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import polars as pl

from lo2core import archives
from lo2core.config import NORMAL_TEST_CASE, SEED
from lo2core.errors import InputError, choices
from lo2core.items import Items, as_messages, combine, count_items, masked, request_kinds
from lo2core.masks import Masker
from lo2core.parse import Parsed, decode, parse, split_line
from lo2core.sources import LogFile, find_logs
from lo2core.tables import Events, Ledger, Sequences
from lo2core.windows import slots

_EVENTS = Events.create_empty().schema
_SEQUENCES = Sequences.create_empty().schema
_LEDGER = Ledger.create_empty().schema
_IDENTITY = ("seq_id", "run", "folder", "test_case", "repetition", "window", "service", "normal", "anomaly")


@dataclass(frozen=True)
class LoadOptions:
    """What to take of the logs that are found, and how. The defaults take everything.

    n_runs: the first runs by epoch. errors_per_run: so many faulty test cases of each run, drawn with `seed`.
    dup_errors: whether two runs may draw the same fault. single_error_type: one fault by name, or "random".
    skip_init_lines: lines left out at the head of each file. window: length in seconds of the parts a test case is cut
    into. labels: "names" takes the truth from test case names, "none" leaves it open, "normal" declares all normal.
    """

    n_runs: int | None = None
    services: tuple[str, ...] = ()
    errors_per_run: int | None = None
    dup_errors: bool = True
    single_error_type: str | None = None
    skip_init_lines: int = 0
    window: float | None = None
    labels: str = "names"
    seed: int = SEED

    def __post_init__(self) -> None:
        for name in ("n_runs", "errors_per_run", "window"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InputError(f"{name} must be above 0, found {value}.")
        if self.skip_init_lines < 0:
            raise InputError(f"skip_init_lines must not be negative, found {self.skip_init_lines}.")
        if self.labels not in ("names", "none", "normal"):
            raise InputError(f"Unknown labels {self.labels!r}. {choices(self.labels, ('names', 'none', 'normal'))}")


@dataclass(frozen=True)
class Plan:
    """The files that will be read, those left out, and those that are no service logs."""

    chosen: list[LogFile]
    left_out: list[LogFile]
    ignored: list[LogFile]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.chosen)

    @property
    def runs(self) -> list[str]:
        return _distinct(file.run for file in self.chosen)

    def sentence(self) -> str:
        """Layout and size in words, shown before work begins."""
        folders = len({(file.run, file.folder) for file in self.chosen})
        services = _distinct(file.service for file in self.chosen)
        layouts = ", ".join(_distinct(file.layout for file in self.chosen))
        return (
            f"{layouts}: {len(self.runs)} runs, {folders} test case folders, {len(services)} services "
            f"({', '.join(services)}), {len(self.chosen)} logs, {self.bytes / 1e6:,.1f} MB; "
            f"{len(self.left_out)} logs not chosen, {len(self.ignored)} other files ignored."
        )


@dataclass(frozen=True)
class Loaded:
    """What one or more test case folders hold: `tables.Events`, `Sequences`, `Ledger`, and their items."""

    events: pl.DataFrame
    sequences: pl.DataFrame
    ledger: pl.DataFrame
    items: Items


@contextmanager
def unpacked(roots: Sequence[Path | str], advance: Callable[[int], None] = lambda n: None) -> Iterator[list[Path]]:
    """The roots with every archive replaced by a temporary folder of its content."""
    with tempfile.TemporaryDirectory(prefix="lo2-") as folder:
        yield [
            archives.unpack(path, Path(folder) / str(number), advance) if archives.is_archive(path) else path
            for number, path in enumerate(Path(root).expanduser() for root in roots)
        ]


def plan(roots: Sequence[Path | str], options: LoadOptions | None = None, service: str | None = None) -> Plan:
    """Which files of the roots will be read. `service` names the service where a file's name does not say it.

    Raises InputError when nothing is found or nothing is left to read.
    """
    options = options or LoadOptions()
    files = [_labelled(file, options.labels) for file in find_logs(roots, service)]
    logs = [file for file in files if file.service]
    chosen = _of_services(_of_cases(_of_runs(logs, options.n_runs), options), options.services)
    keep = {file.path for file in chosen}
    return Plan(chosen, [f for f in logs if f.path not in keep], [f for f in files if not f.service])


def _labelled(file: LogFile, labels: str) -> LogFile:
    if labels == "normal" and file.service:
        return replace(file, labelled=True, test_case=NORMAL_TEST_CASE)
    return replace(file, labelled=file.labelled and labels == "names")


def _of_runs(logs: list[LogFile], n_runs: int | None) -> list[LogFile]:
    runs = set(_distinct(file.run for file in logs)[:n_runs])
    return [file for file in logs if file.run in runs]


def _of_services(logs: list[LogFile], services: Sequence[str]) -> list[LogFile]:
    if not services:
        return logs
    known = set(_distinct(file.service for file in logs))
    for service in services:
        if service not in known:
            raise InputError(f"No log of service {service!r}. {choices(service, known)}")
    return [file for file in logs if file.service in services]


def _of_cases(logs: list[LogFile], options: LoadOptions) -> list[LogFile]:
    """Normal test cases, and of the faulty ones those that were asked for."""
    draw = random.Random(options.seed)
    faults = sorted({file.test_case for file in logs if file.test_case != NORMAL_TEST_CASE})
    wanted = options.single_error_type
    if wanted == "random" and faults:
        wanted = draw.choice(faults)
    if wanted and wanted not in faults:
        raise InputError(f"No test case {wanted!r}. {choices(wanted, faults)}")
    kept: set[tuple[str, str]] = set()
    used: set[str] = set()
    for run in _distinct(file.run for file in logs):
        there = sorted({f.test_case for f in logs if f.run == run} - {NORMAL_TEST_CASE})
        pool = [name for name in there if (not wanted or name == wanted) and (options.dup_errors or name not in used)]
        if options.errors_per_run is not None:
            pool = draw.sample(pool, min(options.errors_per_run, len(pool)))
        used.update(pool)
        kept.update((run, name) for name in pool)
    return [f for f in logs if f.test_case == NORMAL_TEST_CASE or (f.run, f.test_case) in kept]


def load_folders(
    plan: Plan, options: LoadOptions, masker: Masker, *, jobs: int = 2, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Loaded]]:
    """Run and content of each test case folder of the plan, in its order; runs in `skip` are left out.

    `jobs` threads work ahead; neither the order nor the content depends on their number.
    """
    folders = [list(files) for _, files in groupby(plan.chosen, key=lambda file: (file.run, file.folder))]
    folders = [files for files in folders if files[0].run not in skip]
    with ThreadPoolExecutor(jobs) as pool:
        ahead: deque[tuple[str, Future[Loaded]]] = deque()
        for files in folders:
            ahead.append((str(files[0].run), pool.submit(load_folder, files, options, masker)))
            if len(ahead) > jobs:
                run, done = ahead.popleft()
                yield run, done.result()
        for run, done in ahead:
            yield run, done.result()


def load_folder(files: list[LogFile], options: LoadOptions, masker: Masker) -> Loaded:
    """Events, sequences, ledger rows and items of the logs of one test case folder."""
    texts, foreign = zip(*(decode(file.path.read_bytes()) for file in files), strict=True)
    parsed = parse(texts, files[0].epoch, options.skip_init_lines)
    slot, n_slots = slots(parsed.events["m_timestamp"], options.window)
    identities = _identities(files, n_slots)
    lines = _lines(parsed.events["line"], masker)
    raw = (
        parsed.events.with_columns(slot)
        .join(lines, on="line", how="left", maintain_order="left")
        .join(identities, on=["file", "slot"], how="left", maintain_order="left")
    )
    trace_texts = masked(parsed.traces["text"], masker)
    traces = _traces(parsed, raw["seq_id"], identities, trace_texts)
    kinds = request_kinds(raw)
    messages = [as_messages(lines, "message"), as_messages(trace_texts, "trace"), kinds.messages]
    items = Items(pl.concat(messages), pl.concat([count_items(raw, traces), kinds.counts]))
    return Loaded(_events(raw, files), _sequences(raw, identities), _ledger(files, parsed.tally, foreign), items)


def _identities(files: list[LogFile], n_slots: int | None) -> pl.DataFrame:
    """One row a file and slot: the identity columns of its sequence."""
    rows = [
        {
            "file": index,
            "slot": slot,
            "seq_id": f"{file.run}__{file.folder}__{file.service}" + (f"__w{slot:03d}" if n_slots else ""),
            "run": file.run,
            "folder": file.folder,
            "test_case": file.test_case,
            "repetition": file.repetition,
            "window": slot if n_slots else None,
            "service": file.service,
            "normal": file.normal,
            "anomaly": None if file.normal is None else not file.normal,
        }
        for index, file in enumerate(files)
        for slot in range(n_slots or 1)
    ]
    return pl.DataFrame(rows, schema={"file": pl.UInt32, "slot": pl.Int32, **{n: _SEQUENCES[n] for n in _IDENTITY}})


def _lines(lines: pl.Series, masker: Masker) -> pl.DataFrame:
    """Distinct event lines: line, its parts, `body` (text after the header), masked text and message_id."""
    distinct = split_line(lines.unique()).rename({"text": "body"})
    distinct = distinct.with_columns(raw=pl.col("line").str.replace(r"^([A-Z]+) +", "${1} "))
    return distinct.join(masked(distinct["raw"], masker), on="raw", how="left").drop("raw")


def _traces(parsed: Parsed, seq_ids: pl.Series, identities: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """seq_id and message_id of each continuation line; orphans belong to the first window of their file."""
    heads = identities.filter(pl.col("slot") == 0).select("file", head="seq_id")
    owners = parsed.traces.with_columns(seq_id=seq_ids.gather(parsed.traces["event"]))
    owners = owners.join(heads, on="file", how="left").with_columns(pl.coalesce("seq_id", "head"))
    return owners.join(texts, left_on="text", right_on="raw", how="left").select("seq_id", "message_id")


def _events(raw: pl.DataFrame, files: list[LogFile]) -> pl.DataFrame:
    source = pl.Series("source", [file.source for file in files]).gather(raw["file"])
    message = pl.when(pl.col("trace").is_null()).then("body").otherwise(pl.col("body") + "\n" + pl.col("trace"))
    return raw.with_columns(source, m_message=message).select(_EVENTS.names())


def _sequences(raw: pl.DataFrame, identities: pl.DataFrame) -> pl.DataFrame:
    facts = raw.group_by("seq_id").agg(
        start_time=pl.col("m_timestamp").min(),
        end_time=pl.col("m_timestamp").max(),
        events=pl.len().cast(pl.Int64),
        lines=pl.col("n_lines").sum().cast(pl.Int64),
        bytes=pl.col("n_bytes").sum().cast(pl.Int64),
    )
    joined = identities.join(facts, on="seq_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("events", "lines", "bytes").fill_null(0)).select(_SEQUENCES.names())


def _ledger(files: list[LogFile], tally: pl.DataFrame, foreign: Sequence[int]) -> pl.DataFrame:
    facts = pl.DataFrame(
        {
            "source": [file.source for file in files],
            "status": ["read" if file.bytes else "empty" for file in files],
            "run": [file.run for file in files],
            "folder": [file.folder for file in files],
            "service": [file.service for file in files],
            "bytes": [file.bytes for file in files],
            "invalid_bytes": foreign,
            "dated": [file.epoch is not None for file in files],
        }
    )
    return _as_ledger(pl.concat([facts, tally], how="horizontal"))


def unread(plan: Plan) -> pl.DataFrame:
    """Ledger rows of the files that are not read: bytes of all, lines of ignored logs (all of them skipped)."""
    rows = [
        {"source": file.source, "status": status, "run": file.run, "folder": file.folder, "service": file.service}
        | {"bytes": file.bytes, "lines": lines, "skipped": lines, "dated": False}
        for status, files in (("not chosen", plan.left_out), ("ignored", plan.ignored))
        for file in files
        for lines in [_count_lines(file.path) if status == "ignored" and file.path.suffix == ".log" else 0]
    ]
    return _as_ledger(pl.DataFrame(rows, schema={n: t for n, t in _LEDGER.items() if rows and n in rows[0]}))


def _as_ledger(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(0, dtype=pl.Int64).alias(n) for n, t in _LEDGER.items() if n not in frame.columns and t == pl.Int64]
    typed = {name: dtype for name, dtype in _LEDGER.items() if name in frame.columns}
    return frame.cast(typed).with_columns(missing).select(_LEDGER.names()) if frame.height else pl.DataFrame(schema=_LEDGER)


def _count_lines(path: Path) -> int:
    last, lines = b"\n", 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return lines + (last != b"\n")


def _distinct(names: Iterable[str | None]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name is not None]


def gather_loaded(parts: Iterable[Loaded], rest: pl.DataFrame | None = None) -> Loaded:
    """All parts as one; `rest` holds the ledger rows of files that were not read."""
    everything = list(parts)
    return Loaded(
        pl.concat([part.events for part in everything], rechunk=False),
        pl.concat([part.sequences for part in everything]),
        pl.concat([*(part.ledger for part in everything), *([] if rest is None else [rest])]),
        combine([part.items for part in everything]),
    )


class LO2Loader:
    """Loads LO2 logs into memory, with the parameters of LogLead's loader; without any, everything is loaded.

    After `execute()`: `df` holds the events, `df_seq` the sequences, `ledger` the account of every file, `items` the counts.
    """

    def __init__(
        self,
        filename: str | Path,
        n_runs: int | None = None,
        errors_per_run: int | None = None,
        dup_errors: bool = True,
        single_error_type: str | None = None,
        single_service: str | None = None,
        options: LoadOptions | None = None,
    ) -> None:
        self.filename = filename
        self.options = options or LoadOptions(
            n_runs=n_runs,
            errors_per_run=errors_per_run,
            dup_errors=dup_errors,
            single_error_type=single_error_type,
            services=(single_service,) if single_service else (),
        )

    def execute(self, jobs: int = 2) -> pl.DataFrame:
        """Read everything and return the events; raises InputError when there is nothing to read."""
        with unpacked([self.filename]) as roots:
            chosen = plan(roots, self.options)
            folders = load_folders(chosen, self.options, Masker(), jobs=jobs)
            loaded = gather_loaded((part for _, part in folders), unread(chosen))
        self.df, self.df_seq = loaded.events, loaded.sequences
        self.ledger, self.items = loaded.ledger, loaded.items
        return self.df
