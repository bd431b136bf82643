"""The rasteriser's loops. Coordinates are pixels of the layer; `w` is 1/z, linear on the picture.

Three passes over the triangles that face the camera (area < 0 on a picture whose y runs down):

1. `_fill`: which triangle is nearest at every pixel's centre.
2. `_cover`: the exact area of every pixel that lies inside the outline, by adding up signed areas
   under the outline's edges and summing along rows (the coverage accumulation of font renderers).
3. `_soften`: outlines inside the picture (an arm before the chest, a person before another) mix
   the colours of the two pixels beside the edge, by where the edge passes between their centres
   (Persson's geometric post-process anti-aliasing, 2011).

`depth` holds w of the nearest triangle; -w where only a corner of a triangle touches the pixel;
0 where there is nothing. `depth` and `area` must come in as zeros and are left as zeros.

All in one file on purpose: Numba's cache of `draw` notices changes of this file only.
"""

# ruff: noqa: PLR2004 - loops over pixels are written out for the compiler
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from pipeline.jit import jit


@jit
def _fill(t, faces, points, depth, owner):
    """Scan one triangle, rows by centres; True if it faces the camera.

    A crossing of an edge with a row is always computed from the edge's upper end, so that
    neighbours agree to the last bit: no gaps, no pixel twice.
    """
    a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
    ax, ay, aw = points[a, 0], points[a, 1], points[a, 2]
    bx, by, bw = points[b, 0], points[b, 1], points[b, 2]
    cx, cy, cw = points[c, 0], points[c, 1], points[c, 2]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if not area < 0.0:
        return False
    height, width = depth.shape
    if ay > by:
        ax, ay, aw, bx, by, bw = bx, by, bw, ax, ay, aw
        area = -area
    if by > cy:
        bx, by, bw, cx, cy, cw = cx, cy, cw, bx, by, bw
        area = -area
    if ay > by:
        ax, ay, aw, bx, by, bw = bx, by, bw, ax, ay, aw
        area = -area
    row = int(np.ceil(max(ay, 0.0) - 0.5))
    row_end = int(np.ceil(min(cy, float(height)) - 0.5))
    if row >= row_end:
        return True
    dwdx = ((bw - aw) * (cy - ay) - (cw - aw) * (by - ay)) / area
    dwdy = ((cw - aw) * (bx - ax) - (bw - aw) * (cx - ax)) / area
    w_low, w_high = min(aw, bw, cw), max(aw, bw, cw)
    slope_ac = (cx - ax) / (cy - ay)
    slope_ab = (bx - ax) / (by - ay) if by > ay else 0.0
    slope_bc = (cx - bx) / (cy - by) if cy > by else 0.0
    for y in range(row, row_end):
        yc = y + 0.5
        left = ax + (yc - ay) * slope_ac
        right = ax + (yc - ay) * slope_ab if yc < by else bx + (yc - by) * slope_bc
        if left > right:
            left, right = right, left
        x_first = int(np.ceil(max(left, 0.0) - 0.5))
        x_end = int(np.ceil(min(right, float(width)) - 0.5))
        w_row = aw + dwdy * (yc - ay) + dwdx * (0.5 - ax)
        for x in range(x_first, x_end):
            w = np.float32(min(max(w_row + dwdx * x, w_low), w_high))
            if w > depth[y, x]:
                depth[y, x] = w
                owner[y, x] = t
    return True


@jit
def _cover_span(row, xa, xb, amount, area):
    """Add a piece of edge inside one row, from column xa to xb (0 <= x <= width)."""
    low, high = min(xa, xb), max(xa, xb)
    i, j = int(np.floor(low)), int(np.ceil(high))
    if j <= i + 1:
        share = 0.5 * (low + high) - i
        area[row, i] += amount * (1.0 - share)
        area[row, i + 1] += amount * share
        return
    # The edge climbs through several columns: each gets the integral of what lies right of it.
    done = 0.0
    for x in range(i, j):
        p, q = max(low, float(x)), min(high, x + 1.0)
        part = (q - p) / (high - low)
        before = (p - low) / (high - low)
        total = before + part * (1.0 - (0.5 * (p + q) - x))
        area[row, x] += amount * (total - done)
        done = total
    area[row, j] += amount * (1.0 - done)


