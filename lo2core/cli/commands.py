"""The command line: ``python -m lo2core <stage>``. Parses, calls `pipeline`, prints what was written."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from lo2core.base.disk import writing
from lo2core.base.errors import InputError, Lo2Error
from lo2core.base.text import command as command_text
from lo2core.base.text import visible
from lo2core.pipeline import queue
from lo2core.pipeline.lock import workspace_lock
from lo2core.pipeline.progress import tell
from lo2core.pipeline.recovery import clean_up
from lo2core.pipeline.signals import INTERRUPTED, STOPPED, end_on_signals, is_stopped
from lo2core.pipeline.worker import reporting

if TYPE_CHECKING:
    from lo2core.pipeline import commands
    from lo2core.store.workspace import Workspace


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 with one sentence on standard error when it could not."""
    try:
        with reporting(), writing():
            _run(_readable(sys.argv[1:] if argv is None else argv))
            _flush()
    except BaseException as error:
        return _status_after(error)
    return 0


def _status_after(error: BaseException) -> int:
    """The exit status of a command that an error ended, after telling it; raises what is neither of these."""
    if is_stopped() or isinstance(error, KeyboardInterrupt):
        with suppress(OSError):  # there may be no standard error
            _say(STOPPED, file=sys.stderr)
        return INTERRUPTED
    if isinstance(error, Lo2Error):
        tell(f"lo2core: {error}")
        return 2
    if isinstance(error, BrokenPipeError):  # whoever read what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    raise error


def _say(what: object, file: TextIO | None = None) -> None:
    """Print, with control characters made visible: a terminal would obey those of a log."""
    print(visible(str(what)), file=file)


def _say_shared(text: str, secrets: bool) -> None:
    """Print log lines, with secrets masked unless `secrets` is true: what is printed is often kept and sent."""
    from lo2core.messages.secrets import masked_text

    _say(text if secrets else masked_text(text))


