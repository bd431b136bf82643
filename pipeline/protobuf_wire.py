"""The few parts of protobuf's wire format that checkpoints need (protobuf.dev/encoding)."""

from collections import defaultdict
from collections.abc import Mapping

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 10
Fields = Mapping[int, list[int | bytes]]
"""Values by field number, in the order in which they were written."""


def varint(content: bytes, start: int) -> tuple[int, int]:
    """A number of 7 bits per byte, low bits first, and where it ends.

    Raises:
        ValueError: it does not end.
    """
    value = 0
    for place, byte in enumerate(content[start : start + LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004  (the eighth bit says that more follow)
            return value, start + place + 1
    raise ValueError(f"the number at byte {start} does not end")


def fields(message: bytes) -> Fields:
    """All fields of a message; nested messages stay bytes.

    Raises:
        ValueError: it is no message.
    """
    found: dict[int, list[int | bytes]] = defaultdict(list)
    place = 0
    while place < len(message):
        key, place = varint(message, place)
        value, place = _value(message, place, key & 7)
        found[key >> 3].append(value)
    return found


def number(message: Fields, field: int) -> int:
    """A field's last value; 0, which is never written, where it is absent.

    Raises:
        ValueError: the field holds bytes.
    """
    value = message[field][-1] if message.get(field) else 0
    if not isinstance(value, int):
        raise ValueError(f"field {field} is no number")
    return value


def messages(message: Fields, field: int) -> list[Fields]:
    """All messages of a repeated field.

    Raises:
        ValueError: the field holds numbers.
    """
    found = []
    for value in message.get(field, ()):
        if not isinstance(value, bytes):
            raise ValueError(f"field {field} is no message")
        found.append(fields(value))
    return found


def _value(message: bytes, start: int, kind: int) -> tuple[int | bytes, int]:
    if kind == VARINT:
        return varint(message, start)
    if kind == BYTES:
        length, start = varint(message, start)
    elif kind in (FIXED32, FIXED64):
        length = 4 if kind == FIXED32 else 8
    else:
        raise ValueError(f"unknown kind of field ({kind}) at byte {start}")
    content = message[start : start + length]
    if len(content) != length:
        raise ValueError(f"the field at byte {start} is cut short")
    return (content if kind == BYTES else int.from_bytes(content, "little")), start + length
