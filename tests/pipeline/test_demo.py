import numpy as np
import pytest

from pipeline import weights
from pipeline.body import load_body
from pipeline.commands.demo import demo_command, score_table
from pipeline.context import Context
from pipeline.demo import CLIP_NAME, TRUTH_NAME, make_film, run_and_score
from pipeline.errors import MissingError, UserError
from pipeline.scenes import library
from pipeline.scenes.scene import read_truth
from pipeline.scenes.scoring import PersonScore, Score
from pipeline.video import open_video


@pytest.fixture(scope="module")
def short_film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    scene = library.crossing(load_body(), seconds=0.8, fps=15.0, width_px=640, height_px=360)
    return folder, scene, make_film(scene, folder, Context())


def person_score(**changed):
    values = {
        "frames_present": 10,
        "coverage": 0.5,
        "id_switches": 1,
        "mpjpe_mm": 61.4,
        "pa_mpjpe_mm": 43.9,
        "translation_error_mm": 210.0,
        "joint_angle_error_deg": 9.26,
        "acceleration_error_mm_s2": 4321.0,
        "frames_scored": 5,
        "pve_mm": 70.0,
        "jitter_m_s3": 40.0,
        "true_jitter_m_s3": 30.0,
        "foot_slide_mm_per_frame": 9.0,
        "true_foot_slide_mm_per_frame": 2.0,
        "contacts": 8,
    }
    return PersonScore(**{**values, **changed})


def test_film_and_truth_agree_in_length_and_size(short_film):
    folder, scene, truth = short_film
    video = open_video(folder / CLIP_NAME)
    assert video.frame_count == len(scene) == len(truth.time_s) == 12
    np.testing.assert_allclose(video.time_s, truth.time_s, atol=1e-4)
    np.testing.assert_array_equal(read_truth(folder / TRUTH_NAME).t_camera_m, truth.t_camera_m)
    assert truth.K_px[0, 2] * 2 == video.width_px


def test_the_pipeline_finds_both_people_where_they_are(short_film):
    folder, _, truth = short_film
    try:
        weights.path("blazepose-detector")
        weights.path("blazepose-landmarks")
    except MissingError as error:
        pytest.skip(str(error))
    result = run_and_score(folder, truth, Context())
    for person in result.people:
        assert person.coverage > 0.6
        assert person.id_switches == 0
        assert person.pa_mpjpe_mm < 120
    assert (folder / "overlay.mp4").exists()


def test_the_table_prints_every_person_as_scored(short_film, capsys):
    from rich.console import Console

    table = score_table(Score((person_score(), person_score(coverage=0.0)), 7), short_film[2])
    Console(width=200).print(table)
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.replace("│", " ").splitlines()]
    assert ["1", "10", "50", "61", "44", "210", "9.3", "4.32", "1"] in rows
    assert ["2", "10", "0", "61", "44", "210", "9.3", "4.32", "1"] in rows
    assert "nobody is: 7" in " ".join(shown.split())


@pytest.mark.parametrize("missing", [(0.0, 0.0), (1.0, 0.0)])
def test_finding_too_few_ends_with_an_error(missing, monkeypatch, tmp_path, short_film):
    import pipeline.demo

    people = tuple(person_score(coverage=share) for share in missing)
    monkeypatch.setattr(pipeline.demo, "make_film", lambda *_: short_film[2])
    monkeypatch.setattr(pipeline.demo, "run_and_score", lambda *_: Score(people, 0))
    with pytest.raises(UserError, match=r"found (nobody|not person 2)"):
        demo_command(output=tmp_path, quiet=True)
