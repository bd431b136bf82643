"""Frames out: the overlay has the source's frames at the source's times, with its sound."""

import os
import resource
import signal
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline import ffmpeg_binary as binary
from pipeline.encode import OverlayWriter
from pipeline.errors import OutputError
from pipeline.events import EventLog
from pipeline.video import open_video, read_frames
from pipeline.yuv import empty_yuv
from tests.pipeline.video_fixtures import CORNER_RGB, corner_rgb, make_clip, read_number

VFR_S = np.round(np.cumsum(np.tile([0.010, 0.033, 0.100, 0.050], 4)), 3)
COLOUR_TOLERANCE = 7  # two lossy codings of a flat colour, one to three levels each


def overlay(source: Path, target: Path, *, as_rgb: bool = False, **part) -> EventLog:
    """Copy a clip through the writer."""
    events = EventLog()
    video = open_video(source, **part)
    with OverlayWriter(target, video, events=events) as writer:
        for frame in read_frames(video):
            writer.write(frame.rgb if as_rgb else frame.yuv420())
    return events


def audio_packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        packets = container.demux(audio=0)
        return [(float(p.pts * p.time_base), bytes(p)) for p in packets if p.size]


CLIPS = {
    "plain.mp4": {"options": {"bf": "3"}, "times_s": 30},
    "vfr.mp4": {"times_s": VFR_S},
    "ntsc.mp4": {"times_s": np.arange(20) * 1001 / 30000},
    "late.mp4": {"times_s": 0.5 + np.arange(8) / 24},
    "bt709.mp4": {"tags": {"colorspace": 1}},
    "full_range.mp4": {"tags": {"color_range": 2}},
    "one.mp4": {"times_s": 1},
    "two.mp4": {"times_s": 2},
    "no_pts.avi": {"options": {"bf": "3"}, "times_s": 30},
    "long_gap.mp4": {"times_s": [0.0, 0.04, 7.0, 7.04]},
}


@pytest.mark.parametrize("as_rgb", [False, True], ids=["planes", "rgb"])
@pytest.mark.parametrize("name", CLIPS)
def test_output_has_the_inputs_frames_at_the_inputs_times(tmp_path, name, as_rgb):
    source = make_clip(tmp_path / name, **CLIPS[name])
    events = overlay(source, tmp_path / "out" / "overlay.mp4", as_rgb=as_rgb)
    before = open_video(source)
    after = open_video(tmp_path / "out" / "overlay.mp4")
    reader = read_frames(after)
    frames = list(reader)
    assert [read_number(frame.rgb) for frame in frames] == list(range(before.frame_count))
    np.testing.assert_allclose(reader.seen().time_s, before.time_s, atol=1e-4)
    assert (after.codec, after.width_px, after.height_px) == ("h264", 320, 240)
    assert events.events == []
    for corner, colour in CORNER_RGB.items():
        seen = corner_rgb(frames[-1].rgb, corner)
        np.testing.assert_allclose(seen, colour, atol=COLOUR_TOLERANCE)
    if not as_rgb:
        planes, expected = frames[0].yuv420(), next(read_frames(before)).yuv420()
        assert (planes.matrix, planes.full_range) == (expected.matrix, expected.full_range)
        assert np.abs(planes.y.astype(int) - expected.y).mean() < 2


def test_a_running_clock_starts_at_zero(tmp_path):
    source = make_clip(tmp_path / "a.mkv", times_s=3000 + np.arange(10) / 25)
    overlay(source, tmp_path / "overlay.mp4")
    after = open_video(tmp_path / "overlay.mp4")
    np.testing.assert_allclose(after.time_s, np.arange(10) / 25, atol=1e-3)


def test_the_folder_holds_the_overlay_alone(tmp_path):
    overlay(make_clip(tmp_path / "a.mp4"), tmp_path / "out" / "overlay.mp4")
    assert os.listdir(tmp_path / "out") == ["overlay.mp4"]


