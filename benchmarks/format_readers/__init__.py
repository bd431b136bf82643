"""Readers of the exported formats that share no code with the exporters, and what they should read.

Rotations, forward kinematics and skinning are written out again in `truth.py`; where a library
reads a format, it is used.
"""
