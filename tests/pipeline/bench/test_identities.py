import numpy as np
import pytest

from pipeline.bench.identities import have_trackeval, identities, tracked_sequence

needs_trackeval = pytest.mark.skipif(
    not have_trackeval(), reason="trackeval is not installed (pip install 'humans4d[dev]')"
)
FRAMES = 10


def boxes(*lefts):
    """(p, t, 4) boxes of 10 x 20 px that stand still."""
    left = np.array(lefts, float)[:, None] + np.zeros(FRAMES)
    return np.stack([left, 0 * left, left + 10, 0 * left + 20], axis=-1)


TRUE = boxes(0, 100)
PRESENT = np.ones((2, FRAMES), bool)


def measured(found, present=PRESENT, **there):
    return identities({"a": tracked_sequence(TRUE, present, found, **there)})


@needs_trackeval
def test_perfect_tracks_have_full_marks():
    for score in measured(boxes(100, 0)).values():
        assert score.hota == score.ass_a == score.idf1 == score.mota == pytest.approx(1)
        assert score.id_switches == score.fragments == 0


@needs_trackeval
def test_a_swap_half_way_costs_identities_and_not_detection():
    found = boxes(0, 100)
    found[:, 5:] = found[::-1, 5:].copy()
    score = measured(found)["a"]
    assert score.id_switches == 2
    assert score.det_a == pytest.approx(1)
    # Each of 20 boxes: 5 frames in common, 10 + 10 - 5 in union.
    assert score.ass_a == pytest.approx(1 / 3)
    assert score.hota == pytest.approx(np.sqrt(1 / 3))
    assert score.idf1 == pytest.approx(0.5)
    assert score.mota == pytest.approx(1 - 2 / 20)


@needs_trackeval
def test_a_gap_is_a_fragment_and_a_stranger_a_false_one():
    found = boxes(0, 100, 300)
    found[0, 4:6] = np.nan
    found[2, 1:] = np.nan
    score = measured(found)["a"]
    assert score.fragments == 1 and score.id_switches == 0
    assert score.mota == pytest.approx(1 - 3 / 20)
    assert score.idf1 == pytest.approx(2 * 18 / (20 + 19))


@needs_trackeval
def test_whoever_is_found_on_a_hidden_person_counts_neither_way():
    present = PRESENT.copy()
    present[1, 3:7] = False
    score = measured(boxes(0, 100), present)["a"]
    assert score.mota == pytest.approx(1)
    nobody = np.zeros_like(present)
    nobody[0] = True
    gone = measured(boxes(0, 100), nobody, there=nobody)["a"]
    assert gone.mota == pytest.approx(0)


@needs_trackeval
def test_nobody_found_is_a_score_too():
    score = measured(np.zeros((0, FRAMES, 4)))["all"]
    assert score.hota == 0 and score.mota == pytest.approx(0) and score.idf1 == 0


@needs_trackeval
def test_sequences_together_count_every_box():
    swapped = boxes(0, 100)
    swapped[:, 5:] = swapped[::-1, 5:].copy()
    both = identities(
        {
            name: tracked_sequence(TRUE, PRESENT, found)
            for name, found in (("a", boxes(0, 100)), ("b", swapped))
        }
    )
    assert both["all"].mota == pytest.approx(1 - 2 / 40)
    assert both["all"].id_switches == 2
