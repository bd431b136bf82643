"""Numba compilation with a cache that never stops the program."""

import inspect
import logging
from collections.abc import Callable
from typing import Any

import numba

LOGGER = logging.getLogger(__name__)


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, without the GIL, and keep the machine code on disk.

    The code goes to `__pycache__` beside the source, else to the user's cache folder. Where
    neither can be written the function is compiled anew in every process.
    """
    function = inspect.unwrap(function)  # shape checkers wrap functions; Numba needs the bare one
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError as error:  # numba: "no locator available", nowhere to write
        LOGGER.warning("%s is compiled in every run: %s", function.__name__, error)
        return numba.njit(nogil=True, error_model="numpy")(function)
