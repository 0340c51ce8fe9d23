"""The architecture as tests: where Streamlit lives, which way data flows, what may lie in pages/."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import lo2core

ROOT = Path(__file__).parents[1]
STAGES = ("load", "enhance", "train", "predict", "explain", "compare")
LIBRARY = [m.name for m in pkgutil.walk_packages(lo2core.__path__, "lo2core.") if m.name.split(".")[1] != "ui"]


def imports_of(path: Path) -> set[str]:
    """Full names of what the file imports anywhere, `from lo2core import load` counting as `lo2core.load`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_library_loads_no_streamlit() -> None:
    modules = [name for name in LIBRARY if not name.endswith("__main__")]
    code = f"import importlib, sys; [importlib.import_module(m) for m in {modules}]; print('streamlit' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("False", 0), done.stderr


def test_help_of_the_command_line_waits_for_no_heavy_library() -> None:
    heavy = {"altair", "numpy", "polars", "scipy", "sklearn"}
    code = f"import sys, lo2core.__main__ as cli; cli.parser(); print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.parametrize("name", LIBRARY)
def test_library_does_not_import_its_pages(name: str) -> None:
    path = ROOT.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert not [i for i in imports_of(path) if i.startswith(("streamlit", "lo2core.ui"))]


@pytest.mark.parametrize("stage", STAGES)
def test_stage_imports_no_later_stage(stage: str) -> None:
    path = ROOT / "lo2core" / f"{stage}.py"
    later = {f"lo2core.{name}" for name in STAGES[STAGES.index(stage) + 1 :]}
    assert path.exists()
    assert not imports_of(path) & later


def test_only_page_files_lie_in_pages() -> None:
    names = sorted(path.name for path in (ROOT / "pages").iterdir() if path.name != "__pycache__")
    assert names == [f"{n}_{stage.title()}.py" for n, stage in enumerate(STAGES, start=1)]
