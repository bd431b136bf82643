from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from pipeline import storage
from pipeline.errors import OutputError
from pipeline.files import write_npz
from pipeline.types import Bodies, Detections
from tests.pipeline.nouns import a_person, a_video, some_bodies, some_detections


def _same(first, second):
    for field in fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype, field.name
        else:
            assert a == b, field.name


@pytest.mark.parametrize("landmarks", [True, False])
def test_detections_come_back_bit_for_bit(tmp_path, landmarks):
    detections = some_detections([0, 0, 3], landmarks)
    storage.write_noun(tmp_path / "d.npz", storage.arrays_of(detections), "abc")
    arrays = storage.read_if_made_by(tmp_path / "d.npz", "abc")
    _same(storage.noun_from(Detections, arrays), detections)


def test_video_comes_back(tmp_path):
    video = a_video(7, first_frame=3)
    write_npz(tmp_path / "v.npz", storage.video_arrays(video))
    _same(storage.video_from(storage.read_npz(tmp_path / "v.npz"), Path("clip.mp4")), video)


@pytest.mark.parametrize("people", [(), (a_person(1),), (a_person(1), a_person(2, 5, 3, (1,)))])
def test_people_come_back_bit_for_bit(tmp_path, people):
    write_npz(tmp_path / "p.npz", storage.people_arrays(people))
    back = storage.people_from(storage.read_npz(tmp_path / "p.npz"))
    assert len(back) == len(people)
    for person, other in zip(people, back, strict=True):
        _same(person, other)


def test_another_fingerprint_does_not_count(tmp_path):
    storage.write_noun(tmp_path / "b.npz", storage.arrays_of(some_bodies(2)), "abc")
    assert storage.read_if_made_by(tmp_path / "b.npz", "abd") is None


def test_a_half_written_file_does_not_count(tmp_path):
    path = tmp_path / "b.npz"
    storage.write_noun(path, storage.arrays_of(some_bodies(50)), "abc")
    path.write_bytes(path.read_bytes()[:-200])
    assert storage.read_if_made_by(path, "abc") is None
    with pytest.raises(OutputError, match=r"b\.npz"):
        storage.read_npz(path)


def test_pickled_objects_are_not_loaded(tmp_path):
    np.savez(tmp_path / "evil.npz", poses=np.array([{"a": 1}], dtype=object))
    with pytest.raises(OutputError, match=r"evil\.npz"):
        storage.read_npz(tmp_path / "evil.npz")


def test_batches_join_in_order_and_empty_ones_do_not_matter():
    parts = [some_detections([0, 1]), some_detections([], landmarks=False), some_detections([5])]
    whole = storage.joined(Detections, parts)
    assert whole.frame_index.tolist() == [0, 1, 5]
    assert whole.landmarks_px.shape == (3, 33, 3)
    assert len(storage.joined(Bodies, [some_bodies(0), some_bodies(0)])) == 0
