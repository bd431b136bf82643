"""Which people a stage need not see again, because neither they nor anybody near them changed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from pipeline.boxes import paired_iou
from pipeline.files import add_array
from pipeline.types import Person

DIGESTS, MADE_BY = "input_digests", "each_made_by"
"""What is kept in a stage's file beside the people: of what each was made, and by what."""


def person_digest(person: Person) -> str:
    """Of everything about a person but the id."""
    whole = hashlib.sha256()
    for field in fields(person):
        value = getattr(person, field.name)
        if isinstance(value, np.ndarray):
            add_array(whole, field.name, value)
        elif field.name != "id":
            whole.update(f"{field.name} {value!r} ".encode())
    return whole.hexdigest()


def unchanged(
    given: Sequence[Person], before: Sequence[Person], digests_before: Sequence[str]
) -> dict[int, Person]:
    """Results that still hold, under their person's id of now; by position in `given`.

    Args:
        given: what the stage is to work on now.
        before: its earlier results.
        digests_before: of what each of them was made from.
    """
    digests = [person_digest(person) for person in given]
    kept = {digest: person for digest, person in zip(digests_before, before, strict=True)}
    changed = [p for p, digest in zip(given, digests, strict=True) if digest not in kept]
    changed += [p for digest, p in kept.items() if digest not in digests]
    return {
        number: replace(kept[digest], id=person.id)
        for number, (person, digest) in enumerate(zip(given, digests, strict=True))
        if digest in kept and not any(_touch(person, other) for other in changed)
    }


def _touch(a: Person, b: Person) -> bool:
    """Whether two people's boxes ever overlap."""
    shared, first, second = np.intersect1d(a.frame_index, b.frame_index, return_indices=True)
    overlap = paired_iou(a.boxes_xyxy_px[first], b.boxes_xyxy_px[second])
    return len(shared) > 0 and bool((overlap > 0).any())


def digests_in(arrays: Mapping[str, Any], made_by: str) -> list[str] | None:
    """The digests kept in a stage's file, if the same stage with the same settings wrote it."""
    if str(arrays.get(MADE_BY)) != made_by or DIGESTS not in arrays:
        return None
    return [str(digest) for digest in arrays[DIGESTS]]
