"""Reads the pickle in a bundle without trusting it: only named classes, arrays of numbers, and plain values.

A pickle is a program that can call any function. Here the names it may use are listed one by one, only the opcodes that
a bundle needs are carried out, and each of them accepts only what a bundle contains. So even a bundle that a person
vouched for by mistake cannot run code. Plain `joblib.load` has none of these limits.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import pickle
import re
import zlib
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lo2core.pipeline.bundle_classes import check_values, find_constructed_class, find_object_class

MAX_UNPACKED = 256 * 1024**2
"""Most bytes that a compressed bundle may unpack to. Bundles of this program are not compressed."""

_PLAIN_DTYPE = re.compile(r"[biufSUV][0-9]{1,6}")


class Refused(pickle.UnpicklingError):
    """The pickle asks for something that no bundle contains."""


def read_pickle(data: bytes) -> object:
    """What the bytes of a joblib file contain. Raises `Refused`; nearly any other error where they are damaged."""
    return _BundleUnpickler(io.BytesIO(unpacked(data))).load()


def unpacked(data: bytes) -> bytes:
    """The bytes, decompressed where joblib has compressed them. Raises Refused above `MAX_UNPACKED` bytes."""
    for magic, decompress in _COMPRESSIONS.items():
        if data.startswith(magic):
            content = decompress(data, MAX_UNPACKED + 1)
            if len(content) > MAX_UNPACKED:
                raise Refused(f"it is compressed and unpacks to more than {MAX_UNPACKED // 1024**2} MB")
            return content
    return data


def _gunzip(data: bytes, most: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return file.read(most)


_COMPRESSIONS: dict[bytes, Callable[[bytes, int], bytes]] = {
    b"\x78": lambda data, most: zlib.decompressobj().decompress(data, most),
    b"\x1f\x8b": _gunzip,
    b"BZ": lambda data, most: bz2.BZ2Decompressor().decompress(data, most),
    b"\x5d\x00": lambda data, most: lzma.LZMADecompressor(lzma.FORMAT_ALONE, MAX_UNPACKED).decompress(data, most),
    b"\xfd7zXZ": lambda data, most: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_UNPACKED).decompress(data, most),
}
"""First bytes of a compressed file, and how to unpack at most so many bytes of it."""


class _StoredArray:
    """What joblib writes in place of an array: type and shape; the values follow it in the file, outside the pickle."""

    shape: tuple[int, ...]
    order: str
    dtype: np.dtype[Any]
    numpy_array_alignment_bytes: int | None = None

    def read(self, file: io.BytesIO) -> NDArray[Any]:
        """The array. Its size is compared with the file before any memory is taken."""
        if not isinstance(self.dtype, np.dtype) or self.dtype.hasobject:
            raise Refused("it contains an array of Python objects")
        if self.numpy_array_alignment_bytes is not None:
            file.read(file.read(1)[0])
        size = math.prod(self.shape) * self.dtype.itemsize
        content = file.read(size) if 0 <= size <= len(file.getbuffer()) else b""
        if len(content) != size:
            raise Refused("an array in it is larger than the file, which may be truncated")
        flat = np.frombuffer(content, self.dtype) if size else np.empty(0, self.dtype)
        return flat.reshape(self.shape, order="F" if self.order == "F" else "C").astype(self.dtype.newbyteorder("="))


def _dtype(code: object, *_: object) -> np.dtype[Any]:
    """`numpy.dtype` for numbers, truth values, texts and bytes of fixed length, and records of these."""
    if not isinstance(code, str) or not _PLAIN_DTYPE.fullmatch(code):
        raise Refused("it contains an array of Python objects or of an unknown type")
    return np.dtype(code, copy=True)


def _complete_dtype(found: np.dtype[Any], state: Any) -> None:
    """Set byte order and fields; numpy itself would believe any offset."""
    _, order, _, names, fields, *_ = state
    if names is None:
        complete = np.dtype({"<": "<", ">": ">", "|": "|"}[order] + found.str[1:])
    else:
        formats, offsets = zip(*((fields[name][0], fields[name][1]) for name in names), strict=True)
        described = {"names": list(names), "formats": list(formats), "offsets": list(offsets)}
        if any(not isinstance(each, np.dtype) or each.hasobject for each in formats):
            raise Refused("it contains an array of Python objects")
        complete = np.dtype(described | {"itemsize": found.itemsize})  # type: ignore[call-overload]  # numpy types no such dict
    found.__setstate__(complete.__reduce__()[2])  # type: ignore[attr-defined]  # as pickle does, untyped


def _scalar(dtype: object, content: object) -> Any:
    """`numpy._core.multiarray.scalar`: one number."""
    if not isinstance(dtype, np.dtype) or dtype.hasobject or not isinstance(content, bytes):
        raise Refused("it contains a value of an unknown type")
    return np.frombuffer(content, dtype, count=1)[0]


_REPLACED: dict[tuple[str, str], Any] = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): _StoredArray,
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): None,  # the class that an array had; all become arrays
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy.core.multiarray", "scalar"): _scalar,
}
"""Names that do what they say elsewhere, and here less."""


class _BundleUnpickler(pickle._Unpickler):
    """Carries out the opcodes of `_HANDLERS`. Written in Python, as joblib's own: arrays lie between the opcodes."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]]
    stack: list[Any]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._file = file
        self._made: set[type] = {_StoredArray}
        self._called: set[Any] = {_dtype, _scalar}

    def find_class(self, module: str, name: str) -> Any:
        """The class of exactly this name, if a bundle may contain it. Dotted names are in no list."""
        if (module, name) in _REPLACED:
            return _REPLACED[module, name]
        if made := find_object_class(module, name):
            self._made.add(made)
            return made
        if called := find_constructed_class(module, name):
            self._called.add(called)
            return called
        raise Refused(f"it refers to {module}.{name}, which no model contains")

    def load_newobj(self) -> None:
        """An empty object of a listed class."""
        args, kind = self.stack.pop(), self.stack.pop()
        if not isinstance(kind, type) or kind not in self._made or args != ():
            raise Refused("it makes an object of an unknown kind")
        self.stack.append(object.__new__(kind))

    def load_reduce(self) -> None:
        """A call of one of the few listed functions and compiled classes."""
        args, function = self.stack.pop(), self.stack.pop()
        if not any(function is known for known in self._called) or type(args) is not tuple:
            raise Refused("it calls a function that no model needs")
        self.stack.append(function(*args))

    def load_build(self) -> None:
        """The attributes of an object; never those of a class or a function."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, np.dtype):
            _complete_dtype(target, state)
            return
        if type(target) not in self._made | self._called:
            raise Refused("it changes something other than a model")
        if hasattr(target, "__setstate__"):
            target.__setstate__(state)
        else:
            vars(target).update(state)
        if isinstance(target, _StoredArray):
            self.stack[-1] = target.read(self._file)
        check_values(target)

    def load_append(self) -> None:
        """One more entry of a list."""
        value = self.stack.pop()
        self._last(list).append(value)

    def load_appends(self) -> None:
        """More entries of a list."""
        values = self.pop_mark()
        self._last(list).extend(values)

    def load_setitem(self) -> None:
        """One more entry of a dictionary."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key], [value])

    def load_setitems(self) -> None:
        """More entries of a dictionary."""
        items = self.pop_mark()
        self._set_items(items[::2], items[1::2])

    def _set_items(self, keys: list[Any], values: list[Any]) -> None:
        if any(type(key) not in (str, int) for key in keys):  # to hash a nested tuple may take for ever
            raise Refused("it contains a dictionary whose keys are neither texts nor numbers")
        self._last(dict).update(zip(keys, values, strict=True))

    def _last(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise Refused("it fills something other than a list or a dictionary")
        return self.stack[-1]

    def refuse(self) -> None:
        """Any other opcode: sets, extension codes, persistent ids, calls of constructors by old opcodes, ..."""
        raise Refused("it uses a part of the pickle language that no model needs")


_INHERITED = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BINFLOAT),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.LONG4),
    *(pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8),
    *(pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.BINBYTES8),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.EMPTY_DICT),
    *(pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.GLOBAL, pickle.STACK_GLOBAL),
)
_OWN = {
    pickle.NEWOBJ: _BundleUnpickler.load_newobj,
    pickle.REDUCE: _BundleUnpickler.load_reduce,
    pickle.BUILD: _BundleUnpickler.load_build,
    pickle.APPEND: _BundleUnpickler.load_append,
    pickle.APPENDS: _BundleUnpickler.load_appends,
    pickle.SETITEM: _BundleUnpickler.load_setitem,
    pickle.SETITEMS: _BundleUnpickler.load_setitems,
}
_BundleUnpickler.dispatch = {
    **dict.fromkeys(range(256), _BundleUnpickler.refuse),
    **{code[0]: pickle._Unpickler.dispatch[code[0]] for code in _INHERITED},
    **{code[0]: handler for code, handler in _OWN.items()},
}
