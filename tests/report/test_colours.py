"""Colours: contrast on light and dark pages, and colours of services that can be told apart, also from all others."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import ROOT
from lo2core.report.charts import colours

Values = NDArray[np.float64]

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
USUAL = np.eye(3)
# Machado, Oliveira and Fernandes 2009, severity 1
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]


def linear(colours: Sequence[str]) -> Values:
    """Linear RGB, one row for each colour."""
    rgb = np.array([[int(one[at : at + 2], 16) / 255 for at in (1, 3, 5)] for one in colours])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    dark, light = sorted(float(linear([colour])[0] @ TO_XYZ[1]) + 0.05 for colour in (one, other))
    return light / dark


def lab(rgb: Values) -> Values:
    xyz = rgb @ np.array(TO_XYZ).T / [0.95047, 1, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def distances(some: Sequence[str], others: Sequence[str], eye: Values = USUAL) -> Values:
    """How much colours differ (CIE76) for an eye, given as a matrix of what it sees."""
    a, b = (lab(np.clip(linear(colours) @ eye.T, 0, 1)) for colours in (some, others))
    return np.asarray(np.linalg.norm(a[:, None] - b[None], axis=-1))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_and_text_are_legible(theme: str) -> None:
    found = THEME[theme]
    for mark in (*colours.PALETTE, *colours.KINDS, colours.NEUTRAL):
        assert contrast(mark, found["backgroundColor"]) >= 3, mark
    for text in ("textColor", "linkColor", "codeTextColor"):
        for part in (found, found["sidebar"]):
            assert contrast(found[text], part["backgroundColor"]) >= 4.5
    assert found["chartCategoricalColors"] == [*colours.KINDS, colours.NEUTRAL]


@pytest.mark.parametrize("ramp", [colours.SHARE_RAMP, colours.DIFFERENCE_RAMP])
def test_text_on_ramps_is_legible(ramp: list[str]) -> None:
    assert min(contrast(colours.ON_RAMP, one) for one in ramp) >= 4.5


@pytest.mark.parametrize("eye", [USUAL, PROTANOPIA, DEUTERANOPIA], ids=["usual", "protanopia", "deuteranopia"])
def test_colours_of_services_can_be_told_apart(eye: Values) -> None:
    apart = distances(colours.PALETTE, colours.PALETTE, np.array(eye))
    assert (apart + 100 * np.eye(len(apart))).min() > 20


def test_nothing_else_looks_like_a_service() -> None:
    assert distances(colours.PALETTE, [*colours.KINDS, colours.NEUTRAL]).min() > 20
