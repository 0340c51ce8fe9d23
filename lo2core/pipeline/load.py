"""Runs the load stage on a workspace: reads logs run by run, saves the tables.

An interrupted load continues with the unfinished runs. An append adds further logs: runs of other folders, and what is
new in folders that were loaded before.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from dataclasses import replace as replace_fields
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.disk import check_space
from lo2core.base.errors import ArtefactError, ExistsError, InputError
from lo2core.base.schemas import Counts, Events, Files, Ledger, Messages, Sequences
from lo2core.base.text import plural
from lo2core.base.untrusted import resolved
from lo2core.load import archives, loader, verdict
from lo2core.load import ledger as load_ledger
from lo2core.load import plan as load_plan
from lo2core.load import read as load_read
from lo2core.load.append import Case, Growth
from lo2core.load.ledger import of_logs
from lo2core.load.plan import LoadOptions
from lo2core.load.walk import as_path
from lo2core.messages.counts import MessageCounts, combine, fingerprint
from lo2core.messages.masks import Masker
from lo2core.messages.reduction import MOST_MESSAGES, DistinctMessages, TooManyMessages
from lo2core.pipeline.cluster import Cluster, connected
from lo2core.pipeline.formats import with_formats
from lo2core.pipeline.growth import as_frame, dropped, files_of, growth_of, root_paths, with_times_of_archives
from lo2core.pipeline.inputs import masker_of
from lo2core.pipeline.lock import repeats_a_killed_command
from lo2core.pipeline.progress import Progress
from lo2core.pipeline.provenance import command_line
from lo2core.pipeline.read_units import read_units
from lo2core.store.parquet import DAMAGE, readable, reads_tables
from lo2core.store.parts import PartsWriter
from lo2core.store.workspace import Workspace

_Parts = dict[Any, PartsWriter]
_SMALL = (Sequences, Ledger, Messages, Counts)
_MOST_ROWS = 200_000
"""Messages of the parts of a run in memory, from which on the parts are put together."""

_SPACE = 0.1
"""Bytes in the workspace for each byte of text: LO2 logs need 0.1 to 0.2 while they are merged, and half afterwards."""


@dataclass(frozen=True)
class LoadResult:
    """The files that a load wrote, and its report; the ledger is that of the whole workspace."""

    paths: list[Path]
    plan: str
    ledger: pl.DataFrame
    appended: bool = False

    def sentence(self) -> str:
        """The account of every line, in words."""
        logs = of_logs(self.ledger)
        total = logs.select(pl.col(pl.Int64).sum()).row(0, named=True)
        kinds = ["events", "continuations", "orphans", "blank", "skipped"]
        kinds += ["not_chosen"] * bool(total["not_chosen"])
        parts = ", ".join(f"{total[kind]:,} {kind.replace('_', ' ')}" for kind in kinds)
        now = "The workspace now holds " if self.appended else ""
        account = f"{now}{plural(total['lines'], 'line')}: {parts}."
        return "\n".join(part for part in (self.plan, account, verdict.in_words(self.ledger)) if part)


@checked_arguments
@reads_tables
def load_logs(
    workspace: Workspace,
    roots: str | Path | Sequence[str | Path],
    options: LoadOptions | None = None,
    *,
    service: str | None = None,
    like: str | Path | None = None,
    masker: Masker | None = None,
    default_masks: bool = False,
    jobs: int = 2,
    save_events: bool = True,
    strict: bool = False,
    append: bool = False,
    replace: bool = False,
    cases: Collection[Case] | None = None,
    cluster: Cluster | str | None = None,
) -> LoadResult:
    """Load stage: read logs and save their events, sequences, ledger, messages and counts in the workspace.

    roots: one or more folders, archives, logs or tables of events. options: which logs are read, and how; None reads
    all of them. service: the service of all logs, used if no file name contains one. like: a saved
    model; the logs are read and counted as its training logs were, by the same formats, masks and templates. masker:
    the masks; None takes those of the model or of the workspace. default_masks: drop masks that were added to the
    workspace. jobs: number of threads.
    save_events: False saves counts only, so that lines cannot be shown later. strict: raise InputError, and change no
    table, if a log is damaged, or has lines but no event. append: add logs to the loaded ones; of a root that was
    loaded before, only test case folders are read that are new or have changed since, and these replace what was
    loaded.
    replace: load again. cases: only these test case folders, as pairs of run and name;
    the others are left for later. cluster: the address of a Dask scheduler, or `local:N` for N processes on this
    machine; its workers read the logs, and the result is the same.
    Returns a `LoadResult` with the attributes paths (of the tables), plan, ledger (`schemas.Ledger`) and `sentence()`,
    which accounts for every line. A load that was interrupted continues with the runs that were not finished.
    Raises ExistsError if tables exist and neither `append` nor `replace` is given, and InputError for logs or options
    that cannot be used.

    Examples:
        >>> from lo2core import LoadOptions, Workspace, load_logs, schemas
        >>> workspace = Workspace("demo/result/clients")
        >>> options = LoadOptions(n_runs=1, services=("client",))
        >>> loaded = load_logs(workspace, "demo/result/sample/logs", options)
        >>> loaded.ledger.filter(status="read").select("lines", "events").sum().row(0)
        (4218, 3286)
        >>> workspace.read(schemas.Sequences).filter("normal")["folder"].to_list()
        ['correct', 'correct_1', 'correct_2']
    """
    roots = [roots] if isinstance(roots, (str, Path)) else roots
    options = with_formats(workspace, options or LoadOptions(), Path(like) if like else None)
    known = Masker() if default_masks else masker_of(workspace)
    if like and not append:
        masker = masker or _masker_of_bundle(like)
    masker = masker or (known if append else known.renewed())
    # a sample is counted like the logs of its workspace, others like those of a model
    fixed = append or workspace.owner is not None or like is not None
    masker = masker if fixed else Masker(masker.rules)
    tables = (Events, *_SMALL) if save_events else _SMALL
    repeats = repeats_a_killed_command()
    if not append and not repeats:
        _refuse_existing(workspace, tables, replace)
    damages: dict[Path, str] = {}
    with connected(cluster) as workers, _folders(roots, damages) as folders:
        _refuse_unpacked(workers, roots, folders)
        growing = append or cases is not None
        plan = load_plan.plan(folders, options, service, growing=growing).with_damages(damages)
        plan = with_times_of_archives(plan, roots, folders)
        if cases is not None and not append:
            plan = _only(plan, cases)
        asked = _key(plan, _stamps(roots, plan), options, masker)
        if repeats and _is_loaded(workspace, asked):
            workspace.clear_parts()
            return _loaded_before(workspace, tables, plan, append)
        paths = root_paths(roots, folders)
        grown = growth_of(workspace.snapshot(), plan, paths, options, cases) if append else None
        if grown:
            plan = grown.plan
            _refuse_unlike(workspace, options, masker, save_events)
            if not any((plan.chosen, plan.left_out, plan.ignored)):
                return _nothing_new(workspace, tables, grown)
        else:
            _refuse_existing(workspace, tables, replace)
        key = _key(plan, _stamps(roots, plan), options, masker) if append else asked
        parts = {schema: workspace.parts(schema, key) for schema in tables}
        limit = None if fixed else MOST_MESSAGES
        while True:
            try:
                _load_runs(plan, options, parts, jobs, DistinctMessages(masker, limit), workers)
                break
            except TooManyMessages as found:
                masker, limit = found.masker, 2 * (limit or MOST_MESSAGES)
                key = _key(plan, _stamps(roots, plan), options, masker)
                parts = {schema: workspace.parts(schema, key) for schema in tables}
        if options.period and not grown:
            _refuse_empty(parts[Sequences])
        if strict:
            _refuse_unread(parts[Ledger])
        provenance = {
            "command": command_line(),
            "plan": plan.sentence(),
            "options": asdict(options),
            "masks": masker.to_json(),
            "load": asked,
        }
        if grown:
            files = files_of(grown.found, {grown.names[name]: path for name, path in paths.items()})
        else:
            files = files_of(plan, paths)
        with _without_damaged_parts(workspace):
            return _merge(workspace, plan, parts, provenance, files, grown)


def _masker_of_bundle(path: str | Path) -> Masker:
    """The masks and templates of a saved model. Raises as `open_bundle`."""
    from lo2core.pipeline.bundles import open_bundle  # imports scikit-learn, which no other load needs

    return open_bundle(path).vec.masker


def _nothing_new(workspace: Workspace, tables: Sequence[Any], grown: Growth) -> LoadResult:
    paths = [workspace.path(schema) for schema in tables]
    return LoadResult(paths, grown.sentence(), workspace.read(Ledger), appended=True)


def _only(plan: load_plan.Plan, cases: Collection[Case]) -> load_plan.Plan:
    return replace_fields(plan, chosen=[file for file in plan.chosen if (file.run, file.folder) in cases])


@contextmanager
def _without_damaged_parts(workspace: Workspace) -> Iterator[None]:
    """Remove all parts if something that is merged is damaged, so that the load begins again when it is repeated."""
    try:
        yield
    except ArtefactError as error:
        if isinstance(error.__cause__, DAMAGE):
            workspace.clear_parts()
        raise


def _is_loaded(workspace: Workspace, asked: str) -> bool:
    """Whether a killed command with the same arguments has loaded these logs already, as the last one that loaded."""
    made = workspace.metadata(Sequences)
    return (made.get("load"), made.get("command")) == (asked, command_line())


def _loaded_before(workspace: Workspace, tables: Sequence[Any], plan: load_plan.Plan, append: bool) -> LoadResult:
    paths = [workspace.path(schema) for schema in tables]
    return LoadResult(paths, plan.sentence(), workspace.read(Ledger), append)


@contextmanager
def _folders(roots: Sequence[str | Path], damages: dict[Path, str]) -> Iterator[list[Path]]:
    """The roots, with archives unpacked until the end of the block. damages: see `archives.unpack`."""
    with ExitStack() as stack:
        if not any(archives.is_archive(Path(root)) for root in roots):
            yield stack.enter_context(loader.unpacked(roots))
            return
        packed = sum(archives.space(path) for path in map(as_path, roots) if archives.is_archive(path))
        check_space(tempfile.gettempdir(), packed, "Unpacking these archives")
        with Progress(None, "Unpack", "bytes") as progress:
            folders = stack.enter_context(loader.unpacked(roots, progress.advance, damages))
        yield folders


def _refuse_unpacked(cluster: Cluster | None, roots: Sequence[str | Path], folders: Sequence[Path]) -> None:
    """Raises InputError for roots that only this machine has, unless the workers are on it."""
    for root, folder in zip(map(as_path, roots), folders, strict=True):
        if cluster and not cluster.is_local and root != folder:
            raise InputError(f"{root} is unpacked on this machine only: unpack it into a folder that all workers see.")


def _stamps(roots: Sequence[str | Path], plan: load_plan.Plan) -> list[int]:
    """Modification times of the logs, or of the archives and tables that they come from."""
    paths = [resolved(Path(root).expanduser()) for root in roots]
    whole = [path for path in paths if path.is_file()]
    folders = [path for path in paths if path.is_dir()]
    logs = [file.path for file in plan.chosen if any(file.path.is_relative_to(folder) for folder in folders)]
    return [path.stat().st_mtime_ns for path in (*whole, *logs)]


def _key(plan: load_plan.Plan, stamps: Sequence[int], options: LoadOptions, masker: Masker) -> str:
    """Names the parts of this load: another load has the same name if files, sequences, options and masks are equal."""
    files = [(file.source, file.seq_id, file.bytes) for file in plan.chosen]
    named = json.dumps([files, list(stamps), asdict(options), masker.fingerprint])
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def _refuse_existing(workspace: Workspace, tables: Sequence[Any], replace: bool) -> None:
    there = [workspace.path(schema) for schema in tables if workspace.has(schema)]
    if there and not replace:
        raise ExistsError(
            f"{there[0]} already exists and was not changed: use --replace to load again, `load --append` to add runs, "
            "or another --output-dir."
        )


def _refuse_unlike(workspace: Workspace, options: LoadOptions, masker: Masker, save_events: bool) -> None:
    """Raises InputError unless appended logs have the options and masks of the loaded ones."""
    if masker.fingerprint != masker_of(workspace).fingerprint:
        raise InputError(
            "The workspace was loaded with different masks: append without the new masks, or load all logs again with "
            "--replace."
        )
    saved = workspace.metadata(Sequences).get("options", {}) | {"save_events": workspace.has(Events)}
    for name, value in {**asdict(options), "save_events": save_events}.items():
        if name in ("window", "skip_init_lines", "save_events") and saved.get(name, value) != value:
            raise InputError(
                f"The workspace was loaded with {name} {saved[name]}, these logs would be with {value}: use the same "
                "setting to append, or load all logs again with --replace."
            )


def _refuse_empty(sequences: PartsWriter) -> None:
    if not sequences.scan().head(1).collect().height:
        raise InputError("No line is in the period from --since until --until. Choose another; times are in UTC.")


def _refuse_unread(ledger: PartsWriter) -> None:
    """Raises InputError if a log is damaged, or has lines but no event."""
    rows = ledger.scan().collect()
    if broken := verdict.damaged(rows):
        raise InputError(
            f"{plural(len(broken), 'log')} could not be read to the end: {broken[0]}{', ...' if broken[1:] else ''}. "
            "Copy it again, or load without --strict."
        )
    if missed := verdict.not_read(rows):
        raise InputError(
            f"{plural(len(missed), 'log')} could not be read: no line of {', '.join(missed[:3])}"
            f"{', ...' if len(missed) > 3 else ''} is of a known format. Describe the form of the lines with --format, "
            "or load without --strict."
        )


def _load_runs(
    plan: load_plan.Plan,
    options: LoadOptions,
    parts: _Parts,
    jobs: int,
    distinct: DistinctMessages,
    cluster: Cluster | None,
) -> None:
    """Load every run without finished parts; all parts of a run are finished together.

    Raises TooManyMessages as soon as the logs have too many distinct messages.
    """
    done = frozenset.intersection(*(frozenset(writer.finished()) for writer in parts.values()))
    if done:  # the decision must not depend on whether a load was interrupted
        distinct.add(MessageCounts(parts[Messages].scan().collect(), Counts.create_empty()))
    left = sum(file.text_bytes for file in plan.chosen if file.run not in done)
    check_space(parts[Sequences].folder, int(left * _SPACE), "Loading these logs")
    loaded_bytes = sum(file.bytes for file in plan.chosen if file.run in done)
    with Progress(plan.bytes, "Load", "bytes", done=loaded_bytes) as progress, ExitStack() as stack:
        for writer in parts.values():
            stack.enter_context(writer)
        units = read_units(
            plan, options, distinct.masker, jobs=jobs, skip=done, cluster=cluster, events=parts.get(Events)
        )
        stack.enter_context(closing(units))
        for run, group in groupby(units, key=lambda read: str(read[0][0].run)):
            small: list[load_read.Loaded] = []
            for files, loaded in group:
                distinct.add(loaded.items)
                if Events in parts:
                    parts[Events].append(run, loaded.events)
                small.append(replace_fields(loaded, events=loaded.events.clear()))
                if sum(part.items.messages.height for part in small) > _MOST_ROWS:
                    small = [loader.gather_loaded(small)]
                progress.advance(sum(file.bytes for file in files), cluster.label("Load") if cluster else "")
            _finish_run(parts, run, loader.gather_loaded(small))


def _finish_run(parts: _Parts, run: str, loaded: load_read.Loaded) -> None:
    frames = (loaded.sequences, loaded.ledger, loaded.items.messages, loaded.items.counts)
    for schema, frame in zip(_SMALL, frames, strict=True):
        parts[schema].append(run, frame)
    for writer in parts.values():
        writer.finish(run)


def _merge(
    workspace: Workspace,
    plan: load_plan.Plan,
    parts: _Parts,
    provenance: dict[str, Any],
    files: pl.DataFrame,
    grown: Growth | None,
) -> LoadResult:
    """Merge the parts, and in an append the existing tables, into the tables of the workspace.

    files: `schemas.Files` of all files that were found. All tables are replaced at once. Rows of test case folders that
    were read again are dropped, and so are those of these parts that an append by an earlier version, which was
    interrupted, has left in some tables.
    """
    new = parts[Sequences].scan().select("seq_id").collect()["seq_id"].to_list()
    loaded = workspace.snapshot()
    saved = [schema for schema in parts if grown and loaded.has(schema)]
    replaced = dropped(loaded, grown) if grown else []
    before = {schema: [_without(loaded, schema, [*new, *replaced])] if schema in saved else [] for schema in parts}
    with readable(workspace.root):
        small = {schema: pl.concat([*before[schema], parts[schema].scan()]).collect() for schema in _SMALL}
        read = parts[Ledger].scan().collect()
    items = combine([MessageCounts(small[Messages], small[Counts])])
    if replaced:  # what was read of a line that was still being written may be a message that no log contains
        counted = items.messages.join(items.counts, on="message_id", how="semi", maintain_order="left")
        items = MessageCounts(counted, items.counts)
    ledger = _ledger(loaded.read(Ledger) if Ledger in saved else read.clear(), read, load_ledger.unread(plan), grown)
    if grown and loaded.has(Files):
        files = pl.concat([loaded.read(Files).join(files, on="source", how="anti"), files])
        files = files.join(ledger, on="source", how="semi", maintain_order="left")
    frames = {
        Ledger: ledger,
        Messages: items.messages,
        Counts: items.counts,
        Sequences: small[Sequences],
        Files: files,
    }
    provenance = provenance | {"data_fingerprint": fingerprint(items.counts)}
    paths = []
    with workspace.change() as change:
        if Events in parts:
            paths.append(parts[Events].merge(provenance, True, before[Events], change))
        else:
            change.remove(workspace.path(Events).name)  # events of an earlier load belong to other logs
        for schema, frame in frames.items():
            paths.append(workspace.write(schema, frame, provenance=provenance, replace=True, change=change))
    workspace.clear_parts()
    words = [*([plan.sentence()] if plan.chosen else []), *([grown.sentence()] if grown else [])]
    return LoadResult(paths, "\n".join(words), ledger, grown is not None)


def _ledger(before: pl.DataFrame, read: pl.DataFrame, unread: pl.DataFrame, grown: Growth | None) -> pl.DataFrame:
    """The ledger after a load: rows of before, of the logs that were read now, and of the other files."""
    if grown:
        again = of_logs(before).join(as_frame(grown.replaced), on=["run", "folder"], how="semi")
        before = before.join(again, on="source", how="anti", maintain_order="left")
    unread = unread.join(of_logs(before), on="source", how="anti", maintain_order="left")
    now = pl.concat([read, unread])
    ledger = pl.concat([before.join(now, on="source", how="anti", maintain_order="left"), now])
    return ledger.sort(pl.col("status").replace_strict(_ORDER, default=0), maintain_order=True).unique(
        "source", keep="first", maintain_order=True
    )


_ORDER = {"ignored": 1, "not chosen": 2}


def _without(workspace: Workspace, schema: Any, seq_ids: list[str]) -> pl.LazyFrame:
    """A saved table without the rows of some sequences."""
    frame = workspace.scan(schema)
    return frame.filter(~pl.col("seq_id").is_in(seq_ids)) if "seq_id" in schema.column_names() else frame
