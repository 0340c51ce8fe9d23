"""Type aliases: NumPy arrays of scores and indices, and functions like `map`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class Mapped(Protocol):
    """Calls a function with each of some values, perhaps in other processes; yields the results in their order."""

    def __call__(self, function: Callable[[Any], Any], values: Iterable[Any], /) -> Iterable[Any]: ...
