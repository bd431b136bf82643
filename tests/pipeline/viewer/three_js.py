"""three.js, a public viewer library: its npm package, pinned, fetched once and kept in .venv."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.170.0"
SHA256 = "4a608a355dcaba72e0e5383cdc814303f5b6060b43c238cdf6932dceb699238d"
FILES = (
    "build/three.module.min.js",
    "examples/jsm/loaders/GLTFLoader.js",
    "examples/jsm/utils/BufferGeometryUtils.js",
)
KEPT = Path(sys.prefix) / "share" / "humans4d-tests" / f"three-{VERSION}"


class NotToBeHad(Exception):
    """Why the library is not here."""


def three_folder() -> Path:
    """The folder of the library's files.

    Raises:
        NotToBeHad: no npm, no network.
        AssertionError: the package is not the pinned one.
    """
    if not all((KEPT / name).exists() for name in FILES):
        with tempfile.TemporaryDirectory() as folder:
            _unpack(_packed(Path(folder)))
    return KEPT


def _packed(folder: Path) -> Path:
    if not shutil.which("npm"):
        raise NotToBeHad("no npm here to fetch three.js with: install the package 'npm'")
    command = ["npm", "pack", f"three@{VERSION}", "--pack-destination", str(folder), "--silent"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotToBeHad("npm could not fetch three.js within 120 s") from error
    if done.returncode:
        raise NotToBeHad(f"npm cannot fetch three.js: {' '.join(done.stderr.split())[:200]}")
    return folder / f"three-{VERSION}.tgz"


def _unpack(package: Path) -> None:
    found = hashlib.sha256(package.read_bytes()).hexdigest()
    assert found == SHA256, f"three.js: SHA-256 {found}, expected {SHA256}"
    with tarfile.open(package) as archive:
        for name in FILES:
            member = archive.extractfile(f"package/{name}")
            assert member is not None
            (KEPT / name).parent.mkdir(parents=True, exist_ok=True)
            (KEPT / name).write_bytes(member.read())
