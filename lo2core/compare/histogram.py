"""A two-dimensional histogram: how many points of a scatter plot lie in each cell of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

CELLS = 44
"""Number of cells along each axis."""


def histogram(points: pl.DataFrame, x: str, y: str) -> pl.DataFrame:
    """The number of points in each non-empty cell: cell (its number), n, left, right, bottom, top (edges).

    x, y: columns without nulls. Cells have equal width on the symmetric logarithmic axes that charts use for z-scores.
    """
    across, up = _Axis.of(points[x]), _Axis.of(points[y])
    column, row = pl.col("cell") // CELLS, pl.col("cell") % CELLS
    counted = _cells(points, x, y).value_counts(name="n").sort("cell")
    return counted.select(
        "cell",
        "n",
        left=across.edge(column),
        right=across.edge(column + 1),
        bottom=up.edge(row),
        top=up.edge(row + 1),
    )


def in_cell(points: pl.DataFrame, x: str, y: str, cell: int) -> pl.DataFrame:
    """The points that `histogram` counted in a cell."""
    return points.filter(_cells(points, x, y) == cell)


def _cells(points: pl.DataFrame, x: str, y: str) -> pl.Series:
    """The number of each point's cell."""
    placed = points.select(column=_Axis.of(points[x]).cell(x), row=_Axis.of(points[y]).cell(y))  # in parallel
    return (placed["column"] * CELLS + placed["row"]).alias("cell")


@dataclass(frozen=True)
class _Axis:
    """An axis from `low` with cells of equal `width`, in units of sign(z) log(1 + |z| / 3)."""

    low: float
    width: float

    @classmethod
    def of(cls, z: pl.Series) -> _Axis:
        ends = pl.DataFrame({"z": [z.min(), z.max()]}, schema={"z": pl.Float64}).select(_symlog(pl.col("z")))
        low, high = ends["z"].fill_null(0.0)
        return cls(low, max(high - low, 1e-9) / CELLS)

    def cell(self, name: str) -> pl.Expr:
        return ((_symlog(pl.col(name)) - self.low) / self.width).floor().clip(0, CELLS - 1).cast(pl.Int64)

    def edge(self, cell: pl.Expr) -> pl.Expr:
        """The lower edge of a cell, as a z-score: the inverse of `_symlog`."""
        scaled = cell * self.width + self.low
        return scaled.sign() * 3 * (scaled.abs().exp() - 1)


def _symlog(z: pl.Expr) -> pl.Expr:
    return z.sign() * (z.abs() / 3).log1p()
