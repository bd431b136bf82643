"""The pictures of the documents, made of the demo's film: `python -m benchmarks.pictures`.

Films and runs the demo (or takes the result that is given), draws every mode of `humans4d render`,
opens report, viewer and body page in headless Chromium, and writes docs/modes.jpg, report.jpg,
viewer.jpg and body.jpg.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from pipeline.context import Context
from pipeline.result import ResultFolder
from pipeline.viewer import write_body_page, write_viewer
from pipeline.views.body_input import one_body
from tests.pipeline.viewer.browser import Browser, find_chromium

DOCS = Path(__file__).parents[1] / "docs"
ROWS = (("overlay", "skeleton"), ("wireframe", "silhouette"), ("side", "birdseye"), ("mesh",))
TILE_PX = (480, 270)
LARGEST_BYTES = 150_000
MOMENT_S = 1.6
FILM_S = 1.5
"""Until the page shows its film's frame."""
ARM_DOWN, KNEE_BENT = 1.1, 0.7


def main() -> None:
    """Make them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path, nargs="?", help="a finished demo; else made anew")
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("headless Chromium is needed: install the package 'chromium'")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        result = options.result or folder / "demo"
        if options.result is None:
            humans4d("demo", "-o", result, "-q")
        write_jpg(DOCS / "modes.jpg", modes(result, folder))
        pages = made_pages(result, folder)
        for name, (page, script, size_px) in pages.items():
            write_jpg(DOCS / f"{name}.jpg", photographed(chromium, page, script, size_px, folder))


def humans4d(*arguments: str | Path) -> None:
    """The command line, as a user calls it."""
    program = str(Path(sys.executable).with_name("humans4d"))
    subprocess.run([program, *map(str, arguments)], check=True)


def modes(result: Path, folder: Path) -> np.ndarray:
    """A sheet with a still of every mode and its name."""
    return np.vstack([np.hstack([tile(result, mode, folder) for mode in row]) for row in ROWS])


def tile(result: Path, mode: str, folder: Path) -> np.ndarray:
    """One still, with the mode's name in its corner."""
    out = folder / mode
    humans4d("render", result, "--mode", mode, "--stills", "2", "-q", "-o", out)
    picture = cv2.imread(str(min(out.glob("*.png"))))
    assert picture is not None
    size = (TILE_PX[0] * (2 if mode == "mesh" else 1), TILE_PX[1])
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, _), _ = cv2.getTextSize(mode, font, 0.5, 1)
    cv2.rectangle(picture, (0, 0), (width + 16, 24), (54, 44, 38), cv2.FILLED)
    cv2.putText(picture, mode, (8, 17), font, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def made_pages(result: Path, folder: Path) -> dict[str, tuple[Path, str, tuple[int, int]]]:
    """Page, what to do in it before it is photographed, and the window's size, by name."""
    viewer = write_viewer(ResultFolder(result), folder / "viewer.html", Context())
    pose = np.zeros((24, 3))
    pose[16, 2], pose[17, 2], pose[4, 0] = -ARM_DOWN, ARM_DOWN / 2, KNEE_BENT
    one = one_body(np.array([1.0, -1.5]), pose.ravel(), "picture")
    body = write_body_page(one, "one body", folder / "body.html", Context())
    return {
        "report": (result / "report.html", "", (1000, 1180)),
        "viewer": (viewer, f"humans4d.seek({MOMENT_S})", (1100, 760)),
        "body": (body, "humans4d.pick(16)", (1100, 760)),
    }


def photographed(
    chromium: str, page: Path, script: str, size_px: tuple[int, int], folder: Path
) -> np.ndarray:
    """A page in a browser's window."""
    browser = Browser(chromium, folder / f"profile_{page.stem}", size_px)
    try:
        if script:
            browser.open(page)
            browser.run(script)
            time.sleep(FILM_S)
        else:
            browser.load(page)
        picture = cv2.imdecode(np.frombuffer(browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    finally:
        browser.close()
    assert picture is not None
    return picture


def write_jpg(path: Path, picture: np.ndarray) -> None:
    """As good as its size allows."""
    for quality in range(92, 40, -4):
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and len(data) < LARGEST_BYTES:
            break
    path.write_bytes(data.tobytes())
    print(f"{path}: {picture.shape[1]}x{picture.shape[0]}, {len(data) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
