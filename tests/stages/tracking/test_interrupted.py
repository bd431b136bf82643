"""A tracker that was killed between blocks of frames goes on behind them to the same bytes."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.context import Context
from pipeline.parts import Parts
from pipeline.types import Bodies, Detections, Person, Video
from stages.tracking import _in_blocks, phalp
from tests.stages.interruptions import Counted, Interrupted
from tests.stages.tracking.scenes import boxes_at, detections_of, video_of
from tests.stages.tracking.test_trackers import TRACKERS, dressed, run, who_is_where

FRAMES, BLOCK = 150, 20


@pytest.fixture(scope="module")
def seen() -> tuple[Video, Detections, Bodies]:
    """Two who cross, one who comes and goes, a detection told twice; landmarks and looks."""
    t = np.arange(FRAMES) / 30.0
    away = np.where((t > 1.5) & (t < 2.4), np.nan, 1.0)
    walks = [boxes_at(200 + 150 * t, 300), boxes_at(900 - 140 * t, 340), boxes_at(600 * away, 200)]
    video = replace(video_of(FRAMES), cut_frames=np.array([130], np.int32))
    plain = detections_of(walks, video)
    who = who_is_where(plain, walks)
    noise = np.random.default_rng(3).normal(size=(len(plain), 33, 3)).astype(np.float32)
    landmarks = np.repeat(plain.boxes_xyxy_px[:, None, :2], 33, axis=1) + 40 + 9 * noise[..., :2]
    landmarks = np.concatenate([landmarks, np.full((len(plain), 33, 1), 0.9)], axis=2)
    detections = replace(plain, skeleton="blazepose33", landmarks_px=landmarks.astype(np.float32))
    return video, detections, dressed(detections, {0: 20.0, 1: 60.0, 2: 90.0}, who)


def tracked(name, seen, folder=None):
    """The people, and what was told."""
    context = Context(parts=Parts(0.0))
    if folder is None:
        return run(name, *seen, context), context.events.as_dicts()
    with context.parts.kept_in(folder, "this film", context.events):
        return run(name, *seen, context), context.events.as_dicts()


def the_same(some, others):
    assert some[1] == others[1]
    for one, other in zip(some[0], others[0], strict=True):
        for field in fields(Person):
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert (a.tobytes() == b.tobytes()) if isinstance(a, np.ndarray) else a == b


@pytest.mark.parametrize("stop_after", [1, 4, 7])
@pytest.mark.parametrize("name", TRACKERS)
def test_blocks_that_are_done_are_not_gone_through_again(
    name, seen, stop_after, tmp_path, monkeypatch
):
    monkeypatch.setattr(_in_blocks, "BLOCK_FRAMES", BLOCK)
    whole, through = tracked(name, seen), _in_blocks._through
    assert len(whole[0]) >= 3
    monkeypatch.setattr(_in_blocks, "_through", Counted(through, stop_after))
    with pytest.raises(Interrupted):
        tracked(name, seen, tmp_path)
    rest = Counted(through)
    monkeypatch.setattr(_in_blocks, "_through", rest)
    the_same(tracked(name, seen, tmp_path), whole)
    assert rest.calls == FRAMES // BLOCK + 1 - stop_after


@pytest.mark.parametrize("name", TRACKERS)
def test_how_large_blocks_are_changes_nothing(name, seen, monkeypatch):
    whole = tracked(name, seen)
    monkeypatch.setattr(_in_blocks, "BLOCK_FRAMES", 7)
    the_same(tracked(name, seen), whole)


def test_what_was_judged_over_the_whole_video_is_not_judged_again(seen, tmp_path, monkeypatch):
    whole = tracked("phalp", seen)
    the_same(tracked("phalp", seen, tmp_path), whole)
    again = Counted(phalp.associated, stop_after=0)
    monkeypatch.setattr(phalp, "associated", again)
    the_same(tracked("phalp", seen, tmp_path), whole)
    with pytest.raises(Interrupted):
        tracked("phalp", seen)
