"""Regression: a SMPL body for every detection.

``Backend(config, context)`` has ``__call__(frames: Sequence[pipeline.video.Frame],
detections: Detections, camera: Camera) -> Bodies``: the detections are those of these frames, and
the bodies come in the same order.
"""
