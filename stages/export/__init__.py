"""Export: people's motion as files that other tools open.

``Backend(config, context)`` has ``__call__(take: Take, folder: Path) -> list[Path]``: write the
people of a take (`pipeline.take`) into a folder, and name the files. A backend's module also has
``UPS``, the up axes it can write, the usual one first (empty: the format lives in the picture or
in the camera), and ``FILLS_GAPS``: True if a missing frame cannot be left out of the format; the
take then comes with such frames filled between their neighbours.
"""
