"""Lifting that was killed between batches of windows goes on behind them, to the same bytes."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from pipeline.context import Context
from pipeline.parts import Parts
from pipeline.types import Bodies, Detections
from stages.regression.lifter import Backend, Config, sequence
from stages.regression.lifter.network import WINDOW, LifterNetwork, Sizes
from stages.regression.lifter.tracklets import tracklets
from tests.stages.regression.lifter_people import SeenWalker, seen_walker

GAP = slice(WINDOW + 30, WINDOW + 50)
"""Frames in which nobody is seen: a tracklet before, one as long after."""
BATCHES = 4


class Interrupted(Exception):
    """As good as a kill: nothing is put in order."""


class CountedNetwork(LifterNetwork):
    """A small network that counts what it is asked; stops before a batch if told to."""

    def __init__(self, stop_after=10**6):
        torch.manual_seed(0)
        super().__init__(Sizes(width=32, depth=1))
        self.eval()
        self.calls, self.stop_after = 0, stop_after

    @property
    def batches(self):
        """Each is asked for twice: as it is and mirrored."""
        return self.calls / 2

    def forward(self, *given):
        if self.batches == self.stop_after:
            raise Interrupted
        self.calls += 1
        return super().forward(*given)


@pytest.fixture(scope="module")
def walker() -> SeenWalker:
    whole = seen_walker(seconds=(GAP.stop + GAP.start) / 30)
    kept = np.delete(np.arange(len(whole.detections)), GAP)
    values = {f.name: getattr(whole.detections, f.name) for f in fields(Detections)}
    some = {k: v[kept] if isinstance(v, np.ndarray) else v for k, v in values.items()}
    return replace(whole, detections=Detections(**some))


def lifted(walker, network, folder=None) -> Bodies:
    context = Context(parts=Parts(0.0))
    backend = Backend(Config(), context)
    backend.__dict__["network"] = network
    if folder is None:
        return backend.over_time(walker.video, walker.detections, walker.camera)
    with context.parts.kept_in(folder, "these detections", context.events):
        return backend.over_time(walker.video, walker.detections, walker.camera)


@pytest.mark.parametrize("stop_after", range(1, BATCHES))
def test_batches_that_are_done_are_not_lifted_again(walker, tmp_path, monkeypatch, stop_after):
    monkeypatch.setattr(sequence, "BATCH", 3)
    assert len(tracklets(walker.video, walker.detections)) == 2
    whole = lifted(walker, CountedNetwork())
    with pytest.raises(Interrupted):
        lifted(walker, CountedNetwork(stop_after), tmp_path)
    rest = CountedNetwork()
    continued = lifted(walker, rest, tmp_path)
    assert rest.batches == BATCHES - stop_after
    for name in ("pose_rotvec", "betas", "t_camera_m"):
        assert getattr(continued, name).tobytes() == getattr(whole, name).tobytes()


def test_the_size_of_batches_changes_hardly_anything(walker, monkeypatch):
    whole = lifted(walker, CountedNetwork())
    monkeypatch.setattr(sequence, "BATCH", 3)
    in_batches = lifted(walker, CountedNetwork())
    np.testing.assert_allclose(in_batches.pose_rotvec, whole.pose_rotvec, atol=2e-4)
    np.testing.assert_allclose(in_batches.betas, whole.betas, atol=1e-5)
