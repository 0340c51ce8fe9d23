"""The flags of the command line: each group a function that declares it, and what the flags of a command stand for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lo2core.base.config import (
    DEFAULT_BUDGET,
    DEFAULT_DETECTOR,
    DEFAULT_ITEMS,
    DEFAULT_WORKSPACE,
    SAMPLE_WORKSPACE,
    SEED,
)
from lo2core.base.errors import InputError

if TYPE_CHECKING:
    from lo2core.detect.recipe import Recipe
    from lo2core.load.plan import LoadOptions


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one sentence, like all our errors."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def _positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text!r}")
    return int(text)


def source(command: argparse.ArgumentParser) -> None:
    """Which logs: where they are, and what of them is drawn."""
    command.add_argument(
        "--root",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        metavar="PATH",
        help="folders, archives or .log files",
    )
    command.add_argument("--runs", type=int, metavar="N", help="only the first N runs by time")
    services = command.add_mutually_exclusive_group()
    services.add_argument("--single-service", metavar="NAME", help="only this service")
    services.add_argument("--service-types", nargs="+", default=[], metavar="NAME", help="only these services")
    command.add_argument("--service", metavar="NAME", help="service of logs whose file name does not say it")
    command.add_argument("--errors-per-run", type=int, metavar="N", help="draw N faulty test cases of each run")
    command.add_argument("--single-error-type", metavar="NAME|random", help="only this faulty test case")
    repeats = command.add_mutually_exclusive_group()
    repeats.add_argument(
        "--allow-duplicates", action="store_true", default=True, help="runs may draw the same fault (default)"
    )
    repeats.add_argument(
        "--no-duplicates", dest="allow_duplicates", action="store_false", help="each fault in one run only"
    )
    command.add_argument("--seed", type=int, default=SEED, help="for what is drawn")


def reading(command: argparse.ArgumentParser) -> None:
    """How logs are read: what is cut, who is known to be normal, what is saved."""
    command.add_argument(
        "--skip-init-lines", type=int, default=0, metavar="N", help="leave out N lines at the head of each log"
    )
    command.add_argument(
        "--window", type=float, metavar="SECONDS", help="cut test cases into parts of about this length"
    )
    command.add_argument(
        "--labels", choices=("names", "none", "normal"), default="names", help="where the truth comes from"
    )
    command.add_argument("--jobs", type=int, default=2, metavar="N", help="test cases read at the same time")
    command.add_argument("--default-masks", action="store_true", help="forget masks that were added to the workspace")
    save = command.add_mutually_exclusive_group()
    save.add_argument("--save-events", action="store_true", default=True, help="save every event (default)")
    save.add_argument("--no-save-events", dest="save_events", action="store_false", help="save counts only")


def load_only(command: argparse.ArgumentParser) -> None:
    """What `load` can do and `run` cannot."""
    command.add_argument("--append", action="store_true", help="add runs to what is loaded")
    command.add_argument("--dry-run", action="store_true", help="show what would be read, and stop")
    command.add_argument("--head", type=_positive, nargs="?", const=5, metavar="N", help="show the first N events")


def masks(command: argparse.ArgumentParser) -> None:
    """More mask rules."""
    command.add_argument(
        "--mask",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "PATTERN", "REPLACEMENT"),
        help="add a mask rule to those of the workspace, with --replace; may be given several times",
    )


def recipe(command: argparse.ArgumentParser) -> None:
    """What to train."""
    command.add_argument("--detector", default=DEFAULT_DETECTOR, metavar="NAME", help=f"default {DEFAULT_DETECTOR}")
    command.add_argument(
        "--items", default=DEFAULT_ITEMS, metavar="KIND[+KIND]", help="messages, templates, requests, words, trigrams"
    )
    _scoring(command)


def bundle(command: argparse.ArgumentParser) -> None:
    """Where the bundle goes."""
    command.add_argument("--bundle", type=Path, metavar="FILE.joblib", help="default models/lo2_<detector>.joblib")


def predictions(command: argparse.ArgumentParser) -> None:
    """What to score with, and the name of the scores."""
    command.add_argument("--bundle", type=Path, required=True, metavar="FILE.joblib", help="the saved model")
    command.add_argument("--predictions", metavar="NAME", help="default <bundle>_predictions, then ..._new")
    command.add_argument(
        "--budget", type=float, metavar="N", help="another number of false alarms per 100 normal incidents"
    )


def explain(command: argparse.ArgumentParser) -> None:
    """Which incidents of which predictions."""
    workspace(command)
    command.add_argument(
        "--predictions", required=True, metavar="NAME", help="saved predictions to explain; SAMPLE/NAME for a sample's"
    )
    command.add_argument(
        "--bundle", type=Path, metavar="FILE.joblib", help="default: the one that made the predictions"
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument("--incident", metavar="RUN/FOLDER[/WINDOW]", help="default: the worst one")
    which.add_argument(
        "--top", type=_positive, default=1, metavar="N", help="the N worst incidents, and a report of them all"
    )


def compare(command: argparse.ArgumentParser) -> None:
    """Which predictions."""
    workspace(command)
    command.add_argument("predictions", nargs="+", metavar="NAME", help="saved predictions; SAMPLE/NAME for a sample's")


def evaluation(command: argparse.ArgumentParser) -> None:
    """Which recipes to measure, every detector on all items, and how."""
    command.add_argument("--detector", nargs="+", default=[DEFAULT_DETECTOR], metavar="NAME", help="names, or all")
    command.add_argument("--items", nargs="+", default=[DEFAULT_ITEMS], metavar="KIND", help="one or more, as in train")
    _scoring(command)
    command.add_argument("--apart", nargs="+", default=[], metavar="NAME", help="test cases not in the figures")
    command.add_argument("--concerns", type=Path, metavar="FILE.csv", help="pattern,service: checks the service named")
    command.add_argument("--train-share", type=float, metavar="X", help="train once on this share of the runs")
    command.add_argument("--fault-groups", type=int, default=10, metavar="N", help="faults left out in N groups")


def trusted(command: argparse.ArgumentParser) -> None:
    """Which bundle to vouch for."""
    command.add_argument("bundle", type=Path, help="a bundle whose origin you know")


def sample(command: argparse.ArgumentParser) -> None:
    """Where the synthetic logs go."""
    command.add_argument("--output-dir", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    command.add_argument("--seed", type=int, default=SEED, help="the same seed writes the same bytes")


def demo(command: argparse.ArgumentParser) -> None:
    """Where the artefacts of the synthetic logs go."""
    command.add_argument("--output-dir", type=Path, default=Path(SAMPLE_WORKSPACE), metavar="WORKSPACE")
    command.set_defaults(writes=True)


def dashboard(command: argparse.ArgumentParser) -> None:
    """What to open, and where."""
    command.add_argument("--output-dir", type=Path, metavar="WORKSPACE", help="folder of artefacts to open first")
    command.add_argument("--port", type=_positive, metavar="N", help="default: 8501, or the next free one")
    command.add_argument("--no-browser", action="store_true", help="only serve, and say where")


def output(command: argparse.ArgumentParser) -> None:
    """The workspace of a command that writes to it, one at a time."""
    workspace(command)
    command.set_defaults(writes=True)
    command.add_argument("--replace", action="store_true", help="write existing artefacts anew")


def workspace(command: argparse.ArgumentParser) -> None:
    """The workspace of a command that leaves its tables as they are."""
    command.add_argument(
        "--output-dir", type=Path, default=Path(DEFAULT_WORKSPACE), metavar="WORKSPACE", help="folder of artefacts"
    )


def options_of(args: argparse.Namespace) -> LoadOptions:
    """The load options that the flags of `load` and `run` stand for."""
    from lo2core.load.plan import LoadOptions

    return LoadOptions(
        n_runs=args.runs,
        services=tuple([args.single_service] if args.single_service else args.service_types),
        errors_per_run=args.errors_per_run,
        dup_errors=args.allow_duplicates,
        single_error_type=args.single_error_type,
        skip_init_lines=args.skip_init_lines,
        window=args.window,
        labels=args.labels,
        seed=args.seed,
    )


def recipe_of(args: argparse.Namespace) -> Recipe:
    """The recipe that the flags of `train` and `run` stand for."""
    from lo2core.detect.recipe import Recipe

    return Recipe(args.detector, args.items, args.unit, args.weighting, args.budget)


def _scoring(command: argparse.ArgumentParser) -> None:
    command.add_argument("--unit", choices=("sequence", "event"), default="sequence", help="what gets a score")
    command.add_argument(
        "--weighting", choices=("counts", "log1p", "binary", "tf-idf"), help="default: the detector's own"
    )
    command.add_argument(
        "--budget", type=float, default=DEFAULT_BUDGET, metavar="N", help="false alarms per 100 normal incidents"
    )
