"""Write, read back with an independent reader, compare with truth written out separately."""

import importlib

import numpy as np
import pytest

from benchmarks.format_readers.reading import off
from benchmarks.format_readers.truth import truths, write_made_up_result
from pipeline.context import Context
from pipeline.exporting import Part, export, read_take

SKELETONS = ("amass", "bvh")
CONTEXT = Context()


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    folder = write_made_up_result(tmp_path_factory.mktemp("made") / "made_up")
    return read_take(folder, Part(), CONTEXT)


@pytest.fixture(scope="module")
def truth():
    return truths()


def read_back(take, name, folder, **how):
    reader = importlib.import_module(f"benchmarks.format_readers.{name}")
    export_how = {key: how.pop(key) for key in ("up", "options", "floor") if key in how}
    paths = export(take, [name], folder, CONTEXT, **export_how)[name]
    return reader.read(paths, **how)


@pytest.mark.parametrize("name", SKELETONS)
def test_every_joint_is_where_it_was_and_turned_as_it_was(take, truth, tmp_path, name):
    readings = read_back(take, name, tmp_path)
    assert [reading.person_id for reading in readings] == [1, 2]
    for reading in readings:
        person = truth[reading.person_id].person
        distance = off(reading, truth[reading.person_id])
        np.testing.assert_array_equal(reading.rows, np.arange(len(person)))
        assert distance.position_mm < 0.02
        assert distance.rotation_deg < 0.001
        assert distance.time_s < 1e-9


def test_bvh_stands_upright_in_z_up_axes_too(take, truth, tmp_path):
    for reading in read_back(
        take, "bvh", tmp_path, up="z", options={"bvh": {"unit": "m"}}, unit_m=1.0
    ):
        distance = off(type(reading)(**{**vars(reading), "up": "z"}), truth[reading.person_id])
        assert distance.position_mm < 0.02
        assert distance.rotation_deg < 0.001
