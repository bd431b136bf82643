"""Python's own pickle reader, bounded, for pickles from strangers.

The one written in C believes what a pickle claims: a memo of four thousand million places is
allocated and filled. The one written in Python keeps a dict. What is left of such tricks is stopped
here: claimed lengths, and tuples that hold each other so often that hashing one never ends.
"""

import pickle
import struct
from typing import Any, ClassVar

MOST_IN_A_TUPLE = 1_000_000
_PLAIN_UNPICKLER: Any = pickle._Unpickler

UNPICKLING_FAULTS = (
    pickle.UnpicklingError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What damaged and hostile pickles make of the reader."""


class PlainUnpickler(_PLAIN_UNPICKLER):
    """Reads a stream; knows no global until `find_class` is overridden."""

    dispatch: ClassVar[dict[Any, Any]] = dict(_PLAIN_UNPICKLER.dispatch)

    def __init__(self, stream: Any, **options: Any) -> None:
        super().__init__(stream, **options)
        self._entries: dict[int, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Refuse."""
        raise pickle.UnpicklingError(f"asks for {module}.{name}")

    def load_bytearray8(self) -> None:
        """Take the bytes that are there, not a room of the claimed size."""
        (length,) = struct.unpack("<Q", self.read(8))
        content = self.read(length)
        if len(content) != length:
            raise EOFError("the pickle is cut short")
        self.append(bytearray(content))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8

    def _check_tuple(self) -> None:
        """Count what a tuple holds, tuples in tuples again and again, as hashing visits them."""
        made = self.stack[-1]
        entries = 1 + sum(
            self._entries.get(id(item), 1) if isinstance(item, tuple) else 1 for item in made
        )
        if entries > MOST_IN_A_TUPLE:
            raise pickle.UnpicklingError("a tuple that holds itself too often")
        self._entries[id(made)] = entries

    def load_tuple(self) -> None:
        """A tuple of any length."""
        super().load_tuple()
        self._check_tuple()

    def load_tuple1(self) -> None:
        """A tuple of one."""
        super().load_tuple1()
        self._check_tuple()

    def load_tuple2(self) -> None:
        """A tuple of two."""
        super().load_tuple2()
        self._check_tuple()

    def load_tuple3(self) -> None:
        """A tuple of three."""
        super().load_tuple3()
        self._check_tuple()

    dispatch[pickle.TUPLE[0]] = load_tuple
    dispatch[pickle.TUPLE1[0]] = load_tuple1
    dispatch[pickle.TUPLE2[0]] = load_tuple2
    dispatch[pickle.TUPLE3[0]] = load_tuple3
