"""Makes the embedded body (`pipeline/data/default_body.npz`) from MakeHuman's CC0 assets.

The story is in `build.py`; `docs/body.md` tells why each step is there.
"""

from pipeline.body_build.build import BuiltBody, build_body, write_body

__all__ = ["BuiltBody", "build_body", "write_body"]