def test_sound_is_copied_packet_by_packet(tmp_path):
    source = make_clip(tmp_path / "a.mp4", sound="aac", times_s=50)
    overlay(source, tmp_path / "overlay.mp4")
    before, after = audio_packets(source), audio_packets(tmp_path / "overlay.mp4")
    end_s = 2.0
    kept = [packet for packet in before if packet[0] < end_s]
    assert len(kept) > 80
    assert [data for _, data in after] == [data for _, data in kept]
    np.testing.assert_allclose([t for t, _ in after], [t for t, _ in kept], atol=1e-3)


def test_sound_of_a_part_starts_with_its_first_frame(tmp_path):
    source = make_clip(tmp_path / "a.mp4", sound="aac", times_s=100)
    overlay(source, tmp_path / "overlay.mp4", start_s=2.0, end_s=3.0)
    part = open_video(tmp_path / "overlay.mp4")
    np.testing.assert_allclose(part.time_s, np.arange(25) / 25, atol=1e-4)
    after = audio_packets(tmp_path / "overlay.mp4")
    before = {data: time_s for time_s, data in audio_packets(source)}
    for time_s, data in after:
        assert before[data] - 2.0 == pytest.approx(time_s, abs=1e-3)
    assert 0 <= after[0][0] < 0.03
    assert 0.95 < after[-1][0] < 1.0


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "mp2"), ("a.avi", "pcm_s16le")])
def test_sound_that_mp4_cannot_hold_becomes_aac(tmp_path, name, codec):
    source = make_clip(tmp_path / name, sound=codec, times_s=50)
    events = overlay(source, tmp_path / "overlay.mp4")
    with av.open(str(tmp_path / "overlay.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        wave = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert len(wave) / 48000 == pytest.approx(2.0, abs=0.1)
    crossings = np.count_nonzero(np.diff(np.signbit(wave[4800:91200])))
    assert crossings / 2 / 1.8 == pytest.approx(440, abs=2)  # the tone itself, in Hz
    assert [event.kind for event in events.events] == ["info"]
    assert "becomes AAC" in events.events[0].message


def test_odd_sizes_are_padded_with_an_event(tmp_path):
    source = make_clip(tmp_path / "odd.webm", codec="libvpx-vp9", size_px=(501, 333))
    events = overlay(source, tmp_path / "overlay.mp4")
    after = open_video(tmp_path / "overlay.mp4")
    frame = next(read_frames(after))
    assert (after.width_px, after.height_px, after.frame_count) == (502, 334, 12)
    assert "padded at the edge to 502x334" in events.events[0].message
    last, before = frame.rgb[:, -1].astype(int), frame.rgb[:, -2].astype(int)
    assert np.abs(last - before).mean() < 3


def test_turned_source_gives_an_upright_overlay_with_its_pixel_shape(tmp_path):
    source = make_clip(tmp_path / "t.mp4", rotation_ccw_deg=270, pixel_aspect=Fraction(4, 3))
    overlay(source, tmp_path / "overlay.mp4")
    after = open_video(tmp_path / "overlay.mp4")
    assert (after.width_px, after.height_px, after.rotation_deg) == (240, 320, 0)
    red = corner_rgb(next(read_frames(after)).rgb, "top_right")
    np.testing.assert_allclose(red, CORNER_RGB["top_left"], atol=COLOUR_TOLERANCE)
    with av.open(str(tmp_path / "overlay.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(3, 4)


def test_separate_planes_are_written_too(tmp_path):
    source = make_clip(tmp_path / "a.mp4", times_s=2)
    video = open_video(source)
    with OverlayWriter(tmp_path / "overlay.mp4", video) as writer:
        for value in (60, 180):
            image = empty_yuv(320, 240, "bt601", False)
            image.y[:], image.u[:], image.v[:] = value, 128, 128
            planes = (image.y.copy(), image.u.copy(), image.v.copy())
            writer.write(type(image)(*planes, 320, 240, "bt601", False))
    luma = [f.yuv420().y.mean() for f in read_frames(open_video(tmp_path / "overlay.mp4"))]
    np.testing.assert_allclose(luma, [60, 180], atol=2)


def test_an_error_on_the_way_leaves_the_earlier_overlay(tmp_path):
    source = make_clip(tmp_path / "a.mp4")
    target = tmp_path / "out" / "overlay.mp4"
    overlay(source, target)
    kept = target.read_bytes()
    video = open_video(source)
    with pytest.raises(KeyboardInterrupt), OverlayWriter(target, video) as writer:
        writer.write(next(read_frames(video)).yuv420())
        process = writer._pipe.process
        raise KeyboardInterrupt
    assert process.poll() is not None
    assert target.read_bytes() == kept
    assert os.listdir(target.parent) == ["overlay.mp4"]


def test_a_killed_encoder_is_one_line(tmp_path):
    video = open_video(make_clip(tmp_path / "a.mp4", times_s=40))
    target = tmp_path / "out" / "overlay.mp4"
    with pytest.raises(OutputError, match="stopped by SIGKILL") as caught:
        with OverlayWriter(target, video) as writer:
            for number, frame in enumerate(read_frames(video)):
                writer.write(frame.yuv420())
                if number == 5:
                    os.kill(writer._pipe.process.pid, signal.SIGKILL)
                    writer._pipe.process.wait()
    assert str(target) in str(caught.value) and "\n" not in str(caught.value)
    assert os.listdir(target.parent) == []


def test_no_more_room_is_one_line_and_leaves_no_half_file(tmp_path):
    # A limit on the size of files stands in for the full disk: ffmpeg is stopped in writing.
    video = open_video(make_clip(tmp_path / "a.mp4", size_px=(640, 480), times_s=60))
    target = tmp_path / "out" / "overlay.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    with pytest.raises(OutputError, match=r"overlay\.mp4"):
        with OverlayWriter(target, video) as writer:
            for number in range(60):
                writer.write(np.roll(noise, number * 7, axis=1))
                if number == 0:
                    limit = (200_000, 200_000)
                    resource.prlimit(writer._pipe.process.pid, resource.RLIMIT_FSIZE, limit)
    assert os.listdir(target.parent) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_said_in_plain_words(tmp_path):
    video = open_video(make_clip(tmp_path / "a.mp4"))
    with pytest.raises(OutputError, match="the disk is full"):
        with OverlayWriter(tmp_path / "overlay.mp4", video) as writer:
            writer._part.unlink()
            writer._part.symlink_to("/dev/full")
            for frame in read_frames(video):
                writer.write(frame.yuv420())


def test_a_folder_that_cannot_be_written(tmp_path):
    video = open_video(make_clip(tmp_path / "a.mp4"))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written.*Choose another output folder"):
        with OverlayWriter(tmp_path / "file" / "overlay.mp4", video):
            pass


def test_no_frame_is_no_video(tmp_path):
    video = open_video(make_clip(tmp_path / "a.mp4"))
    with pytest.raises(OutputError, match="no frame"), OverlayWriter(tmp_path / "o.mp4", video):
        pass
    assert not (tmp_path / "o.mp4").exists()


def test_which_ffmpeg_is_good_enough():
    def text(version: str, options: str = "--enable-gpl --enable-libx264") -> str:
        return f"ffmpeg version {version} Copyright (c)\nconfiguration: {options}"

    assert binary.fits(text("6.1.1-3ubuntu5"))
    assert binary.fits(text("n7.0.2-17-g2a571b6068"))
    assert binary.fits(text("5.1.6-0+deb12u1"))
    assert binary.fits(text("N-109542-g1bf1f9d"))
    assert not binary.fits(text("4.4.2-0ubuntu0.22.04.1"))
    assert not binary.fits(text("6.1.1", "--enable-libopenh264"))
    assert not binary.fits(binary.version_text("/does/not/exist"))
    assert binary.fits(binary.version_text(binary.ffmpeg_binary()))
