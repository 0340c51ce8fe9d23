"""The command line as a person types it: its exit status, and the sentence it says when it fails."""

from __future__ import annotations

import pytest

from lo2core.cli.commands import main


def call(*arguments: object) -> int:
    """Exit status of `python -m lo2core` with these arguments."""
    return main([str(argument) for argument in arguments])


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on standard error, below any progress lines."""
    printed = capsys.readouterr().err
    assert printed.count("lo2core: ") == 1
    assert "Traceback" not in printed
    return printed.splitlines()[-1]