def _flush() -> None:
    """Write out what was printed now, while it can still be reported that this fails."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python fails again at its end
        raise


def _run(argv: Sequence[str]) -> None:
    from lo2core.cli.options import parse  # not before a job has the lock that its server waits for

    command = parse(argv)
    if command.used_workspace:
        _check_workspace(command.used_workspace)
    work = command.work()
    with workspace_lock(work.output_dir, work) if command.writes else nullcontext():
        clean_up(work)
        from lo2core.store.parquet import intact  # imports polars: not before the workspace is held

        with intact(work.output_dir), writing():  # a full disk is no damage
            _RUN[command.stage()](command)


def _check_workspace(folder: Path) -> None:
    """Raises InputError if there is no such folder; what else may be wrong with it is found where it is used."""
    try:
        if stat.S_ISDIR(folder.stat().st_mode):
            return
        raise InputError(f"{folder} is not a folder, so it cannot be a workspace. Name another one with --output-dir.")
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        return
    load = command_text(["load", "--root", "LOGS", "--output-dir", folder])
    raise InputError(
        f"The workspace {folder} does not exist yet. Load logs into it with `{load}`, or name another one with "
        "--output-dir."
    )


def _readable(argv: Sequence[str]) -> Sequence[str]:
    """The arguments; raises InputError for one that is no text, since it could not be recorded."""
    for argument in argv:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode("utf-8", "backslashreplace").decode()
            raise InputError(f"{shown} is a name that is not UTF-8: rename it, or give the folder above it.") from None
    return argv


def _run_load(command: commands.Load) -> None:
    from lo2core.base.schemas import Events
    from lo2core.base.text import plural
    from lo2core.load import loader, verdict
    from lo2core.load import plan as load_plan
    from lo2core.load.sampling import sampled_ledger
    from lo2core.pipeline.formats import with_formats
    from lo2core.pipeline.load import load_logs
    from lo2core.store.workspace import Workspace

    options = with_formats(Workspace(command.output_dir), command.options, command.like)
    if command.dry_run:
        damages: dict[Path, str] = {}
        with loader.unpacked(command.root, damages=damages) as roots:
            plan = load_plan.plan(roots, options, command.service).with_damages(damages)
            _say(plan.sentence())
            ledger = sampled_ledger(plan, options)
            if ledger.height:
                _say(f"By the first lines of {plural(ledger.height, 'log')}:")
                _say(verdict.by_service(ledger))
                _say(verdict.not_read_well(ledger))
            if command.head:
                _say(loader.head(plan, options, command.head))
        return
    workspace = Workspace(command.output_dir)
    loaded = load_logs(
        workspace,
        command.root,
        options,
        **_how_to_load(command),
        append=command.append,
        replace=command.replace,
    )
    _say(loaded.sentence())
    _print_paths(loaded.paths)
    if command.head and command.save_events:
        _say(workspace.collect(workspace.scan(Events).head(command.head)))
    elif command.head:
        _say("--head has no event to show: with --no-save-events none is saved. Add --dry-run.", file=sys.stderr)


def _how_to_load(command: commands.Load | commands.Score | commands.Run) -> dict[str, Any]:
    """The options that all commands which load logs have, for `load_logs`."""
    names = ("service", "like", "default_masks", "jobs", "cluster", "save_events", "strict")
    return {name: getattr(command, name) for name in names}


def _run_enhance(command: commands.Enhance) -> None:
    from lo2core.pipeline.enhance import enhance_events
    from lo2core.pipeline.inputs import extended_masker
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    masker = extended_masker(workspace, command.mask)
    _print_paths([enhance_events(workspace, masker=masker, replace=command.replace)])


def _run_train(command: commands.Train) -> None:
    from lo2core.pipeline.bundles import default_bundle, open_bundle
    from lo2core.pipeline.train import train_bundle
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    recipe = command.recipe
    bundle = command.bundle or default_bundle(workspace, recipe)
    path = train_bundle(workspace, recipe, bundle, replace=command.replace)
    if note := open_bundle(path).model.threshold.note:
        _say(note, file=sys.stderr)
    _print_paths([path])


def _run_predict(command: commands.Predict) -> None:
    from lo2core.pipeline.predict import predict_logs
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    path = predict_logs(
        workspace,
        command.bundle,
        command.predictions,
        budget=command.budget,
        cluster=command.cluster,
        replace=command.replace,
    )
    _print_remarks(workspace, command.bundle, path.stem, command.budget)
    _print_paths([path])


def _print_remarks(workspace: Workspace, bundle: Path, predictions: str, budget: float | None = None) -> None:
    """What to know before using predictions: versions of libraries, an estimated threshold, the fitness."""
    from lo2core.pipeline.bundles import open_bundle
    from lo2core.pipeline.predict import recorded_fitness

    opened, fits = open_bundle(bundle), recorded_fitness(workspace, predictions)
    threshold = opened.model.threshold if budget is None else opened.model.threshold_at(budget)
    for sentence in filter(None, (*opened.warnings, threshold.note, fits.sentence if fits else "")):
        _say(sentence, file=sys.stderr)


def _run_score(command: commands.Score) -> None:
    from lo2core.pipeline.score import score_logs
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    paths = score_logs(
        workspace,
        command.root,
        command.options,
        command.bundle,
        command.predictions,
        **_how_to_load(command),
        replace=command.replace,
    )
    _print_remarks(workspace, command.bundle, paths[-1].stem)
    _print_paths(paths)


def _run_run(command: commands.Run) -> None:
    from lo2core.pipeline.bundles import default_bundle
    from lo2core.pipeline.run import run
    from lo2core.store.workspace import Workspace

    workspace, recipe = Workspace(command.output_dir), command.recipe
    bundle = command.bundle or default_bundle(workspace, recipe)
    paths = run(
        workspace,
        command.root,
        command.options,
        recipe,
        bundle,
        **_how_to_load(command),
        replace=command.replace,
    )
    _print_remarks(workspace, bundle, paths[-1].stem)
    _print_paths(paths)


def _run_watch(command: commands.Watch) -> None:
    from lo2core.pipeline.watch import Watch, slot
    from lo2core.store.workspace import Workspace

    with workspace_lock(slot(command.output_dir), command.work()):
        watch = Watch(
            Workspace(command.output_dir),
            command.root,
            command.bundle,
            command.predictions,
            command.options,
            service=command.service,
            settle=command.settle,
            jobs=command.jobs,
        )
        watch.run()


def _run_search(command: commands.Search) -> None:
    from lo2core.pipeline import search
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    logs = workspace.sample(command.sample) if command.sample else workspace
    if command.count:
        _say(search.count_lines(logs, command.wanted))
        return
    found = search.find_lines(logs, command.wanted, command.skip, command.limit + 1)
    shown = found.head(command.limit)
    rows = zip(shown["source"], shown["line_no"], search.raw_lines(logs, shown), strict=True)
    if lines := [f"{source}:{line_no}: {text}" for source, line_no, text in rows]:
        _say_shared("\n".join(lines), command.with_secrets)
    if found.height > shown.height:
        _say(f"There are more: --skip {command.skip + command.limit} prints the next ones.", file=sys.stderr)
    elif not lines:
        _say("No event was found.", file=sys.stderr)


def _run_explain(command: commands.Explain) -> None:
    from lo2core.detect.incidents import Incident, worst_incidents
    from lo2core.explain.explanation import explain_incident
    from lo2core.pipeline import explain
    from lo2core.pipeline.bundles import open_bundle
    from lo2core.pipeline.explain import bundle_of, keep_incident, keep_prediction, made_by_another
    from lo2core.report import terminal
    from lo2core.store.predictions import home_of, read_predictions
    from lo2core.store.workspace import Workspace

    workspace, name = home_of(Workspace(command.output_dir), command.predictions)
    predictions = read_predictions(workspace, name)
    bundle = open_bundle(command.bundle) if command.bundle else bundle_of(workspace, name)
    evidence = explain.evidence(workspace, bundle)
    changed = explain.of_other_logs(workspace, name), made_by_another(workspace, name, bundle.path)
    for sentence in filter(None, (*bundle.warnings, *changed, evidence.remark)):
        _say(sentence, file=sys.stderr)
    chosen = [Incident.parse(command.incident)] if command.incident else worst_incidents(predictions, command.top)
    explained = [explain_incident(evidence, predictions, one, name) for one in chosen]
    for one in explained:
        _say_shared(terminal.incident(one), command.with_secrets)
        paths = keep_incident(workspace, evidence, one, command.with_secrets)
        _print_paths([path for path in paths if path.suffix == ".html"])
    if len(explained) > 1:
        paths = keep_prediction(workspace, evidence, predictions, explained, command.with_secrets)
        _print_paths([path for path in paths if path.suffix == ".html"])


def _run_groups(command: commands.Groups) -> None:
    from lo2core.pipeline import groups, triage
    from lo2core.pipeline.bundles import open_bundle
    from lo2core.report import terminal
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    bundle = open_bundle(command.bundle) if command.bundle else None
    found = groups.groups_of(workspace, command.predictions, bundle)
    judged = triage.judged(workspace, found)
    _say_shared(terminal.groups(judged), command.with_secrets)
    _print_paths(groups.save_groups(workspace, command.predictions, found, command.with_secrets))


def _run_triage(command: commands.Triage) -> None:
    from lo2core.pipeline import groups, triage
    from lo2core.pipeline.bundles import open_bundle
    from lo2core.report import terminal
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    bundle = open_bundle(command.bundle) if command.bundle else None
    found = groups.groups_of(workspace, command.predictions, bundle)
    triage.note(workspace, found, command)
    judged = triage.judged(workspace, found)
    _say_shared(terminal.groups(judged), secrets=False)
    if command.csv:
        _print_paths([groups.export(judged, command.csv, replace=command.replace)])


def _run_compare(command: commands.Compare) -> None:
    from lo2core.pipeline import compare
    from lo2core.report import terminal
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    comparison = compare.compare_predictions(workspace, command.names)
    _say_shared(terminal.comparison(comparison), command.with_secrets)
    paths = compare.save_comparison(workspace, comparison, command.with_secrets)
    _print_paths([path for path in paths if path.suffix == ".html"])


def _run_evaluate(command: commands.Evaluate) -> None:
    from lo2core.base.schemas import Evaluation
    from lo2core.detect.evaluation.evaluate import EvaluationProtocol, read_concerns, recipes
    from lo2core.pipeline.evaluate import evaluate_recipes
    from lo2core.report.scoreboard import as_text
    from lo2core.store.workspace import Workspace

    concerns = read_concerns(command.concerns) if command.concerns else None
    protocol = EvaluationProtocol(command.apart, concerns, command.train_share, command.fault_groups)
    chosen = recipes(command.detector, command.items, command.unit, command.budget, command.weighting)
    workspace = Workspace(command.output_dir)
    figures = evaluate_recipes(
        workspace, chosen, protocol, jobs=command.jobs, cluster=command.cluster, replace=command.replace
    )
    _say(as_text(figures))
    _print_paths([workspace.path(Evaluation)])


def _run_trust(command: commands.Trust) -> None:
    from lo2core.pipeline.bundles import vouch

    loaded = vouch(command.bundle)
    for sentence in loaded.warnings:
        _say(sentence, file=sys.stderr)
    detector = loaded.facts.get("detector", "detector not recorded")
    _say(f"{command.bundle} is signed now: {detector}, services {', '.join(loaded.model.detectors)}.")


def _run_artefacts(command: commands.Artefacts) -> None:
    from lo2core.base.text import size
    from lo2core.pipeline import manage
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    _check_workspace_or_trash(workspace)
    for entry in manage.entries(workspace):
        note = f"  {entry.note}" if entry.note else ""
        _say(f"{entry.kind:<12} {size(entry.bytes):>9}  {entry.name}{note}")
    for gone in manage.trashed(workspace):
        _say(f"{'trash':<12} {size(gone.bytes):>9}  {gone.id}  {gone.kind} {gone.name}")


def _check_workspace_or_trash(workspace: Workspace) -> None:
    """As `_check_workspace`; a workspace that does not exist may have been deleted, and can then be restored."""
    from lo2core.pipeline import manage

    if not any(gone.kind == manage.WORKSPACE for gone in manage.trashed(workspace)):
        _check_workspace(workspace.root)


def _run_rename(command: commands.Rename) -> None:
    from lo2core.pipeline import manage
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    entry = manage.chosen(workspace, command.kind, command.name)
    _say(f"The {entry.kind} {entry.name} is called {manage.rename(workspace, entry, command.new_name)} now.")


def _run_note(command: commands.Note) -> None:
    from lo2core.pipeline import manage
    from lo2core.store.workspace import Workspace

    manage.annotate(manage.chosen(Workspace(command.output_dir), command.kind, command.name), command.text)


def _run_delete(command: commands.Delete) -> None:
    from lo2core.pipeline import manage
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    entry = manage.chosen(workspace, command.kind, command.name)
    gone = manage.delete(workspace, entry, even_if_used=command.even_if_used)
    _say(f"The {gone.kind} {gone.name} is in the trash as {gone.id}: `restore` brings it back.")


def _run_restore(command: commands.Restore) -> None:
    from lo2core.pipeline import manage
    from lo2core.store.workspace import Workspace

    workspace = Workspace(command.output_dir)
    _check_workspace_or_trash(workspace)
    entry = manage.restore(workspace, command.id)
    _say(f"The {entry.kind} {entry.name} is back.")


def _run_sample(command: commands.Sample) -> None:
    from lo2core.load.synthetic import write_sample

    _say(write_sample(command.output_dir, command.seed))


def _run_demo(command: commands.Demo) -> None:
    from lo2core.pipeline.run import demo
    from lo2core.store.workspace import Workspace

    _print_paths(demo(Workspace(command.output_dir)))


def _run_dashboard(command: commands.Dashboard) -> None:
    from lo2core.store.workspace import Workspace
    from lo2core.ui import serve

    workspace = Workspace(command.output_dir) if command.output_dir else None
    serve.serve(workspace, command.port, browser=not command.no_browser)


def _run_mcp(command: commands.Mcp) -> None:
    if find_spec("mcp") is None:
        raise InputError("The package mcp is not installed: run `pip install 'lo2core[mcp]'`.")
    from lo2core.cli.mcp_server import server

    server(command).run("stdio")


def _print_paths(paths: Sequence[Path]) -> None:
    for path in paths:
        _say(path)


_RUN: dict[str, Callable[[Any], None]] = {
    "load": _run_load,
    "enhance": _run_enhance,
    "train": _run_train,
    "predict": _run_predict,
    "score": _run_score,
    "run": _run_run,
    "watch": _run_watch,
    "search": _run_search,
    "explain": _run_explain,
    "groups": _run_groups,
    "triage": _run_triage,
    "compare": _run_compare,
    "evaluate": _run_evaluate,
    "trust": _run_trust,
    "artefacts": _run_artefacts,
    "rename": _run_rename,
    "note": _run_note,
    "delete": _run_delete,
    "restore": _run_restore,
    "sample": _run_sample,
    "demo": _run_demo,
    "dashboard": _run_dashboard,
    "mcp": _run_mcp,
}


def run_as_program() -> NoReturn:
    """What ``python -m lo2core`` and the script ``lo2core`` do. SIGTERM ends a command as Ctrl-C does: tidily."""
    try:
        end_on_signals(when_ended=queue.begin_after_kill)
        status = main()
        with suppress(OSError):
            sys.stdout.flush()  # while a signal still ends this, should nobody read the pipe
    except KeyboardInterrupt as error:  # before or after the work
        status = _status_after(error)
    sys.exit(status)
