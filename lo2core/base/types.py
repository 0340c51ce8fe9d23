"""The kinds of arrays that scores and figures are computed in."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass

DataType = pl.DataType | DataTypeClass

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
