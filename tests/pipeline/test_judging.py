"""Quality without ground truth: on motion whose truth is known, and on motion spoilt on purpose."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.body import load_body
from pipeline.judging.crossings import find_continuations, find_crossings
from pipeline.judging.feet import find_stance
from pipeline.judging.floor import find_floor
from pipeline.judging.person import bone_spread_mm, judge_person
from pipeline.judging.posed import pose_person
from pipeline.judging.verdict import LIMITS, Risk, judge
from pipeline.quality import person_summary
from pipeline.result import ResultFolder
from pipeline.skeletons import SMPL24
from pipeline.types import Status
from tests.pipeline.judged_people import camera_of, found_people, true_scene

FPS = 30.0


@pytest.fixture(scope="module")
def truth():
    return true_scene()


@pytest.fixture(scope="module")
def people(truth):
    return found_people(truth)


def judged(people, truth):
    """Everybody's summary and the floor."""
    camera = camera_of(truth)
    posed = [pose_person(person, load_body()) for person in people]
    stances = [find_stance(one, camera) for one in posed]
    floor = find_floor(posed, stances)
    qualities = [
        judge_person(one, stance, floor, camera, file_joints_m=one.joints_m, statures_m=np.zeros(0))
        for one, stance in zip(posed, stances, strict=True)
    ]
    return [quality.summary for quality in qualities], floor


def moved(person, shift_m):
    """The body moved by (t, 3) while the landmarks stay where they were seen."""
    return replace(person, t_camera_m=(person.t_camera_m + shift_m).astype(np.float32))


def test_the_truth_is_judged_good(people, truth):
    summaries, floor = judged(people, truth)
    true_up = truth.rotmat_camera_world[0, :, 1]
    assert np.degrees(np.arccos(floor.up @ true_up)) < 1.5
    for summary in summaries:
        assert summary.reprojection_percent < 0.01
        assert summary.bone_length_spread_mm < 0.01
        assert summary.standing_share > 0.5
        assert summary.foot_slide_mm_per_frame < 2.5  # a heel that lifts moves the sole's middle
        assert summary.penetration_mm < 8
        assert abs(summary.floor_offset_m) < 0.04
        assert judge(summary, FPS, Risk()).level == "good"


def test_a_shift_in_the_picture_is_measured_exactly(people, truth):
    person = people[0]
    shift_m = 0.02 * person.t_camera_m[:, 2:] / truth.K_px[0, 0] * np.array([500.0, 0, 0])
    summary = judged([moved(person, shift_m)], truth)[0][0]
    stature_m = summary.stature_m
    # 10 px to the side at the pelvis' depth; the landmarks' own depths scatter about it.
    assert summary.reprojection_px == pytest.approx(10.0, rel=0.03)
    depth_m = person.t_camera_m[:, 2].astype(float)
    expected = np.mean(100 * 10.0 / (truth.K_px[0, 0] * stature_m / depth_m))
    assert summary.reprojection_percent == pytest.approx(expected, rel=0.05)


def test_a_body_that_slides_under_a_standing_person_is_found_out(people, truth):
    step_m = 0.01 * np.arange(len(people[0]))[:, None]
    slid = [moved(person, step_m * np.array([1.0, 0, 0])) for person in people]
    still, slides = judged(people, truth)[0], judged(slid, truth)[0]
    for before, after in zip(still, slides, strict=True):
        gained = after.foot_slide_mm_per_frame - before.foot_slide_mm_per_frame
        assert gained == pytest.approx(10.0, abs=2.0)
        assert judge(after, FPS, Risk()).level != "good"


def test_feet_below_the_floor_are_found(people, truth):
    sunk = np.zeros((len(people[0]), 3))
    sunk[60:75] = -0.1 * truth.rotmat_camera_world[0, :, 1]  # 10 cm against the floor's up
    before, after = (
        judged(people, truth)[0][0],
        judged([moved(people[0], sunk), people[1]], truth)[0][0],
    )
    share = 15 / len(people[0])
    assert after.penetration_mm - before.penetration_mm == pytest.approx(100 * share, abs=4)
    assert after.sunk_share - before.sunk_share == pytest.approx(share, abs=0.05)


