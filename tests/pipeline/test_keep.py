"""A rerun reuses what matches and makes again what does not."""

import os
import subprocess
from dataclasses import replace
from functools import partial

import pytest

from pipeline.context import Context
from pipeline.errors import OutputError
from pipeline.keep import Keeper
from pipeline.parts import Parts
from pipeline.report import Record
from pipeline.result import ResultFolder
from pipeline.same_result import differences
from tests.pipeline.nouns import RUN_FACTS, a_person


class Run:
    """One run over a folder: two stages of people and one file."""

    def __init__(self, folder, smoothing="a", rendering="x"):
        self.made = []
        self.context = Context()
        self.folder = ResultFolder(folder)
        report = self.folder.read_report() if self.folder.report_path.exists() else {}
        record = Record(self.folder, self.context, dict(RUN_FACTS), report.get("made", {}))
        settings = {"tracking": "t", "smoothing": smoothing, "rendering": rendering}
        keep = Keeper(self.folder, self.context, record, settings.get)
        self.tracked = keep.people("tracking", self._people)
        self.people = keep.people("smoothing", self._smooth)
        keep.files("rendering", self._file)
        record.save("complete")

    def _people(self):
        self.made.append("tracking")
        self.context.events.record("tracking", "drop", "one short track dropped")
        return (a_person(1), a_person(2, 4, 3))

    def _smooth(self):
        self.made.append("smoothing")
        return self.tracked

    def _file(self):
        self.made.append("rendering")
        self.context.events.record("video", "fallback", "the sound was encoded anew")
        self.folder.overlay_path.write_bytes(b"video")
        return [self.folder.overlay_path]


ALL = ["tracking", "smoothing", "rendering"]


def test_nothing_changed_means_nothing_is_made(tmp_path):
    assert Run(tmp_path).made == ALL
    again = Run(tmp_path)
    assert again.made == []
    assert [person.id for person in again.people] == [1, 2]


def test_events_of_a_reused_stage_are_told_again(tmp_path):
    Run(tmp_path)
    kinds = [event.kind for event in Run(tmp_path).context.events.events]
    assert kinds == ["drop", "fallback"]
    third = [event.kind for event in Run(tmp_path).context.events.events]
    assert third == kinds


def test_a_changed_setting_remakes_that_stage_and_what_follows(tmp_path):
    Run(tmp_path)
    assert Run(tmp_path, smoothing="b").made == ["smoothing", "rendering"]
    assert Run(tmp_path, smoothing="b", rendering="y").made == ["rendering"]


@pytest.mark.parametrize(
    ("name", "remade"),
    [("tracks.npz", ["tracking"]), ("smoothed.npz", ["smoothing"]), ("overlay.mp4", ["rendering"])],
)
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_damaged_files_are_made_again(tmp_path, name, remade, damage):
    Run(tmp_path)
    path = tmp_path / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-3])
    assert Run(tmp_path).made == remade


def test_a_whole_run_is_current_until_a_file_is_touched(tmp_path):
    folder = ResultFolder(tmp_path)
    Run(tmp_path)
    report = folder.read_report()
    folder.write_report({**report, "fingerprint": "f"})
    assert folder.current_report("f") is not None
    assert folder.current_report("g") is None
    folder.overlay_path.write_bytes(b"other size")
    assert folder.current_report("f") is None


def test_an_incomplete_run_is_not_current(tmp_path):
    folder = ResultFolder(tmp_path)
    Run(tmp_path)
    folder.write_report({**folder.read_report(), "fingerprint": "f", "status": "incomplete"})
    assert folder.current_report("f") is None


def test_two_runs_do_not_write_one_folder(tmp_path):
    folder = ResultFolder(tmp_path)
    with folder.locked(), pytest.raises(OutputError, match="another run"), folder.locked():
        pass


@pytest.mark.parametrize(
    ("text", "words"), [("", "cannot be read"), ("{}", "schema_version None"), ("[1]", "schema")]
)
def test_damaged_reports_are_named(tmp_path, text, words):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(OutputError, match=words):
        ResultFolder(tmp_path).read_report()


