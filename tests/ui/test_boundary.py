"""No error of a part of a page takes the page with it, and none is shown as a traceback."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest
from helpers.hostile import make_hostile
from helpers.pageverbs import ROOT, dashboard_in, page, texts
from helpers.scored import score_sample
from streamlit.testing.v1 import AppTest

from lo2core.store.unreadable import unreadable
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import frame

PAGES = [ROOT / "streamlit_app.py", *sorted((ROOT / "pages").glob("*.py"))]
UI = [path for path in sorted((ROOT / "lo2core" / "ui").rglob("*.py")) if path.name != "boundary.py"]
PLAIN = {f"lo2core.ui.{name}" for name in ("shell.widgets", "shell.address", "shell.boundary", "access", "serve")}
"""Modules whose functions a page may call directly: they read nothing."""


def names_in(module: ast.Module) -> dict[str, object]:
    """What the names that a page imports from `lo2core.ui` mean."""
    found: dict[str, object] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("lo2core.ui"):
            for alias in node.names:
                home = importlib.import_module(str(node.module))
                value = getattr(home, alias.name, None) or importlib.import_module(f"{node.module}.{alias.name}")
                found[alias.asname or alias.name] = value
    return found


def used(module: ast.Module) -> list[object]:
    """Everything of `lo2core.ui` that a page mentions, such as `results.account`."""
    names = names_in(module)
    own = [names[node.id] for node in ast.walk(module) if isinstance(node, ast.Name) and node.id in names]
    parts = [
        getattr(names[node.value.id], node.attr)
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names
    ]
    return [one for one in (*own, *parts) if not isinstance(one, ModuleType)]


WRAPPERS = {"section.<locals>.drawn", "_fragment.<locals>.wrap"}
"""What `boundary.section` and `boundary.fragment` make of a function; the latter hides the former."""


def is_section(function: object) -> bool:
    layers = [function]
    while inner := getattr(layers[-1], "__wrapped__", None):
        layers.append(inner)
    return any(one.__code__.co_qualname in WRAPPERS for one in layers if inspect.isfunction(one))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_calls_nothing_but_sections(page: Path) -> None:
    functions = [one for one in used(ast.parse(page.read_text())) if inspect.isfunction(one)]
    assert frame.page in functions
    plain = [one for one in functions if one.__module__ not in PLAIN and one is not frame.page]
    assert not [one for one in plain if not is_section(one)], "decorate these with lo2core.ui.shell.boundary.section"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_draws_nothing_outside_its_frame(page: Path) -> None:
    body = ast.parse(page.read_text()).body
    for node in [part for one in body for part in (one.orelse if isinstance(one, ast.If) else [one])]:
        match node:
            case ast.With(items=[ast.withitem(context_expr=ast.Call(func=ast.Attribute(attr="page")))]):
                continue
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                continue
            case ast.Assign():
                assert not [part for part in ast.walk(node) if isinstance(part, ast.Call)]
            case ast.FunctionDef(decorator_list=[ast.Name(id="fragment")]):
                continue
            case _:
                pytest.fail(f"{page.name}:{node.lineno} is outside of `with frame.page(...)`.")


@pytest.mark.parametrize("path", UI, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_fragments_and_dialogs_are_sections(path: Path) -> None:
    source = path.read_text()
    assert "st.fragment" not in source and "st.dialog" not in source, "take those of lo2core.ui.shell.boundary"


def _broken() -> None:
    """A page with a fragment and a section that fail, one that draws, and code that fails between them."""
    from lo2core.ui.shell import widgets
    from lo2core.ui.shell.boundary import apart, fragment, section

    @section
    def divides() -> float:
        return 1 / 0

    @fragment
    def looks_up() -> None:
        {}["key"]

    looks_up()
    with apart():
        if divides() is None:
            widgets.notice("The next section.")
        raise RuntimeError("half\udce9 " + "long " * 500)


def test_an_unexpected_error_is_a_sentence_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    app = AppTest.from_function(_broken, default_timeout=30).run()
    assert not app.exception
    shown = texts(app)
    assert "Unexpected error: ZeroDivisionError: division by zero\nReload the page." in shown
    assert "The next section." in shown
    assert "Unexpected error: KeyError: 'key'" in shown
    assert "Unexpected error: RuntimeError: half\\udce9 long" in shown
    assert "Traceback" not in shown and len(shown) < 2000
    logged = capsys.readouterr().err
    assert all(name in logged for name in ("Traceback", "ZeroDivisionError", "KeyError", "RuntimeError"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, loaded_sample: Path, sample_logs: Path) -> tuple[Path, set[str]]:
    folder = score_sample(loaded_sample, sample_logs, tmp_path_factory.mktemp("hostile"))
    return folder, make_hostile(folder)


def test_everything_that_cannot_be_read_is_listed_with_the_reason(hostile: tuple[Path, set[str]]) -> None:
    folder, names = hostile
    found = dict(unreadable(Workspace(folder / "ws")))
    assert names <= found.keys()
    assert {"caf\\udce9", "footer_deep", "lo2_feedback", "odd/pipe", "samples/my logs", "samples/ärger"} <= found.keys()
    assert not {"nn", "forest", "today/nn", "twice", "footer_time0", "lo2_counts"} & found.keys()
    assert all(why.endswith(".") for why in found.values())


WORKS = {
    "streamlit_app.py": ("Worst incidents", " worst:", "files cannot be read"),
    "pages/1_Load.py": ("Account of all lines", "Runs over time", "Lines"),
    "pages/2_Enhance.py": ("Mask rules, in order", "Templates"),
    "pages/3_Train.py": ("Learns from", "Saved models", "Calibration", "m_deep.joblib is changed by hand"),
    "pages/4_Predict.py": ("Incidents, worst first", "Saved predictions"),
    "pages/5_Explain.py": ("lo2_feedback.parquet is damaged", "First anomalous event", "Why", "Lines that contain"),
    "pages/6_Compare.py": ("What differs between the predictions", "Rank correlation"),
}
"""What each page shows although other files cannot be read."""


@pytest.mark.parametrize("script", WORKS)
def test_every_page_of_a_hostile_workspace_works(
    hostile: tuple[Path, set[str]], script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dashboard_in(hostile[0], monkeypatch)
    choice = {"bundle": "nn"} if "Predict" in script else {"prediction": "nn", "a": "nn", "b": "forest"}
    app = page(script, **choice)
    shown = texts(app) + "\n".join(one.label for one in (*app.expander, *app.metric))
    assert not app.exception
    assert "Unexpected error" not in shown
    assert "The last job failed" in shown
    assert [text for text in WORKS[script] if text not in shown] == []
