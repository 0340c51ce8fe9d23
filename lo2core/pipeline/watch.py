"""Watches folders of logs: loads and scores new test cases when they are complete.

Nothing of the state is in memory: what is loaded, and as what, is in the workspace, so that the watch can be killed and
started again at any time. It runs in a slot of its own, `<workspace>/.job/watch/`, as a job that does not hold the
workspace. It takes the lock of the workspace for each batch only, and lets other commands go first.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from lo2core.base.clock import local, now
from lo2core.base.errors import BusyError, ExistsError, InputError, Lo2Error
from lo2core.base.schemas import INCIDENT_KEY, Events, Sequences
from lo2core.base.text import plural
from lo2core.detect.fitness import FITS
from lo2core.detect.incidents import flagged, per_incident
from lo2core.load import plan as load_plan
from lo2core.load.append import Case, Growth
from lo2core.load.plan import LoadOptions
from lo2core.load.walk import as_path
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.formats import with_formats
from lo2core.pipeline.growth import growth_of, root_paths
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.lock import held_between_jobs, job_folder
from lo2core.pipeline.predict import predict_logs, recorded_fitness
from lo2core.pipeline.progress import tell
from lo2core.pipeline.provenance import fingerprint_of
from lo2core.pipeline.settling import Settling, notices
from lo2core.store.predictions import read_predictions
from lo2core.store.workspace import Workspace

BATCH_BYTES = 256 << 20
"""Bytes of logs that are loaded at a time: the workspace is held for some seconds only."""
_PAUSE_S = 0.5
"""Pause between two batches, in which a command that waits takes the workspace."""


def slot(workspace: str | os.PathLike[str]) -> Path:
    """The folder in which `jobs` and `lock` keep the watch of a workspace, as if it were a workspace."""
    return job_folder(workspace) / "watch"


@dataclass
class Watch:
    """A watch of folders: `look` loads and scores what is complete.

    roots: folders, or files that are replaced. bundle: the model. name: of the predictions, which are replaced after
    each batch; None takes `<bundle>_predictions`. options: which logs are read, and how; windows and lines to skip are
    those of the workspace, or of the model if the workspace is empty. settle: seconds without a change after which a
    test case folder is complete. Raises InputError for a root that does not exist, ExistsError if the predictions were
    made by another model, and as `open_bundle`.
    """

    workspace: Workspace
    roots: Sequence[Path]
    bundle: Path
    name: str | None = None
    options: LoadOptions = field(default_factory=LoadOptions)
    service: str | None = None
    settle: float = 60.0
    jobs: int = 2

    def __post_init__(self) -> None:
        self.roots = [as_path(root) for root in self.roots]
        if missing := [root for root in self.roots if not root.exists()]:
            raise InputError(f"{missing[0]} does not exist. Give the folder in which the logs appear.")
        if not self.settle >= 0:
            raise InputError(f"settle must be at least 0 seconds, found {self.settle:g}.")
        self.name = self.name or f"{self.bundle.stem}_predictions"
        self._settling = Settling(self.settle)
        self._told = ""
        self._check_predictions()

    def run(self) -> None:
        """Watch until the process is stopped."""
        tell(f"Watching {', '.join(map(str, self.roots))}: test cases are scored {self.settle:g} s after their end.")
        if note := open_bundle(self.bundle).model.threshold.note:
            tell(note)
        with notices(self.roots, min(max(self.settle / 4, 0.1), 5.0)) as noticed:
            while True:
                noticed.wait(pending=self.look())

    def look(self) -> bool:
        """Load and score what is complete; returns whether something is left for the next look."""
        try:
            return self._batches()
        except BusyError:
            return True
        except Lo2Error as error:  # such as a folder without logs, or a full disk: it may be better later
            self._tell(f"Nothing was done: {error}")
            return False

    def _batches(self) -> bool:
        options = self._options()
        while True:
            plan = load_plan.plan(self.roots, options, self.service, growing=True)
            grown = self._growth(plan, options)
            self._settling.look((plan if grown is None else grown.found).chosen)
            logs = plan if grown is None else grown.plan
            waiting = {(file.run, file.folder) for file in logs.chosen}
            complete = self._first(logs, [case for case in waiting if self._settling.complete(case)])
            if not complete and not self._is_behind():
                return bool(waiting)
            with held_between_jobs(self.workspace):
                self._batch(options, complete, grown)
            time.sleep(_PAUSE_S)

    def _batch(self, options: LoadOptions, cases: Collection[Case], grown: Growth | None) -> None:
        """Load test case folders, then score all logs; what was loaded but not scored is scored by the next look."""
        again = {case for case in cases if grown and case in grown.replaced}
        if cases:
            load_logs(
                self.workspace,
                list(self.roots),
                options,
                service=self.service,
                jobs=self.jobs,
                like=None if self.workspace.has(Sequences) else self.bundle,
                save_events=not self.workspace.has(Sequences) or self.workspace.has(Events),
                append=self.workspace.has(Sequences),
                cases=cases,
            )
        self._check_predictions()
        predict_logs(self.workspace, self.bundle, self.name, replace=True)
        self._tell(self._account(cases, again))

    def _account(self, cases: Collection[Case], again: Collection[Case]) -> str:
        incidents = per_incident(
            read_predictions(self.workspace, str(self.name), [*INCIDENT_KEY, "test_case", "pred_ano"]), flagged()
        )
        of_these = incidents.filter(pl.struct("run", "folder").is_in([{"run": r, "folder": f} for r, f in cases]))
        flags = of_these.filter("pred_ano").select("run", "folder").unique().sort("run", "folder").rows()
        words = [f"Scored {plural(len(cases), 'test case')}, {len(flags)} flagged{_listed(flags)}."]
        if again:
            words.append(f"Scored again, since logs were added after scoring: {_named(again)}.")
        words.append(f"{self.name} now has {plural(incidents.height, 'incident')}.")
        fits = recorded_fitness(self.workspace, str(self.name))
        if fits and fits.verdict != FITS:
            words.append(fits.sentence)
        return " ".join(words)

    def _first(self, logs: load_plan.Plan, complete: Collection[Case]) -> set[Case]:
        """The first of the complete test case folders, up to `BATCH_BYTES`."""
        sizes: dict[Case, int] = defaultdict(int)
        for file in logs.chosen:
            if (file.run, file.folder) in complete:
                sizes[file.run, file.folder] += file.text_bytes
        chosen: set[Case] = set()
        total = 0
        for case, size in sizes.items():
            if chosen and total + size > BATCH_BYTES:
                break
            chosen.add(case)
            total += size
        return chosen

    def _growth(self, plan: load_plan.Plan, options: LoadOptions) -> Growth | None:
        """What is not loaded yet; None if nothing is loaded."""
        if not self.workspace.has(Sequences):
            return None
        return growth_of(self.workspace.snapshot(), plan, root_paths(self.roots, self.roots), options)

    def _options(self) -> LoadOptions:
        """The options, with the windows and skipped lines of what is loaded, or of the model's logs."""
        if self.workspace.has(Sequences):
            saved = self.workspace.metadata(Sequences).get("options", {})
            how = {name: saved[name] for name in ("window", "skip_init_lines") if name in saved}
            return with_formats(self.workspace, replace(self.options, **how))
        window = open_bundle(self.bundle).facts.get("window", self.options.window)
        return with_formats(self.workspace, replace(self.options, window=window), self.bundle)

    def _is_behind(self) -> bool:
        """Whether the loaded logs are not those of the predictions: a watch was killed, or other logs were added."""
        if not self.workspace.has(Sequences):
            return False
        made = self.workspace.metadata(str(self.name))
        return made.get("data_fingerprint") != fingerprint_of(self.workspace)

    def _check_predictions(self) -> None:
        """Raises ExistsError if the predictions were made by another model."""
        made = self.workspace.metadata(str(self.name))
        known = made.get("bundle_sha256") == open_bundle(self.bundle).manifest.get("sha256")
        if self.workspace.has(str(self.name)) and not known:
            raise ExistsError(
                f"{self.workspace.path(str(self.name))} was not made by {self.bundle.name} and was not changed: give "
                "another name with --predictions."
            )

    def _tell(self, line: str) -> None:
        """Print a line with the time, unless it was the last one."""
        if line != self._told:
            self._told = line
            tell(f"{local(now()):%H:%M:%S} {line}")


def _listed(cases: Sequence[tuple[str, str]]) -> str:
    return f" ({_named(cases)})" if cases else ""


def _named(cases: Collection[Case]) -> str:
    names = sorted(f"{run}/{folder}" for run, folder in cases)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
