"""The command line: ``python -m lo2core <stage>``. Parses, calls `pipeline`, prints what was written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lo2core.config import DEFAULT_BUDGET, DEFAULT_DETECTOR, DEFAULT_ITEMS, DEFAULT_WORKSPACE, SAMPLE_WORKSPACE, SEED
from lo2core.errors import InputError, Lo2Error
from lo2core.jobs import reporting, workspace_lock
from lo2core.load import LoadOptions

if TYPE_CHECKING:
    from lo2core.train import Recipe

_Options = Callable[[argparse.ArgumentParser], None]


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one sentence, like all our errors."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 with one sentence on standard error when it could not."""
    try:
        with reporting():
            args = parser().parse_args(argv)
            writes = args.writes and not getattr(args, "dry_run", False)
            with workspace_lock(args.output_dir) if writes else nullcontext():
                args.call(args)
    except Lo2Error as error:
        print(f"lo2core: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lo2core: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0


def parser() -> Parser:
    """All commands and their options."""
    top = Parser(prog="python -m lo2core", description=__doc__.splitlines()[0])
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, about, call, groups in _COMMANDS:
        command = commands.add_parser(name, help=about, description=about)
        for group in groups:
            group(command)
        command.set_defaults(call=call, **({} if command.get_default("writes") else {"writes": False}))
    return top


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output-dir", type=Path, default=Path(DEFAULT_WORKSPACE), metavar="WORKSPACE", help="folder of artefacts"
    )
    command.set_defaults(writes=True)
    command.add_argument("--replace", action="store_true", help="write existing artefacts anew")


def _source(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--root", type=Path, action="append", required=True, metavar="PATH", help="folder, archive or .log file"
    )
    command.add_argument("--runs", type=int, metavar="N", help="only the first N runs by time")
    command.add_argument("--single-service", metavar="NAME", help="only this service")
    command.add_argument("--service-types", nargs="+", default=[], metavar="NAME", help="only these services")
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
    command.add_argument(
        "--skip-init-lines", type=int, default=0, metavar="N", help="leave out N lines at the head of each log"
    )
    command.add_argument(
        "--window", type=float, metavar="SECONDS", help="cut test cases into parts of about this length"
    )
    command.add_argument(
        "--labels", choices=("names", "none", "normal"), default="names", help="where the truth comes from"
    )
    command.add_argument("--seed", type=int, default=SEED, help="for what is drawn")
    command.add_argument("--jobs", type=int, default=2, metavar="N", help="test cases read at the same time")
    save = command.add_mutually_exclusive_group()
    save.add_argument("--save-events", action="store_true", default=True, help="save every event (default)")
    save.add_argument("--no-save-events", dest="save_events", action="store_false", help="save counts only")


def _load_only(command: argparse.ArgumentParser) -> None:
    command.add_argument("--append", action="store_true", help="add runs to what is loaded")
    command.add_argument("--dry-run", action="store_true", help="show what would be read, and stop")
    command.add_argument("--head", type=int, nargs="?", const=5, metavar="N", help="show the first N events")


def _masks(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--mask",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "PATTERN", "REPLACEMENT"),
        help="add a mask rule to those of the workspace; may be given several times",
    )


def _recipe(command: argparse.ArgumentParser) -> None:
    command.add_argument("--detector", default=DEFAULT_DETECTOR, metavar="NAME", help=f"default {DEFAULT_DETECTOR}")
    command.add_argument(
        "--items", default=DEFAULT_ITEMS, metavar="KIND[+KIND]", help="messages, templates, requests, words, trigrams"
    )
    command.add_argument("--unit", choices=("sequence", "event"), default="sequence", help="what gets a score")
    command.add_argument(
        "--weighting", choices=("counts", "log1p", "binary", "tf-idf"), help="default: the detector's own"
    )
    command.add_argument(
        "--budget", type=float, default=DEFAULT_BUDGET, metavar="N", help="false alarms per 100 normal incidents"
    )


