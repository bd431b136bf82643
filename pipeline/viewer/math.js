// Vectors and matrices: column-major 4x4 as WebGL takes them, points as plain arrays.
"use strict";

function multiply(a, b) {
  const out = new Float32Array(16);
  for (let c = 0; c < 4; c++)
    for (let r = 0; r < 4; r++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[k * 4 + r] * b[c * 4 + k];
      out[c * 4 + r] = sum;
    }
  return out;
}

function perspective(fovY, aspect, near, far) {
  const f = 1 / Math.tan(fovY / 2);
  return new Float32Array([f / aspect, 0, 0, 0, 0, f, 0, 0,
    0, 0, (far + near) / (near - far), -1, 0, 0, 2 * far * near / (near - far), 0]);
}

const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const plus = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const times = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
const inner = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => times(a, 1 / (Math.hypot(a[0], a[1], a[2]) || 1));

function lookAt(eye, at, up) {
  const z = unit(minus(eye, at)), x = unit(cross(up, z)), y = cross(z, x);
  return new Float32Array([x[0], y[0], z[0], 0, x[1], y[1], z[1], 0, x[2], y[2], z[2], 0,
    -inner(x, eye), -inner(y, eye), -inner(z, eye), 1]);
}

// Row-major 3x3 of a quaternion w, x, y, z.
function turnOf(w, x, y, z) {
  const n = 1 / (Math.hypot(w, x, y, z) || 1);
  w *= n; x *= n; y *= n; z *= n;
  return [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)];
}

function turned(m, p) {
  return [m[0] * p[0] + m[1] * p[1] + m[2] * p[2], m[3] * p[0] + m[4] * p[1] + m[5] * p[2],
    m[6] * p[0] + m[7] * p[1] + m[8] * p[2]];
}

function chained(a, b) {
  const out = new Array(9);
  for (let r = 0; r < 3; r++)
    for (let c = 0; c < 3; c++)
      out[r * 3 + c] = a[r * 3] * b[c] + a[r * 3 + 1] * b[3 + c] + a[r * 3 + 2] * b[6 + c];
  return out;
}

// Rodrigues' formula and its inverse; a rotation vector is axis times angle.
function turnOfVector(v) {
  const angle = Math.hypot(v[0], v[1], v[2]), [x, y, z] = unit(v), s = Math.sin(angle / 2);
  return turnOf(Math.cos(angle / 2), x * s, y * s, z * s);
}

function vectorOfTurn(m) {
  const skew = [m[7] - m[5], m[2] - m[6], m[3] - m[1]], twice = Math.hypot(...skew);
  const angle = Math.atan2(twice, m[0] + m[4] + m[8] - 1);
  if (twice > 1e-6) return times(skew, angle / twice);
  if (angle < 1) return times(skew, 0.5);
  // Half a turn: the axis is the longest column of m + 1.
  const columns = [0, 1, 2].map((c) => [0, 1, 2].map((r) => m[3 * r + c] + (r === c ? 1 : 0)));
  return times(unit(columns.reduce((a, b) => (inner(a, a) > inner(b, b) ? a : b))), Math.PI);
}

const transposed = (m) => [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
