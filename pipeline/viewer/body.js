// A person: forward kinematics here, linear blend skinning on the graphics card.
"use strict";

const MISSING = 0, OBSERVED = 1, JOINTS = 24, STEPS = 32767;

class Person {
  constructor(facts, scene) {
    Object.assign(this, facts);
    this.scene = scene;
    this.shown = true;
    for (const name of ["vertices", "rest", "time", "status", "place", "turns", "quality"])
      this[name] = scene.array(facts[name]);
    this.normals = restNormals(this.vertices, scene.faces);
    this.bones = new Float32Array(JOINTS * 12);
    this.row = -1;
    this.trail = this.pelvisOnFloor();
  }

  // The row shown at a time; -1 where the person is not there.
  rowAt(time) {
    const all = this.time, step = all.length > 1 ? all[1] - all[0] : 0.04;
    if (time < all[0] - step / 2 || time > all[all.length - 1] + step / 2) return -1;
    let low = 0, high = all.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (all[middle] <= time + 1e-4) low = middle; else high = middle - 1;
    }
    return this.status[low] === MISSING ? -1 : low;
  }

  pelvisAt(row) {
    const place = this.place, rest = this.rest;
    return this.scene.onFloorAxes([0, 1, 2].map((k) => rest[k] + place[3 * row + k]));
  }

  pelvisOnFloor() {
    const points = [];
    for (let row = 0; row + 1 < this.time.length; row++) {
      if (this.status[row] === MISSING || this.status[row + 1] === MISSING) continue;
      const a = this.pelvisAt(row), b = this.pelvisAt(row + 1);
      points.push(a[0], 0.006, a[2], b[0], 0.006, b[2]);
    }
    return new Float32Array(points);
  }

  poseAt(row) {
    if (row === this.row) return;
    this.row = row;
    const turns = [];
    for (let j = 0; j < JOINTS; j++) {
      const q = 4 * (row * JOINTS + j);
      turns.push(turnOf(this.turns[q] / STEPS, this.turns[q + 1] / STEPS, this.turns[q + 2] / STEPS, this.turns[q + 3] / STEPS));
    }
    const shift = [this.place[3 * row], this.place[3 * row + 1], this.place[3 * row + 2]];
    poseBones(this.bones, turns, this.rest, this.scene, shift);
  }
}

// Forward kinematics. Fills rows of 3x4 matrices that take a resting vertex into the floor's axes;
// gives the joints' places there and their turns before the floor's axes.
function poseBones(bones, own, rest, scene, shift) {
  const { parents, axes } = scene, turns = [], places = [], joints = [];
  const restOf = (j) => [rest[3 * j], rest[3 * j + 1], rest[3 * j + 2]];
  for (let j = 0; j < JOINTS; j++) {
    const p = parents[j];
    if (p < 0) { turns.push(own[j]); places.push(restOf(j)); continue; }
    turns.push(chained(turns[p], own[j]));
    places.push(plus(places[p], turned(turns[p], minus(restOf(j), restOf(p)))));
  }
  for (let j = 0; j < JOINTS; j++) {
    const move = plus(minus(places[j], turned(turns[j], restOf(j))), shift);
    const whole = chained(axes, turns[j]), there = scene.onFloorAxes(move);
    for (let r = 0; r < 3; r++)
      bones.set([whole[3 * r], whole[3 * r + 1], whole[3 * r + 2], there[r]], 12 * j + 4 * r);
    joints.push(scene.onFloorAxes(plus(places[j], shift)));
  }
  return { joints, turns };
}

function restNormals(vertices, faces) {
  const normals = new Float32Array(vertices.length);
  for (let f = 0; f < faces.length; f += 3) {
    const at = [0, 1, 2].map((k) => 3 * faces[f + k]);
    const [a, b, c] = at.map((i) => [vertices[i], vertices[i + 1], vertices[i + 2]]);
    const n = cross(minus(b, a), minus(c, a));
    for (const i of at) for (let k = 0; k < 3; k++) normals[i + k] += n[k];
  }
  return normals;
}
