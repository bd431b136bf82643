"""Hostile input: thousands of damaged videos and result files through the project's own doors.

``python -m benchmarks.fuzz`` makes them from a few small seeds (films made by ffmpeg, one real
result of a film with known people), reproducibly: the same seed number gives the same bytes.
"""
