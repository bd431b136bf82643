"""A headless Chromium that is told what to do through a pipe (DevTools protocol)."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)


def find_chromium() -> str | None:
    """The program, if this machine has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page."""

    def __init__(self, program: str, profile: Path, size: tuple[int, int] = (1200, 750)) -> None:
        read_theirs, write_ours = os.pipe()
        read_ours, write_theirs = os.pipe()

        def wire() -> None:
            # Chromium listens on descriptor 3 and answers on 4.
            theirs = os.dup(read_theirs), os.dup(write_theirs)
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"],
            preexec_fn=wire,  # noqa: PLW1509  (descriptors 3 and 4 cannot be had otherwise)
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_theirs)
        os.close(write_theirs)
        self._out, self._in = write_ours, read_ours
        self._count, self._rest = 0, b""
        self.messages: list[dict] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.send(f"{domain}.enable")

    def open(self, page: Path | str, timeout_s: float = 30.0) -> None:
        """Load a page (a file or an address) and wait until it says that it is ready."""
        address = page if isinstance(page, str) else page.resolve().as_uri()
        self.send("Page.navigate", url=address)
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.run("document.body && document.body.dataset.state || ''"):
                return
            time.sleep(0.1)
        raise TimeoutError(f"{page} did not get ready")

    def load(self, page: Path, timeout_s: float = 30.0) -> None:
        """Load a page of any kind, with its pictures."""
        self.send("Page.navigate", url=page.resolve().as_uri())
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and self.run("document.readyState") != "complete":
            time.sleep(0.1)

    def run(self, script: str):
        """The value of a JavaScript expression."""
        given = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in given:
            raise AssertionError(given["exceptionDetails"])
        return given["result"].get("value")

    def click(self, selector: str) -> None:
        """A real click in the middle of an element."""
        box = self.run(
            f"(() => {{ const b = document.querySelector('{selector}').getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            where = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
            self.send("Input.dispatchMouseEvent", type=kind, **where)

    def screenshot(self) -> bytes:
        """The page as PNG, once what was asked for is painted."""
        painted = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        self.send("Runtime.evaluate", expression=painted, awaitPromise=True)
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def requested(self) -> list[str]:
        """Addresses that the page asked for."""
        return [
            message["params"]["request"]["url"]
            for message in self.messages
            if message.get("method") == "Network.requestWillBeSent"
        ]

    def faults(self) -> list[str]:
        """Errors in the console."""
        return [
            json.dumps(message["params"])
            for message in self.messages
            if message.get("method") == "Runtime.exceptionThrown"
        ]

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        os.close(self._in)
        os.close(self._out)

    def send(self, method: str, **params):
        """A command of the DevTools protocol; gives its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]
            self.messages.append(answer)

    def _next(self) -> dict:
        while b"\0" not in self._rest:
            data = os.read(self._in, 1 << 20)
            if not data:
                raise ConnectionError("Chromium ended")
            self._rest += data
        line, self._rest = self._rest.split(b"\0", 1)
        return json.loads(line)
