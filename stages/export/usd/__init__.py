"""USD: everybody as UsdSkel characters with skin, in one binary stage (.usdc, or .usdz).

Metres; a time code per source frame, at the video's rate. A person is invisible in frames where
nobody knows where it is.
"""

from pathlib import Path
from typing import Literal

from pxr import Sdf, Usd, UsdGeom, UsdUtils

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.take import Take
from stages.export._bends import tell_lost_bends
from stages.export._mesh import influences
from stages.export._names import Naming, joint_names
from stages.export.usd.character import add_person, time_codes

UPS = ("y", "z")
FILLS_GAPS = False


class Config(BackendConfig):
    """Container and names of the bones."""

    container: Literal["usdc", "usda", "usdz"] = "usdc"
    names: Naming = "smpl"


class Backend:
    """Writes `<take>.usdc`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file with everybody."""
        tell_lost_bends(take, "usd", self.context)
        path = folder / "usd" / f"{take.name}.{self.config.container}"
        with written_aside(path) as aside:
            if self.config.container == "usdz":
                _write_packed(self._stage_file(take, aside.with_suffix(".usdc")), aside)
            else:
                self._stage_file(take, aside)
        return [path]

    def _stage_file(self, take: Take, path: Path) -> Path:
        stage = _new_stage(take, path)
        moved_by = influences(take.body)
        for person in take.people:
            add_person(stage, take, person, moved_by, joint_names(self.config.names))
        stage.GetRootLayer().Save()
        return path


def _write_packed(inner: Path, path: Path) -> None:
    try:
        UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(inner)), str(path))
    finally:
        inner.unlink()


def _new_stage(take: Take, path: Path) -> Usd.Stage:
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, take.up.upper())
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(take.fps)
    stage.SetFramesPerSecond(take.fps)
    codes = time_codes(take, take.time_s)
    stage.SetStartTimeCode(codes[0])
    stage.SetEndTimeCode(codes[-1])
    root = UsdGeom.Xform.Define(stage, "/People")
    stage.SetDefaultPrim(root.GetPrim())
    root.GetPrim().SetCustomDataByKey("source_video", take.source_video)
    root.GetPrim().SetCustomDataByKey("body_model", take.body.name)
    return stage
