"""Loads service logs from folders, archives or files: events, sequences, counts and a ledger of every line.

`plan` chooses the files and `read` reads them, one or more whole test case folders at a time. Folders do not depend on
each other, so that the result is the same in parallel and in any order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.claims import UnpackingFolder
from lo2core.base.errors import InputError
from lo2core.base.untrusted import resolved
from lo2core.load import archives, loglead_tables
from lo2core.load.large import is_large, read_in_pieces
from lo2core.load.ledger import unread
from lo2core.load.log_file import LogFile
from lo2core.load.plan import LoadOptions, Plan, plan
from lo2core.load.read import Loaded, read_logs
from lo2core.load.walk import as_path
from lo2core.load.whole import check_whole
from lo2core.messages.counts import combine
from lo2core.messages.masks import Masker

_FOLDERS_ABOVE = 2
BATCH_BYTES = 16 << 20
"""Bytes of log text that are processed together: large enough for low overhead, small enough for memory."""


@contextmanager
def unpacked(
    roots: Sequence[Path | str],
    advance: Callable[[int], None] = lambda n: None,
    damages: dict[Path, str] | None = None,
) -> Iterator[list[Path]]:
    """The roots as folders and files: archives and tables of LogLead's LO2Loader are unpacked to temporary folders.

    `advance` is called with the number of bytes unpacked. damages: see `archives.unpack`; for `Plan.with_damages`. An
    InputError raised within the block names the archive or table instead of its temporary folder.
    """
    with UnpackingFolder() as folder:
        paths = [as_path(root) for root in roots]
        folders = [_as_folder(path, Path(folder) / str(number), advance, damages) for number, path in enumerate(paths)]
        try:
            yield folders
        except InputError as error:
            message = str(error)
            for path, unpacked_to in zip(paths, folders, strict=True):
                if unpacked_to != path:
                    message = message.replace(str(unpacked_to.resolve()), str(path)).replace(
                        str(unpacked_to), str(path)
                    )
            raise InputError(message) from error


def _as_folder(root: Path, into: Path, advance: Callable[[int], None], damages: dict[Path, str] | None) -> Path:
    """The root itself, or the folder that it was unpacked to, which is in folders with the names of those above it.

    By these names, runs in several archives can be told apart.
    """
    packed = archives.is_archive(root)
    if not packed and not loglead_tables.is_loglead(root):
        return root
    into = into.joinpath(*resolved(root).parts[-1 - _FOLDERS_ABOVE : -1])
    return archives.unpack(root, into, advance, damages) if packed else loglead_tables.write_logs(root, into)


def load_folders(
    plan: Plan, options: LoadOptions, masker: Masker, *, jobs: int = 2, skip: frozenset[str] = frozenset()
) -> Iterator[tuple[list[LogFile], Loaded]]:
    """Yields the files of one or more whole test case folders and their content, in the order of the plan.

    skip: runs that are not read. jobs: number of threads; it affects neither the order nor the content. Raises
    InputError for jobs below 1, for files that cannot be read, and if there is not enough memory for one.
    """
    if jobs < 1:
        raise InputError(f"The number of jobs must be at least 1, found {jobs}.")
    with ThreadPoolExecutor(jobs) as pool, _cancelled_on_error(pool):
        ahead: deque[tuple[list[LogFile], Future[Loaded]]] = deque()
        for files in batches((file for file in plan.chosen if file.run not in skip), options):
            if is_large(files[0], options):
                yield from _in_order(ahead, 0)
                for size, part in read_in_pieces(files[0], options, masker):
                    yield [replace(files[0], bytes=size)], part
                continue
            check_whole(files[0].source, sum(file.text_bytes for file in files))
            ahead.append((files, pool.submit(read_logs, files, options, masker)))
            yield from _in_order(ahead, jobs)
        yield from _in_order(ahead, 0)


def _in_order(ahead: deque[tuple[list[LogFile], Future[Loaded]]], most: int) -> Iterator[tuple[list[LogFile], Loaded]]:
    """What was read first, until at most `most` are ahead."""
    while len(ahead) > most:
        files, done = ahead.popleft()
        yield files, done.result()


@contextmanager
def _cancelled_on_error(pool: ThreadPoolExecutor) -> Iterator[None]:
    """Whoever stops the work waits only for what has begun."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def batches(files: Iterable[LogFile], options: LoadOptions) -> Iterator[list[LogFile]]:
    """The files of one or more whole test case folders of a run at a time, about `BATCH_BYTES` of text.

    A large log is alone.
    """
    for batch in _by_folder(files):
        group: list[LogFile] = []
        for file in batch:
            if is_large(file, options):
                yield from ([group, [file]] if group else [[file]])
                group = []
            else:
                group.append(file)
        if group:
            yield group


