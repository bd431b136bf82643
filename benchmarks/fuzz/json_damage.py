"""Damage that a parser accepts: values of other kinds, missing and strange entries."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from benchmarks.fuzz.mutations import Rng

NASTY_TEXTS = (
    "",
    "../../../../etc/passwd",
    "/etc/passwd",
    "a\nb\x00c",
    "<script>alert(1)</script>",
    "\u202e\u2028\u00e9" * 50,
    "x" * 100_000,
    "{{ 7*7 }} [bold]%s{0}",
    "1e999",
)
NASTY_NUMBERS = (
    *(0, 1, -1, 2**31, -(2**63), 10**30, 1e308, -1e308, 5e-324),
    *(float("nan"), float("inf"), 0.5, True),
)
DEPTH = 3000


def damaged_value(content: Any, rng: Rng) -> Any:
    """The content with one to four places changed."""
    changed = copy.deepcopy(content)
    for _ in range(int(rng.integers(1, 5))):
        places = list(_places(changed))
        if not places:
            break
        holder, key = places[int(rng.integers(len(places)))]
        _change(holder, key, rng)
    return changed


def damaged_json(content: Any, rng: Rng) -> str:
    """As JSON, with Python's NaN where there is one; now and then nested as deep as can be."""
    if rng.random() < 0.04:
        return "[" * 100_000 if rng.random() < 0.5 else '{"a":' * 100_000 + "1" + "}" * 100_000
    return json.dumps(damaged_value(content, rng))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every entry of every list and dict."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _change(holder: Any, key: Any, rng: Rng) -> None:
    chance = rng.random()
    if chance < 0.2:
        del holder[key]
    elif chance < 0.3 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif chance < 0.3:
        holder[str(rng.choice(NASTY_TEXTS[:6]))] = holder.pop(key)
    else:
        holder[key] = nasty(rng)


def nasty(rng: Rng) -> Any:
    """A value that nobody expects."""
    kinds = (
        lambda: NASTY_NUMBERS[int(rng.integers(len(NASTY_NUMBERS)))],
        lambda: NASTY_TEXTS[int(rng.integers(len(NASTY_TEXTS)))],
        lambda: None,
        lambda: [],
        lambda: {},
        lambda: [[1, 2], [3]],
        lambda: {"a": {"b": [None]}},
    )
    return kinds[int(rng.choice(len(kinds), p=[0.35, 0.25, 0.1, 0.1, 0.1, 0.05, 0.05]))]()
