"""What the next command does about processes that were killed: it completes their changes and removes their remains.

Nothing that a living process uses is touched: its temporary files are claimed, and its changes are locked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lo2core.base.claims import remove_unpacked
from lo2core.base.config import models_dir
from lo2core.pipeline.lock import Work
from lo2core.store.changes import recover
from lo2core.store.moves import finish_moves

_BELOW = (".job", ".parts", "explainability", "samples", "uploads")
"""The folders of a workspace that lo2core writes to, with all folders in them."""


def clean_up(work: Work) -> None:
    """Recover the workspace, the models and the temporary folder that a command is about to use."""
    remove_unpacked()
    folders = {models_dir(), *([Path(work.bundle).parent] if work.bundle else [])}
    for folder in (*folders, *(_folders(Path(work.output_dir)) if work.output_dir else ())):
        finish_moves(folder)
        recover(folder)


def _folders(workspace: Path) -> Iterator[Path]:
    yield workspace
    for name in _BELOW:
        for folder, _, _ in os.walk(workspace / name):
            yield Path(folder)
