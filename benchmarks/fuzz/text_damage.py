"""Damage to texts made of words and numbers: BVH, MOT, CSV, YAML."""

import re

from benchmarks.fuzz.json_damage import NASTY_NUMBERS, NASTY_TEXTS
from benchmarks.fuzz.mutations import Rng

_WORD = re.compile(r"[^\s,:{}\[\]]+")
ALIAS_BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
)
DEEP_YAML = "a: " + "[" * 20_000
DEEP_FLOW = "{a: " * 5_000 + "1" + "}" * 5_000


def damaged_text(text: str, rng: Rng) -> str:
    """Words replaced, lines left out, doubled or exchanged."""
    for _ in range(int(rng.integers(1, 6))):
        change = (_word, _word, _without_line, _double_line, _exchange)[int(rng.integers(5))]
        text = change(text, rng)
    return text


def damaged_yaml(text: str, rng: Rng) -> str:
    """As `damaged_text`, or a bomb."""
    chance = rng.random()
    if chance < 0.12:
        return (ALIAS_BOMB, DEEP_YAML, DEEP_FLOW, "&a [*a]", "a: &a {b: *a}", "!!python/name:os")[
            int(rng.integers(6))
        ]
    return damaged_text(text, rng)


def _word(text: str, rng: Rng) -> str:
    words = list(_WORD.finditer(text))
    if not words:
        return text
    found = words[int(rng.integers(len(words)))]
    new = str((*NASTY_NUMBERS, *NASTY_TEXTS)[int(rng.integers(len(NASTY_NUMBERS) + 9))])
    return text[: found.start()] + new + text[found.end() :]


def _without_line(text: str, rng: Rng) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for i, line in enumerate(lines) if i != rng.integers(max(len(lines), 1)))


def _double_line(text: str, rng: Rng) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = int(rng.integers(len(lines)))
    return "".join([*lines[: at + 1], *lines[at:]])


def _exchange(text: str, rng: Rng) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return text
    i, j = (int(k) for k in rng.integers(0, len(lines), 2))
    lines[i], lines[j] = lines[j], lines[i]
    return "".join(lines)
