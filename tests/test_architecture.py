"""The architecture as tests: which package may import which, where Streamlit lives, what may lie in pages/."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import lo2core

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "base": "",
    "messages": "base",
    "store": "base",
    "load": "base messages",
    "enhance": "base messages",
    "detect": "base messages enhance",
    "explain": "base messages enhance detect",
    "compare": "base messages detect",
    "report": "base messages detect explain compare",
    "pipeline": "base messages store load enhance detect explain compare report",
    "ui": "base messages store load enhance detect explain compare report pipeline",
    "cli": "base messages store load enhance detect explain compare report pipeline ui",
}
"""The import rule: what each package may import besides itself."""

UI_ORDER = ("shell", "lines", "load", "enhance", "train", "predict", "explain", "compare", "overview")
"""A folder of `ui` may import what stands left of it."""

SERVER = ("access", "serve")
"""The modules of `ui` that belong to the server: they may import all of it."""

STAGES = ("load", "enhance", "train", "predict", "explain", "compare")
MODULES = sorted(module.name for module in pkgutil.walk_packages(lo2core.__path__, "lo2core."))
PROGRAM = "lo2core.__main__"


def path_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def imports_of(module: str) -> list[tuple[int, str]]:
    """Line and full name of every import of the module, those in functions and under TYPE_CHECKING included.

    `from lo2core.store import parts` counts as `lo2core.store.parts`, `from lo2core.store.parts import X` as
    `lo2core.store.parts`.
    """
    found = []
    for node in ast.walk(ast.parse(path_of(module).read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively; name the package."
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.append((node.lineno, full if full in MODULES else str(node.module)))
    return found


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_every_package_is_in_the_rule() -> None:
    assert {package_of(module) for module in MODULES} == {*ALLOWED, "__main__"}


@pytest.mark.parametrize("module", [module for module in MODULES if module != PROGRAM])
def test_a_module_imports_only_what_its_package_may_import(module: str) -> None:
    package = package_of(module)
    allowed = {package, *ALLOWED[package].split()}
    broken = [
        f"{module}:{line} imports {found}"
        for line, found in imports_of(module)
        if found.split(".")[0] == "lo2core" and package_of(found) not in allowed
    ]
    assert not broken, f"{broken}. Rule: {package} may import {ALLOWED[package] or 'no other package'}."


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {found for _, found in imports_of(module) if found.startswith("lo2core.") and found != module}
        for module in MODULES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"These modules import each other: {' -> '.join(circle.args[1])}.")


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("lo2core.ui.")])
def test_a_page_imports_no_page_to_its_right(module: str) -> None:
    folder = module.split(".")[2]
    if folder in SERVER:
        return
    allowed = UI_ORDER[: UI_ORDER.index(folder) + 1]
    broken = [
        f"{module}:{line} imports {found}"
        for line, found in imports_of(module)
        if found.startswith("lo2core.ui.") and found.split(".")[2] not in allowed
    ]
    assert not broken, f"{broken}. Rule: ui/{folder} may import {', '.join(allowed)}."


@pytest.mark.parametrize("module", [module for module in MODULES if package_of(module) != "ui"])
def test_streamlit_is_imported_by_pages_only(module: str) -> None:
    assert not [found for _, found in imports_of(module) if found.split(".")[0] == "streamlit"]


def loaded(modules: list[str], watched: set[str]) -> str:
    """Which of the watched libraries are in memory after the modules were imported in a new process."""
    code = f"import importlib, sys; [importlib.import_module(m) for m in {modules}]; "
    code += f"print(*sorted({watched!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_without_its_pages_loads_no_streamlit() -> None:
    assert not loaded([m for m in MODULES if package_of(m) != "ui" and m != PROGRAM], {"streamlit"})


def test_loading_logs_loads_no_heavy_library_but_polars() -> None:
    modules = [module for module in MODULES if package_of(module) == "load"]
    assert not loaded([*modules, "lo2core.pipeline.load"], {"numpy", "pandas", "pyarrow", "scipy", "sklearn"})


def test_the_dashboard_starts_without_any_extra() -> None:
    extras = {"backports.zstd", "distributed", "mcp", "shap", "watchfiles"}
    code = f"import sys; sys.modules.update(dict.fromkeys({extras})); from lo2core.ui.serve import warm_up; warm_up()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_one_module_imports_dask() -> None:
    used = {module: {found.split(".")[0] for _, found in imports_of(module)} for module in MODULES}
    assert [module for module, found in used.items() if found & {"dask", "distributed"}] == ["lo2core.pipeline.cluster"]


def test_help_of_the_command_line_waits_for_no_heavy_library() -> None:
    heavy = {"altair", "jinja2", "numpy", "polars", "scipy", "sklearn"}
    code = f"import sys, lo2core.cli.options as cli; cli.parser(); print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_packages_are_all_that_lies_at_the_top() -> None:
    there = {path.name for path in (ROOT / "lo2core").iterdir() if path.name != "__pycache__"}
    assert there == {*ALLOWED, "__init__.py", "__main__.py"}


def test_only_page_files_lie_in_pages() -> None:
    names = sorted(path.name for path in (ROOT / "pages").iterdir() if path.name != "__pycache__")
    assert names == [f"{n}_{stage.title()}.py" for n, stage in enumerate(STAGES, start=1)]


def test_pages_show_names_and_log_text_with_visible_control_characters() -> None:
    """`st.text` shows text as it is: only `widgets.say` calls it with text that is not written in the code."""
    for module in MODULES:
        if module.startswith("lo2core.ui.") and module != "lo2core.ui.shell.widgets":
            for call in ast.walk(ast.parse(path_of(module).read_text())):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "st.text":
                    assert isinstance(call.args[0], ast.Constant), f"{module}:{call.lineno}"


def test_polars_calls_no_python_function_in_the_server() -> None:
    """It would wait for Python's lock in a thread of polars, while others hold the lock and wait for that thread."""
    streamed = "lo2core/store/workspace.py"  # written by jobs only, which are processes of their own
    calls = re.compile(r"\.(?:map_batches|map_elements|map_groups|map_rows)\(")
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "lo2core").rglob("*.py")]
    assert [name for name in files if calls.search((ROOT / name).read_text()) and name != streamed] == []
