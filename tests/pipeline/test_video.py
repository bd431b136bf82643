"""Frames in: count, order, times, orientation and size of clips whose content is known."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError, SettingsError
from pipeline.events import EventLog
from pipeline.frame import rgb_to_yuv420
from pipeline.video import Frame, open_video, read_frames
from pipeline.yuv import rgb_to_yuv, rgb_to_yuv_matrix
from tests.pipeline.video_fixtures import (
    CORNER_RGB,
    corner_rgb,
    fast_start,
    make_clip,
    read_number,
    run_ffmpeg,
)

VFR_S = np.round(np.cumsum(np.tile([0.010, 0.033, 0.100, 0.050], 4)), 3)
COLOUR_TOLERANCE = 6  # lossy coding at default quality moves flat colours by one to three levels
CLIPS = {
    "h264_b_frames.mp4": {"options": {"bf": "3"}, "times_s": 30},
    "vfr.mp4": {"times_s": VFR_S},
    "vp9.mp4": {"codec": "libvpx-vp9"},
    "vp9_odd.webm": {"codec": "libvpx-vp9", "size_px": (501, 333)},
    "vp8_hidden.webm": {
        "codec": "libvpx",
        "times_s": 40,
        "options": {"auto-alt-ref": "1", "lag-in-frames": "16"},
    },
    "no_pts.avi": {"options": {"bf": "3"}, "times_s": 30},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "odd_444.mkv": {"size_px": (501, 333), "pixel_format": "yuv444p"},
    "portrait.mp4": {"size_px": (240, 426)},
    "ten_bit.mp4": {"pixel_format": "yuv420p10le"},
    "interlaced.mp4": {"options": {"x264-params": "interlaced=1:tff=1"}},
    "sound.mp4": {"sound": "aac"},
    "late.ts": {"sound": "aac"},
    "bt709.mp4": {"tags": {"colorspace": 1}},
    "full_range.mp4": {"tags": {"color_range": 2}},
    "rgb.mp4": {"codec": "libx264rgb", "pixel_format": "rgb24"},
    "one_frame.mp4": {"times_s": 1},
    "two_frames.mp4": {"times_s": 2},
}
DECORD_CANNOT = {"late.ts": "seeks to nothing in MPEG-TS"}


def numbers(frames: list[Frame]) -> list[int]:
    return [read_number(frame.rgb) for frame in frames]


def times_of(settings: dict) -> np.ndarray:
    times = settings.get("times_s", 12)
    return np.arange(times) / 25 if isinstance(times, int) else np.asarray(times)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            made[name] = make_clip(folder / name, **CLIPS[name])
        return made[name]

    return get


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_comes_once_in_order_at_its_time(clips, name, decoder):
    if decoder == "decord":
        pytest.importorskip("decord", reason="the extra 'decord' is not installed")
        if name in DECORD_CANNOT:
            with pytest.raises(InputError, match="decord cannot read"):
                list(read_frames(open_video(clips(name)), decoder="decord"))
            return
    events = EventLog()
    video = open_video(clips(name), events=events)
    reader = read_frames(video, decoder=decoder, events=events)
    frames = list(reader)

    expected_s = times_of(CLIPS[name])
    size_px = CLIPS[name].get("size_px", (320, 240))
    assert numbers(frames) == list(range(len(expected_s)))
    assert [frame.index for frame in frames] == list(range(len(expected_s)))
    assert {(f.rgb.shape[1], f.rgb.shape[0], f.width_px, f.height_px) for f in frames} == {
        (*size_px, *size_px)
    }
    # The avi and ts muxers move the clip as a whole by the encoder's delay; spacing is kept.
    moved_s = frames[0].time_s - expected_s[0] if name.endswith(("avi", "ts")) else 0.0
    np.testing.assert_allclose([f.time_s for f in frames], expected_s + moved_s, atol=1e-3)
    np.testing.assert_allclose(video.time_s, expected_s + moved_s, atol=1e-3)
    assert (reader.lost, events.events) == (0, [])
    np.testing.assert_array_equal(reader.seen().time_s, [f.time_s for f in frames])
    for corner, colour in CORNER_RGB.items():
        np.testing.assert_allclose(
            corner_rgb(frames[0].rgb, corner), colour, atol=COLOUR_TOLERANCE, err_msg=corner
        )


def test_facts_of_a_clip(clips):
    video = open_video(clips("sound.mp4"))
    assert (video.codec, video.has_audio, video.rotation_deg) == ("h264", True, 0)
    assert video.fps == pytest.approx(25.0)
    assert not open_video(clips("vp9.mp4")).has_audio


TURNED = {  # counter-clockwise turn on display -> where the stored top left corner is then seen
    90: ("bottom_left", (240, 320), 270),
    180: ("bottom_right", (320, 240), 180),
    270: ("top_right", (240, 320), 90),
}


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize("ccw_deg", TURNED)
def test_rotation_metadata_turns_the_picture(tmp_path, ccw_deg, decoder):
    if decoder == "decord":
        pytest.importorskip("decord", reason="the extra 'decord' is not installed")
    corner, size_px, clockwise_deg = TURNED[ccw_deg]
    video = open_video(make_clip(tmp_path / "turned.mp4", rotation_ccw_deg=ccw_deg))
    frame = next(read_frames(video, decoder=decoder))
    assert (video.width_px, video.height_px) == size_px == (frame.width_px, frame.height_px)
    assert video.rotation_deg == clockwise_deg
    red = CORNER_RGB["top_left"]
    np.testing.assert_allclose(corner_rgb(frame.rgb, corner), red, atol=COLOUR_TOLERANCE)
    planes = frame.yuv420()
    assert planes.y.shape == (size_px[1], size_px[0])
    expected = rgb_to_yuv(np.array(red, dtype=np.uint8), planes.matrix, planes.full_range)
    there = (planes.y, planes.u, planes.v)
    seen = [corner_rgb(np.repeat(p[..., None], 3, axis=2), corner)[0] for p in there]
    np.testing.assert_allclose(seen, expected, atol=COLOUR_TOLERANCE)


def test_turned_odd_sizes_are_padded_at_the_right_and_bottom(tmp_path):
    settings = {"size_px": (501, 333), "pixel_format": "yuv444p", "rotation_ccw_deg": 270}
    frame = next(read_frames(open_video(make_clip(tmp_path / "odd.mp4", **settings))))
    planes = frame.yuv420()
    assert frame.rgb.shape == (501, 333, 3)
    assert planes.y.shape == (502, 334)
    red = rgb_to_yuv(np.array(CORNER_RGB["top_left"], np.uint8), "bt601", False)
    seen = [plane[4:40, -40:].mean() for plane in (planes.y, planes.u, planes.v)]
    np.testing.assert_allclose(seen, red, atol=COLOUR_TOLERANCE)  # stored left, seen right
    np.testing.assert_allclose(planes.y[:, -1], planes.y[:, -2], atol=1)


def test_mirrored_pictures_are_mirrored_back(tmp_path):
    path = tmp_path / "mirror.mp4"
    one = 1 << 16
    matrix = (-one, 0, 0, 0, one, 0, 320 * one, 0, 1 << 30)
    frame = next(read_frames(open_video(make_clip(path, display_matrix=matrix))))
    for corner, colour in (("top_right", "top_left"), ("bottom_right", "bottom_left")):
        seen = corner_rgb(frame.rgb, corner)
        np.testing.assert_allclose(seen, CORNER_RGB[colour], atol=COLOUR_TOLERANCE)


@pytest.mark.parametrize("name", ["bt709.mp4", "full_range.mp4", "ten_bit.mp4", "rgb.mp4",
                                  "vp9_odd.webm", "odd_444.mkv", "vfr.mp4"])  # fmt: skip
def test_planes_hold_the_colours_of_the_rgb_picture(clips, name):
    frame = next(read_frames(open_video(clips(name))))
    planes = frame.yuv420()
    assert planes.y.shape == (
        frame.height_px + frame.height_px % 2,
        frame.width_px + frame.width_px % 2,
    )
    assert planes.u.shape == planes.v.shape == (planes.y.shape[0] // 2, planes.y.shape[1] // 2)
    assert all(p.flags.c_contiguous and p.flags.writeable for p in (planes.y, planes.u, planes.v))
    assert planes.matrix == ("bt709" if name == "bt709.mp4" else "bt601")
    assert planes.full_range == (name == "full_range.mp4")
    for corner, colour in CORNER_RGB.items():
        expected = rgb_to_yuv(np.array(colour, np.uint8), planes.matrix, planes.full_range)
        seen = [corner_rgb(np.repeat(p[..., None], 3, axis=2), corner)[0]
                for p in (planes.y, planes.u, planes.v)]  # fmt: skip
        np.testing.assert_allclose(seen, expected, atol=COLOUR_TOLERANCE)


@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("full_range", [False, True])
def test_coefficients_agree_with_swscale_and_map_grey_to_no_chroma(matrix, full_range):
    rgb = np.array([[255, 255, 255], [0, 0, 0], [128, 128, 128], [255, 0, 0], [20, 200, 90]])
    ours = rgb_to_yuv(rgb.astype(np.uint8), matrix, full_range)
    np.testing.assert_array_equal(ours[:3, 1:], 128)
    assert ours[:2, 0].tolist() == ([255, 0] if full_range else [235, 16])
    for colour, expected in zip(rgb.astype(np.uint8), ours, strict=True):
        picture = rgb_to_yuv420(np.broadcast_to(colour, (16, 16, 3)), matrix, full_range)
        seen = [int(plane[4, 4]) for plane in (picture.y, picture.u, picture.v)]
        np.testing.assert_allclose(seen, expected, atol=1)
    forward, _ = rgb_to_yuv_matrix(matrix, full_range)
    assert np.linalg.matrix_rank(forward) == 3


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_start_and_end_choose_frames_by_time(clips, decoder):
    if decoder == "decord":
        pytest.importorskip("decord", reason="the extra 'decord' is not installed")
    path = clips("vfr.mp4")  # the first frame is at 0.010 s
    video = open_video(path, start_s=0.133, end_s=0.226)
    assert (video.first_frame, video.frame_count) == (2, 3)
    frames = list(read_frames(video, decoder=decoder))
    assert numbers(frames) == [2, 3, 4] == [frame.index for frame in frames]
    np.testing.assert_allclose([f.time_s for f in frames], VFR_S[2:5], atol=1e-4)


def test_seeking_gives_the_same_frames_as_reading_through(tmp_path):
    path = make_clip(tmp_path / "long.mp4", times_s=200, options={"bf": "3", "g": "30"})
    video = open_video(path)
    for first in (0, 1, 47, 48, 60, 61, 119, 199):
        frames = read_frames(video, first_frame=first)
        frame = next(frames)
        assert (frame.index, read_number(frame.rgb)) == (first, first)
        assert frame.time_s == pytest.approx(first / 25)
        frames.close()
    part = open_video(path, start_s=4.0, end_s=6.0)
    assert numbers(list(read_frames(part))) == list(range(100, 150))
    assert numbers(list(read_frames(part, first_frame=140))) == list(range(140, 150))


def test_seeking_without_times_counts_from_the_start(tmp_path):
    path = make_clip(tmp_path / "long.avi", times_s=100, options={"bf": "3", "g": "30"})
    frame = next(read_frames(open_video(path), first_frame=77))
    assert (frame.index, read_number(frame.rgb)) == (77, 77)


def test_empty_range_names_the_length(clips):
    with pytest.raises(InputError, match=r"vfr.mp4: no frame between 5 s and the end.* 0.762 s"):
        open_video(clips("vfr.mp4"), start_s=5.0)
    with pytest.raises(InputError, match=r"between 1 s and 0\.5 s"):
        open_video(clips("h264_b_frames.mp4"), start_s=1.0, end_s=0.5)


def test_edit_list_hides_frames(tmp_path, clips):
    whole = make_clip(tmp_path / "whole.mp4", times_s=30)
    run_ffmpeg("-ss", "0.3", "-i", whole, "-c", "copy", tmp_path / "edit.mov")
    video = open_video(tmp_path / "edit.mov")
    frames = list(read_frames(video))
    assert numbers(frames) == list(range(8, 30))  # ffmpeg cuts at 0.3 s: frame 8 is at 0.32 s
    assert video.frame_count == 22


def test_one_pixel_video(tmp_path):
    path = make_clip(tmp_path / "dot.mkv", size_px=(1, 1), codec="ffv1", pixel_format="yuv444p")
    video = open_video(path)
    frames = list(read_frames(video))
    assert len(frames) == video.frame_count == 12
    assert frames[0].rgb.shape == (1, 1, 3)
    assert frames[0].yuv420().y.shape == (2, 2)
    assert len(np.unique(frames[0].yuv420().y)) == 1


def test_pixels_that_are_not_square_are_an_event(tmp_path):
    events = EventLog()
    path = make_clip(tmp_path / "wide.mp4", pixel_aspect=Fraction(4, 3))
    video = open_video(path, events=events)
    assert (video.width_px, video.height_px) == (320, 240)
    assert [event.kind for event in events.events] == ["assumption"]
    assert "1.333 times as wide as high" in events.events[0].message


def test_truncated_file_gives_its_frames_and_says_how_many_are_lost(tmp_path):
    path = fast_start(make_clip(tmp_path / "whole.mp4", times_s=100), tmp_path / "cut.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    events = EventLog()
    video = open_video(path, events=events)
    reader = read_frames(video, events=events)
    came = numbers(list(reader))
    assert 30 < len(came) < 80
    assert came == list(range(len(came)))
    assert reader.seen().frame_count == len(came)
    said = [event.message for event in events.events if event.kind == "truncation"]
    lost = 100 - len(came)
    assert any(f"{lost} of 100 frames are lost" in message for message in said)
    events = EventLog()
    open_video(path, end_s=0.5, events=events)
    assert events.events == []  # what is used is all there


@pytest.mark.parametrize(
    ("name", "settings", "tolerance"),
    [("a.avi", {"codec": "mpeg4"}, 0), ("a.mkv", {}, 3), ("a.webm", {"codec": "libvpx-vp9"}, 3)],
)
def test_other_containers_know_what_was_cut_off(tmp_path, name, settings, tolerance):
    # Matroska announces a duration only, so the count there is an estimate.
    path = make_clip(tmp_path / name, times_s=100, **settings)
    events = EventLog()
    open_video(path, events=events)
    assert events.events == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    reader = read_frames(open_video(path, events=events), events=events)
    came = numbers(list(reader))
    assert came == list(range(len(came)))
    assert [event.kind for event in events.events] == ["truncation"]
    lost = int(events.events[0].message.split("cut off: ")[1].split()[0])
    assert abs(lost + len(came) - 100) <= tolerance


def test_garbage_at_the_end_keeps_what_is_whole(tmp_path):
    path = make_clip(tmp_path / "bad.mp4", times_s=100, options={"bf": "2", "g": "20"})
    import av

    with av.open(str(path)) as container:
        positions = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    start, end = positions[60][0], positions[-1][0] + positions[-1][1]
    data[start:end] = np.random.default_rng(1).bytes(end - start)
    path.write_bytes(data)
    events = EventLog()
    reader = read_frames(open_video(path, events=events), events=events)
    frames = list(reader)
    # B frames before the damage may refer to a picture inside it: two at most.
    assert numbers(frames)[:58] == list(range(58))
    np.testing.assert_allclose([f.time_s for f in frames[:58]], np.arange(58) / 25, atol=1e-3)
    assert 58 <= len(frames) < 100
    assert reader.lost == 100 - len(frames)
    assert f"{reader.lost} of 100 frames do not decode" in events.events[-1].message


def test_a_stream_without_times_is_taken_as_even_with_an_event(tmp_path):
    whole = make_clip(tmp_path / "a.mp4", times_s=30, options={"bf": "2"})
    run_ffmpeg("-i", whole, "-c", "copy", tmp_path / "a.h264")
    events = EventLog()
    video = open_video(tmp_path / "a.h264", start_s=0.4, events=events)
    frames = list(read_frames(video, events=events))
    assert numbers(frames) == list(range(10, 30)) == [frame.index for frame in frames]
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(10, 30) / 25, atol=1e-3)
    assert [event.kind for event in events.events] == ["assumption"]
    assert "holds no frame times" in events.events[0].message


def test_nothing_but_garbage_is_one_line(tmp_path):
    path = make_clip(tmp_path / "bad.mp4", times_s=20)
    import av

    with av.open(str(path)) as container:
        spans = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for position, size in spans:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(InputError, match="no frame of its h264 video can be decoded"):
        open_video(path)


def test_a_sound_file_with_a_cover_picture_is_no_video(tmp_path):
    run_ffmpeg(
        *("-f", "lavfi", "-i", "sine=duration=0.5", "-f", "lavfi", "-i", "color=red:s=64x64"),
        *("-map", "0", "-map", "1", "-frames:v", "1", "-c:a", "aac", "-c:v", "mjpeg"),
        *("-disposition:v", "attached_pic", tmp_path / "cover.m4a"),
    )
    with pytest.raises(InputError, match="holds only sound"):
        open_video(tmp_path / "cover.m4a")


def test_a_change_of_size_on_the_way_is_scaled_with_an_event(tmp_path):
    first = make_clip(tmp_path / "1.ts", times_s=10)
    second = make_clip(tmp_path / "2.ts", times_s=10 + np.arange(10), size_px=(640, 480))
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + second.read_bytes())
    events = EventLog()
    frames = list(read_frames(open_video(tmp_path / "both.ts"), events=events))
    assert {frame.rgb.shape for frame in frames} == {(240, 320, 3)}
    assert numbers(frames)[:8] == list(range(8))  # the splice harms the frames next to it
    assert numbers(frames)[-9:] == list(range(1, 10))
    assert "scaled to 320x240" in events.events[0].message


def test_garbage_in_the_middle_loses_no_other_frame(tmp_path):
    # Every frame a key frame: a damaged one then harms no other, so the count is known.
    path = make_clip(tmp_path / "bad.avi", codec="mjpeg", pixel_format="yuvj420p", times_s=30)
    import av

    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    position, size = packets[10]
    data[position + 8 : position + size] = bytes(size - 8)
    path.write_bytes(data)
    events = EventLog()
    reader = read_frames(open_video(path, events=events), events=events)
    frames = list(reader)
    assert numbers(frames) == [n for n in range(30) if n != 10]
    assert [frame.index for frame in frames] == list(range(29))
    assert frames[10].time_s == pytest.approx(11 / 25)
    assert (reader.lost, reader.seen().frame_count) == (1, 29)
    assert [event.kind for event in events.events] == ["truncation"]
    assert "1 of 30 frames do not decode" in events.events[0].message


def make_bad(folder: Path) -> dict[str, Path]:
    whole = make_clip(folder / "whole.mp4")
    bad = {name: folder / name for name in ("empty.mp4", "text.mp4", "headless.mp4", "sound.m4a")}
    bad["empty.mp4"].touch()
    bad["text.mp4"].write_text("This is not a video.\n" * 50)
    bad["headless.mp4"].write_bytes(whole.read_bytes()[:-600])  # the index (moov) is at the end
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5", "-c:a", "aac", bad["sound.m4a"])
    return bad | {"missing.mp4": folder / "missing.mp4", "folder": folder}


def test_bad_input_is_one_line_that_names_the_file(tmp_path):
    said = {
        "empty.mp4": "is empty",
        "text.mp4": "is not a video",
        "headless.mp4": "has lost its index",
        "sound.m4a": "holds only sound",
        "missing.mp4": "does not exist",
        "folder": "is a folder",
    }
    for name, path in make_bad(tmp_path).items():
        with pytest.raises(InputError, match=said[name]) as caught:
            open_video(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_no_permission_to_read(tmp_path):
    path = make_clip(tmp_path / "locked.mp4")
    path.chmod(0)
    if os.geteuid() != 0:
        with pytest.raises(InputError, match="may not be read"):
            open_video(path)
        return
    # Root reads everything: ask as another user, in a process of its own.
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    code = (
        "import os, sys; from pathlib import Path; from pipeline.video import open_video\n"
        "from pipeline.errors import InputError\nos.setuid(65534)\n"
        "try: open_video(Path(sys.argv[1]))\nexcept InputError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert "may not be read" in done.stdout


def test_unknown_decoder():
    with pytest.raises(SettingsError, match=r"unknown decoder 'opencv'\. Known: pyav, decord"):
        open_video(Path("x.mp4"), decoder="opencv")


def test_missing_decord_names_the_pip_line(monkeypatch, clips):
    from pipeline.errors import MissingError

    monkeypatch.setitem(sys.modules, "decord", None)
    monkeypatch.delitem(sys.modules, "pipeline.decoders.decord", raising=False)
    with pytest.raises(MissingError, match=r"pip install 'humans4d\[decord\]'"):
        open_video(clips("two_frames.mp4"), decoder="decord")