def test_somebody_on_a_box_lifts_no_floor(people, truth):
    up = truth.rotmat_camera_world[0, :, 1]
    lifted = pose_and_see(moved(people[1], 1.5 * up), truth)
    summaries, floor = judged([people[0], lifted], truth)
    assert np.degrees(np.arccos(floor.up @ up)) < 4
    assert abs(summaries[0].floor_offset_m) < 0.1
    assert summaries[1].floor_offset_m == pytest.approx(1.5, abs=0.15)
    assert judge(summaries[1], FPS, Risk()).level == "fair"


def pose_and_see(person, truth):
    """The landmarks go with the body."""
    row = person.id - 1
    places = truth.t_camera_m.copy()
    places[row] = person.t_camera_m
    return found_people(replace(truth, t_camera_m=places))[row]


def test_shaking_is_measured_by_the_metric(people, truth):
    rng = np.random.default_rng(0)
    noise_m = rng.normal(0, 0.004, (len(people[0]), 3))
    shaken = judged([moved(people[0], noise_m)], truth)[0][0]
    # Third differences of white noise: sqrt(20) times as large, mean length of 3D noise is
    # 2 sqrt(2 / pi) of its spread, at 30 frames a second.
    expected = 0.004 * np.sqrt(20) * 2 * np.sqrt(2 / np.pi) * FPS**3
    assert shaken.jitter_m_s3 == pytest.approx(expected, rel=0.12)
    assert shaken.jitter_m_s3 > LIMITS["jitter m/s3"].good


def test_a_camera_that_moves_leaves_feet_unmeasured(truth):
    people = found_people(truth)
    panned = []
    for person in people:
        marks = person.keypoints_px.copy()
        marks[..., 0] += 12.0 * np.arange(len(person))[:, None]
        panned.append(replace(person, keypoints_px=marks))
    summaries, floor = judged(panned, truth)
    assert [s.foot_slide_mm_per_frame for s in summaries] == [None, None]
    assert floor.source == "lowest feet"


def test_people_who_hover_over_a_guessed_floor_are_told_of(truth):
    """A camera that moves lifts people off any one floor: no verdict may call that good."""
    people, frames = found_people(truth), len(truth.time_s)
    rising = np.linspace(0, 1, frames)[:, None] * np.array([0.0, -0.6, 0.0])
    spoilt = []
    for person in people:
        marks = person.keypoints_px.copy()
        marks[..., 0] += 12.0 * np.arange(frames)[:, None]
        spoilt.append(moved(replace(person, keypoints_px=marks), rising))
    summaries, floor = judged(spoilt, truth)
    assert not floor.is_told
    for summary, posed in zip(
        summaries, [pose_person(p, load_body()) for p in spoilt], strict=True
    ):
        lowest = floor.height_m(posed.soles_m).min(axis=(1, 2))
        assert summary.hover_m == pytest.approx(max(np.median(lowest), 0), abs=1e-3)
        assert summary.hover_m > 0.15
        verdict = judge(summary, FPS, Risk())
        assert f"hovers {100 * summary.hover_m:.0f} cm" in verdict.text
        assert "common floor" not in verdict.text and verdict.level != "good"
        assert "Not measured: foot slide." in verdict.text


def test_where_feet_tell_the_floor_nobody_hovers(people, truth):
    summaries, floor = judged(people, truth)
    assert floor.is_told and [summary.hover_m for summary in summaries] == [None, None]


def test_jitter_of_the_run_is_that_of_the_report(people, truth, tmp_path):
    """Bodies of lost frames are nowhere: a jump across them is no jitter."""
    person = people[0]
    status = person.status.copy()
    status[20:40] = Status.MISSING
    lost = moved(replace(person, status=status), np.zeros((len(person), 3)))
    t_m = lost.t_camera_m.copy()
    t_m[20:40] += np.array([5.0, 0.0, 0.0], np.float32)
    lost = replace(lost, t_camera_m=t_m)
    (summary, _), _ = judged((lost, people[1]), truth)
    told = person_summary(lost, ResultFolder(tmp_path), camera_of(truth), load_body())
    assert told["jitter_m_s3"] == pytest.approx(summary.jitter_m_s3, rel=0.02)


def test_people_who_walk_on_are_kept_apart_and_exchanged_ones_are_not(people):
    posed = [pose_person(person, load_body()) for person in people]
    crossings = find_crossings(posed)
    assert len(crossings) == 1
    assert crossings[0].people == (1, 2)
    assert crossings[0].exchange_risk < LIMITS["exchange risk"].good
    middle = (crossings[0].start_s + crossings[0].end_s) / 2
    row = int(np.searchsorted(people[0].time_s, middle))
    swapped = [pose_person(p, load_body()) for p in exchanged_after(people, row)]
    assert max(c.exchange_risk for c in find_crossings(swapped)) > 0.5


