"""Regression: a SMPL body for every detection.

``Backend(config, context)`` has ``__call__(frames: Sequence[pipeline.video.Frame],
detections: Detections, camera: Camera) -> Bodies``: the detections are those of these frames, and
the bodies come in the same order.

A backend that needs time and no pixels has ``over_time(video: Video, detections: Detections,
camera: Camera) -> Bodies`` instead: it is asked once, when all detections of the video are known.
"""
