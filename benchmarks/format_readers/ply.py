"""PLY sequences, read with trimesh as OBJ's are."""

from benchmarks.format_readers.obj import read

__all__ = ["read"]
