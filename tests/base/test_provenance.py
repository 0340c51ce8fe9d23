from __future__ import annotations

import pytest

from lo2core.base.provenance import BundleFacts, Manifest, Metadata, typed


def test_entries_of_the_declared_type_are_read() -> None:
    saved = {"table": "predictions", "window": 6, "threshold": 3, "model": {"runs": ["a", "b"], "window": None}}
    assert typed(Metadata, saved) == saved


@pytest.mark.parametrize(
    "odd",
    [
        *({"table": 5}, {"created": None}, {"model": ["NearestNormal"]}, {"versions": {"polars": 2}}),
        *({"compared": "a"}, {"compared": ["a", 1]}, {"window": "six"}, {"threshold": True}, {"options": [1]}),
    ],
)
def test_an_entry_of_another_type_counts_as_not_recorded(odd: dict[str, object]) -> None:
    assert typed(Metadata, {"command": "load", **odd}) == {"command": "load"}


def test_nested_entries_are_checked_too() -> None:
    assert typed(Metadata, {"model": {"detector": 3, "items": "words"}}) == {"model": {"items": "words"}}
    assert typed(Manifest, {"facts": {"workspace": 1, "note": ""}}) == {"facts": {"note": ""}}


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_what_is_no_object_is_read_as_an_empty_one(value: object) -> None:
    assert typed(BundleFacts, value) == {}


def test_entries_of_a_later_version_are_kept() -> None:
    assert typed(BundleFacts, {"new": [1]}) == {"new": [1]}