def exchanged_after(people, row):
    first, second = people
    fields = ("pose_rotvec", "t_camera_m", "boxes_xyxy_px", "keypoints_px")

    def mixed(a, b):
        parts = {f: np.concatenate([getattr(a, f)[:row], getattr(b, f)[row:]]) for f in fields}
        return replace(a, **parts)

    return mixed(first, second), mixed(second, first)


def test_whoever_is_lost_and_found_again_nearby_may_be_one_person(people):
    first, second = (cut(people[0], 0, 40), cut(replace(people[0], id=3), 50, 100))
    posed = [pose_person(person, load_body()) for person in (first, second)]
    found = find_continuations(posed)
    assert [(one.lost, one.found) for one in found] == [(1, 3)]
    assert found[0].gap_s == pytest.approx(11 / FPS, abs=1e-3)
    far = replace(second, t_camera_m=second.t_camera_m + np.float32(20))
    assert not find_continuations([posed[0], pose_person(far, load_body())])


def cut(person, start, stop):
    fields = ("frame_index", "time_s", "status", "confidence", "pose_rotvec", "t_camera_m")
    seen = ("boxes_xyxy_px", "keypoints_px")
    return replace(person, **{f: getattr(person, f)[start:stop] for f in (*fields, *seen)})


def test_bones_that_change_are_found(people):
    posed = pose_person(people[0], load_body())
    joints_m = posed.joints_m.copy()
    joints_m[::2, 15] += 0.02 * (joints_m[::2, 15] - joints_m[::2, 12])
    length_mm = 1000 * np.linalg.norm(joints_m[1, 15] - joints_m[1, 12])
    assert bone_spread_mm(joints_m) == pytest.approx(0.01 * length_mm, rel=0.01)


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, "good", "seen in 100 %"),
        ({"observed_share": 0.9}, "fair", "seen in 90 %"),
        ({"observed_share": 0.5}, "poor", "seen in 50 %"),
        ({"reprojection_percent": 9.0}, "poor", "9.0 % of the height off"),
        ({"jitter_m_s3": 900.0}, "fair", "shakes"),
        ({"jitter_m_s3": 900.0, "penetration_mm": 90.0}, "poor", "90 mm below the floor"),
        ({"expected_error_deg": 7.0}, "good", "seen in 100 %"),
        (
            {"expected_error_deg": 13.0, "least_sure_part": "left arm", "least_sure_deg": 21.0},
            "fair",
            "13° off, most of all the left arm (21°)",
        ),
        ({"bone_length_spread_mm": 12.0}, "poor", "change their length by 12 mm"),
    ],
)
def test_verdicts_say_why(people, truth, change, level, words):
    summary = replace(judged(people, truth)[0][0], **change)
    verdict = judge(summary, FPS, Risk())
    assert verdict.level == level
    assert words in verdict.text.lower()


def test_what_the_network_says_of_its_errors_is_summed_up_by_parts(people, truth):
    told = np.full((len(people[0]), 24), np.deg2rad(6.0), np.float32)
    told[:, SMPL24.indices("right_hip", "right_knee")] = np.deg2rad(20.0)
    told[5:9] = np.nan
    summary = judged([replace(people[0], pose_spread_rad=told), people[1]], truth)[0][0]
    assert (summary.least_sure_part, summary.least_sure_deg) == ("right leg", 20.0)
    assert summary.expected_error_deg == pytest.approx((11 * 6 + 2 * 20) / 13, abs=0.06)
    silent = judged(people, truth)[0][0]
    assert silent.expected_error_deg is None and silent.least_sure_part is None


def test_gaps_count_as_unseen(people, truth):
    status = people[0].status.copy()
    status[30:45] = Status.MISSING
    status[60:70] = Status.INTERPOLATED
    confidence = np.where(status == Status.MISSING, 0, people[0].confidence).astype(np.float32)
    person = replace(people[0], status=status, confidence=confidence)
    summary = judged([person, people[1]], truth)[0][0]
    frames = len(person)
    assert summary.observed_share == pytest.approx(1 - 25 / frames, abs=1e-3)
    assert summary.missing_share == pytest.approx(15 / frames, abs=1e-3)
    assert summary.longest_gap_s == pytest.approx(16 / FPS, abs=2e-3)
