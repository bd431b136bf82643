"""Pages that show a result, or a body, in 3D: one file, nothing to install, no network."""

from pipeline.viewer.body_page import write_body_page
from pipeline.viewer.page import write_viewer

__all__ = ["write_body_page", "write_viewer"]
