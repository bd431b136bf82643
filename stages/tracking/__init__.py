"""Tracking: which detections are the same person.

``Backend(config, context)`` has ``__call__(video: Video, detections: Detections, bodies: Bodies,
camera: Camera) -> tuple[Person, ...]``. A person covers every frame from the first to the last
sighting; frames between without a detection are MISSING (pose and place interpolated, boxes and
keypoints NaN), to be filled or left by smoothing. Ids are 1, 2, 3, ... by first appearance.
"""
