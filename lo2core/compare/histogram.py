"""How many of many marks fall where: a scatter that is too full to draw, as cells of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

CELLS = 44
"""Along each axis."""


def density(points: pl.DataFrame, x: str, y: str) -> pl.DataFrame:
    """How many rows fall into each of `CELLS` x `CELLS` cells: cell (its number), n, left, right, bottom, top.

    x, y: columns without nulls. As on the axes of z, cells grow with the value.
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


def held(points: pl.DataFrame, x: str, y: str, cell: int) -> pl.DataFrame:
    """The rows that `density` counted in a cell."""
    return points.filter(_cells(points, x, y) == cell)


def _cells(points: pl.DataFrame, x: str, y: str) -> pl.Series:
    """The cell of each row."""
    placed = points.select(column=_Axis.of(points[x]).cell(x), row=_Axis.of(points[y]).cell(y))  # both at a time
    return (placed["column"] * CELLS + placed["row"]).alias("cell")


@dataclass(frozen=True)
class _Axis:
    """Cells of equal width in units of sign(z) log(1 + |z| / 3), from `low` on."""

    low: float
    width: float

    @classmethod
    def of(cls, z: pl.Series) -> _Axis:
        ends = pl.DataFrame({"z": [z.min(), z.max()]}, schema={"z": pl.Float64}).select(_bent(pl.col("z")))
        low, high = ends["z"].fill_null(0.0)
        return cls(low, max(high - low, 1e-9) / CELLS)

    def cell(self, name: str) -> pl.Expr:
        return ((_bent(pl.col(name)) - self.low) / self.width).floor().clip(0, CELLS - 1).cast(pl.Int64)

    def edge(self, cell: pl.Expr) -> pl.Expr:
        bent = cell * self.width + self.low
        return bent.sign() * 3 * (bent.abs().exp() - 1)


def _bent(z: pl.Expr) -> pl.Expr:
    return z.sign() * (z.abs() / 3).log1p()
