"""Corrections by hand: every verb, what is wrong is told, taking a line out undoes it."""

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.events import EventLog
from pipeline.identities import Identities, parse_edit, read_identities, write_identities
from pipeline.identities_applied import corrected, tracks_digest
from pipeline.types import Status
from pipeline.unchanged_people import person_digest, unchanged
from tests.stages.tracking.scenes import boxes_at, centres_px, detections_of, track, video_of

VIDEO = video_of(90)


@pytest.fixture(scope="module")
def people():
    """1 at 200 px all the time, 2 at 900 px for a third, 3 at 600 px for the last third."""
    first, second, third = (boxes_at(np.full(90, x)) for x in (200.0, 900.0, 600.0))
    second[30:], third[:60] = np.nan, np.nan
    return track(VIDEO, detections_of([first, second, third], VIDEO), max_lost_s=0.5)


def after(people, *lines):
    edits = tuple(parse_edit(line, "test") for line in lines)
    return corrected(people, Identities(tracks_digest(people), edits), VIDEO, EventLog())


def test_without_corrections_nothing_changes(people):
    assert after(people).people is people


def test_merge_makes_one_person_with_a_gap_that_is_missing(people):
    found = after(people, "merge 2 3").people
    assert [p.id for p in found] == [1, 2]
    assert found[0] is people[0]
    both = found[1]
    assert len(both) == 90
    assert (both.status[30:60] == Status.MISSING).all()
    assert np.isnan(both.boxes_xyxy_px[30:60]).all()
    np.testing.assert_allclose(centres_px(both)[[0, -1]], [900, 600])
    middle = (both.t_camera_m[29, 0] + both.t_camera_m[60, 0]) / 2
    assert both.t_camera_m[44:46, 0].mean() == pytest.approx(middle, abs=1e-4)


def test_split_gives_the_next_free_id_and_merge_takes_it_back(people):
    found = after(people, "split 1 40").people
    assert [(p.id, len(p)) for p in found] == [(1, 40), (2, 30), (3, 30), (4, 50)]
    assert found[3].frame_index[0] == 40
    again = after(people, "split 1 40", "merge 1 4").people
    assert person_digest(again[0]) == person_digest(people[0])


def test_swap_exchanges_the_later_part_or_a_part_between(people):
    one, two, _ = after(people, "swap 1 2 10").people
    np.testing.assert_allclose(centres_px(one)[:10], 200)
    np.testing.assert_allclose(centres_px(one)[10:30], 900)
    assert (len(one), len(two)) == (30, 90)
    between, _, _ = after(people, "swap 1 2 10 19").people
    expected = np.where((np.arange(90) >= 10) & (np.arange(90) < 20), 900, 200)
    np.testing.assert_allclose(centres_px(between), expected)


def test_drop_keep_and_name(people):
    assert [p.id for p in after(people, "drop 2").people] == [1, 3]
    assert [p.id for p in after(people, "keep 3 1").people] == [1, 3]
    found = after(people, "name 3 Ada Lovelace", "drop 2")
    assert found.names == {3: "Ada Lovelace"}
    assert found.people[1] is people[2]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["merge 1 9"], "no person 9 here. There are: 1, 2, 3"),
        (["drop 2", "name 2 Eve"], "no person 2"),
        (["split 2 60"], "from frame 0 to 29"),
        (["swap 2 3 40 50"], "neither is seen"),
        (["swap 2 3 0 29"], "without a frame"),
    ],
)
def test_lines_that_do_not_fit_are_told(people, lines, fault):
    with pytest.raises(InputError, match=fault):
        after(people, *lines)


@pytest.mark.parametrize(
    "line", ["join 1 2", "merge 1", "merge 1 1", "split 1", "swap 1 2", "name 1", "drop x"]
)
def test_lines_that_are_no_corrections_are_told(line):
    with pytest.raises(InputError, match="test"):
        parse_edit(line, "test")


def test_the_file_goes_there_and_back_and_a_line_less_undoes(tmp_path, people):
    lines = ("merge 2 3", "name 1 Zoë: the first", "swap 1 2 5 9")
    edits = tuple(parse_edit(line, "test") for line in lines)
    write_identities(tmp_path, Identities("abc", edits))
    assert read_identities(tmp_path) == Identities("abc", edits)
    path = tmp_path / "identities.yaml"
    kept = [line for line in path.read_text().splitlines() if "swap 1" not in line or "#" in line]
    path.write_text("\n".join(kept))
    assert read_identities(tmp_path).edits == edits[:2]
    write_identities(tmp_path, Identities("abc", ()))
    assert not path.exists()
    assert read_identities(tmp_path).edits == ()


@pytest.mark.parametrize("text", ["- merge 1 2", "edits: merge", "edits: [3]", "who: x", "a: ["])
def test_a_file_that_is_none_is_told(tmp_path, text):
    (tmp_path / "identities.yaml").write_text(text)
    with pytest.raises(InputError, match=r"identities\.yaml"):
        read_identities(tmp_path)


def test_ids_of_another_tracking_are_refused(people):
    wrong = Identities(tracks_digest(people[:2]), (parse_edit("drop 1", "test"),))
    with pytest.raises(InputError, match="another tracking"):
        corrected(people, wrong, VIDEO, EventLog())


def test_only_who_changed_or_met_them_is_made_again(people):
    digests = [person_digest(person) for person in people]
    edited = after(people, "split 1 40").people
    holds = unchanged(edited, people, digests)
    assert {edited[number].id for number in holds} == {2, 3}
    near = boxes_at(np.full(90, 230.0))
    crowd = track(VIDEO, detections_of([boxes_at(np.full(90, 200.0)), near], VIDEO))
    digests = [person_digest(person) for person in crowd]
    assert unchanged(after(crowd, "split 1 40").people, crowd, digests) == {}
    assert set(unchanged(crowd, crowd, digests)) == {0, 1}


def test_a_merge_of_two_who_are_seen_at_once_says_so(people):
    told = EventLog()
    edits = tuple(parse_edit(line, "here") for line in ("merge 1 2", "keep 1"))
    corrected(people, Identities("", edits), VIDEO, told)
    both = set(people[0].frame_index[people[0].observed]) & set(
        people[1].frame_index[people[1].observed]
    )
    assert both, "the fixture's first two are seen together"
    merge, keep = (event.message for event in told.events)
    assert f"seen at once in {len(both)} frames, the first is {min(both)}" in merge
    assert "left out: 3" in keep


def test_a_line_about_somebody_taken_away_names_the_line_that_did(people):
    with pytest.raises(InputError, match=r"'keep 1' took that one away"):
        after(people, "keep 1", "merge 1 2")
