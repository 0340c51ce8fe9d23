"""Saved models on pages: opened once and shared by all sessions; how to choose one, and what to say about it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.schemas import Counts, Sequences
from lo2core.compare.prediction import training_overlap
from lo2core.detect.calibration import Threshold
from lo2core.detect.detectors import REGISTRY
from lo2core.pipeline.bundles import LoadedBundle, open_bundle
from lo2core.store import bundles, signing
from lo2core.store.bundles import BundleInfo
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, cache
from lo2core.ui.shell.session import WORKSPACE
from lo2core.ui.shell.widgets import problem


def opened(path: Path) -> LoadedBundle:
    """The opened bundle, read again when it changes. Raises as `open_bundle`; call it in `frame.calm()`."""
    return cache.MODELS.get(cache.bundle_key(path), lambda: open_bundle(path))


def opened_or_told(path: Path) -> LoadedBundle | None:
    """As `opened`; where that cannot be, the reason is shown, the page goes on, and None is given back."""
    try:
        return opened(path)
    except Lo2Error as error:
        problem(str(error))
        return None


def choose(found: list[BundleInfo]) -> BundleInfo:
    """A field to choose one of the bundles: the one that the address bar names, else the one saved last.

    Those that may be opened come first, and of them those that were trained in this workspace.
    """
    ordered = sorted(found, key=_preference, reverse=True)
    by_name = {info.path.stem: info for info in ordered}
    names, asked = list(by_name), address.said("bundle")
    chosen = asked if asked in by_name else names[0]
    name = address.choice("Bundle", names, chosen, lambda n: {"bundle": n}, format_func=lambda n: label(by_name[n]))
    return by_name[name]


def _preference(info: BundleInfo) -> tuple[bool, bool, int]:
    trained = Path(str(info.facts.get("workspace") or "."))
    here = Path(str(st.session_state.get(WORKSPACE, "")))
    signed = info.state is signing.BundleState.SIGNED
    return signed, signed and trained.resolve() == here.resolve(), bundles.stamp(info.path)[0]


def label(info: BundleInfo) -> str:
    """'lo2_nn  ·  NearestNormal on messages  ·  signed'; what an unsigned manifest claims is not repeated."""
    signed = info.state is signing.BundleState.SIGNED
    unit = "" if info.facts.get("unit") in (None, "sequence") else f" of single {info.facts['unit']}s"
    made = f"{info.facts.get('detector', '?')} on {info.facts.get('items', '?')}{unit}" if signed else ""
    return "  ·  ".join(part for part in (info.path.stem, made, info.state.value) if part)


def estimated(threshold: Threshold) -> str:
    """Why a threshold is only an estimate."""
    return (
        f"Estimated: {threshold.n_normals} unseen normal incidents are too few for {threshold.budget:g} in 100, so the "
        f"threshold lies just above their largest z: about one of {threshold.n_normals + 1} new normals is as odd."
    )


def trained_on(loaded: LoadedBundle, logs: Workspace) -> str:
    """Which of the logs it scored a model was trained on, and what that does to the scores; empty where it was not."""
    runs = logs.read(Sequences, columns=["run"])["run"] if logs.has(Sequences) else ()
    known = training_overlap(loaded.facts, logs.metadata(Counts).get("data_fingerprint"), runs)
    if not known:
        return ""
    detector = REGISTRY.get(str(loaded.model.facts.get("detector")))
    faults = ", and it knows the faults" if detector and detector.supervised else ""
    return (
        f"These are {known}: normal test cases of the training look more normal here than new ones would{faults}. "
        "Page Train shows the figures for runs it had not seen."
    )
