"""Faults on purpose: real processes killed, disks filled, inputs taken away."""
