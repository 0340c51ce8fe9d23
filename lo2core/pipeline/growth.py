"""What logs contain that a workspace has not loaded yet, and the table of files by which that is seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import Files, Ledger, Sequences
from lo2core.load.append import Case, Growth, LoadedFile, growth, root_name
from lo2core.load.layouts import names_of_roots
from lo2core.load.ledger import of_logs
from lo2core.load.log_file import TABLE, LogFile
from lo2core.load.plan import LoadOptions, Plan
from lo2core.load.walk import as_path
from lo2core.store.workspace import Workspace


def growth_of(
    workspace: Workspace,
    plan: Plan,
    paths: Mapping[str, Path],
    options: LoadOptions,
    only: Collection[Case] | None = None,
) -> Growth:
    """What the files of a plan add to the logs of the workspace; see `append.growth`.

    plan: with the times of archives, see `with_times_of_archives`. paths: see `root_paths`.
    """
    saved = workspace.metadata(Sequences).get("options", {})
    same = (saved.get("since"), saved.get("until")) == (options.since, options.until)
    return growth(plan, paths, _loaded(workspace), only, same)


def root_paths(roots: Sequence[str | Path], folders: Sequence[Path]) -> dict[str, Path]:
    """The paths that were given, by the names of the roots in sources. folders: the roots with archives unpacked."""
    return dict(zip(names_of_roots(folders), (as_path(root).resolve() for root in roots), strict=True))


def with_times_of_archives(plan: Plan, roots: Sequence[str | Path], folders: Sequence[Path]) -> Plan:
    """The plan; files that were unpacked from a root to its folder have the time of the archive."""
    unpacked = {
        folder.resolve(): path.stat().st_mtime_ns
        for path, folder in zip(map(as_path, roots), folders, strict=True)
        if path != folder
    }

    def timed(file: LogFile) -> LogFile:
        times = (time for folder, time in unpacked.items() if file.path.is_relative_to(folder))
        return replace(file, modified=next(times, file.modified))

    if not unpacked:
        return plan
    return plan.each(timed)


def files_of(plan: Plan, paths: Mapping[str, Path]) -> pl.DataFrame:
    """`schemas.Files` of a plan. paths: of the roots, by their names in its sources."""
    rows = [
        {"source": file.source, "root": str(paths[root_name(file.source)]), "bytes": file.bytes}
        | {"modified": file.modified}
        for file in (*plan.chosen, *plan.left_out, *plan.ignored)
    ]
    return pl.DataFrame(rows, schema=Files.create_empty().schema).unique("source", keep="first", maintain_order=True)


def dropped(workspace: Workspace, growth: Growth) -> list[str]:
    """The seq_ids of the loaded sequences that an append replaces."""
    tables = [str(file.run) for file in growth.plan.chosen if file.layout == TABLE]
    sequences = workspace.read(Sequences, columns=["seq_id", "run", "folder"])
    cases = sequences.join(as_frame(growth.replaced), on=["run", "folder"], how="semi")["seq_id"].to_list()
    return cases + sequences.filter(pl.col("run").is_in(tables))["seq_id"].to_list()


def as_frame(cases: Iterable[tuple[str | None, str | None]]) -> pl.DataFrame:
    """Test case folders as a frame: run, folder."""
    return pl.DataFrame(list(cases), schema={"run": pl.String, "folder": pl.String}, orient="row")


def _loaded(workspace: Workspace) -> dict[str, LoadedFile]:
    """The files in the ledger, by source; rows that an interrupted append by an earlier version left do not count."""
    labels = workspace.read(Sequences, columns=["run", "folder", "normal"]).unique(["run", "folder"])
    ledger = workspace.read(Ledger) if workspace.has(Ledger) else Ledger.create_empty()
    logs = of_logs(ledger).join(labels.select("run").unique(), on="run", how="semi").select("source", is_read=True)
    rows = ledger.select("source", "run", "folder", "service", "not_chosen").join(logs, on="source", how="left")
    rows = rows.join(_files(workspace), on="source", how="left").join(labels, on=["run", "folder"], how="left")
    fields = ("root", "bytes", "modified", "is_read", "run", "folder", "service", "normal", "is_part")
    rows = rows.with_columns(pl.col("is_read").fill_null(False), is_part=pl.col("not_chosen").fill_null(0) > 0)
    return {source: LoadedFile(*facts) for source, *facts in rows.select("source", *fields).iter_rows()}


def _files(workspace: Workspace) -> pl.DataFrame:
    """The recorded files; none if the logs were loaded by an earlier version."""
    try:
        return workspace.read(Files)
    except ArtefactError:
        return Files.create_empty()
