"""SMPL's skeleton as an OpenSim model: 24 bodies, a joint with three angles before each.

The masses are placeholders, for the model is one of motion alone: no forces may be reckoned of it.
"""

from xml.etree import ElementTree as xml

import numpy as np
from jaxtyping import Float

from pipeline.skeletons import SMPL24, SMPL24_PARENTS

DOCUMENT_VERSION = "40000"
SHIFTS = ("x", "y", "z")
TURNS = ("z", "x", "y")
"""A joint turns about its z axis, then its own x, then its own y."""
_AXES = {"x": "1 0 0", "y": "0 1 0", "z": "0 0 1"}
_GRAVITY_M_S2 = "0 -9.80665 0"
_NOTE = "SMPL skeleton written by humans4d; masses are placeholders, use it for motion alone"


def coordinates() -> list[str]:
    """Names of the 75 coordinates: the pelvis's place, then the joints' angles."""
    places = [f"pelvis_t{axis}" for axis in SHIFTS]
    return [*places, *(f"{point}_r{axis}" for point in SMPL24.points for axis in TURNS)]


def model_xml(name: str, rest_m: Float[np.ndarray, "24 3"]) -> str:
    """The model's file; joints at rest as given, in metres, y up."""
    document = xml.Element("OpenSimDocument", Version=DOCUMENT_VERSION)
    model = xml.SubElement(document, "Model", name=name)
    _text(model, "credits", _NOTE)
    xml.SubElement(model, "Ground", name="ground")
    _text(model, "gravity", _GRAVITY_M_S2)
    _text(model, "length_units", "meters")
    _text(model, "force_units", "N")
    bodies, joints, marks = (_set(model, kind) for kind in ("BodySet", "JointSet", "MarkerSet"))
    for joint, point in enumerate(SMPL24.points):
        _add_body(bodies, point)
        parent = SMPL24_PARENTS[joint]
        bone_m = rest_m[joint] - rest_m[parent] if parent >= 0 else np.zeros(3)
        above = f"/bodyset/{SMPL24.points[parent]}" if parent >= 0 else "/ground"
        _add_joint(joints, point, above, bone_m, is_root=parent < 0)
        _add_marker(marks, point)
    xml.indent(document)
    return xml.tostring(document, encoding="unicode", xml_declaration=True) + "\n"


def _set(model: xml.Element, kind: str) -> xml.Element:
    return xml.SubElement(xml.SubElement(model, kind, name=kind.lower()), "objects")


def _text(parent: xml.Element, tag: str, text: str) -> None:
    xml.SubElement(parent, tag).text = text


def _add_body(bodies: xml.Element, point: str) -> None:
    body = xml.SubElement(bodies, "Body", name=point)
    _text(body, "mass", "1")
    _text(body, "mass_center", "0 0 0")
    _text(body, "inertia", "0.01 0.01 0.01 0 0 0")


def _add_joint(
    joints: xml.Element, point: str, above: str, bone_m: np.ndarray, *, is_root: bool
) -> None:
    joint = xml.SubElement(joints, "CustomJoint", name=f"{point}_joint")
    _text(joint, "socket_parent_frame", "above")
    _text(joint, "socket_child_frame", f"/bodyset/{point}")
    listed = xml.SubElement(joint, "coordinates")
    for axis in TURNS:
        xml.SubElement(listed, "Coordinate", name=f"{point}_r{axis}")
    for axis in SHIFTS if is_root else ():
        xml.SubElement(listed, "Coordinate", name=f"{point}_t{axis}")
    frame = xml.SubElement(xml.SubElement(joint, "frames"), "PhysicalOffsetFrame", name="above")
    _text(frame, "socket_parent", above)
    _text(frame, "translation", " ".join(f"{value:.9f}" for value in bone_m))
    _text(frame, "orientation", "0 0 0")
    moves = xml.SubElement(joint, "SpatialTransform")
    for number, axis in enumerate(TURNS, start=1):
        _add_axis(moves, f"rotation{number}", axis, f"{point}_r{axis}")
    for number, axis in enumerate(SHIFTS, start=1):
        _add_axis(moves, f"translation{number}", axis, f"{point}_t{axis}" if is_root else None)


def _add_axis(moves: xml.Element, name: str, axis: str, coordinate: str | None) -> None:
    entry = xml.SubElement(moves, "TransformAxis", name=name)
    _text(entry, "coordinates", coordinate or "")
    _text(entry, "axis", _AXES[axis])
    if coordinate is None:
        _text(xml.SubElement(entry, "Constant", name="function"), "value", "0")
    else:
        _text(xml.SubElement(entry, "LinearFunction", name="function"), "coefficients", "1 0")


def _add_marker(marks: xml.Element, point: str) -> None:
    mark = xml.SubElement(marks, "Marker", name=point)
    _text(mark, "socket_parent_frame", f"/bodyset/{point}")
    _text(mark, "location", "0 0 0")
    _text(mark, "fixed", "true")
