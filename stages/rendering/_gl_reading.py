"""Pictures on their way back from the graphics card: it draws on while earlier ones travel.

A drawn rectangle goes into a pixel buffer on the card (GL_PIXEL_PACK_BUFFER); asking for that does
not wait. Only `take` does, and by then the card has had the time of some frames. Nothing but the
rectangle is sent, and no depth: pyrender's own reading sends the whole picture with its depth.
"""

import ctypes
from typing import Any

import numpy as np
from jaxtyping import UInt8
from OpenGL.GL import (
    GL_COLOR_BUFFER_BIT,
    GL_DRAW_FRAMEBUFFER,
    GL_NEAREST,
    GL_PIXEL_PACK_BUFFER,
    GL_READ_FRAMEBUFFER,
    GL_RGBA,
    GL_STREAM_READ,
    GL_UNSIGNED_BYTE,
    glBindBuffer,
    glBindFramebuffer,
    glBlitFramebuffer,
    glBufferData,
    glGenBuffers,
)
from OpenGL.raw.GL.VERSION.GL_1_1 import glReadPixels
from OpenGL.raw.GL.VERSION.GL_1_5 import glGetBufferSubData
from pyrender.renderer import Renderer

from stages.rendering._rectangle import Rectangle


class PixelsOnTheWay:
    """A rectangle that was drawn; its context must be current when it is taken."""

    def __init__(self, buffer: int, shape: tuple[int, int, int], free: list[int]) -> None:
        self._buffer, self._shape, self._free = buffer, shape, free

    def take(self) -> UInt8[np.ndarray, "h w 4"]:
        """The pixels, the lowest row first; waits until they are here. Once only."""
        pixels = np.empty(self._shape, np.uint8)
        glBindBuffer(GL_PIXEL_PACK_BUFFER, self._buffer)
        glGetBufferSubData(GL_PIXEL_PACK_BUFFER, 0, pixels.nbytes, pixels)
        glBindBuffer(GL_PIXEL_PACK_BUFFER, 0)
        self._free.append(self._buffer)
        return pixels


class AreaRenderer(Renderer):
    """pyrender's renderer, whose `render` gives `PixelsOnTheWay` of one rectangle."""

    area = Rectangle(0, 0, 0, 0)
    """What to read; may be set before every picture."""

    def __init__(self, width_px: int, height_px: int) -> None:
        super().__init__(width_px, height_px)
        self._free: list[int] = []

    def _read_main_framebuffer(self, scene: Any, flags: int) -> PixelsOnTheWay:
        width, height = self.area.right - self.area.left, self.area.bottom - self.area.top
        left, low = self.area.left, self.viewport_height - self.area.bottom
        box = (left, low, left + width, low + height)
        glBindFramebuffer(GL_READ_FRAMEBUFFER, self._main_fb_ms)
        glBindFramebuffer(GL_DRAW_FRAMEBUFFER, self._main_fb)
        glBlitFramebuffer(*box, *box, GL_COLOR_BUFFER_BIT, GL_NEAREST)
        glBindFramebuffer(GL_READ_FRAMEBUFFER, self._main_fb)
        buffer = self._free.pop() if self._free else int(glGenBuffers(1))
        glBindBuffer(GL_PIXEL_PACK_BUFFER, buffer)
        # New storage every time: the card need not wait until the old one was read.
        glBufferData(GL_PIXEL_PACK_BUFFER, 4 * width * height, None, GL_STREAM_READ)
        nowhere = ctypes.c_void_p(0)  # with a buffer bound: its start
        glReadPixels(left, low, width, height, GL_RGBA, GL_UNSIGNED_BYTE, nowhere)
        glBindBuffer(GL_PIXEL_PACK_BUFFER, 0)
        return PixelsOnTheWay(buffer, (height, width, 4), self._free)
