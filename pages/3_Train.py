"""Train: Learn what normal looks like, service by service, for as many false alarms as you accept."""

import streamlit as st

from lo2core.base.schemas import Counts
from lo2core.pipeline.commands import Train
from lo2core.store import bundles, signing
from lo2core.ui.shell import frame, models, scores, widgets
from lo2core.ui.train import calibration, evaluation, fault_matrix, recipe

here = frame.page("Train", "Learn what normal looks like, service by service, for as many false alarms as you accept.")
command = Train(output_dir=here.workspace.root, bundle=here.models_dir / "lo2_nn.joblib")
asked = None

if here.workspace.has(Counts):
    asked = recipe.recipe(here)
    if asked:
        command = asked.command(here)
        recipe.train_button(here, asked)
else:
    widgets.empty_state("There are no logs to learn from yet: load some first.", "pages/1_Load.py", "Load logs")

found = bundles.bundles(here.models_dir)
if found:
    recipe.bundle_table(found)
    signed = [info for info in found if info.state is signing.BundleState.SIGNED]
    if signed:
        st.subheader("Calibration", anchor=False)
        left, right = st.columns([2, 3], gap="large")
        with left:
            opened = models.opened_or_told(models.choose(signed).path)
        if opened:
            with left:
                recipe.facts(opened)
            with right:
                tick = calibration.strip(opened.model, opened.model.threshold.z, "calibration")
            with frame.apart():
                if tick:
                    calibration.lines(scores.evidence_of(here.workspace, opened.path), tick)

if asked:
    st.subheader("How good it is, on runs it has not seen", anchor=False)
    st.caption("Each run is left out in turn and scored by a model of the others, beside what shortcuts would score.")
    evaluation.evaluate_buttons(here, asked.recipe)
with frame.calm():
    figures = evaluation.saved(here.workspace)
if figures:
    picked = evaluation.table(figures)
    evaluation.cards(figures, picked[0])
    evaluation.shortcuts(figures, picked[0])
    evaluation.curves(figures, picked)
    fault_matrix.show(here.workspace, figures, picked[0])

frame.terminal(command)
