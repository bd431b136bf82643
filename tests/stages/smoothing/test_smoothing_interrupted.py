"""Smoothing that was killed between two people goes on with the second, to the same bytes."""

from dataclasses import fields

import numpy as np
import pytest

from pipeline.context import Context
from pipeline.parts import Parts
from pipeline.types import Person
from stages.smoothing import whittaker
from tests.pipeline.nouns import a_person

PEOPLE = (a_person(1, frames=20, unseen=(5, 6)), a_person(2, first_frame=4, frames=30))


class Counted(whittaker.Backend):
    """Whose people are counted; killed before one of them if told to."""

    def __init__(self, context, stop_at=None):
        super().__init__(whittaker.Config(), context)
        self.stop_at, self.smoothed = stop_at, []

    def _smooth(self, person):
        if person.id == self.stop_at:
            raise KeyboardInterrupt
        self.smoothed.append(person.id)
        return super()._smooth(person)


def smoothed(folder, stop_at=None):
    context = Context(parts=Parts(0.0))
    backend = Counted(context, stop_at)
    with context.parts.kept_in(folder, "these people", context.events):
        return backend(PEOPLE), context.events.as_dicts(), backend.smoothed


def test_people_who_are_done_are_not_smoothed_again(tmp_path):
    whole = smoothed(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        smoothed(tmp_path / "cut", stop_at=2)
    again = smoothed(tmp_path / "cut")
    assert (whole[2], again[2]) == ([1, 2], [2])
    assert again[1] == whole[1]
    for one, other in zip(again[0], whole[0], strict=True):
        for field in fields(Person):
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert (a.tobytes() == b.tobytes()) if isinstance(a, np.ndarray) else a == b
