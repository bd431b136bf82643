"""run.log.jsonl: whole lines, bounded, with stages; nothing breaks where it cannot be written."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import run_log
from pipeline.console import configure_logging, print_json
from pipeline.errors import EXIT_CODES, InputError
from pipeline.run_log import FILE, OLDER_FILE

LOGGER = logging.getLogger("pipeline.somewhere")
KEYS = {"time", "level", "stage", "message", "fields", "logger", "pid"}


@pytest.fixture(autouse=True)
def logging_as_it_was():
    root, ours = logging.getLogger(), [logging.getLogger(n) for n in run_log.OUR_LOGGERS]
    before = root.level, list(root.handlers), [one.level for one in ours]
    configure_logging(verbose=False)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for one, level in zip(ours, before[2], strict=True):
        one.setLevel(level)


def lines_of(folder):
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_lines_are_json_with_their_stage_and_how_it_ended(tmp_path):
    with run_log.run_log(tmp_path, "run"):
        LOGGER.info("tracking begins", extra={"stage": "tracking"})
        LOGGER.warning("two\nlines \u2028 \udcff", extra={"fields": {"seconds": 0.5}})
    rows = lines_of(tmp_path)
    assert [row["stage"] for row in rows] == ["", "tracking", "tracking", ""]
    assert [row["level"] for row in rows] == ["info", "info", "warning", "info"]
    assert all(row.keys() == KEYS for row in rows)
    assert rows[2]["fields"] == {"seconds": 0.5}
    assert rows[2]["message"].startswith("two\nlines")
    assert rows[3]["fields"] == {"exit_code": 0}
    LOGGER.info("after the end")
    assert len(lines_of(tmp_path)) == 4


def test_an_error_is_the_last_line_and_goes_on(tmp_path):
    with pytest.raises(InputError), run_log.run_log(tmp_path, "run"):
        raise InputError("no such video")
    last = lines_of(tmp_path)[-1]
    assert last["level"] == "error"
    assert last["message"] == "run ended: no such video"
    assert last["fields"] == {"error": "InputError", "exit_code": 3}


def test_what_comes_before_the_folder_is_kept_and_no_folder_is_made(tmp_path):
    folder = tmp_path / "later"
    with run_log.run_log(folder, "run"):
        LOGGER.info("before")
        folder.mkdir()
        LOGGER.info("after")
    assert [row["message"] for row in lines_of(folder)][1:3] == ["before", "after"]
    with pytest.raises(InputError), run_log.run_log(tmp_path / "never", "run"):
        raise InputError("nothing")
    assert not (tmp_path / "never").exists()


def test_the_log_does_not_grow_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(run_log, "LARGEST_BYTES", 2000)
    with run_log.run_log(tmp_path, "run"):
        for number in range(200):
            LOGGER.info("line %d %s", number, "x" * 10_000)
    sizes = [(tmp_path / name).stat().st_size for name in (FILE, OLDER_FILE)]
    assert max(sizes) < 2000 + run_log.LARGEST_MESSAGE + 500
    assert lines_of(tmp_path)[-1]["message"] == "run is done"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    (tmp_path / FILE).mkdir()
    with run_log.run_log(tmp_path, "run"):
        LOGGER.info("into nowhere")
    assert "Traceback" not in capsys.readouterr().err


def test_a_log_is_no_way_out_of_the_folder(tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("mine")
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / FILE).symlink_to(other)
    with run_log.run_log(tmp_path / "result", "run"):
        LOGGER.info("through a link")
    assert other.read_text() == "mine"


def test_whole_lines_are_left_by_a_killed_run(tmp_path):
    code = (
        "import logging, sys; from pathlib import Path\n"
        "from pipeline.console import configure_logging; from pipeline.run_log import run_log\n"
        "configure_logging(verbose=False); log = logging.getLogger('pipeline.x')\n"
        f"with run_log(Path({str(tmp_path)!r}), 'run'):\n"
        "    for number in range(10**9):\n"
        "        log.info('line %d', number)\n"
        "        if number == 50: print('go', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"go\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(lines_of(tmp_path)) > 50


def test_json_for_machines_has_no_nan(capsys):
    print_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": Path("x"), 3: None})
    content = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert content == {"a": None, "b": [None, 1.5], "c": "x", "3": None}


def test_the_page_lists_every_exit_code():
    page = (Path(__file__).parents[2] / "docs" / "observability.md").read_text()
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", page, re.MULTILINE))
    assert rows == {str(code): text for code, text in EXIT_CODES.items()}
