"""The commands of lo2core, each with its options: what the command line takes, pages show, and a job runs.

A command line is read into one of these classes (`cli.options`); `Command.arguments` is the way back. Nothing here
imports a heavy library, since `--help` and a starting job wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lo2core.base.arguments import REQUIRED, arguments, form, option, positive, same_option
from lo2core.base.config import DEFAULT_DETECTOR, DEFAULT_ITEMS, DEFAULT_WORKSPACE, SAMPLE_WORKSPACE, SEED
from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.lock import Work


def _workspace(default: str = DEFAULT_WORKSPACE) -> Any:
    return option(Path(default), "--output-dir", always=True, metavar="WORKSPACE", help="folder of artefacts")


def _replace() -> Any:
    return option(False, "--replace", help="write existing artefacts anew")


def _new_bundle() -> Any:
    return option(None, "--bundle", metavar="FILE.joblib", help="default models/lo2_<detector>.joblib")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and its options. The first line of a class's docstring is what `--help` says about it."""

    @classmethod
    def stage(cls) -> str:
        """The word that chooses the command."""
        return cls.__name__.lower()

    @property
    def writes(self) -> bool:
        """Whether it holds its workspace while it runs, as only one command at a time may do."""
        return False

    def arguments(self) -> list[str]:
        """The arguments of `python -m lo2core` that mean this command; options with default values are left out."""
        return [self.stage(), *arguments(self)]

    def work(self) -> Work:
        """What is recorded about the command while it runs, and after that."""
        named = {name: getattr(self, name, None) for name in ("output_dir", "bundle", "predictions")}
        facts = {name: str(value) for name, value in named.items() if isinstance(value, str | Path)}
        return Work(stage=self.stage(), arguments=("-m", "lo2core", *self.arguments()), **facts)


