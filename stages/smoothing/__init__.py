"""Smoothing: less jitter, short gaps filled.

``Backend(config, context)`` has ``__call__(people: tuple[Person, ...]) -> tuple[Person, ...]``:
same people, same frames; a MISSING frame inside a short gap becomes INTERPOLATED.
Settings are in seconds, so the frame rate does not change their meaning.
"""