def _bundle(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bundle", type=Path, metavar="FILE.joblib", help="default models/lo2_<detector>.joblib")


def _predictions(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bundle", type=Path, required=True, metavar="FILE.joblib", help="the saved model")
    command.add_argument("--predictions", metavar="NAME", help="default <bundle>_predictions, then ..._new")
    command.add_argument(
        "--budget", type=float, metavar="N", help="another number of false alarms per 100 normal incidents"
    )


def _explain(command: argparse.ArgumentParser) -> None:
    _workspace(command)
    command.add_argument("--predictions", required=True, metavar="NAME", help="the saved predictions to explain")
    command.add_argument(
        "--bundle", type=Path, metavar="FILE.joblib", help="default: the one that made the predictions"
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument("--incident", metavar="RUN/FOLDER[/WINDOW]", help="default: the worst one")
    which.add_argument(
        "--top", type=int, default=1, metavar="N", help="the N worst incidents, and a report of them all"
    )


def _compare(command: argparse.ArgumentParser) -> None:
    _workspace(command)
    command.add_argument("predictions", nargs="+", metavar="NAME", help="saved predictions; SAMPLE/NAME for a sample's")


def _workspace(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output-dir", type=Path, default=Path(DEFAULT_WORKSPACE), metavar="WORKSPACE", help="folder of artefacts"
    )


def _evaluation(command: argparse.ArgumentParser) -> None:
    command.add_argument("--detector", nargs="+", default=[DEFAULT_DETECTOR], metavar="NAME", help="names, or all")
    command.add_argument("--items", nargs="+", default=[DEFAULT_ITEMS], metavar="KIND", help="one or more, as in train")
    command.add_argument("--unit", choices=("sequence", "event"), default="sequence", help="what gets a score")
    command.add_argument("--budget", type=float, default=DEFAULT_BUDGET, metavar="N", help="alarms per 100 normals")
    command.add_argument("--apart", nargs="+", default=[], metavar="NAME", help="test cases not in the figures")
    command.add_argument("--concerns", type=Path, metavar="FILE.csv", help="pattern,service: checks the service named")
    command.add_argument("--train-share", type=float, metavar="X", help="train once on this share of the runs")
    command.add_argument("--fault-groups", type=int, default=10, metavar="N", help="faults left out in N groups")


def _trusted(command: argparse.ArgumentParser) -> None:
    command.add_argument("bundle", type=Path, help="a bundle whose origin you know")


def _sample(command: argparse.ArgumentParser) -> None:
    command.add_argument("--output-dir", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    command.add_argument("--seed", type=int, default=SEED, help="the same seed writes the same bytes")


def _demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--output-dir", type=Path, default=Path(SAMPLE_WORKSPACE), metavar="WORKSPACE")


def options_of(args: argparse.Namespace) -> LoadOptions:
    """The load options that the flags of `load` and `run` stand for."""
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


def _run_load(args: argparse.Namespace) -> None:
    from lo2core import load, pipeline
    from lo2core.store import Workspace
    from lo2core.tables import Events

    options = options_of(args)
    if args.dry_run:
        with load.unpacked(args.root) as roots:
            plan = load.plan(roots, options, args.service)
            print(plan.sentence())
            if args.head:
                print(load.head(plan, options, args.head))
        return
    workspace = Workspace(args.output_dir)
    loaded = pipeline.load_logs(
        workspace,
        args.root,
        options,
        service=args.service,
        jobs=args.jobs,
        save_events=args.save_events,
        append=args.append,
        replace=args.replace,
    )
    print(loaded.sentence())
    _print_paths(loaded.paths)
    if args.head and args.save_events:
        print(workspace.scan(Events).head(args.head).collect())


def _run_enhance(args: argparse.Namespace) -> None:
    from lo2core import pipeline
    from lo2core.store import Workspace

    workspace = Workspace(args.output_dir)
    masker = pipeline.extended_masker(workspace, args.mask)
    _print_paths([pipeline.enhance_events(workspace, masker=masker, replace=args.replace)])


def _run_train(args: argparse.Namespace) -> None:
    from lo2core import pipeline
    from lo2core.store import Workspace

    workspace = Workspace(args.output_dir)
    bundle = pipeline.train_bundle(workspace, _recipe_of(args), args.bundle, replace=args.replace)
    _print_paths([bundle])


def _run_predict(args: argparse.Namespace) -> None:
    from lo2core import pipeline
    from lo2core.store import Workspace

    workspace = Workspace(args.output_dir)
    path = pipeline.predict_bundle(workspace, args.bundle, args.predictions, budget=args.budget, replace=args.replace)
    _print_paths([path])


def _run_run(args: argparse.Namespace) -> None:
    from lo2core import pipeline
    from lo2core.store import Workspace

    workspace = Workspace(args.output_dir)
    paths = pipeline.run(
        workspace,
        args.root,
        options_of(args),
        _recipe_of(args),
        args.bundle,
        service=args.service,
        jobs=args.jobs,
        save_events=args.save_events,
        replace=args.replace,
    )
    _print_paths(paths)


def _run_explain(args: argparse.Namespace) -> None:
    from lo2core import answers, bundles, spoken
    from lo2core.store import Workspace

    workspace = Workspace(args.output_dir)
    predictions = answers.read_predictions(workspace, args.predictions)
    bundle = bundles.load_bundle(args.bundle) if args.bundle else answers.bundle_of(workspace, args.predictions)
    evidence = answers.evidence(workspace, bundle)
    chosen = (
        [answers.Incident.parse(args.incident)] if args.incident else answers.worst_incidents(predictions, args.top)
    )
    explained = [answers.explain_incident(evidence, predictions, one, args.predictions) for one in chosen]
    for one in explained:
        print(spoken.incident(one))
        _print_paths([path for path in answers.keep_incident(workspace, evidence, one) if path.suffix == ".html"])
    if len(explained) > 1:
        paths = answers.keep_prediction(workspace, evidence, predictions, explained)
        _print_paths([path for path in paths if path.suffix == ".html"])


def _run_compare(args: argparse.Namespace) -> None:
    from lo2core import answers, spoken
    from lo2core.store import Workspace

    workspace = Workspace(args.output_dir)
    comparison = answers.compared(workspace, args.predictions)
    print(spoken.comparison(comparison))
    paths = answers.keep_comparison(workspace, comparison)
    _print_paths([path for path in paths if path.suffix == ".html"])


def _run_evaluate(args: argparse.Namespace) -> None:
    from lo2core import pipeline
    from lo2core.evaluate import Protocol, read_concerns, recipes
    from lo2core.scoreboard import as_text
    from lo2core.store import Workspace
    from lo2core.tables import Evaluation

    concerns = read_concerns(args.concerns) if args.concerns else None
    protocol = Protocol(tuple(args.apart), concerns, args.train_share, args.fault_groups)
    chosen = recipes(args.detector, args.items, args.unit, args.budget)
    workspace = Workspace(args.output_dir)
    print(as_text(pipeline.evaluate_recipes(workspace, chosen, protocol, replace=args.replace)))
    _print_paths([workspace.path(Evaluation)])


def _run_trust(args: argparse.Namespace) -> None:
    from lo2core import bundles

    facts = bundles.vouch(args.bundle).model.facts
    print(f"{args.bundle} is signed now: {facts['detector']}, services {', '.join(facts['services'])}.")


def _run_sample(args: argparse.Namespace) -> None:
    from lo2core.sample import write_sample

    print(write_sample(args.output_dir, args.seed))


def _run_demo(args: argparse.Namespace) -> None:
    from lo2core import pipeline
    from lo2core.store import Workspace

    _print_paths(pipeline.demo(Workspace(args.output_dir)))


def _recipe_of(args: argparse.Namespace) -> Recipe:
    from lo2core.train import Recipe

    recipe = Recipe(args.detector, args.items, args.unit, args.weighting, args.budget)
    args.bundle = args.bundle or recipe.default_bundle
    return recipe


def _print_paths(paths: Sequence[Path]) -> None:
    for path in paths:
        print(path)


_COMMANDS: tuple[tuple[str, str, Callable[[argparse.Namespace], None], tuple[_Options, ...]], ...] = (
    (
        "load",
        "Read logs: events, sequences, counts and a ledger of every line.",
        _run_load,
        (_source, _load_only, _output),
    ),
    ("enhance", "Save every event with its words, trigrams, lengths and template.", _run_enhance, (_masks, _output)),
    (
        "train",
        "Fit a detector on the normal sequences and save it as a signed bundle.",
        _run_train,
        (_recipe, _bundle, _output),
    ),
    ("predict", "Score a workspace with a saved bundle, without training.", _run_predict, (_predictions, _output)),
    ("run", "Load, train and predict in one go.", _run_run, (_source, _recipe, _bundle, _output)),
    ("explain", "Say which items and lines made the score of an incident.", _run_explain, (_explain,)),
    ("compare", "Set saved predictions side by side.", _run_compare, (_compare,)),
    (
        "evaluate",
        "Measure detectors on runs they were not trained on, beside what shortcuts alone would score.",
        _run_evaluate,
        (_evaluation, _output),
    ),
    ("trust", "Vouch for a bundle: load it, check it, sign it.", _run_trust, (_trusted,)),
    ("sample", "Write a small synthetic LO2 folder.", _run_sample, (_sample,)),
    ("demo", "Make, train on and score the sample, where that is not done yet.", _run_demo, (_demo,)),
)


if __name__ == "__main__":
    sys.exit(main())
