"""Refinement: fit each person's whole sequence to what was seen.

``Backend(config, context)`` has ``__call__(people: tuple[Person, ...], camera: Camera)
-> tuple[Person, ...]``: same people, same frames, better pose, shape and place.
"""
