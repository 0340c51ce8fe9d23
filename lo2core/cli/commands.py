"""The command line: ``python -m lo2core <stage>``. Parses, calls `pipeline`, prints what was written."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

from lo2core.base.errors import InputError, Lo2Error
from lo2core.cli import options as cli_options
from lo2core.cli.options import Parser, options_of, recipe_of
from lo2core.pipeline.jobs import reporting
from lo2core.pipeline.lock import workspace_lock

_Flags = Callable[[argparse.ArgumentParser], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 with one sentence on standard error when it could not."""
    try:
        with reporting():
            args = parser().parse_args(_readable(sys.argv[1:] if argv is None else argv))
            writes = args.writes and not getattr(args, "dry_run", False)
            with workspace_lock(args.output_dir) if writes else nullcontext():
                args.call(args)
    except Lo2Error as error:
        print(f"lo2core: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("lo2core: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0


def _readable(argv: Sequence[str]) -> Sequence[str]:
    """The arguments; raises InputError for one that is no text, since it could not be recorded."""
    for argument in argv:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode("utf-8", "backslashreplace").decode()
            raise InputError(f"{shown} is a name that is not UTF-8: rename it, or give the folder above it.") from None
    return argv


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


def _run_load(args: argparse.Namespace) -> None:
    from lo2core.base.schemas import Events
    from lo2core.load import loader
    from lo2core.load import plan as load_plan
    from lo2core.pipeline.load import load_logs
    from lo2core.store.workspace import Workspace

    options = options_of(args)
    if args.dry_run:
        with loader.unpacked(args.root) as roots:
            plan = load_plan.plan(roots, options, args.service)
            print(plan.sentence())
            if args.head:
                print(loader.head(plan, options, args.head))
        return
    workspace = Workspace(args.output_dir)
    loaded = load_logs(
        workspace,
        args.root,
        options,
        service=args.service,
        default_masks=args.default_masks,
        jobs=args.jobs,
        save_events=args.save_events,
        append=args.append,
        replace=args.replace,
    )
    print(loaded.sentence())
    _print_paths(loaded.paths)
    if args.head and args.save_events:
        print(workspace.scan(Events).head(args.head).collect())
    elif args.head:
        print("--head has no event to show: with --no-save-events none is saved. Add --dry-run.", file=sys.stderr)


def _run_enhance(args: argparse.Namespace) -> None:
    from lo2core.pipeline.enhance import enhance_events
    from lo2core.pipeline.inputs import extended_masker
    from lo2core.store.workspace import Workspace

    workspace = Workspace(args.output_dir)
    masker = extended_masker(workspace, args.mask)
    _print_paths([enhance_events(workspace, masker=masker, replace=args.replace)])


def _run_train(args: argparse.Namespace) -> None:
    from lo2core.pipeline.train import train_bundle
    from lo2core.store.workspace import Workspace

    workspace = Workspace(args.output_dir)
    recipe = recipe_of(args)
    bundle = args.bundle or recipe.default_bundle
    _print_paths([train_bundle(workspace, recipe, bundle, replace=args.replace)])


def _run_predict(args: argparse.Namespace) -> None:
    from lo2core.pipeline.predict import predict_logs
    from lo2core.store.workspace import Workspace

    workspace = Workspace(args.output_dir)
    path = predict_logs(workspace, args.bundle, args.predictions, budget=args.budget, replace=args.replace)
    _print_paths([path])


def _run_run(args: argparse.Namespace) -> None:
    from lo2core.pipeline.run import run
    from lo2core.store.workspace import Workspace

    workspace, recipe = Workspace(args.output_dir), recipe_of(args)
    paths = run(
        workspace,
        args.root,
        options_of(args),
        recipe,
        args.bundle or recipe.default_bundle,
        service=args.service,
        default_masks=args.default_masks,
        jobs=args.jobs,
        save_events=args.save_events,
        replace=args.replace,
    )
    _print_paths(paths)


def _run_explain(args: argparse.Namespace) -> None:
    from lo2core.explain.explanation import Incident, explain_incident, worst_incidents
    from lo2core.pipeline import explain
    from lo2core.pipeline.explain import bundle_of, keep_incident, keep_prediction, made_by_another
    from lo2core.report import terminal
    from lo2core.store import bundles
    from lo2core.store.predictions import home_of, read_predictions
    from lo2core.store.workspace import Workspace

    workspace, name = home_of(Workspace(args.output_dir), args.predictions)
    predictions = read_predictions(workspace, name)
    bundle = bundles.load_bundle(args.bundle) if args.bundle else bundle_of(workspace, name)
    evidence = explain.evidence(workspace, bundle)
    for sentence in filter(None, (made_by_another(workspace, name, bundle.path), evidence.remark)):
        print(sentence, file=sys.stderr)
    chosen = [Incident.parse(args.incident)] if args.incident else worst_incidents(predictions, args.top)
    explained = [explain_incident(evidence, predictions, one, name) for one in chosen]
    for one in explained:
        print(terminal.incident(one))
        _print_paths([path for path in keep_incident(workspace, evidence, one) if path.suffix == ".html"])
    if len(explained) > 1:
        paths = keep_prediction(workspace, evidence, predictions, explained)
        _print_paths([path for path in paths if path.suffix == ".html"])


def _run_compare(args: argparse.Namespace) -> None:
    from lo2core.pipeline import compare
    from lo2core.report import terminal
    from lo2core.store.workspace import Workspace

    workspace = Workspace(args.output_dir)
    comparison = compare.compare_predictions(workspace, args.predictions)
    print(terminal.comparison(comparison))
    paths = compare.save_comparison(workspace, comparison)
    _print_paths([path for path in paths if path.suffix == ".html"])


def _run_evaluate(args: argparse.Namespace) -> None:
    from lo2core.base.schemas import Evaluation
    from lo2core.detect.evaluation.evaluate import Protocol, read_concerns, recipes
    from lo2core.pipeline.evaluate import evaluate_recipes
    from lo2core.report.scoreboard import as_text
    from lo2core.store.workspace import Workspace

    concerns = read_concerns(args.concerns) if args.concerns else None
    protocol = Protocol(tuple(args.apart), concerns, args.train_share, args.fault_groups)
    chosen = recipes(args.detector, args.items, args.unit, args.budget, args.weighting)
    workspace = Workspace(args.output_dir)
    print(as_text(evaluate_recipes(workspace, chosen, protocol, replace=args.replace)))
    _print_paths([workspace.path(Evaluation)])


def _run_trust(args: argparse.Namespace) -> None:
    from lo2core.store import bundles

    facts = bundles.vouch(args.bundle).model.facts
    print(f"{args.bundle} is signed now: {facts['detector']}, services {', '.join(facts['services'])}.")


def _run_sample(args: argparse.Namespace) -> None:
    from lo2core.load.synthetic import write_sample

    print(write_sample(args.output_dir, args.seed))


def _run_demo(args: argparse.Namespace) -> None:
    from lo2core.pipeline.run import demo
    from lo2core.store.workspace import Workspace

    _print_paths(demo(Workspace(args.output_dir)))


def _run_dashboard(args: argparse.Namespace) -> None:
    from lo2core.store.workspace import Workspace
    from lo2core.ui import serve

    workspace = Workspace(args.output_dir) if args.output_dir else None
    serve.serve(workspace, args.port, browser=not args.no_browser)


def _print_paths(paths: Sequence[Path]) -> None:
    for path in paths:
        print(path)


_COMMANDS: tuple[tuple[str, str, Callable[[argparse.Namespace], None], tuple[_Flags, ...]], ...] = (
    (
        "load",
        "Read logs: events, sequences, counts and a ledger of every line.",
        _run_load,
        (cli_options.source, cli_options.reading, cli_options.load_only, cli_options.output),
    ),
    (
        "enhance",
        "Save every event with its words, trigrams, lengths and template.",
        _run_enhance,
        (cli_options.masks, cli_options.output),
    ),
    (
        "train",
        "Fit a detector on the normal sequences and save it as a signed bundle.",
        _run_train,
        (cli_options.recipe, cli_options.bundle, cli_options.output),
    ),
    (
        "predict",
        "Score a workspace with a saved bundle, without training.",
        _run_predict,
        (cli_options.predictions, cli_options.output),
    ),
    (
        "run",
        "Load, train and predict in one go.",
        _run_run,
        (cli_options.source, cli_options.reading, cli_options.recipe, cli_options.bundle, cli_options.output),
    ),
    ("explain", "Say which items and lines made the score of an incident.", _run_explain, (cli_options.explain,)),
    ("compare", "Set saved predictions side by side.", _run_compare, (cli_options.compare,)),
    (
        "evaluate",
        "Measure detectors on runs they were not trained on, beside what shortcuts alone would score.",
        _run_evaluate,
        (cli_options.evaluation, cli_options.output),
    ),
    ("trust", "Vouch for a bundle: load it, check it, sign it.", _run_trust, (cli_options.trusted,)),
    ("sample", "Write a small synthetic LO2 folder.", _run_sample, (cli_options.sample,)),
    ("demo", "Make, train on and score the sample, where that is not done yet.", _run_demo, (cli_options.demo,)),
    ("dashboard", "Open the dashboard in the browser.", _run_dashboard, (cli_options.dashboard,)),
)


def run_as_program() -> NoReturn:
    """What ``python -m lo2core`` and the script ``lo2core`` do. SIGTERM ends a command as Ctrl-C does: tidily."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
