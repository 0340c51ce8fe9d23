"""The documentation names all that a person can type, set or read, and its generated pages are up to date."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
import reference
from test_architecture import ALLOWED

from lo2core.base import glossary, schemas
from lo2core.base.table import Table
from lo2core.cli.options import parser
from lo2core.detect import detectors

PROJECT = Path(__file__).parents[2]
TEXT = "\n".join(path.read_text() for path in [PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md"))])
TABLES = {
    name: schema
    for name, schema in vars(schemas).items()
    if isinstance(schema, type) and issubclass(schema, Table) and schema is not Table and name[0] != "_"
}


def commands() -> dict[str, argparse.ArgumentParser]:
    (found,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def section(page: str, title: str) -> str:
    text = (PROJECT / "docs" / page).read_text()
    return re.search(rf"^## {re.escape(title)}\b.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[0]


def test_pages_made_from_the_code_are_up_to_date() -> None:
    old = [path.name for path, text in reference.pages().items() if path.read_text() != text]
    assert not old, f"{old} are not up to date: run `make docs`, or `python docs/reference.py`."


@pytest.mark.parametrize("command", commands())
def test_every_option_is_documented_with_its_command(command: str) -> None:
    text = section("command-line.md", command)
    options = [option for action in commands()[command]._actions for option in action.option_strings]
    assert [one for one in options if f"`{one}" not in text and one not in ("-h", "--help")] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_documented_with_its_table(table: str) -> None:
    text = section("tables.md", table)
    assert [column for column in TABLES[table].columns() if f"| `{column}` |" not in text] == []


def test_every_detector_is_documented() -> None:
    text = (PROJECT / "docs" / "detection.md").read_text()
    assert [name for name in detectors.REGISTRY if name not in text] == []


def test_every_environment_variable_is_documented() -> None:
    code = [*PROJECT.glob("lo2core/**/*.py"), *PROJECT.glob("pages/*.py"), *PROJECT.glob("demo/*.py")]
    used = {name for path in code for name in re.findall(r"[\"'`](LO2_[A-Z_]+)[\"'`]", path.read_text())}
    assert len(used) > 3
    assert {name for name in used if f"`{name}`" not in (PROJECT / "docs" / "configuration.md").read_text()} == set()


def test_every_link_to_a_term_of_the_glossary_finds_it() -> None:
    anchors = {term.anchor for term in glossary.TERMS}
    assert len(anchors) == len(glossary.TERMS)
    assert set(re.findall(r"glossary\.md#([\w-]+)", TEXT)) - anchors == set()


def test_terms_are_in_alphabetical_order_and_have_a_meaning() -> None:
    names = [term.name for term in glossary.TERMS]
    assert names == sorted(names, key=str.casefold)
    assert all(glossary.meaning(name).endswith(".") for name in names)


def test_the_table_of_packages_is_the_import_rule() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text()
    documented = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", text, re.MULTILINE))
    others = {"nothing of lo2core": "", "all of the above": None, "everything": None}
    for number, (package, allowed) in enumerate(ALLOWED.items()):
        rule = others.get(documented[package], documented[package].strip("`"))
        assert allowed == (" ".join(list(ALLOWED)[:number]) if rule is None else rule)
    assert list(documented) == list(ALLOWED)
