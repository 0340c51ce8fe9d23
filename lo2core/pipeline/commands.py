"""The commands of lo2core and their options, for the command line, the pages and jobs.

`cli.options` parses arguments into one of these classes; `Command.arguments` turns it back into arguments. Nothing
here imports a heavy library, because `--help` and a starting job would wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lo2core.base.arguments import REQUIRED, arguments, form, not_negative, option, positive, same_option
from lo2core.base.config import DEFAULT_DETECTOR, DEFAULT_ITEMS, DEFAULT_WORKSPACE, SAMPLE_WORKSPACE, SEED
from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.line_filter import LineFilter
from lo2core.pipeline.lock import Work


def _workspace(default: str = DEFAULT_WORKSPACE) -> Any:
    return option(
        Path(default),
        "--output-dir",
        always=True,
        metavar="WORKSPACE",
        help="the workspace: a folder for tables and predictions",
    )


def _replace() -> Any:
    return option(False, "--replace", help="overwrite existing files")


def _with_secrets() -> Any:
    return option(
        False, "--with-secrets", help="do not mask passwords, tokens and keys in what is printed, in the report and CSV"
    )


def _new_bundle() -> Any:
    return option(
        None,
        "--bundle",
        metavar="FILE.joblib",
        help="where to save the model (default: models/<workspace>_<detector>.joblib, see docs/configuration.md)",
    )


def _saved_predictions() -> Any:
    return option(
        REQUIRED, "--predictions", metavar="NAME", help="saved predictions; SAMPLE/NAME for the predictions of a sample"
    )


def _their_model() -> Any:
    return option(
        None, "--bundle", metavar="FILE.joblib", help="the model (default: the one that made the predictions)"
    )


def _service() -> Any:
    return option(None, "--service", metavar="NAME", help="the service of logs whose file name does not contain one")


def _jobs() -> Any:
    return option(2, "--jobs", metavar="N", help="number of test cases to read in parallel")


def _cluster() -> Any:
    return option(
        None,
        "--cluster",
        metavar="ADDRESS|local:N",
        help="work on a Dask cluster, or on N processes of this machine (see docs/scale.md)",
    )


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and its options. The first line of its docstring is its text in `--help`."""

    @classmethod
    def stage(cls) -> str:
        """The name of the command on the command line."""
        return cls.__name__.lower()

    @property
    def writes(self) -> bool:
        """Whether it locks its workspace while it runs, because it writes to it."""
        return False

    @property
    def used_workspace(self) -> Path | None:
        """The workspace that has to exist; None if the command needs none, or makes it."""
        return None

    def arguments(self) -> list[str]:
        """The arguments of `python -m lo2core` for this command, without options that have their default value."""
        return [self.stage(), *arguments(self)]

    def work(self) -> Work:
        """The facts about the command that are recorded with its lock and its job."""
        named = {name: getattr(self, name, None) for name in ("output_dir", "bundle", "predictions")}
        facts = {name: str(value) for name, value in named.items() if isinstance(value, str | Path)}
        return Work(stage=self.stage(), arguments=("-m", "lo2core", *self.arguments()), **facts)


class _OnWorkspace:
    """A command on a workspace that has to exist."""

    output_dir: Path

    @property
    def used_workspace(self) -> Path | None:
        return self.output_dir


class _OnEntry(_OnWorkspace):
    """A command on something in a workspace, or on a model, which is in no workspace."""

    kind: str

    @property
    def used_workspace(self) -> Path | None:
        return None if self.kind == "model" else self.output_dir


