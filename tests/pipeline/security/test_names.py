"""Names are names: of files that look like options, addresses or lists; of people with markup."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.format_readers.truth import write_made_up_result
from pipeline import cli
from pipeline.context import Context
from pipeline.decoders import DECODERS
from pipeline.errors import EXIT_INPUT, InputError, OutputError, SettingsError
from pipeline.identities import Edit, Identities, write_identities
from pipeline.limits import VideoLimits
from pipeline.probe import check_file
from pipeline.report_page import write_report
from pipeline.result import ResultFolder
from pipeline.video import open_video, read_frames
from pipeline.viewer import write_viewer
from tests.pipeline.video_fixtures import make_clip

NAMES = (
    "-i.mp4",
    "--help.mp4",
    "concat:a|b.mp4",
    "http:x.mp4",
    "pipe:0.mp4",
    "file:z.mp4",
    "new\nline.mp4",
    "\u00fcn\u00ef \u5f71.mp4",
    "%03d.mp4",
    "$(touch harmed);`touch harmed`.mp4",
    "a[bold]b.mp4",
    "quote'\".mp4",
    "a" * 251 + ".mp4",
)
MARKUP = "<script>alert(1)</script>\"'\u2028</title><img src=x onerror=alert(2)>&amp;"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("names") / "clip.mp4", times_s=6, size_px=(64, 48))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_is_read_as_a_file(tmp_path, monkeypatch, clip, name, decoder):
    if decoder == "decord":
        pytest.importorskip("decord")
    monkeypatch.chdir(tmp_path)
    shutil.copy(clip, name)
    video = open_video(Path(name), decoder=decoder)
    assert sum(1 for _ in read_frames(video, decoder=decoder)) == 6
    assert not Path("harmed").exists()


@pytest.mark.parametrize("decoder", DECODERS)
def test_lists_of_other_files_and_addresses_are_no_videos(tmp_path, clip, decoder):
    shutil.copy(clip, tmp_path / "a.mp4")
    for text in (
        "ffconcat version 1.0\nfile a.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ):
        (tmp_path / "list.mp4").write_text(text)
        with pytest.raises(InputError):
            open_video(tmp_path / "list.mp4", decoder=decoder)


def test_a_name_that_is_no_text_is_refused_in_text(tmp_path, clip):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4"))
    shutil.copy(clip, path)
    with pytest.raises(InputError, match="no UTF-8 text") as refused:
        check_file(path)
    str(refused.value).encode("utf-8")
    with pytest.raises(OutputError, match="no UTF-8 text"), ResultFolder(path).locked():
        pass


def test_pipes_and_devices_are_no_videos(hostile, tmp_path, monkeypatch, capsys):
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", Path("/dev/zero")):
        monkeypatch.setattr(sys, "argv", ["humans4d", "run", str(path), "-o", str(tmp_path / "o")])
        assert cli._exit_code() == EXIT_INPUT
        assert "pipe or a device" in " ".join(capsys.readouterr().err.split())


def test_limits_are_told_with_the_way_to_raise_them(clip):
    with pytest.raises(InputError, match=r"video\.max_frames=5"):
        open_video(clip, limits=VideoLimits(max_frames=5))
    with pytest.raises(InputError, match=r"video\.max_pixels=3071"):
        open_video(clip, limits=VideoLimits(max_pixels=64 * 48 - 1))
    assert open_video(clip, limits=VideoLimits(6, 64 * 48)).frame_count == 6


def test_a_size_claimed_by_the_header_is_not_allocated(tmp_path, clip):
    data = bytearray(clip.read_bytes())
    place = data.find(b"avc1", data.find(b"stsd")) + 28
    data[place : place + 4] = (30000).to_bytes(2, "big") * 2
    (tmp_path / "large.mp4").write_bytes(data)
    video = open_video(tmp_path / "large.mp4")  # the stream itself says otherwise
    assert (video.width_px, video.height_px) == (64, 48)


def test_a_size_that_only_the_header_tells_is_refused(tmp_path):
    raw = make_clip(
        tmp_path / "raw.avi", times_s=2, size_px=(64, 48), codec="rawvideo", pixel_format="yuv420p"
    )
    data = bytearray(raw.read_bytes())
    place = data.find(b"strf") + 12
    data[place : place + 8] = (30000).to_bytes(4, "little") * 2
    raw.write_bytes(data)
    with pytest.raises(InputError, match=r"more than|no frame|not a video"):
        open_video(raw)


@pytest.fixture
def hostile(tmp_path):
    """A result whose video, people, settings and events are called what nobody should be."""
    folder = write_made_up_result(tmp_path / "result")
    report = json.loads(folder.report_path.read_text())
    report["video"]["path"] = f"/nowhere/{MARKUP}.mp4"
    report["video"]["codec"] = MARKUP
    report["licences"] = {"verdict": MARKUP, "used": [{"what": MARKUP, "licence": MARKUP}]}
    report["settings"][MARKUP] = {"backend": MARKUP, MARKUP: MARKUP}
    report["people"][0]["name"] = MARKUP
    event = {"stage": MARKUP, "kind": "drop", "message": MARKUP}
    report["events"] = [{**event, "frame_index": None, "person_id": None}]
    folder.report_path.write_text(json.dumps(report))
    return folder


def test_names_do_not_become_markup_in_the_pages(hostile, tmp_path):
    write_report(hostile, Context())
    viewer = write_viewer(hostile, tmp_path / "viewer.html", Context())
    for page in (hostile.page_path, viewer):
        text = page.read_text(encoding="utf-8")
        assert "alert(1)" in text or page == viewer
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "</title><img" not in text


def test_names_of_people_stay_inside_and_are_printed_as_they_are(hostile, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["humans4d", "inspect", str(hostile.path)])
    assert cli._exit_code() == 0
    assert "onerror=alert" in "".join(capsys.readouterr().out.split())
    before = set(hostile.path.parent.rglob("*"))
    write_identities(
        hostile.path, Identities("", (Edit("name", (1,), "../../../etc/x\n- drop 1"),))
    )
    assert set(hostile.path.parent.rglob("*")) - before == {hostile.path / "identities.yaml"}


@pytest.mark.parametrize("file", ["../x.npz", "/etc/passwd", "people/../../x.npz"])
def test_files_outside_the_result_are_never_opened(hostile, file):
    report = json.loads(hostile.report_path.read_text())
    report["people"][0]["file"] = file
    hostile.report_path.write_text(json.dumps(report))
    with pytest.raises(OutputError, match="file"):
        hostile.read_report()


def test_a_result_cannot_allow_a_program_to_run(hostile, monkeypatch, capsys):
    report = json.loads(hostile.report_path.read_text())
    report["settings"] = {
        "detection": {"backend": "yolo", "yolo": {"weights": "evil.pt", "trust": True}}
    }
    hostile.report_path.write_text(json.dumps(report))
    from pipeline.commands.run import run_again

    with pytest.raises(SettingsError, match=r"detection\.yolo\.trust"):
        run_again(hostile, hostile.read_report(), quiet=True)


def test_files_are_private_while_written_and_as_umask_says_afterwards(tmp_path):
    from pipeline.files import write_json, written_aside

    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    before = os.umask(0o027)
    try:
        (tmp_path / f".a.bin.{os.getpid()}.part.bin").symlink_to(elsewhere)
        with written_aside(tmp_path / "a.bin") as aside:
            aside.write_bytes(b"x")
            assert aside.parent == tmp_path
            assert aside.stat().st_mode & 0o777 == 0o600
        os.umask(0o007)
        write_json(tmp_path / "b.json", {})
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "b.json").stat().st_mode & 0o777 == 0o660
    assert elsewhere.read_text() == "mine"


def test_an_unreadable_video_keeps_its_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["humans4d", "run", str(tmp_path / "no.mp4"), "--json"])
    assert cli._exit_code() == EXIT_INPUT
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["kind"], error["exit_code"]) == ("InputError", EXIT_INPUT)
