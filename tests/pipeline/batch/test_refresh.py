"""What of an earlier batch still holds, and what must be done again."""

import json

import pytest

from pipeline.batch.clock import Clock
from pipeline.batch.find import Found
from pipeline.batch.messages import Failed
from pipeline.batch.refresh import Refresher
from pipeline.errors import InputError
from pipeline.storage import SCHEMA_VERSION
from tests.pipeline.batch.parts import SETTINGS, a_done, a_manifest, claims

SAME = Found("a", 10, 5)


def refresh(manifest, folder, videos=(SAME,), settings=SETTINGS, source="/videos", **options):
    given = {"is_remote": False, "retry_failed": False, "afresh": False, **options}
    Refresher(manifest, source, folder, settings, clock=Clock(), **given)(videos)


@pytest.fixture
def done(tmp_path):
    """A video that is done, with its result."""
    manifest = a_manifest(tmp_path, "a")
    mine = claims(manifest)
    manifest.execute("INSERT INTO about VALUES ('/videos')")
    mine.done("a", mine.next("w0", SETTINGS).claim, a_done(fingerprint="key"))
    write_report(tmp_path / "a", "key")
    with manifest:
        yield manifest


def write_report(folder, fingerprint):
    report = {
        "schema_version": SCHEMA_VERSION,
        "status": "complete",
        "fingerprint": fingerprint,
        "settings": {},
        "licences": {"verdict": "free", "used": []},
        "video": {
            **{"path": "a", "width_px": 4, "height_px": 4, "first_frame": 0, "frame_count": 7},
            **{"fps": 25.0, "duration_s": 0.2, "has_audio": False, "codec": "h264"},
        },
        "camera": {"K_px": [[1.0, 0.0, 2.0], [0.0, 1.0, 2.0], [0.0, 0.0, 1.0]], "origin": "given"},
        "people": [],
        "events": [],
        "made": {},
    }
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps(report))


def test_what_is_current_stays_done(done, tmp_path):
    before = done.rows()
    refresh(done, tmp_path)
    assert done.rows() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"videos": [Found("a", 10, 6)]}, "the video changed"),
        ({"settings": "others"}, "settings, code or weights changed"),
        ({"afresh": True}, "asked for afresh"),
    ],
)
def test_what_changed_is_done_again_and_says_why(done, tmp_path, change, reason):
    refresh(done, tmp_path, **change)
    row = done.row("a")
    assert (row.status, row.attempts, row.error) == ("waiting", 0, reason)


@pytest.mark.parametrize("damage", ["removed", "cut", "another's"])
def test_a_result_that_is_not_there_any_more_is_made_again(done, tmp_path, damage):
    path = tmp_path / "a" / "run.json"
    if damage == "removed":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:50])
    else:
        write_report(tmp_path / "a", "other settings")
    refresh(done, tmp_path)
    assert done.row("a").status == "waiting"


def test_of_results_far_away_the_manifest_is_believed(done, tmp_path):
    (tmp_path / "a" / "run.json").unlink()
    refresh(done, tmp_path, is_remote=True)
    assert done.row("a").status == "done"


def test_a_video_goes_and_comes_back(done, tmp_path):
    refresh(done, tmp_path, videos=[SAME, Found("b", 3, 3)])
    refresh(done, tmp_path, videos=[Found("b", 3, 3)])
    assert {row.name: row.status for row in done.rows()} == {"a": "gone", "b": "waiting"}
    refresh(done, tmp_path, videos=[SAME, Found("b", 3, 3)])
    assert done.row("a").status == "waiting"


def test_failed_ones_wait_for_a_change_or_for_being_asked(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:
        mine = claims(manifest)
        failed = Failed("is no video", 3)
        mine.failed("a", mine.next("w0", SETTINGS).claim, failed, "failed", "")
        refresh(manifest, tmp_path)
        assert manifest.row("a").status == "failed"
        assert manifest.folders() == {"/videos"}
        refresh(manifest, tmp_path, retry_failed=True)
        assert manifest.row("a").status == "waiting"
        assert "is no video" in manifest.row("a").error
        mine.failed("a", mine.next("w0", SETTINGS).claim, failed, "failed", "")
        refresh(manifest, tmp_path, videos=[Found("a", 11, 5)])
        row = manifest.row("a")
        assert (row.status, row.attempts, row.size_bytes) == ("waiting", 0, 11)


def test_what_somebody_is_doing_is_left_to_him(tmp_path):
    with a_manifest(tmp_path, "a") as manifest:
        claims(manifest).next("w0", SETTINGS)
        before = manifest.rows()
        refresh(manifest, tmp_path, videos=[Found("a", 10, 6)], settings="others", afresh=True)
        assert manifest.rows() == before


def test_the_output_of_another_folder_is_refused(done, tmp_path):
    others = [Found("a", 99, 5), Found("b", 1, 1)]
    with pytest.raises(InputError, match="another folder"):
        refresh(done, tmp_path, videos=others, source="/others")
    assert done.row("a").status == "done"
    refresh(done, tmp_path, source="/mounted/elsewhere/videos")
    assert done.row("a").status == "done"
    refresh(done, tmp_path, videos=others)
    assert done.row("a").status == "waiting"
