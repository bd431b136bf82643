"""GLB files, read with pygltflib; the nodes are walked and the skin is posed here."""

import struct
from pathlib import Path

import numpy as np
import pygltflib
from scipy.spatial.transform import Rotation

from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import made_up_video

NUMBERS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def read(paths: list[Path]) -> list[Reading]:
    """Everybody in one file; only the frames in which a person is shown."""
    return [reading for path in paths for reading in Scene(path).people()]


class Scene:
    """A file, and where everything in it is at its key frames."""

    def __init__(self, path: Path) -> None:
        self.gltf = pygltflib.GLTF2().load(str(path))
        self.blob = self.gltf.binary_blob()
        self.parent = {c: i for i, n in enumerate(self.gltf.nodes) for c in n.children or []}
        animation = self.gltf.animations[0]
        self.tracks = {
            (channel.target.node, channel.target.path): animation.samplers[channel.sampler]
            for channel in animation.channels
        }

    def people(self) -> list[Reading]:
        """Every skinned mesh."""
        return [self._person(node) for node in self.gltf.nodes if node.skin is not None]

    def _person(self, node: pygltflib.Node) -> Reading:
        skin = self.gltf.skins[node.skin]
        sampler = self.tracks[skin.joints[0], "translation"]
        clock_s = self._numbers(sampler.input)[:, 0]
        moves = np.stack([self._world(joint, clock_s) for joint in skin.joints], 1)
        scale = np.linalg.norm(moves[:, 0, :3, 0], axis=-1)
        rows = np.flatnonzero(scale > 0.5)
        return Reading(
            person_id=int(node.name.split("_")[1]),
            rows=rows,
            time_s=clock_s[rows].astype(np.float64) + made_up_video().time_s[0],
            up="y",
            joints_m=moves[rows, :, :3, 3],
            rotmat=moves[rows, :, :3, :3],
            vertices_m=self._skinned(node, skin, moves[rows]),
        )

    def _skinned(self, node: pygltflib.Node, skin: pygltflib.Skin, moves: np.ndarray) -> np.ndarray:
        attributes = self.gltf.meshes[node.mesh].primitives[0].attributes
        rest = self._numbers(attributes.POSITION).astype(np.float64)
        binds = self._numbers(skin.inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
        sets = [n for n in range(2) if getattr(attributes, f"JOINTS_{n}", None) is not None]
        total = np.zeros((len(rest), len(skin.joints)))
        for number in sets:
            joints = self._numbers(getattr(attributes, f"JOINTS_{number}"))
            weights = self._numbers(getattr(attributes, f"WEIGHTS_{number}"))
            for column in range(4):
                np.add.at(total, (np.arange(len(rest)), joints[:, column]), weights[:, column])
        homogeneous = np.concatenate([rest, np.ones((len(rest), 1))], 1)
        out = []
        for move in moves @ binds:
            out.append(np.einsum("vj,jrc,vc->vr", total, move[:, :3], homogeneous, optimize=True))
        return np.stack(out)

    def _world(self, node: int, clock_s: np.ndarray) -> np.ndarray:
        own = self._local(node, clock_s)
        return self._world(self.parent[node], clock_s) @ own if node in self.parent else own

    def _local(self, node: int, clock_s: np.ndarray) -> np.ndarray:
        entry, count = self.gltf.nodes[node], len(clock_s)
        move = np.tile(np.eye(4), (count, 1, 1))
        move[:, :3, 3] = entry.translation or (0, 0, 0)
        if sampler := self.tracks.get((node, "translation")):
            move[:, :3, 3] = self._numbers(sampler.output)
        if sampler := self.tracks.get((node, "rotation")):
            move[:, :3, :3] = Rotation.from_quat(self._numbers(sampler.output)).as_matrix()
        if sampler := self.tracks.get((node, "scale")):
            assert sampler.interpolation == "STEP"
            keys_s = self._numbers(sampler.input)[:, 0]
            at = np.searchsorted(keys_s, clock_s, side="right") - 1
            move[:, :3, :3] *= self._numbers(sampler.output)[at][:, None]
        return move

    def _numbers(self, accessor: int) -> np.ndarray:
        entry = self.gltf.accessors[accessor]
        view = self.gltf.bufferViews[entry.bufferView]
        width = WIDTHS[entry.type]
        start = (view.byteOffset or 0) + (entry.byteOffset or 0)
        flat = np.frombuffer(
            self.blob, NUMBERS[entry.componentType], entry.count * width, offset=start
        )
        return flat.reshape(entry.count, width)


def declared_length(path: Path) -> int:
    """Length in bytes that the file's head declares."""
    return struct.unpack("<I", path.read_bytes()[8:12])[0]
