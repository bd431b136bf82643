"""OpenSim's model and motion files: the XML and the table, with kinematics of its own."""

from pathlib import Path
from xml.etree import ElementTree as xml

import numpy as np

from benchmarks.format_readers.bvh import about
from benchmarks.format_readers.reading import Reading


def read(paths: list[Path]) -> list[Reading]:
    """A model and a motion per person."""
    models = [path for path in paths if path.suffix == ".osim"]
    return [_person(model, model.with_suffix(".mot")) for model in models]


def _person(model: Path, motion: Path) -> Reading:
    columns = _table(motion)
    time_s = columns.pop("time")
    placed = {"/ground": (np.tile(np.eye(3), (len(time_s), 1, 1)), np.zeros((len(time_s), 3)))}
    for joint in xml.parse(model).getroot().iter("CustomJoint"):
        frame = joint.find("frames/PhysicalOffsetFrame")
        above_turn, above_place = placed[frame.findtext("socket_parent")]
        bone = np.array([float(v) for v in frame.findtext("translation").split()])
        turn, shift = np.tile(np.eye(3), (len(time_s), 1, 1)), np.zeros((len(time_s), 3))
        for entry in joint.iter("TransformAxis"):
            axis = entry.findtext("axis").split().index("1")
            value = columns.get(entry.findtext("coordinates"), np.zeros(len(time_s)))
            if entry.get("name").startswith("rotation"):
                turn = turn @ about(axis, np.radians(value))
            else:
                shift[:, axis] += value
        place = above_place + (above_turn @ (bone + shift)[..., None])[..., 0]
        placed[joint.findtext("socket_child_frame")] = (above_turn @ turn, place)
    del placed["/ground"]
    return Reading(
        person_id=int(model.stem[-3:]),
        rows=np.arange(len(time_s)),
        time_s=time_s,
        up="y",
        joints_m=np.stack([place for _, place in placed.values()], 1),
        rotmat=np.stack([turn for turn, _ in placed.values()], 1),
    )


def _table(path: Path) -> dict[str, np.ndarray]:
    head, _, table = path.read_text().partition("endheader\n")
    facts = dict(line.split("=") for line in head.splitlines() if "=" in line)
    names, *rows = [line.split("\t") for line in table.splitlines()]
    assert facts["inDegrees"] == "yes"
    assert (int(facts["nRows"]), int(facts["nColumns"])) == (len(rows), len(names))
    values = np.array(rows, dtype=np.float64)
    return dict(zip(names, values.T, strict=True))
