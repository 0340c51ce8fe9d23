"""Links between pages: what stands in the address bar, so that a place can be shared, reloaded and gone back to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lo2core.base.schemas import INCIDENT_KEY
from lo2core.ui.shell.widgets import go_to, same_workspace

EXPLAIN = "pages/5_Explain.py"
_PLACE = (*INCIDENT_KEY, "service")


def explain_params(
    row: Mapping[str, Any], *, prediction: str | None = None, bundle: Path | None = None, sample: str | None = None
) -> dict[str, str]:
    """The address of an incident on page Explain; `row` may say run, folder, window, service.

    The scores are those of a saved `prediction`, else those that `bundle` gives now; `sample` names the logs where they
    are not the workspace's own.
    """
    scores = {"sample": sample, "prediction": prediction, "bundle": bundle.stem if bundle and not prediction else None}
    said = scores | {name: row.get(name) for name in _PLACE}
    return same_workspace() | {name: str(value) for name, value in said.items() if value is not None}


def open_explain(
    row: Mapping[str, Any], *, prediction: str | None = None, bundle: Path | None = None, sample: str | None = None
) -> None:
    """Go to page Explain at once; see `explain_params`."""
    go_to(EXPLAIN, explain_params(row, prediction=prediction, bundle=bundle, sample=sample))


def explain_address(*, prediction: str | None, sample: str | None) -> str:
    """Page Explain with a saved prediction, as an address to follow from another page."""
    return f"Explain?{urlencode(explain_params({}, prediction=prediction, sample=sample))}"