def _by_folder(files: Iterable[LogFile]) -> Iterator[list[LogFile]]:
    batch: list[LogFile] = []
    for (run, _), folder in groupby(files, key=lambda file: (file.run, file.folder)):
        if batch and (batch[0].run != run or sum(file.text_bytes for file in batch) >= BATCH_BYTES):
            yield batch
            batch = []
        batch.extend(folder)
    if batch:
        yield batch


def gather_loaded(parts: Iterable[Loaded], rest: pl.DataFrame | None = None) -> Loaded:
    """All parts as one. rest: ledger rows of files that were not read."""
    everything = list(parts)
    return Loaded(
        pl.concat([part.events for part in everything], rechunk=False),
        pl.concat([part.sequences for part in everything]),
        pl.concat([*(part.ledger for part in everything), *([] if rest is None else [rest])]),
        combine([part.items for part in everything]),
    )


def head(plan: Plan, options: LoadOptions, n: int) -> pl.DataFrame:
    """The first `n` events (`schemas.Events`) of the plan; files after them are not read."""
    parts: list[pl.DataFrame] = []
    for _, part in load_folders(plan, options, Masker(), jobs=1):
        parts.append(part.events.head(n))
        if sum(part.height for part in parts) >= n:
            break
    return pl.concat(parts).head(n)


class LO2Loader:
    """Loads LO2 logs into memory, with the parameters of LogLead's loader (LogLead, Mäntylä et al., SANER 2024).

    filename: a folder, an archive, a log or a table of events. n_runs: only the first runs. errors_per_run: draw this
    many faulty test cases per run. dup_errors: whether runs may draw the same fault. single_error_type: only this
    faulty test case, or "random". single_service: only this service, by its short name. options: a `LoadOptions` that
    replaces all of these. Without parameters everything is loaded.

    Attributes after `execute()`: df (`schemas.Events`), df_seq (`schemas.Sequences`), ledger (`schemas.Ledger`) and
    items (messages and their counts, as `Vectorizer.fit` takes them).

    Examples:
        >>> from lo2core import LO2Loader
        >>> loader = LO2Loader("demo/result/sample/logs", n_runs=1, single_service="client")
        >>> df_events = loader.execute()
        >>> df_events.height, loader.df_seq.height
        (3286, 15)
        >>> loader.df_seq.filter(test_case="correct").select("folder", "normal", "events").rows()
        [('correct', True, 1079), ('correct_1', True, 151), ('correct_2', True, 151)]
    """

    @checked_arguments
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

    @checked_arguments
    def execute(self, jobs: int = 2) -> pl.DataFrame:
        """Read the logs with `jobs` threads and return the events (`schemas.Events`), one row per event.

        Raises InputError if a file or folder cannot be read or contains no service logs.
        """
        damages: dict[Path, str] = {}
        with unpacked([self.filename], damages=damages) as roots:
            chosen = plan(roots, self.options).with_damages(damages)
            folders = load_folders(chosen, self.options, Masker(), jobs=jobs)
            loaded = gather_loaded((part for _, part in folders), unread(chosen))
        self.df, self.df_seq = loaded.events, loaded.sequences
        self.ledger, self.items = loaded.ledger, loaded.items
        return self.df
