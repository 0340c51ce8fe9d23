"""Hostile and damaged bundles: nothing in them runs, and each is refused in one sentence."""

from __future__ import annotations

import functools
import gzip
import io
import operator
import os
import pickle
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from helpers.models import of_rows
from joblib.numpy_pickle import NumpyArrayWrapper
from scipy import sparse
from sklearn.tree import DecisionTreeClassifier

from lo2core.base.errors import BundleError
from lo2core.pipeline import unpickler
from lo2core.pipeline.bundles import vouch


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.args


def dumped(content: object, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(content, file, **options)
    return file.getvalue()


def text(value: str) -> bytes:
    return pickle.SHORT_BINUNICODE + bytes([len(value)]) + value.encode()


def by_name(module: str, name: str, *args: bytes, protocol: int = 4) -> bytes:
    """A pickle that calls module.name; the name may contain dots, which plain pickle then follows."""
    call = pickle.MARK + b"".join(args) + pickle.TUPLE + pickle.REDUCE
    return pickle.PROTO + bytes([protocol]) + text(module) + text(name) + pickle.STACK_GLOBAL + call + pickle.STOP


def built(module: str, name: str, state: bytes) -> bytes:
    """A pickle that sets the state of a class itself."""
    return pickle.PROTO + b"\4" + text(module) + text(name) + pickle.STACK_GLOBAL + state + pickle.BUILD + pickle.STOP


def announced(shape: tuple[int, ...], dtype: str = "f8", **others: Any) -> bytes:
    """A joblib file with an array of this shape and hardly any values."""
    wrapper = NumpyArrayWrapper(np.ndarray, shape, "C", np.dtype(dtype))
    vars(wrapper).update(others)
    return pickle.dumps(wrapper, protocol=4)[:-1] + b"\1\xff" + b"\0" * 64 + pickle.STOP


def nested(mark: Path) -> bytes:
    """joblib stores an array of objects as a second pickle inside the first."""
    array = np.empty(1, dtype=object)
    array[0] = Call(Path.touch, mark)
    return dumped((array, array))


def with_fields(mark: Path) -> bytes:
    """An array of records, one field of which holds objects."""
    array = np.zeros(2, dtype=[("a", "i8"), ("b", object)])
    array["b"][0] = Call(Path.touch, mark)
    return dumped(array)


def lying_dtype(_: Path) -> bytes:
    """A record type with a field beyond its end."""
    array = np.zeros(1, dtype=[("a", "i8"), ("b", "i8")])
    return dumped(array).replace(pickle.BININT1 + b"\x08" + pickle.TUPLE2, pickle.BININT1 + b"\xf8" + pickle.TUPLE2)


def patched_class(_: Path) -> bytes:
    state = pickle.EMPTY_DICT + text("score") + text("nothing") + pickle.SETITEM
    return built("lo2core", "Model", state)


def patched_slots(_: Path) -> bytes:
    state = pickle.NONE + pickle.EMPTY_DICT + text("score") + text("nothing") + pickle.SETITEM + pickle.TUPLE2
    return built("lo2core", "Model", state)


def laughs(_: Path) -> bytes:
    """A tuple of tuples of tuples ..., of which to compute the hash would take for ever."""
    double = pickle.MEMOIZE + b"".join(
        pickle.BINGET + bytes([n]) + pickle.BINGET + bytes([n]) + pickle.TUPLE2 + pickle.MEMOIZE for n in range(200)
    )
    return pickle.PROTO + b"\4" + pickle.EMPTY_DICT + pickle.NONE + double + pickle.NONE + pickle.SETITEM + pickle.STOP


def deep(_: Path) -> bytes:
    return pickle.PROTO + b"\4" + pickle.NONE + pickle.TUPLE1 * 1_000_000 + pickle.STOP


def truncated(_: Path) -> bytes:
    return dumped(of_rows("NearestNormal"))[:-200]


def matrix_that_points_outside(_: Path) -> bytes:
    model, vec = of_rows("NearestNormal")
    model.detectors["client"].counts_.indices[0] = 10**6
    return dumped((model, vec))


def tree_that_points_outside(_: Path) -> bytes:
    model, vec = of_rows("DecisionTree")
    tree = model.detectors["client"].estimator_.tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 10**6
    tree.__setstate__(state)
    return dumped((model, vec))


def tree_without_end(_: Path) -> bytes:
    model, vec = of_rows("HistGradientBoosting")
    model.detectors["client"].estimator_._predictors[0][0].nodes["left"][0] = 0
    return dumped((model, vec))


def swapped(_: Path) -> bytes:
    model, vec = of_rows("NearestNormal")
    return dumped((vec, model))


def wrong_types(_: Path) -> bytes:
    model, vec = of_rows("NearestNormal")
    model.detectors = {"client": vec}  # type: ignore[dict-item]
    return dumped((model, vec))


def wrong_facts(_: Path) -> bytes:
    model, vec = of_rows("NearestNormal")
    model.facts = {"runs": np.zeros(3)}  # type: ignore[typeddict-item]
    return dumped((model, vec))


def wrong_threshold(_: Path) -> bytes:
    model, vec = of_rows("NearestNormal")
    model.threshold = 3.0  # type: ignore[assignment]
    return dumped((model, vec))


COMMAND = "touch {}"
HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "os.system": lambda mark: dumped(Call(os.system, COMMAND.format(mark))),
    "eval": lambda mark: dumped(Call(eval, f"open({str(mark)!r}, 'w')")),
    "exec": lambda mark: dumped(Call(exec, f"open({str(mark)!r}, 'w')")),
    "getattr": lambda mark: dumped(Call(getattr, "text", "upper")),
    "compressed os.system": lambda mark: dumped(Call(os.system, COMMAND.format(mark)), compress=3),
    "partial": lambda mark: dumped(functools.partial(os.system, COMMAND.format(mark))),
    "attrgetter": lambda mark: dumped(operator.attrgetter("__class__")),
    "a method": lambda mark: dumped(Call(Path.touch, mark)),
    "array of objects": nested,
    "record with objects": with_fields,
    "record with a field outside": lying_dtype,
    "dotted name": lambda mark: by_name("lo2core", "detect.train.os.system", text(COMMAND.format(mark))),
    "dotted class": lambda mark: by_name("lo2core", "Model.__init__.__globals__"),
    "module of a listed class": lambda mark: by_name("lo2core", "open_bundle", text("models/x.joblib")),
    "cloudpickle": lambda mark: by_name("joblib.externals.cloudpickle.cloudpickle", "_make_function"),
    "sklearn's joblib": lambda mark: by_name("sklearn.utils._joblib", "joblib.load", text(str(mark))),
    "sklearn function": lambda mark: by_name("sklearn.utils", "_print_elapsed_time"),
    "numpy runstring": lambda mark: by_name("numpy.testing._private.utils", "runstring", text("1"), pickle.EMPTY_DICT),
    "numpy f2py": lambda mark: by_name("numpy.f2py.diagnose", "run_command", text(COMMAND.format(mark))),
    "numpy load": lambda mark: by_name("numpy", "load", text(str(mark))),
    "pandas read_pickle": lambda mark: by_name("pandas", "read_pickle", text(str(mark))),
    "joblib load": lambda mark: by_name("joblib", "load", text(str(mark))),
    "numpy reconstruct": lambda mark: dumped(Call(np._core.multiarray._reconstruct, np.ndarray, (10**12,), b"b")),
    "copyreg": lambda mark: by_name("copyreg", "_reconstructor"),
    "polars frame": lambda mark: by_name("polars.dataframe.frame", "DataFrame"),
    "constructor": lambda mark: by_name("lo2core", "Templates"),
    "old global": lambda mark: b"cos\nsystem\n(S'true'\ntR.",
    "inst": lambda mark: b"(S'true'\nios\nsystem\n.",
    "extension": lambda mark: pickle.PROTO + b"\4" + pickle.EXT1 + b"\1" + pickle.STOP,
    "persistent id": lambda mark: pickle.PROTO + b"\4" + pickle.NONE + pickle.BINPERSID + pickle.STOP,
    "set": lambda mark: pickle.dumps({1, 2}, protocol=4),
    "patched class": patched_class,
    "patched class by slots": patched_slots,
    "huge array": lambda mark: announced((10**12,)),
    "negative array": lambda mark: announced((-4, 10**9)),
    "array without size": lambda mark: announced((10**12,), "V0"),
    "array of another class": lambda mark: announced((1,), dtype="f8", subclass=np.matrix),
    "hash bomb": laughs,
    "deep nesting": deep,
    "huge text": lambda mark: pickle.PROTO + b"\4" + pickle.BINUNICODE8 + struct.pack("<Q", 2**60) + b"x",
    "truncated": truncated,
    "empty": lambda mark: b"",
    "no pickle": lambda mark: b"PK\3\4 something else",
    "broken zlib": lambda mark: b"\x78\x9c broken",
    "matrix": matrix_that_points_outside,
    "tree": tree_that_points_outside,
    "endless tree": tree_without_end,
    "swapped": swapped,
    "wrong types": wrong_types,
    "wrong facts": wrong_facts,
    "wrong threshold": wrong_threshold,
    "list": lambda mark: dumped([1, 2, 3]),
    "scikit-learn alone": lambda mark: dumped((DecisionTreeClassifier(), sparse.csr_matrix((2, 2)))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_or_damaged_bundle_runs_nothing_and_is_refused(tmp_path: Path, kind: str) -> None:
    mark, bundle = tmp_path / "mark", tmp_path / "m.joblib"
    bundle.write_bytes(HOSTILE[kind](mark))
    loaded = set(sys.modules)
    with pytest.raises(BundleError) as refused:
        vouch(bundle)
    sentence = str(refused.value)
    assert sentence.startswith(str(bundle)) and sentence.endswith(".")
    assert "\n" not in sentence and len(sentence) < 600
    assert not mark.exists()
    assert not {"pandas", "joblib.externals.cloudpickle.cloudpickle", "numpy.f2py"} & (set(sys.modules) - loaded)


def test_patching_leaves_the_classes_as_they_are(tmp_path: Path) -> None:
    from lo2core import Model

    assert callable(Model.score)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_a_compressed_bundle_above_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(unpickler, "MAX_UNPACKED", 10 * 1024**2)
    bundle = tmp_path / "m.joblib"
    bundle.write_bytes(compress(bytes(30 * 1024**2)))
    with pytest.raises(BundleError, match="compressed and unpacks to more than 10 MB"):
        vouch(bundle)
