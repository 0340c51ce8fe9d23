"""Saved models on pages: opened once and shared by all sessions; how to choose one, and what to say about it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.schemas import Counts, Ledger, Sequences
from lo2core.compare.prediction import training_overlap
from lo2core.detect.detectors import REGISTRY
from lo2core.detect.fitness import NOT_AT_ALL, Fitness
from lo2core.pipeline.bundles import LoadedBundle, open_bundle
from lo2core.pipeline.predict import fitness
from lo2core.store import bundles, signing
from lo2core.store.bundles import BundleInfo
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, cache
from lo2core.ui.shell.session import WORKSPACE
from lo2core.ui.shell.widgets import asked_or, problem


def opened(path: Path) -> LoadedBundle:
    """The opened bundle, read again when it changes. Raises as `open_bundle`; call it in a section."""
    return cache.MODELS.get(cache.bundle_key(path), lambda: open_bundle(path))


def opens(path: Path) -> bool:
    """Whether the bundle can be opened."""
    try:
        opened(path)
    except Lo2Error:
        return False
    return True


def opened_or_none(path: Path) -> LoadedBundle | None:
    """As `opened`; if it cannot be opened, shows the reason and returns None."""
    try:
        return opened(path)
    except Lo2Error as error:
        problem(str(error))
        return None


def fitness_of(logs: Workspace, path: Path) -> Fitness:
    """Whether the bundle at `path` fits the logs, kept until one of them changes.

    A bundle that cannot be opened, or whose masks are others than those of the logs, does not fit.
    """
    key = (*cache.logs_key(logs), logs.stamp(Ledger), *cache.bundle_key(path))
    return cache.FITNESS.get(key, lambda: _fitness(logs, path))


def _fitness(logs: Workspace, path: Path) -> Fitness:
    try:
        return fitness(logs, opened(path))
    except Lo2Error as error:
        return Fitness(NOT_AT_ALL, (str(error),))


def choose(found: list[BundleInfo]) -> BundleInfo | None:
    """A field to choose one of the models: the one in the address bar, else the newest. None if that is not there.

    Signed models come first, and among them those trained in this workspace.
    """
    ordered = _ordered(found)
    return _choose(ordered, ordered[0].name)


def choose_for(logs: Workspace, found: list[BundleInfo]) -> BundleInfo | None:
    """As `choose`, but by default the first of them that fits the logs; None if none fits and none was chosen."""
    ordered = _ordered(found)
    return _choose(ordered, None if address.read("bundle") else _best(ordered, logs))


def _choose(ordered: list[BundleInfo], default: str | None) -> BundleInfo | None:
    by_name = {info.name: info for info in ordered}
    names, asked, here = list(by_name), address.read("bundle"), _here()
    labels = {name: label(info, here) for name, info in by_name.items()}
    chosen = asked_or(asked, default, names, f"There is no model {asked} in this list.")
    name = address.choice("Model", names, chosen, lambda n: {"bundle": n}, format_func=labels.__getitem__)
    return by_name[name] if name else None


def _best(ordered: list[BundleInfo], logs: Workspace) -> str | None:
    """The first signed model that fits; the first model if none is signed; None if none fits."""
    signed = [info for info in ordered if info.state is signing.BundleState.SIGNED]
    fitting = (info.name for info in signed if fitness_of(logs, info.path).verdict != NOT_AT_ALL)
    return next(fitting, None if signed else ordered[0].name)


def _ordered(found: list[BundleInfo]) -> list[BundleInfo]:
    here = _here()
    return sorted(found, key=lambda info: _preference(info, here), reverse=True)


def _here() -> Workspace:
    return Workspace(str(st.session_state.get(WORKSPACE, "")))


def _preference(info: BundleInfo, here: Workspace) -> tuple[bool, bool, int]:
    signed = info.state is signing.BundleState.SIGNED
    return signed, signed and here.is_at(info.facts.get("workspace")), bundles.stamp(info.path)[0]


def label(info: BundleInfo, here: Workspace) -> str:
    """'lo2_nn  ·  NearestNormal on messages  ·  of demo/result/today', without its own workspace, or its state."""
    signed = info.state is signing.BundleState.SIGNED
    unit = "" if info.facts.get("unit") in (None, "sequence") else f" of single {info.facts['unit']}s"
    made = f"{info.facts.get('detector', '?')} on {info.facts.get('items', '?')}{unit}"
    owner = info.facts.get("workspace")
    foreign = owner is not None and not here.is_at(owner)
    parts = [info.name, made, *([f"of {owner}"] if foreign else [])] if signed else [info.name, info.state.value]
    return "  ·  ".join(parts)


def trained_on(loaded: LoadedBundle, logs: Workspace) -> str:
    """A note if the model was trained on some of the logs that it scored; empty if not."""
    runs = logs.read(Sequences, columns=["run"])["run"] if logs.has(Sequences) else ()
    known = training_overlap(loaded.facts, logs.metadata(Counts).get("data_fingerprint"), runs)
    if not known:
        return ""
    detector = REGISTRY.get(str(loaded.model.facts.get("detector")))
    faults = " It has also seen these faults." if detector and detector.supervised else ""
    return (
        f"These are {known}: normal test cases used for training look more normal here than new ones would.{faults} "
        "See page Train for metrics on held-out runs."
    )
