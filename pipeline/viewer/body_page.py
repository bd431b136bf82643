"""A page with one body to shape and to pose by hand; works offline, as the viewer does."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from pipeline.body import BodyModel
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.palette import colour_of
from pipeline.skeletons import SMPL24
from pipeline.viewer.blob import Blob
from pipeline.viewer.data import strongest_weights
from pipeline.viewer.templates import filled_page
from pipeline.views.one_body import UP_IN_CAMERA, OneBody

SCRIPTS = ("math.js", "body.js", "draw.js", "onlooker.js", "posable.js", "body_app.js")
CORRECTIVE_STEPS = 32767


def write_body_page(one: OneBody, title: str, out: Path, context: Context) -> Path:
    """Write the page.

    Args:
        one: shape and pose to begin with.
        title: what the page is called.
        out: the file.
        context: gives the body; takes events.

    Raises:
        OutputError: it cannot be written.
    """
    if context.body_model != "embedded":
        text = "the page holds your body model: its licence may forbid passing it on"
        context.events.record("viewer", "info", text)
    blob = Blob()
    facts = body_facts(one, context.body, blob)
    page = filled_page("body.html.j2", SCRIPTS, facts, blob, title=title, note="")
    with written_aside(out) as aside:
        aside.write_text(page, encoding="utf-8")
    return out


def body_facts(one: OneBody, body: BodyModel, blob: Blob) -> dict[str, Any]:
    """The body as plain values; arrays go into the blob."""
    skin = strongest_weights(body)
    axes = UP_IN_CAMERA if one.in_camera else np.eye(3)
    arrays = {
        "faces": body.faces.astype(np.uint16),
        "joints": skin.joints,
        "weights": skin.weights,
        "template": _floats(body.v_template_m),
        "directions": _floats(body.shapedirs),
        "jointTemplate": _floats(body.J_template_m),
        "jointDirections": _floats(body.J_dirs),
    }
    step = 0.0
    if body.posedirs is not None:
        bends = body.posedirs.numpy()
        step = float(np.abs(bends).max()) / CORRECTIVE_STEPS
        # Entry by entry of the rotations: so the page can leave out what is not bent.
        arrays["correctives"] = np.rint(bends / step).astype(np.int16).transpose(2, 0, 1)
    return {
        "arrays": {name: blob.add(array) for name, array in arrays.items()},
        "correctiveStep": step,
        "name": body.name,
        "names": list(SMPL24.points),
        "parents": list(body.parents),
        "colour": colour_of(1).tolist(),
        "betas": one.betas.tolist(),
        "pose": one.pose_rotvec.tolist(),
        "axes": axes.tolist(),
        "axesName": "camera" if one.in_camera else "y up",
        "floor": _lowest_m(one, body, axes),
    }


def _floats(tensor: torch.Tensor) -> Float32[np.ndarray, "..."]:
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32)


def _lowest_m(one: OneBody, body: BodyModel, axes: np.ndarray) -> float:
    """Height of the lowest vertex in the room's axes: there the grid lies."""
    shaped = body.with_shape(torch.from_numpy(one.betas))
    posed = shaped.with_pose(torch.from_numpy(one.pose_rotvec))
    return float((posed.vertices().double().numpy() @ axes[1]).min())
