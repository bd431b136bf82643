"""Detection: frames in, people in single frames out.

``Backend(config, context)`` has ``restart() -> None``, which forgets earlier frames, and
``__call__(frames: Sequence[pipeline.video.Frame]) -> Detections``, which is given consecutive
frames in order, a batch at a time, and may carry what it learnt over to the next batch. One that
carries something may have ``remembered() -> dict[str, np.ndarray]``, all of it as finite numbers,
and ``remember(arrays)``, which goes on from there: what came out before that counts no more.
Weights that it can do without are named by its module: ``optional_weights(config)``
(`pipeline.obtain`).
"""
