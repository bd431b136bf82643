"""A small npm registry on this machine, and the row of the table that it serves."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from pipeline.weights_kinds import NpmPackage, WeightsFile

CONTENT = b"numbers of a better network" * 1000
MEMBER = "package/net.bin"
NAME = "tiny-heavy"
PATH = "/npm/@tiny/heavy/-/heavy-1.0.2.tgz"


def tarball(*members: tarfile.TarInfo) -> bytes:
    """A gzipped tar of these members, each holding CONTENT; without any: of the one expected."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member in members or (tarfile.TarInfo(MEMBER),):
            member.size = len(CONTENT) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(CONTENT))
    return gzip.compress(packed.getvalue(), mtime=0)  # the same bytes every time


def link_to(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """In place of the member expected, a link."""
    member = tarfile.TarInfo(MEMBER)
    member.type, member.linkname = kind, target
    return member


def row_of(content: bytes, **changed: str) -> WeightsFile:
    """A row for the tarball; `changed` may name other digests, or another user."""
    package = NpmPackage(
        name="@tiny/heavy",
        version="1.0.2",
        file_name="tiny-heavy-1.0.2.tgz",
        sha256=changed.get("tarball_sha256", hashlib.sha256(content).hexdigest()),
        size_bytes=len(content),
    )
    return WeightsFile(
        name=NAME,
        file_name="net.bin",
        sha256=changed.get("sha256", hashlib.sha256(CONTENT).hexdigest()),
        size_bytes=len(CONTENT),
        licence="CC0",
        needed_by=changed.get("needed_by", "detection: blazepose"),
        source=package,
        member=MEMBER,
        optional=True,
        without="all is less exact",
    )


@dataclass
class Registry:
    """What it serves, by path, and what it was asked for."""

    address: str
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    promised_bytes: int | None = None
    """What it says an answer's length is; None: the truth."""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Registry]:
    """A registry at work, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append(self.path)
            content = registry.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(registry.promised_bytes or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry = Registry(f"http://127.0.0.1:{server.server_port}/npm", files)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
