"""What flows through humans4d, and how it is run. Read `types.py` first, then `run.py`."""

__version__ = "0.1.0"
