"""Type aliases: NumPy arrays of scores and indices, and polars data types."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass

DataType = pl.DataType | DataTypeClass

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
