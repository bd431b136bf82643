"""What is known of people as arrays, and back."""

from dataclasses import fields

import numpy as np

from stages.detection.blazepose.chains import Chain, Lost
from stages.detection.blazepose.correction import Correction
from stages.detection.blazepose.crops import Region
from stages.detection.blazepose.memory import (
    LOST_ROW,
    ROW,
    chains_of,
    lost_of,
    lost_rows_of,
    rows_of,
)
from tests.stages.detection.standing import pose


def followed(x_px: float, hidden_since_s: float | None) -> Chain:
    chain = Chain(pose().region)
    for frame in range(6):
        chain.see_next(frame, pose((x_px + 3.7 * frame, 300.0), visibility=0.3), frame / 30)
    chain.hidden_since_s = hidden_since_s
    return chain


def test_everybody_comes_back_as_they_were():
    rng = np.random.default_rng(0)
    chains = [followed(100.0, None), followed(200.1, 0.0), followed(300.0, 1 / 3)]
    for chain in chains:
        assert chain.last is not None
        chain.last.points_m[:] = rng.normal(size=(33, 3))
    chains[1].correction = Correction(1 / 7, rng.normal(size=(33, 6)).astype(np.float32))
    rows = rows_of(chains)
    assert rows.shape == (3, ROW)
    assert np.isfinite(rows).all()
    for chain, back in zip(chains, chains_of(rows), strict=True):
        assert (back.region, back.sightings) == (chain.region, chain.sightings)
        assert (back.presence_sum, back.hidden_since_s) == (
            chain.presence_sum,
            chain.hidden_since_s,
        )
        assert back.poses == {}
        assert (back.correction is None) == (chain.correction is None)
        if chain.correction and back.correction:
            assert back.correction.time_s == chain.correction.time_s
            np.testing.assert_array_equal(back.correction.off, chain.correction.off)
        for one, other in ((chain.place, back.place), (chain.last, back.last)):
            for field in fields(one):
                np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
                assert type(getattr(one, field.name)) is type(getattr(other, field.name))
        assert back.last.points_px.dtype == np.float32


def test_who_was_lost_and_nobody():
    lost = [
        Lost(Region(1.5, 2.0, 30.0, -0.1), 2.5, 2.4),
        Lost(Region(0.0, 0.0, 20.0, 0.0), 3.0, -np.inf),
    ]
    back = lost_of(lost_rows_of(lost))
    assert [(one.region, one.since_s) for one in back] == [(o.region, o.since_s) for o in lost]
    assert back[0].searched_s == 2.4
    assert back[1].searched_s < -1e6, "not yet"
    assert rows_of([]).shape == (0, ROW)
    assert lost_rows_of([]).shape == (0, LOST_ROW)
    assert chains_of(rows_of([])) == lost_of(lost_rows_of([])) == []
