"""RGB bytes to CIELAB: lightness, green to red, blue to yellow, evenly spaced for the eye."""

import numpy as np
from jaxtyping import Float32, UInt8

_XYZ_OF_RGB = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _XYZ_OF_RGB.sum(axis=1)
_BYTES = np.arange(256) / 255
_LINEAR_BELOW = 0.04045
_LINEAR = np.where(
    _BYTES <= _LINEAR_BELOW, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4
).astype(np.float32)
"""Of sRGB (IEC 61966-2-1)."""
_TO_XYZ = (_XYZ_OF_RGB / _WHITE[:, None]).T.astype(np.float32)
_KNEE = (6 / 29) ** 3


def rgb_to_lab(rgb: UInt8[np.ndarray, "*n 3"]) -> Float32[np.ndarray, "*n 3"]:
    """CIELAB (CIE 1976, D65) of sRGB: L 0 to 100, a and b about -100 to 100."""
    xyz = _LINEAR[rgb] @ _TO_XYZ
    f = np.where(xyz > _KNEE, np.cbrt(xyz), xyz * np.float32(841 / 108) + np.float32(4 / 29))
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
