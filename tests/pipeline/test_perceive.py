"""The first pass goes on where it stopped, and a continued pass equals an undisturbed one."""

from dataclasses import replace
from functools import partial

import av
import numpy as np
import pytest

from pipeline.chunk_file import CHUNK_FRAMES
from pipeline.context import Context
from pipeline.parts import Parts
from pipeline.perceive import Perceiver, batch_frames
from pipeline.types import Bodies, Detections
from pipeline.video import open_video
from tests.pipeline.nouns import a_camera, a_video, some_bodies
from tests.pipeline.video_fixtures import make_clip

FRAMES = 2 * CHUNK_FRAMES + 15


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Each frame is grey; its level (4 steps apart, to survive the codec) tells its number."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(FRAMES):
            picture = np.full((48, 64, 3), 20 + 4 * (number % 50), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


class Detector:
    """One box per frame; its left edge is the grey level, its top counts frames since restart."""

    def __init__(self, fail_at=None):
        self.since_restart, self.seen, self.fail_at = 0, [], fail_at

    def restart(self):
        self.since_restart = 0

    def __call__(self, frames):
        rows = []
        for frame in frames:
            if frame.index == self.fail_at:
                raise KeyboardInterrupt
            rows.append((float(frame.rgb.mean()), self.since_restart, 1.0, 1.0))
            self.since_restart += 1
            self.seen.append(frame.index)
        return Detections(
            frame_index=np.array([frame.index for frame in frames], np.int32),
            boxes_xyxy_px=np.array(rows, np.float32),
            score=np.ones(len(frames), np.float32),
        )


def regress(frames, detections, camera) -> Bodies:
    assert [frame.index for frame in frames] == detections.frame_index.tolist()
    return some_bodies(len(detections))


def _perceive(clip, folder, detector, **part):
    video = open_video(clip, **part)
    return Perceiver(detector, regress, a_camera(), Context())(video, folder)


def test_every_frame_is_seen_once_in_order(clip, tmp_path):
    seen = _perceive(clip, tmp_path, Detector())
    assert seen.detections.frame_index.tolist() == list(range(FRAMES))
    assert len(seen.bodies) == FRAMES
    expected = 20 + 4 * (np.arange(FRAMES) % 50)
    np.testing.assert_allclose(seen.detections.boxes_xyxy_px[:, 0], expected, atol=2)


def test_an_interrupted_pass_continues_to_the_same_result(clip, tmp_path):
    whole = _perceive(clip, tmp_path / "whole", Detector())
    with pytest.raises(KeyboardInterrupt):
        _perceive(clip, tmp_path / "cut", Detector(fail_at=CHUNK_FRAMES + 7))
    second = Detector()
    continued = _perceive(clip, tmp_path / "cut", second)
    assert second.seen[0] == CHUNK_FRAMES
    np.testing.assert_array_equal(
        continued.detections.boxes_xyxy_px, whole.detections.boxes_xyxy_px
    )
    np.testing.assert_array_equal(continued.video.time_s, whole.video.time_s)


class Remembering(Detector):
    """A detector that can tell what it knows: how many frames it has seen."""

    def remembered(self):
        return {"count": np.array([self.since_restart], np.float64)}

    def remember(self, known):
        (self.since_restart,) = map(int, known["count"])


def test_what_a_detector_knows_lasts_from_chunk_to_chunk_and_over_an_interruption(clip, tmp_path):
    whole = _perceive(clip, tmp_path / "whole", Remembering())
    assert whole.detections.boxes_xyxy_px[:, 1].tolist() == list(range(FRAMES))
    with pytest.raises(KeyboardInterrupt):
        _perceive(clip, tmp_path / "cut", Remembering(fail_at=CHUNK_FRAMES + 7))
    continued = _perceive(clip, tmp_path / "cut", Remembering())
    np.testing.assert_array_equal(
        continued.detections.boxes_xyxy_px, whole.detections.boxes_xyxy_px
    )


def test_a_chunk_without_what_the_detector_knew_lets_it_start_afresh(clip, tmp_path, caplog):
    with pytest.raises(KeyboardInterrupt):
        _perceive(clip, tmp_path, Remembering(fail_at=CHUNK_FRAMES + 7))
    path = tmp_path / "000000.npz"
    with np.load(path) as kept:
        arrays = {k: v for k, v in kept.items() if k != "remembered.count"}
    np.savez(path, **arrays, **{"remembered.other": np.zeros(2)})
    seen = _perceive(clip, tmp_path, Remembering())
    assert seen.detections.boxes_xyxy_px[CHUNK_FRAMES, 1] == 0
    assert "starts afresh" in caplog.text


class InTime:
    """A regressor asked once: the place is the left edge of the box before."""

    def over_time(self, video, detections, camera) -> Bodies:
        assert detections.frame_index.tolist() == video.frame_index.tolist()
        before = np.roll(detections.boxes_xyxy_px[:, 0], 1)
        bodies = some_bodies(len(detections))
        return replace(bodies, t_camera_m=np.repeat(before[:, None], 3, axis=1))


def test_a_regressor_over_time_sees_the_whole_video_even_after_an_interruption(clip, tmp_path):
    def perceive(detector):
        perceiver = Perceiver(detector, InTime(), a_camera(), Context())
        return perceiver(open_video(clip), tmp_path)

    with pytest.raises(KeyboardInterrupt):
        perceive(Detector(fail_at=CHUNK_FRAMES + 7))
    seen = perceive(Detector())
    expected = np.roll(seen.detections.boxes_xyxy_px[:, 0], 1)
    np.testing.assert_array_equal(seen.bodies.t_camera_m[:, 0], expected)


class InParts:
    """A regressor in time that works in two parts, and may be killed before the second."""

    def __init__(self, context, stop=False):
        self.context, self.stop, self.made = context, stop, []

    def over_time(self, video, detections, camera) -> Bodies:
        half = len(detections) // 2
        places = [
            self.context.parts.get(
                name, partial(self._places, name, detections.boxes_xyxy_px[some])
            )
            for name, some in (("first", slice(half)), ("second", slice(half, None)))
        ]
        t_m = np.concatenate([one["t_m"] for one in places])
        return replace(some_bodies(len(detections)), t_camera_m=t_m)

    def _places(self, name, boxes):
        if self.stop and name == "second":
            raise KeyboardInterrupt
        self.made.append(name)
        self.context.events.record("regression", "info", f"the {name} half")
        return {"t_m": np.repeat(boxes[:, :1], 3, axis=1)}


def test_chunks_and_parts_of_the_regressor_outlive_a_kill_side_by_side(clip, tmp_path):
    def perceive(folder, stop=False):
        context, detector = Context(parts=Parts(0.0)), Detector()
        regressor = InParts(context, stop)
        with context.parts.kept_in(folder, "this video", context.events):
            perceiver = Perceiver(detector, regressor, a_camera(), context)
            bodies = perceiver(open_video(clip), folder).bodies
        return bodies, context.events.as_dicts(), detector.seen, regressor.made

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        perceive(cut, stop=True)
    names = ["000000.npz", "000001.npz", "000002.npz", "parts_000000.npz"]
    assert sorted(path.name for path in cut.iterdir()) == names
    bodies, events, detected, made = perceive(cut)
    assert (detected, made) == ([], ["second"])
    expected = perceive(whole)
    np.testing.assert_array_equal(bodies.t_camera_m, expected[0].t_camera_m)
    assert events == expected[1] and len(events) == 4


def test_a_part_of_the_video_keeps_the_sources_numbers(clip, tmp_path):
    seen = _perceive(clip, tmp_path, Detector(), start_s=1.0, end_s=2.0)
    assert seen.detections.frame_index.tolist() == list(range(30, 60))
    assert seen.video.first_frame == 30


@pytest.mark.parametrize(
    ("width_px", "height_px", "expected"), [(640, 480, 20), (1920, 1080, 12), (7680, 4320, 4)]
)
def test_large_pictures_go_in_small_batches(width_px, height_px, expected):
    assert batch_frames(replace(a_video(), width_px=width_px, height_px=height_px)) == expected


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """Two pictures that do not decode, in the first chunk and at the very end."""
    path = tmp_path_factory.mktemp("clip") / "damaged.avi"
    make_clip(path, codec="mjpeg", pixel_format="yuvj420p", times_s=CHUNK_FRAMES + 30)
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for position, size in (packets[10], packets[-1]):
        data[position + 8 : position + size] = bytes(size - 8)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("fail_at", [CHUNK_FRAMES + 7, None])
def test_lost_frames_are_lost_once_however_often_the_pass_is_interrupted(
    damaged, tmp_path, fail_at
):
    def perceive(detector, folder):
        context = Context()
        perceiver = Perceiver(detector, regress, a_camera(), context)
        return perceiver(open_video(damaged), folder), context.events.as_dicts()

    whole, events = perceive(Detector(), tmp_path / "whole")
    if fail_at is None:
        perceive(Detector(), tmp_path / "cut")
    else:
        with pytest.raises(KeyboardInterrupt):
            perceive(Detector(fail_at=fail_at), tmp_path / "cut")
    continued, events_again = perceive(Detector(), tmp_path / "cut")
    assert len(whole.video.time_s) == CHUNK_FRAMES + 28
    np.testing.assert_array_equal(continued.video.time_s, whole.video.time_s)
    np.testing.assert_array_equal(
        continued.detections.boxes_xyxy_px, whole.detections.boxes_xyxy_px
    )
    assert events_again == events
    said = f"2 of {CHUNK_FRAMES + 30} frames do not decode"
    assert any(said in event["message"] for event in events)
