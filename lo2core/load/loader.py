"""Load: service logs in folders, archives or files become events, sequences, counts and a ledger of every line.

`plan` says what will be read, `read` reads it: whole test case folders, independent of all others, so that they may be
worked on together, in parallel and in any order with the same result.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import polars as pl

from lo2core.base.errors import InputError
from lo2core.load import archives, loglead_tables
from lo2core.load.layouts import LogFile
from lo2core.load.ledger import unread
from lo2core.load.plan import LoadOptions, Plan, plan
from lo2core.load.read import Loaded, read_logs
from lo2core.messages.counts import combine
from lo2core.messages.masks import Masker

BATCH_BYTES = 8 << 20
"""Log text that is worked on together: enough that a pass is worth its fixed cost, little enough for memory."""


@contextmanager
def unpacked(roots: Sequence[Path | str], advance: Callable[[int], None] = lambda n: None) -> Iterator[list[Path]]:
    """The roots, with a temporary folder of its content for every archive and every table of LogLead's LO2Loader.

    What an error within the block says of such a folder, it says of the archive or table instead.
    """
    with tempfile.TemporaryDirectory(prefix="lo2-") as folder:
        paths = [Path(root).expanduser() for root in roots]
        folders = [_as_folder(path, Path(folder) / str(number), advance) for number, path in enumerate(paths)]
        try:
            yield folders
        except InputError as error:
            said = str(error)
            for path, unpacked_to in zip(paths, folders, strict=True):
                if unpacked_to != path:
                    said = said.replace(str(unpacked_to.resolve()), str(path)).replace(str(unpacked_to), str(path))
            raise InputError(said) from error


def _as_folder(root: Path, into: Path, advance: Callable[[int], None]) -> Path:
    if archives.is_archive(root):
        return archives.unpack(root, into, advance)
    return loglead_tables.write_logs(root, into) if loglead_tables.is_loglead(root) else root


def load_folders(
    plan: Plan, options: LoadOptions, masker: Masker, *, jobs: int = 2, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[list[LogFile], Loaded]]:
    """Logs of whole test case folders of a run and what they hold, in the plan's order; runs in `skip` are left out.

    `jobs` threads work ahead; neither the order nor the content depends on their number.
    """
    if jobs < 1:
        raise InputError(f"jobs must be at least 1, found {jobs}.")
    with ThreadPoolExecutor(jobs) as pool:
        ahead: deque[tuple[list[LogFile], Future[Loaded]]] = deque()
        for files in _batches(file for file in plan.chosen if file.run not in skip):
            ahead.append((files, pool.submit(read_logs, files, options, masker)))
            if len(ahead) > jobs:
                files, done = ahead.popleft()
                yield files, done.result()
        while ahead:
            files, done = ahead.popleft()
            yield files, done.result()


def _batches(files: Iterable[LogFile]) -> Iterator[list[LogFile]]:
    """The files of one or more whole test case folders of a run, about `BATCH_BYTES` at a time."""
    batch: list[LogFile] = []
    for (run, _), folder in groupby(files, key=lambda file: (file.run, file.folder)):
        if batch and (batch[0].run != run or sum(file.text_bytes for file in batch) >= BATCH_BYTES):
            yield batch
            batch = []
        batch.extend(folder)
    if batch:
        yield batch


def gather_loaded(parts: Iterable[Loaded], rest: pl.DataFrame | None = None) -> Loaded:
    """All parts as one; `rest` holds the ledger rows of files that were not read."""
    everything = list(parts)
    return Loaded(
        pl.concat([part.events for part in everything], rechunk=False),
        pl.concat([part.sequences for part in everything]),
        pl.concat([*(part.ledger for part in everything), *([] if rest is None else [rest])]),
        combine([part.items for part in everything]),
    )


def head(plan: Plan, options: LoadOptions, n: int) -> pl.DataFrame:
    """The first `n` events of the plan; no more is read than that needs."""
    found: list[pl.DataFrame] = []
    for files in _batches(plan.chosen):
        found.append(read_logs(files, options, Masker()).events.head(n))
        if sum(part.height for part in found) >= n:
            break
    return pl.concat(found).head(n)


class LO2Loader:
    """Loads LO2 logs into memory, with the parameters of LogLead's loader; without any, everything is loaded.

    After `execute()`: `df` holds the events, `df_seq` the sequences, `ledger` the account of every file, `items` the
    counts.

    Examples:
        >>> from lo2core import LO2Loader
        >>> loader = LO2Loader("demo/result/sample/logs", n_runs=1, single_service="client")
        >>> df_events = loader.execute()
        >>> df_events.height, loader.df_seq.height
        (3286, 15)
        >>> loader.df_seq.filter(test_case="correct").select("folder", "normal", "events").rows()
        [('correct', True, 1079), ('correct_1', True, 151), ('correct_2', True, 151)]
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
