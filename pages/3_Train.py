"""Train: learn normal behaviour for each service, and evaluate the model on held-out runs."""

from lo2core.ui.shell import frame
from lo2core.ui.train import evaluation, fault_matrix, recipe, saved_models

PURPOSE = "Learn the normal behaviour of each service, and set how many false alarms you accept."

with frame.page("Train", PURPOSE) as here:
    asked = recipe.ask(here)
    saved_models.show(here)
    if asked:
        evaluation.ask(here, asked.recipe)
    found = evaluation.saved(here.workspace)
    picked = evaluation.table(found) if found else None
    if picked:
        evaluation.cards(found, picked[0])
        evaluation.baselines(found, picked[0])
        evaluation.curves(found, picked)
        fault_matrix.show(here.workspace, found, picked[0])
    frame.terminal(recipe.command(here, asked))
