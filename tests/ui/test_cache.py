"""The caches of the pages: all in one module with a table; a value is computed again when its key changes."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from helpers.pageverbs import ROOT, dashboard_in

from lo2core.store.workspace import Workspace
from lo2core.ui.shell import cache

PAGES = [ROOT / "streamlit_app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "lo2core/ui").rglob("*.py")]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "ws").mkdir()
    return dashboard_in(tmp_path, monkeypatch)


def test_only_the_module_of_caches_calls_a_cache() -> None:
    calls = re.compile(r"cache_resource|cache_data|lru_cache|cached_property|functools import cache|@cache\b")
    assert [path.name for path in PAGES if calls.search(path.read_text())] == ["cache.py"]


def test_the_table_describes_every_cache() -> None:
    used = {name for path in PAGES for name in re.findall(r"\bcache\.([A-Z_]+)\.get\(", path.read_text())} | {"TABLES"}
    assert {name for name in vars(cache) if isinstance(getattr(cache, name), cache.Cache)} == used
    assert len({each.holds for each in cache.CACHES}) == len(cache.CACHES) == len(used)
    assert all(each.key and each.entries for each in cache.CACHES)


@pytest.mark.usefixtures("workspace")
def test_a_value_is_computed_once_for_each_key_and_cache() -> None:
    computed: list[str] = []

    def compute() -> list[str]:
        computed.append("once more")
        return computed

    assert cache.MODELS.get(("one", 1), compute) is cache.MODELS.get(("one", 1), compute)
    assert len(computed) == 1
    cache.MODELS.get(("one", 2), compute)
    cache.EVIDENCE.get(("one", 1), compute)
    assert len(computed) == 3


@pytest.mark.usefixtures("workspace")
def test_a_full_cache_forgets_its_oldest_entry() -> None:
    most = cache.MODELS.entries
    for number in range(most + 1):
        cache.MODELS.get((number,), lambda number=number: number)
    assert cache.MODELS.get((most,), lambda: "again") == most
    assert cache.MODELS.get((0,), lambda: "again") == "again"


def test_an_error_is_not_kept(workspace: Workspace) -> None:
    with pytest.raises(ZeroDivisionError):
        cache.TABLES.get(("x",), lambda: 1 // 0)
    assert cache.TABLES.get(("x",), lambda: 1) == 1


def test_what_comes_from_a_workspace_is_computed_again_when_a_table_changes(workspace: Workspace) -> None:
    def names(workspace: Workspace, end: str) -> list[str]:
        return sorted(path.name for path in workspace.root.glob(f"*{end}"))

    assert cache.remembered(names, workspace, "t") == []
    pl.DataFrame({"a": [1]}).write_parquet(workspace.root / "lo2_a.parquet")
    assert cache.remembered(names, workspace, "t") == ["lo2_a.parquet"]
    assert cache.remembered(names, workspace, "csv") == []