@dataclass(frozen=True, kw_only=True)
class _WritingCommand(Command):
    @property
    def writes(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class _LoadingCommand(_WritingCommand):
    root: tuple[Path, ...] = option(REQUIRED, "--root", metavar="PATH", help="folders, archives or .log files")
    options: LoadOptions = field(default=LoadOptions())
    service: str | None = option(
        None, "--service", metavar="NAME", help="service of logs whose file name does not say it"
    )
    jobs: int = option(2, "--jobs", metavar="N", help="test cases read at the same time")
    default_masks: bool = option(False, "--default-masks", help="forget masks that were added to the workspace")
    save_events: bool = option(
        True,
        "--save-events",
        form("--no-save-events", help="save counts only"),
        help="save every event (default)",
    )


@dataclass(frozen=True, kw_only=True)
class Load(_LoadingCommand):
    """Read logs: events, sequences, counts and a ledger of every line."""

    append: bool = option(False, "--append", help="add runs to what is loaded")
    dry_run: bool = option(False, "--dry-run", help="show what would be read, and stop")
    head: int | None = option(
        None, "--head", type=positive, nargs="?", const=5, metavar="N", help="show the first N events"
    )
    output_dir: Path = _workspace()
    replace: bool = _replace()

    @property
    def writes(self) -> bool:
        return not self.dry_run


@dataclass(frozen=True, kw_only=True)
class Enhance(_WritingCommand):
    """Save every event with its words, trigrams, lengths and template."""

    mask: tuple[tuple[str, str, str], ...] = option(
        (),
        "--mask",
        nargs=3,
        action="append",
        metavar=("NAME", "PATTERN", "REPLACEMENT"),
        help="add a mask rule to those of the workspace, with --replace; may be given several times",
    )
    output_dir: Path = _workspace()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Train(_WritingCommand):
    """Fit a detector on the normal sequences and save it as a signed bundle."""

    output_dir: Path = _workspace()
    recipe: Recipe = field(default_factory=Recipe)
    bundle: Path | None = _new_bundle()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Predict(_WritingCommand):
    """Score a workspace with a saved bundle, without training."""

    output_dir: Path = _workspace()
    bundle: Path = option(REQUIRED, "--bundle", metavar="FILE.joblib", help="the saved model")
    predictions: str | None = option(
        None, "--predictions", metavar="NAME", help="default <bundle>_predictions, then ..._new"
    )
    budget: float | None = option(
        None, "--budget", metavar="N", help="another number of false alarms per 100 normal incidents"
    )
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Run(_LoadingCommand):
    """Load, train and predict in one go."""

    recipe: Recipe = field(default_factory=Recipe)
    bundle: Path | None = _new_bundle()
    output_dir: Path = _workspace()
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Explain(Command):
    """Say which items and lines made the score of an incident."""

    output_dir: Path = _workspace()
    predictions: str = option(
        REQUIRED, "--predictions", metavar="NAME", help="saved predictions to explain; SAMPLE/NAME for a sample's"
    )
    bundle: Path | None = option(
        None, "--bundle", metavar="FILE.joblib", help="default: the one that made the predictions"
    )
    incident: str | None = option(
        None, "--incident", group="which", metavar="RUN/FOLDER[/WINDOW]", help="default: the worst one"
    )
    top: int = option(
        1,
        "--top",
        group="which",
        type=positive,
        metavar="N",
        help="the N worst incidents, and a report of them all",
    )


@dataclass(frozen=True, kw_only=True)
class Compare(Command):
    """Set saved predictions side by side."""

    names: tuple[str, ...] = option(
        REQUIRED, "names", metavar="NAME", help="saved predictions; SAMPLE/NAME for a sample's"
    )
    output_dir: Path = _workspace()


@dataclass(frozen=True, kw_only=True)
class Evaluate(_WritingCommand):
    """Measure detectors on runs they were not trained on, beside what shortcuts alone would score."""

    output_dir: Path = _workspace()
    detector: tuple[str, ...] = option((DEFAULT_DETECTOR,), "--detector", metavar="NAME", help="names, or all")
    items: tuple[str, ...] = option((DEFAULT_ITEMS,), "--items", metavar="KIND", help="one or more, as in train")
    unit: str = same_option(Recipe, "unit")
    weighting: str | None = same_option(Recipe, "weighting")
    budget: float = same_option(Recipe, "budget")
    apart: tuple[str, ...] = option((), "--apart", metavar="NAME", help="test cases not in the figures")
    concerns: Path | None = option(
        None, "--concerns", metavar="FILE.csv", help="pattern,service: checks the service named"
    )
    train_share: float | None = option(None, "--train-share", metavar="X", help="train once on this share of the runs")
    fault_groups: int = option(10, "--fault-groups", metavar="N", help="faults left out in N groups")
    replace: bool = _replace()


@dataclass(frozen=True, kw_only=True)
class Trust(Command):
    """Vouch for a bundle: load it, check it, sign it."""

    bundle: Path = option(REQUIRED, "bundle", help="a bundle whose origin you know")


@dataclass(frozen=True, kw_only=True)
class Sample(Command):
    """Write a small synthetic LO2 folder."""

    output_dir: Path = option(REQUIRED, "--output-dir", metavar="DIR", help="a new or empty folder")
    seed: int = option(SEED, "--seed", help="the same seed writes the same bytes")


@dataclass(frozen=True, kw_only=True)
class Demo(_WritingCommand):
    """Make, train on and score the sample, where that is not done yet."""

    output_dir: Path = _workspace(SAMPLE_WORKSPACE)


@dataclass(frozen=True, kw_only=True)
class Dashboard(Command):
    """Open the dashboard in the browser."""

    output_dir: Path | None = option(
        None, "--output-dir", metavar="WORKSPACE", help="folder of artefacts to open first"
    )
    port: int | None = option(None, "--port", type=positive, metavar="N", help="default: 8501, or the next free one")
    no_browser: bool = option(False, "--no-browser", help="only serve, and say where")


COMMANDS: tuple[type[Command], ...] = (
    Load,
    Enhance,
    Train,
    Predict,
    Run,
    Explain,
    Compare,
    Evaluate,
    Trust,
    Sample,
    Demo,
    Dashboard,
)