def test_a_folder_without_a_result_says_how_to_make_one(tmp_path):
    with pytest.raises(OutputError, match="humans4d run"):
        ResultFolder(tmp_path).read_report()


def test_what_a_killed_run_left_is_removed(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = [tmp_path / f".overlay.mp4.{ended.pid}.part.mp4", tmp_path / "people"]
    left[1].mkdir()
    left[1] /= f".person_001.npz.{ended.pid}.part.npz"
    at_work = tmp_path / f".body.glb.{os.getppid()}.part.glb"
    for path in (*left, at_work):
        path.touch()
    with ResultFolder(tmp_path).locked():
        assert not any(path.exists() for path in left)
        assert at_work.exists()


def test_a_kill_between_a_stages_file_and_run_json_loses_no_event(tmp_path):
    def events_of_a_run():
        folder, context = ResultFolder(tmp_path), Context()
        report = folder.read_report() if folder.report_path.exists() else {}
        record = Record(folder, context, dict(RUN_FACTS), report.get("made", {}))
        keep = Keeper(folder, context, record, lambda *stages: list(stages))

        def refine(people):
            context.events.record("refinement", "info", "sides exchanged", person_id=1)
            return people

        tracked = keep.people("tracking", lambda: (a_person(1), a_person(2, 4, 3)))
        before = folder.report_path.read_bytes()
        keep.each("refinement", tracked, refine)
        return before, context.events.as_dicts()

    before, events = events_of_a_run()
    (tmp_path / "run.json").write_bytes(before)
    assert events_of_a_run()[1] == events and len(events) == 1


class Refined:
    """A run whose refinement works in parts, and may be killed before one of them."""

    def __init__(self, folder, stop_at=None, people=(1, 2, 3), every_s=0.0):
        self.folder, self.context = ResultFolder(folder), Context(parts=Parts(every_s))
        self.made, self.stop_at = [], stop_at
        report = self.folder.read_report() if self.folder.report_path.exists() else {}
        record = Record(self.folder, self.context, dict(RUN_FACTS), report.get("made", {}))
        keep = Keeper(self.folder, self.context, record, lambda *stages: list(stages))
        # Who is near whom does not count here: they are seen one after the other.
        tracked = keep.people("tracking", lambda: tuple(a_person(n, 9 * n) for n in (1, 2, 3)))
        tracked = tuple(person for person in tracked if person.id in people)
        keep.note_input("identities", people)
        self.people = keep.each("refinement", tracked, self._refine)

    def _refine(self, people):
        return tuple(
            replace(one, **self.context.parts.get(f"person {one.id}", partial(self._fit, one)))
            for one in people
        )

    def _fit(self, person):
        if person.id == self.stop_at:
            raise KeyboardInterrupt
        self.made.append(person.id)
        self.context.events.record("refinement", "info", "sides exchanged", person_id=person.id)
        return {"betas": person.betas + 1}

    @property
    def events(self):
        """All that was told."""
        return self.context.events.as_dicts()


def test_a_stage_goes_on_behind_its_parts_and_clears_them_away(tmp_path):
    whole = Refined(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        Refined(tmp_path / "cut", stop_at=3)
    again = Refined(tmp_path / "cut")
    assert (again.made, len(again.events)) == ([3], 3)
    assert again.events == whole.events
    assert not (tmp_path / "cut" / ".unfinished").exists()
    assert differences(tmp_path / "whole", tmp_path / "cut") == []


def test_parts_made_among_other_people_are_made_again(tmp_path):
    first = Refined(tmp_path, people=(1,))
    with pytest.raises(KeyboardInterrupt):
        Refined(tmp_path, stop_at=3)
    assert first.made == [1]
    (tmp_path / "refined.npz").unlink()  # whom the killed run need not see counts again
    assert Refined(tmp_path).made == [1, 2, 3]


def test_quick_stages_leave_no_parts(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Refined(tmp_path, stop_at=3, every_s=60.0)
    assert not (tmp_path / ".unfinished").exists()