@jit
def _cover(t, p, q, points, depth, owner, area, row_low, row_high):
    """Add the signed area right of one outline edge, and claim the pixels it touches."""
    height, width = depth.shape
    sign = 1.0
    if points[p, 1] > points[q, 1]:
        p, q = q, p
        sign = -1.0
    x0, y0, x1, y1 = points[p, 0], points[p, 1], points[q, 0], points[q, 1]
    w = np.float32(0.5 * (points[p, 2] + points[q, 2]))
    if y1 <= 0.0 or y0 >= height:
        return
    level = y0 == y1  # bounds no area to its right, but touches pixels that others cover
    slope = 0.0 if level else (x1 - x0) / (y1 - y0)
    first_row = int(max(y0, 0.0))
    row_end = first_row + 1 if level else int(np.ceil(min(y1, float(height))))
    for row in range(first_row, row_end):
        ya, yb = max(y0, float(row)), min(y1, row + 1.0)
        xa = x0 + (ya - y0) * slope
        xb = x1 if level else x0 + (yb - y0) * slope
        if xa > xb:
            xa, xb = xb, xa
        amount = sign * (yb - ya)
        # What lies left of the layer covers whole rows; what lies right of it covers nothing.
        if xa < 0.0:
            outside = 1.0 if xb <= 0.0 else -xa / (xb - xa)
            area[row, 0] += amount * outside
            amount -= amount * outside
            xa, xb = 0.0, max(xb, 0.0)
        if xb > width:
            amount = 0.0 if xa >= width else amount * (width - xa) / (xb - xa)
            xa, xb = min(xa, float(width)), float(width)
        if amount != 0.0:
            _cover_span(row, xa, xb, amount, area)
        first, last = min(int(xa), width - 1), min(int(xb), width - 1)
        row_low[row] = min(row_low[row], first)
        row_high[row] = max(row_high[row], last)
        for x in range(first, last + 1):
            if depth[row, x] <= 0.0 and -w < depth[row, x]:
                depth[row, x] = -w
                owner[row, x] = t


@jit
def _paint(faces, points, colours, depth, owner, area, row_low, row_high, rgba):
    """Colour every covered pixel, perspective-correct between its triangle's corners."""
    for y in range(depth.shape[0]):
        covered = 0.0
        last = -1
        for x in range(row_low[y], row_high[y] + 1):
            covered += area[y, x]
            area[y, x] = 0.0
            if covered < 0.002 or depth[y, x] == 0.0:
                continue
            t = owner[y, x]
            if t != last:  # a new run of pixels: the corners' weights are linear along the row
                last = t
                a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
                ax, ay, aw = points[a, 0] - 0.5, points[a, 1] - y - 0.5, points[a, 2]
                bx, by, bw = points[b, 0] - 0.5, points[b, 1] - y - 0.5, points[b, 2]
                cx, cy, cw = points[c, 0] - 0.5, points[c, 1] - y - 0.5, points[c, 2]
                a0, a1 = (bx * cy - by * cx) * aw, (by - cy) * aw
                b0, b1 = (cx * ay - cy * ax) * bw, (cy - ay) * bw
                c0, c1 = (ax * by - ay * bx) * cw, (ay - by) * cw
                red_a, green_a, blue_a = colours[a, 0], colours[a, 1], colours[a, 2]
                red_b, green_b, blue_b = colours[b, 0], colours[b, 1], colours[b, 2]
                red_c, green_c, blue_c = colours[c, 0], colours[c, 1], colours[c, 2]
                opacity = np.float32(255.0) * colours[a, 3]
            # The weights of a face seen from its front are negative; outside it, clamp them.
            wa = min(a0 + a1 * x, -1e-12)
            wb = min(b0 + b1 * x, -1e-12)
            wc = min(c0 + c1 * x, -1e-12)
            scale = 1.0 / (wa + wb + wc)
            fa, fb, fc = np.float32(wa * scale), np.float32(wb * scale), np.float32(wc * scale)
            half = np.float32(0.5)
            rgba[y, x, 0] = np.int32(fa * red_a + fb * red_b + fc * red_c + half)
            rgba[y, x, 1] = np.int32(fa * green_a + fb * green_b + fc * green_c + half)
            rgba[y, x, 2] = np.int32(fa * blue_a + fb * blue_b + fc * blue_c + half)
            rgba[y, x, 3] = np.int32(opacity * np.float32(min(covered, 1.0)) + half)
        if row_high[y] >= 0:
            area[y, row_high[y] + 1] = 0.0
            area[y, row_high[y] + 2] = 0.0


