"""A film written in segments has every frame at its time, and the same bytes after a kill."""

import numpy as np
import pytest

from pipeline import segments as module
from pipeline.errors import OutputError
from pipeline.events import EventLog
from pipeline.segments import Segments
from pipeline.video import open_video, read_frames
from tests.pipeline.test_encode import CLIPS, audio_packets
from tests.pipeline.video_fixtures import make_clip, read_number


@pytest.fixture(autouse=True)
def _short_segments(monkeypatch):
    monkeypatch.setattr(module, "SEGMENT_FRAMES", 7)


def written(source, folder, *, most=10**9, **part) -> EventLog:
    """Write up to `most` more segments of a clip; join them if that was all."""
    events = EventLog()
    video = open_video(source, **part)
    parts = Segments(folder / "parts", video, events)
    frames = list(read_frames(video))
    for number in range(parts.whole(), -(-len(frames) // 7)):
        if most == 0:
            return events
        most -= 1
        pictures = [(f.yuv420(), f.time_s) for f in frames[7 * number : 7 * number + 7]]
        parts.write(number, iter(pictures))
    parts.join(folder / "film.mp4")
    return events


@pytest.mark.parametrize("name", CLIPS)
def test_joins_cannot_be_seen(tmp_path, name):
    source = make_clip(tmp_path / name, **CLIPS[name])
    events = written(source, tmp_path)
    before, after = open_video(source), open_video(tmp_path / "film.mp4")
    reader, expected = read_frames(after), next(read_frames(before)).yuv420()
    frames = list(reader)
    assert [read_number(frame.rgb) for frame in frames] == list(range(before.frame_count))
    np.testing.assert_allclose(reader.seen().time_s, before.time_s, atol=1e-4)
    planes = frames[0].yuv420()
    assert (planes.matrix, planes.full_range) == (expected.matrix, expected.full_range)
    assert events.events == []


@pytest.mark.parametrize("sound", ["aac", None])
def test_an_interruption_leaves_no_trace(tmp_path, sound):
    source = make_clip(tmp_path / "a.mp4", times_s=50, sound=sound)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    written(source, tmp_path / "whole")
    for most in (3, 0, 2):
        written(source, tmp_path / "cut", most=most)
    damaged = tmp_path / "cut" / "parts" / "000003.nut"
    damaged.write_bytes(damaged.read_bytes()[:-900])
    written(source, tmp_path / "cut")
    films = [tmp_path / name / "film.mp4" for name in ("whole", "cut")]
    assert films[0].read_bytes() == films[1].read_bytes()
    if sound:
        before = [packet for packet in audio_packets(source) if packet[0] < 2.0]
        after = audio_packets(films[0])
        assert [data for _, data in after] == [data for _, data in before]
        np.testing.assert_allclose([t for t, _ in after], [t for t, _ in before], atol=1e-3)


def test_a_part_of_a_film_has_its_part_of_the_sound(tmp_path):
    source = make_clip(tmp_path / "a.mkv", sound="mp2", times_s=100)
    events = written(source, tmp_path, start_s=2.0, end_s=3.0)
    film = open_video(tmp_path / "film.mp4")
    np.testing.assert_allclose(film.time_s, np.arange(25) / 25, atol=1e-3)
    assert [event.kind for event in events.events] == ["info"]
    assert "becomes AAC" in events.events[0].message
    after = audio_packets(tmp_path / "film.mp4")
    assert -0.05 < after[0][0] < 0.05 and 0.9 < after[-1][0] < 1.05


def test_no_segment_is_no_film(tmp_path):
    video = open_video(make_clip(tmp_path / "a.mp4"))
    with pytest.raises(OutputError, match="no frame"):
        Segments(tmp_path / "parts", video, EventLog()).join(tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()
