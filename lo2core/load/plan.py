"""Chooses which logs are read: runs, services and test cases, at random if the options ask for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from lo2core.base.arguments import form, option
from lo2core.base.calls import check_fields
from lo2core.base.config import NORMAL_TEST_CASE, SEED
from lo2core.base.errors import InputError, choices
from lo2core.base.text import plural
from lo2core.load.compression import is_log
from lo2core.load.layouts import find_logs
from lo2core.load.log_file import TABLE, LogFile, distinct
from lo2core.load.names import normal_form
from lo2core.load.period import Period
from lo2core.load.template import Template

SHORTEST_WINDOW = 0.1
"""Seconds; shorter windows contain hardly more than one event."""


@dataclass(frozen=True)
class LoadOptions:
    """Which logs are read, and how. By default all of them are.

    n_runs: only the first runs, by start time. services: only these, by short name. errors_per_run: draw this many
    faulty test cases per run. dup_errors: whether runs may draw the same fault. single_error_type: only this faulty
    test case, or "random". skip_init_lines: lines to skip at the start of each log. window: length in seconds of the
    windows that test cases are cut into; None keeps them whole. labels: "names" takes the labels from the names of test
    cases, "none" leaves logs unlabelled, "normal" labels all logs as normal. normal: patterns (with `*` and `?`) of the
    names of normal test cases; all others are then faulty. layout: see `template.Template`; None recognises the layout.
    formats: names of formats or patterns, see `formats.custom.chosen`; empty recognises the format. described: further
    formats as NAME=PATTERN, those of `formats.toml`, which a load adds. since, until: see `period.Period`. seed:
    of random draws.
    Raises InputError for a value out of range.

    Examples:
        >>> from lo2core import LoadOptions
        >>> LoadOptions(n_runs=3, services=("client", "token"), window=60.0).labels
        'names'
        >>> LoadOptions(window=0)
        Traceback (most recent call last):
        lo2core.base.errors.InputError: window must be at least 0.1, found 0.
    """

    n_runs: int | None = option(None, "--runs", metavar="N", help="only the first N runs, by time")
    services: tuple[str, ...] = option(
        (),
        "--service-types",
        form("--single-service", nargs=1, metavar="NAME", help="only this service"),
        metavar="NAME",
        help="only these services",
    )
    errors_per_run: int | None = option(
        None, "--errors-per-run", metavar="N", help="choose N faulty test cases of each run at random"
    )
    dup_errors: bool = option(
        True,
        "--allow-duplicates",
        form("--no-duplicates", help="choose each fault in one run only"),
        help="the same fault may be chosen in several runs (default)",
    )
    single_error_type: str | None = option(
        None, "--single-error-type", metavar="NAME|random", help="only this faulty test case"
    )
    skip_init_lines: int = option(0, "--skip-init-lines", metavar="N", help="skip the first N lines of each log")
    window: float | None = option(
        None, "--window", metavar="SECONDS", help="cut test cases into windows of about this length"
    )
    labels: str = option(
        "names",
        "--labels",
        choices=("names", "none", "normal"),
        help="labels from the names of test cases, no labels, or all normal",
    )
    normal: tuple[str, ...] = option(
        (),
        "--normal",
        metavar="PATTERN",
        help="which test cases are normal, such as 'baseline*' (default: correct); all others are faulty",
    )
    layout: str | None = option(
        None,
        "--layout",
        metavar="TEMPLATE",
        help="where names are in the paths, such as '{run}/{test_case}/{service}.log'",
    )
    formats: tuple[str, ...] = option(
        (),
        "--format",
        metavar="NAME|PATTERN",
        help="read logs by these formats only, such as kafka or '^{stamp} {level} {message}'",
    )
    described: tuple[str, ...] = ()
    since: str | None = option(
        None, "--since", metavar="TIME", help="only lines from this date or time of day on, such as 2024-06-28T16:40"
    )
    until: str | None = option(None, "--until", metavar="TIME", help="only lines before this time, or up to this date")
    seed: int = option(SEED, "--seed", help="random seed of the choice of test cases")

    def __post_init__(self) -> None:
        check_fields(self)
        for name, least in (("n_runs", 1), ("errors_per_run", 1), ("window", SHORTEST_WINDOW), ("skip_init_lines", 0)):
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise InputError(f"{name} must be at least {least}, found {value}.")
        if self.labels not in ("names", "none", "normal"):
            raise InputError(f"Unknown labels {self.labels!r}. {choices(self.labels, ('names', 'none', 'normal'))}")
        if self.normal and self.labels != "names":
            raise InputError(f"Use either --normal or --labels {self.labels}: they say different things.")
        Period(self.since, self.until)
        if self.layout is not None:
            Template(self.layout)
        patterns = [text for text in self.formats if set("^({\\") & set(text)]
        if patterns or self.described:
            from lo2core.load.formats.custom import chosen  # takes a while to import

            chosen(patterns, self.described)

    @property
    def period(self) -> Period | None:
        """Which part of the logs is read; None for all of them."""
        return Period(self.since, self.until) if self.since or self.until else None


@dataclass(frozen=True)
class Plan:
    """The files to read, the service logs left out by the options, and all other files."""

    chosen: list[LogFile]
    left_out: list[LogFile]
    ignored: list[LogFile]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.chosen)

    @property
    def runs(self) -> list[str]:
        return distinct(file.run for file in self.chosen)

    def each(self, change: Callable[[LogFile], LogFile]) -> Plan:
        """The plan with each of its files changed."""
        return Plan(*([change(file) for file in files] for files in (self.chosen, self.left_out, self.ignored)))

    def with_damages(self, damages: Mapping[Path, str]) -> Plan:
        """The plan with texts about the damage of files from archives; see `archives.unpack`."""
        known = {path.resolve(): text for path, text in damages.items()}

        def damaged(file: LogFile) -> LogFile:
            texts = [known[path] for path in (*file.older, file.path) if path in known]
            return replace(file, damage="; ".join(texts)) if texts else file

        return self.each(damaged) if known else self

    def sentence(self) -> str:
        """The layout, the number of runs, test case folders, services and logs, and their size as text."""
        folders = len({(file.run, file.folder) for file in self.chosen})
        services = distinct(file.service for file in self.chosen)
        layouts = ", ".join(distinct(file.layout for file in self.chosen))
        left_out = f"{plural(len(self.left_out), 'log')} not chosen" if self.left_out else ""
        ignored = f"{plural(len(self.ignored), 'other file')} ignored{self._ignored_logs()}" if self.ignored else ""
        others = ", ".join(filter(None, (left_out, ignored)))
        return (
            f"{layouts}: {plural(len(self.runs), 'run')}, {plural(folders, 'test case folder')}, "
            f"{plural(len(services), 'service')} ({', '.join(services)}), {plural(len(self.chosen), 'log')}, "
            f"{self.bytes / 1e6:,.1f} MB{f'; {others}' if others else ''}."
        )

    def _ignored_logs(self) -> str:
        names = sorted({file.path.name for file in self.ignored if is_log(file.path.name)})
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        which = f"{'among them ' if len(self.ignored) > 1 else ''}the {'logs' if len(names) > 1 else 'log'}"
        return f", {which} {', '.join(map(normal_form, names[:_MOST_NAMED]))}{more}" if names else ""


_MOST_NAMED = 8
"""Names of ignored logs in a sentence."""


def plan(
    roots: Sequence[Path | str],
    options: LoadOptions | None = None,
    service: str | None = None,
    *,
    growing: bool = False,
) -> Plan:
    """The plan of which files in the roots are read.

    service: the service of all `.log` files, used if no file name contains one. growing: whether the files are only a
    part of the logs, so that they need not contain normal test cases. Raises InputError as `find_logs`, for a service,
    test case or normal test case that does not exist, and if the options leave no log.
    """
    options = options or LoadOptions()
    template = None if options.layout is None else Template(options.layout)
    files = [_labelled(file, options) for file in find_logs(roots, service, template)]
    logs = [file for file in files if file.service]
    if not growing:
        _check_normal(logs, options.normal)
    chosen = _of_services(_of_cases(_of_runs(logs, options.n_runs), options), options.services)
    if not chosen:
        raise InputError(
            f"The options leave none of {plural(len(logs), 'log')} to read. Choose other runs, services or test cases."
        )
    keep = {file.source for file in chosen}
    return Plan(chosen, [f for f in logs if f.source not in keep], [f for f in files if not f.service])


def _labelled(file: LogFile, options: LoadOptions) -> LogFile:
    if options.labels == "normal" and file.service:
        return replace(file, normal=True, test_case=NORMAL_TEST_CASE)
    if options.labels == "none" or not file.service:
        return replace(file, normal=None)
    if not options.normal:
        return file
    return replace(file, normal=any(_is_named(file, pattern) for pattern in options.normal))


def _is_named(file: LogFile, pattern: str) -> bool:
    """Whether the test case of a log has such a name."""
    return any(fnmatchcase(str(name), normal_form(pattern)) for name in (file.test_case, file.folder))


def _check_normal(logs: Sequence[LogFile], patterns: Sequence[str]) -> None:
    """Raises InputError for a pattern of normal test cases that no test case has: its faults would be misnamed."""
    named = [file for file in logs if file.layout != TABLE]
    for pattern in patterns:
        if named and not any(_is_named(file, pattern) for file in named):
            names = distinct(file.test_case for file in named)
            raise InputError(f"No test case has the name {pattern!r}, given as normal. {choices(pattern, names)}")


def _of_runs(logs: list[LogFile], n_runs: int | None) -> list[LogFile]:
    runs = set(distinct(file.run for file in logs)[:n_runs])
    return [file for file in logs if file.run in runs]


def _of_services(logs: list[LogFile], services: Sequence[str]) -> list[LogFile]:
    if not services:
        return logs
    available = set(distinct(file.service for file in logs))
    for service in services:
        if service not in available:
            raise InputError(f"There is no log of service {service!r}. {choices(service, available)}")
    return [file for file in logs if file.service in services]


def _of_cases(logs: list[LogFile], options: LoadOptions) -> list[LogFile]:
    """All normal test cases, and the faulty ones that the options choose."""
    draw = random.Random(options.seed)
    faults = sorted({str(file.test_case) for file in logs if not _is_normal(file)})
    wanted = options.single_error_type
    if wanted == "random" and faults:
        wanted = draw.choice(faults)
    if wanted and wanted not in faults:
        raise InputError(f"There is no faulty test case {wanted!r}. {choices(wanted, faults)}")
    kept: set[tuple[str | None, str]] = set()
    used: set[str] = set()
    for run in distinct(file.run for file in logs):
        of_run = sorted({str(f.test_case) for f in logs if f.run == run and not _is_normal(f)})
        pool = [name for name in of_run if (not wanted or name == wanted) and (options.dup_errors or name not in used)]
        if options.errors_per_run is not None:
            pool = draw.sample(pool, min(options.errors_per_run, len(pool)))
        used.update(pool)
        kept.update((run, name) for name in pool)
    return [f for f in logs if _is_normal(f) or (f.run, f.test_case) in kept]


def _is_normal(file: LogFile) -> bool:
    """Whether a log is of a normal test case, also in logs that are loaded without labels."""
    return file.normal if file.normal is not None else file.test_case == NORMAL_TEST_CASE