@jit
def _soften(p, q, points, depth, rgba, step_m):
    """Mix the colours on both sides of one outline edge where both belong to bodies."""
    upright = abs(points[q, 1] - points[p, 1]) >= abs(points[q, 0] - points[p, 0])
    along, across = (1, 0) if upright else (0, 1)
    # Triangles run counter-clockwise as seen: the inside is right of an edge that goes down.
    inside_after = (points[q, along] > points[p, along]) == upright
    if points[p, along] > points[q, along]:
        p, q = q, p
    s0, s1 = points[p, along], points[q, along]
    if s0 == s1:
        return
    s_end = float(depth.shape[0] if upright else depth.shape[1])
    r_end = depth.shape[1] if upright else depth.shape[0]
    for s in range(int(np.ceil(max(s0, 0.0) - 0.5)), int(np.ceil(min(s1, s_end) - 0.5))):
        part = (s + 0.5 - s0) / (s1 - s0)
        place = points[p, across] + (points[q, across] - points[p, across]) * part
        here = int(np.floor(place))
        offset = place - here - 0.5
        other = here - 1 if offset <= 0.0 else here + 1
        if here < 0 or here >= r_end or other < 0 or other >= r_end:
            continue
        y0, x0, y1, x1 = (s, here, s, other) if upright else (here, s, other, s)
        w0, w1 = depth[y0, x0], depth[y1, x1]
        if w0 <= 0.0 or w1 <= 0.0:
            continue
        w_in, w_out = (w0, w1) if (other < here) == inside_after else (w1, w0)
        w_edge = points[p, 2] + (points[q, 2] - points[p, 2]) * part
        # Only where the surface really drops away, and the edge itself is not hidden.
        if 1.0 / w_out - 1.0 / w_in < step_m or 1.0 / w_edge - 1.0 / w_in > 2.0 * step_m:
            continue
        mix = 0.5 - abs(offset)
        for k in range(3):
            value = rgba[y0, x0, k] * (1.0 - mix) + rgba[y1, x1, k] * mix
            rgba[y0, x0, k] = np.uint8(value + 0.5)


@jit
def draw(faces, neighbours, points, colours, step_m, depth, owner, area, rgba):
    """Draw triangles onto an empty layer of (h, w) pixels.

    Args:
        faces: (f, 3) int32, counter-clockwise seen from outside; others are not drawn.
        neighbours: (f, 3) int32, the face beyond edge (k, k+1), -1 where none.
        points: (v, 3) float64: x, y in pixels of the layer, and w = 1/z, positive.
        colours: (v, 4) float32: RGB 0-255, opacity 0-1.
        step_m: a jump in depth of this size is an outline.
        depth: (h, w) float32 scratch, zeros before and after.
        owner: (h, w) int32 scratch.
        area: (h, w + 2) float32 scratch, zeros before and after.
        rgba: (h, w, 4) uint8, zeros before; the result.
    """
    front = np.empty(faces.shape[0], dtype=np.uint8)
    for t in range(faces.shape[0]):
        front[t] = _fill(t, faces, points, depth, owner)
    row_low = np.full(depth.shape[0], depth.shape[1], dtype=np.int32)
    row_high = np.full(depth.shape[0], -1, dtype=np.int32)
    for t in range(faces.shape[0]):
        for k in range(3):
            n = neighbours[t, k]
            if front[t] and (n < 0 or not front[n]):
                p, q = faces[t, k], faces[t, (k + 1) % 3]
                _cover(t, p, q, points, depth, owner, area, row_low, row_high)
    _paint(faces, points, colours, depth, owner, area, row_low, row_high, rgba)
    for t in range(faces.shape[0]):
        for k in range(3):
            n = neighbours[t, k]
            if front[t] and (n < 0 or not front[n]):
                _soften(faces[t, k], faces[t, (k + 1) % 3], points, depth, rgba, step_m)
    for y in range(depth.shape[0]):
        for x in range(row_low[y], row_high[y] + 1):
            depth[y, x] = 0.0
