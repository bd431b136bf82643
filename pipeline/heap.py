"""Free memory goes back to the system; glibc would keep much of it for the process's next wish."""

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Do so where the C library can; nothing else changes."""
    with suppress(AttributeError, OSError, TypeError):  # no glibc: macOS, Windows, musl
        ctypes.CDLL(None).malloc_trim(0)