@dataclass(frozen=True, kw_only=True)
class _WritingCommand(Command):
    @property
    def writes(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class _LoadingCommand(_WritingCommand):
    root: tuple[Path, ...] = option(REQUIRED, "--root", metavar="PATH", help="folders, archives or .log files")
    options: LoadOptions = field(default=LoadOptions())
    service: str | None = _service()
    like: Path | None = option(
        None, "--like", metavar="FILE.joblib", help="read and count logs as the training logs of this model"
    )
    strict: bool = option(
        False, "--strict", help="end with status 2, and change nothing, if a log is damaged or has no event"
    )
    jobs: int = _jobs()
    cluster: str | None = _cluster()
    default_masks: bool = option(False, "--default-masks", help="drop the masks that were added to the workspace")
    save_events: bool = option(
        True,
        "--save-events",
        form("--no-save-events", help="save only the counts"),
        help="save every event (default)",
    )


@dataclass(frozen=True, kw_only=True)
class Load(_LoadingCommand):
    """Read logs into events, sequences, counts and a ledger that accounts for every line."""

    append: bool = option(
        False,
        "--append",
        help="add what is not loaded yet: other runs, and new or changed test cases of a folder that has grown",
    )
    dry_run: bool = option(False, "--dry-run", help="show which files would be read, and how, then stop")
    head: int | None = option(
        None, "--head", type=positive, nargs="?", const=5, metavar="N", help="show the first N events"
    )
    output_dir: Path = _workspace()
    replace: bool = _replace()

    @property
    def writes(self) -> bool:
        return not self.dry_run


@dataclass(frozen=True, kw_only=True)
class Enhance(_OnWorkspace, _WritingCommand):
    """Save every event with its words, trigrams, lengths and template."""

    mask: tuple[tuple[str, str, str], ...] = option(
        (),
        "--mask",
        nargs=3,
        action="append",
        metavar=("NAME", "PATTERN", "REPLACEMENT"),
        help="add a mask rule to the workspace, together with --replace; ${1} in the replacement inserts a group; can "
        "be repeated",
    )
    output_dir: Path = _workspace()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Train(_OnWorkspace, _WritingCommand):
    """Fit a detector on the normal sequences and save it as a signed model."""

    output_dir: Path = _workspace()
    recipe: Recipe = field(default_factory=Recipe)
    bundle: Path | None = _new_bundle()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Predict(_OnWorkspace, _WritingCommand):
    """Score the logs of a workspace with a saved model, without training."""

    output_dir: Path = _workspace()
    bundle: Path = option(REQUIRED, "--bundle", metavar="FILE.joblib", help="the saved model")
    predictions: str | None = option(
        None,
        "--predictions",
        metavar="NAME",
        help="name of the predictions (default: <model>_predictions, then <model>_predictions_new)",
    )
    budget: float | None = option(
        None, "--budget", metavar="N", help="false alarms per 100 normal incidents (default: the budget of the model)"
    )
    cluster: str | None = _cluster()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Score(_LoadingCommand):
    """Load new logs and score them with a saved model in one step, without training."""

    bundle: Path = option(REQUIRED, "--bundle", metavar="FILE.joblib", help="the saved model")
    predictions: str | None = option(
        None, "--predictions", metavar="NAME", help="name of the predictions (default: <model>_predictions)"
    )
    output_dir: Path = _workspace()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Run(_LoadingCommand):
    """Load, train and predict in one step."""

    recipe: Recipe = field(default_factory=Recipe)
    bundle: Path | None = _new_bundle()
    output_dir: Path = _workspace()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Watch(Command):
    """Load and score new test cases of a growing folder when they are complete, until it is stopped."""

    root: tuple[Path, ...] = option(REQUIRED, "--root", metavar="DIR", help="folders in which logs appear")
    options: LoadOptions = field(default=LoadOptions())
    service: str | None = _service()
    bundle: Path = option(REQUIRED, "--bundle", metavar="FILE.joblib", help="the saved model")
    predictions: str | None = option(
        None,
        "--predictions",
        metavar="NAME",
        help="name of the predictions, which grow with the logs (default: <model>_predictions)",
    )
    settle: float = option(
        60.0, "--settle", metavar="SECONDS", help="a test case is complete when its logs did not change for this long"
    )
    jobs: int = _jobs()
    output_dir: Path = _workspace()


@dataclass(frozen=True, kw_only=True)
class Search(_OnWorkspace, Command):
    """Print the saved events whose raw lines contain a text, with filters for where, when and what."""

    wanted: LineFilter = field(default=LineFilter())
    sample: str | None = option(None, "--sample", metavar="NAME", help="search a sample of the workspace")
    limit: int = option(50, "--limit", type=positive, metavar="N", help="print at most N events")
    skip: int = option(0, "--skip", type=not_negative, metavar="N", help="leave out the first N of them")
    count: bool = option(False, "--count", help="print only how many events there are")
    with_secrets: bool = _with_secrets()
    output_dir: Path = _workspace()


@dataclass(frozen=True, kw_only=True)
class Explain(_OnWorkspace, Command):
    """Show which items and lines caused the score of an incident."""

    output_dir: Path = _workspace()
    predictions: str = _saved_predictions()
    bundle: Path | None = _their_model()
    incident: str | None = option(
        None,
        "--incident",
        group="which",
        metavar="RUN/FOLDER[/WINDOW]",
        help="the incident to explain (default: the worst one)",
    )
    top: int = option(
        1,
        "--top",
        group="which",
        type=positive,
        metavar="N",
        help="explain the N worst incidents, with one report for all of them",
    )
    with_secrets: bool = _with_secrets()


@dataclass(frozen=True, kw_only=True)
class Groups(_OnWorkspace, Command):
    """Group the flagged incidents of saved predictions by cause."""

    output_dir: Path = _workspace()
    predictions: str = _saved_predictions()
    bundle: Path | None = _their_model()
    with_secrets: bool = _with_secrets()


@dataclass(frozen=True, kw_only=True)
class Triage(_OnWorkspace, Command):
    """Note what is known about a group of flagged incidents, or about one incident."""

    output_dir: Path = _workspace()
    predictions: str = _saved_predictions()
    group: int | None = option(
        None, "--group", group="which", type=positive, metavar="N", help="the number of a group, as `groups` lists them"
    )
    incident: str | None = option(
        None, "--incident", group="which", metavar="RUN/FOLDER[/WINDOW]", help="a flagged incident"
    )
    state: str | None = option(None, "--state", group="said", choices=("new", "seen"), help="what to note about it")
    cause: str | None = option(
        None, "--cause", group="said", metavar="NAME", help="its cause is known and has this name"
    )
    undo: bool = option(False, "--undo", group="said", help="take back what was noted last")
    note: str = option("", "--note", metavar="TEXT", help="a note")
    csv: Path | None = option(None, "--csv", metavar="FILE.csv", help="save all groups with their state")
    bundle: Path | None = _their_model()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Compare(_OnWorkspace, Command):
    """Compare two or more saved predictions."""

    names: tuple[str, ...] = option(
        REQUIRED, "names", metavar="NAME", help="saved predictions; SAMPLE/NAME for the predictions of a sample"
    )
    output_dir: Path = _workspace()
    with_secrets: bool = _with_secrets()


@dataclass(frozen=True, kw_only=True)
class Evaluate(_OnWorkspace, _WritingCommand):
    """Evaluate detectors on held-out runs, next to trivial baselines."""

    output_dir: Path = _workspace()
    detector: tuple[str, ...] = option(
        (DEFAULT_DETECTOR,), "--detector", metavar="NAME", help="one or more detectors, or all"
    )
    items: tuple[str, ...] = option(
        (DEFAULT_ITEMS,), "--items", metavar="KIND", help="one or more kinds of items, as in train"
    )
    unit: str = same_option(Recipe, "unit")
    weighting: str | None = same_option(Recipe, "weighting")
    budget: float = same_option(Recipe, "budget")
    apart: tuple[str, ...] = option(
        (), "--apart", metavar="NAME", help="test cases to report separately, not in the metrics"
    )
    concerns: Path | None = option(
        None,
        "--concerns",
        metavar="FILE.csv",
        help="the expected service of each fault, a table with the columns pattern and service",
    )
    train_share: float | None = option(
        None,
        "--train-share",
        metavar="X",
        help="train once, on this share of the runs, instead of holding out each run in turn",
    )
    fault_groups: int = option(
        10, "--fault-groups", metavar="N", help="for supervised detectors: hold out the faults in N groups"
    )
    jobs: int = option(2, "--jobs", metavar="N", help="number of processes that train supervised detectors")
    cluster: str | None = _cluster()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Trust(Command):
    """Vouch for a saved model: open it, check it, sign it."""

    bundle: Path = option(REQUIRED, "bundle", help="a saved model whose origin you know and trust")


@dataclass(frozen=True, kw_only=True)
class Sample(Command):
    """Write a small synthetic LO2 folder."""

    output_dir: Path = option(REQUIRED, "--output-dir", metavar="DIR", help="a new or empty folder")
    seed: int = option(SEED, "--seed", help="random seed; the same seed writes the same files")

    def work(self) -> Work:
        """Without the folder: it is no workspace, which would be cleaned up first."""
        return replace(super().work(), output_dir="")


@dataclass(frozen=True, kw_only=True)
class Demo(_WritingCommand):
    """Write, load and score the synthetic sample, unless that is done already."""

    output_dir: Path = _workspace(SAMPLE_WORKSPACE)


@dataclass(frozen=True, kw_only=True)
class Artefacts(Command):
    """List models, predictions, samples, uploads, explanations and the trash, with the space they use."""

    output_dir: Path = _workspace()


def _kind() -> Any:
    return option(REQUIRED, "kind", metavar="KIND", help="model, prediction, sample, upload, explanation or workspace")


def _name() -> Any:
    return option(REQUIRED, "name", metavar="NAME", help="its name, as `artefacts` lists it")


@dataclass(frozen=True, kw_only=True)
class Rename(_OnEntry, Command):
    """Rename a model, prediction, sample, upload, explanation or workspace."""

    kind: str = _kind()
    name: str = _name()
    new_name: str = option(REQUIRED, "new_name", metavar="NEW", help="its new name")
    output_dir: Path = _workspace()


@dataclass(frozen=True, kw_only=True)
class Note(_OnEntry, Command):
    """Write a note about a model, prediction, sample, upload, explanation or workspace."""

    kind: str = _kind()
    name: str = _name()
    text: str = option(REQUIRED, "text", metavar="TEXT", help="the note; an empty text removes it")
    output_dir: Path = _workspace()


@dataclass(frozen=True, kw_only=True)
class Delete(_OnEntry, Command):
    """Move a model, prediction, sample, upload, explanation or workspace to the trash."""

    kind: str = _kind()
    name: str = _name()
    output_dir: Path = _workspace()
    even_if_used: bool = option(False, "--even-if-used", help="delete it although something depends on it")


@dataclass(frozen=True, kw_only=True)
class Restore(Command):
    """Undo a deletion, the last one if none is named."""

    id: str | None = option(None, "id", nargs="?", metavar="ID", help="which one, as listed by `artefacts`")
    output_dir: Path = _workspace()


@dataclass(frozen=True, kw_only=True)
class Dashboard(Command):
    """Open the dashboard in the browser."""

    output_dir: Path | None = option(None, "--output-dir", metavar="WORKSPACE", help="the workspace to open first")
    port: int | None = option(
        None, "--port", type=positive, metavar="N", help="port (default: 8501, or the next free one)"
    )
    no_browser: bool = option(False, "--no-browser", help="print the address, do not open a browser")


@dataclass(frozen=True, kw_only=True)
class Mcp(Command):
    """Serve the workspace to an assistant by the Model Context Protocol, on standard input and output."""

    output_dir: Path = _workspace()
    root: tuple[Path, ...] = option((), "--root", metavar="PATH", help="folders from which logs may be loaded")
    write: bool = option(False, "--write", help="also offer tools that load and score logs")

    @property
    def used_workspace(self) -> Path | None:
        return None if self.write else self.output_dir


COMMANDS: tuple[type[Command], ...] = (
    Load,
    Enhance,
    Train,
    Predict,
    Score,
    Run,
    Watch,
    Search,
    Explain,
    Groups,
    Triage,
    Compare,
    Evaluate,
    Trust,
    Artefacts,
    Rename,
    Note,
    Delete,
    Restore,
    Sample,
    Demo,
    Dashboard,
    Mcp,
)
