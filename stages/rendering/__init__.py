"""Rendering: bodies drawn as a layer to lay over a frame.

``Backend(config, context)`` has ``__call__(meshes: Sequence[PosedMesh], faces (F,3) int32,
K_px (3,3), width_px: int, height_px: int) -> Layer``: hides what is hidden, also between people.
It may have ``begin``, with the same arguments, which gives a function that gives the layer: for
drawing that goes on elsewhere meanwhile. Layers are then asked for in the order of their beginning.
"""
