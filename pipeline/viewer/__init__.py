"""A page that shows a result in 3D: one file, nothing to install, no network."""

from pipeline.viewer.page import write_viewer

__all__ = ["write_viewer"]
