"""Train: learn normal behaviour for each service, and evaluate the model on held-out runs."""

from lo2core.ui.shell import frame
from lo2core.ui.train import evaluation, fault_matrix, recipe, saved_models

here = frame.page("Train", "Learn the normal behaviour of each service, and set how many false alarms you accept.")
asked = recipe.ask(here)
saved_models.show(here)

if asked:
    evaluation.ask(here, asked.recipe)
with frame.calm():
    found = evaluation.saved(here.workspace)
if found:
    picked = evaluation.table(found)
    evaluation.cards(found, picked[0])
    evaluation.baselines(found, picked[0])
    evaluation.curves(found, picked)
    fault_matrix.show(here.workspace, found, picked[0])

frame.terminal(recipe.command(here, asked))
