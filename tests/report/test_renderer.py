"""The process that draws charts: what happens when it aborts, hangs or refuses, and that the next chart works."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lo2core.base.errors import ReportError
from lo2core.report import renderer

SPEC = {
    "data": {"values": [{"a": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a", "type": "quantitative"}},
}


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A module that new processes import in place of vl-convert; processes of other tests are left aside."""
    monkeypatch.setattr(renderer, "_idle", [])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "vl_convert.py"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("import os; os.abort()", "stopped with status -6"),
        ("import os; os._exit(3)", "stopped with status 3"),
        ("raise ValueError('no such mark\\nat line 1\\nat line 2')", "cannot be drawn: no such mark at line 1."),
    ],
)
def test_a_chart_that_cannot_be_drawn_is_an_error_in_one_sentence(instead: Path, body: str, sentence: str) -> None:
    instead.write_text(f"def vegalite_to_svg(spec):\n    {body}")
    with pytest.raises(ReportError, match=sentence):
        renderer.svg(SPEC)


def test_a_chart_that_hangs_is_ended(instead: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "LIMIT", 0.1)
    instead.write_text("while True: pass")
    with pytest.raises(ReportError, match=r"took more than 0\.1 seconds"):
        renderer.svg({**SPEC, "description": "x" * 1_000_000})


def test_after_a_failure_the_next_chart_is_drawn(instead: Path) -> None:
    instead.write_text("def vegalite_to_svg(spec): return '<svg/>' if spec else 1 / 0")
    with pytest.raises(ReportError):
        renderer.svg({})
    assert renderer.svg(SPEC) == renderer.svg(SPEC) == "<svg/>"
    assert len(renderer._idle) == 1


def test_what_a_renderer_prints_is_no_answer(instead: Path) -> None:
    instead.write_text("def vegalite_to_svg(spec):\n    print('a warning', flush=True)\n    return '<svg/>'")
    assert renderer.svg(SPEC) == "<svg/>"
