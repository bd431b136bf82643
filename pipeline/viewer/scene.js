// The result: arrays out of the page, the floor's axes, the camera's frustum.
"use strict";

const SCREEN_M = 1.2, BEHIND_ALL_M = 150, ABOVE_PELVIS_M = 1.1;

class Scene {
  constructor(facts, base64) {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    this.bytes = bytes.buffer;
    Object.assign(this, facts);
    this.axes = facts.floor.axes.flat();
    for (const name of ["faces", "joints", "weights"]) this[name] = this.array(facts[name]);
    this.people = facts.people.map((person) => new Person(person, this));
    this.start = facts.start; this.end = facts.end;
  }

  array(entry) {
    const kinds = { Float32: Float32Array, Int16: Int16Array, Uint16: Uint16Array, Uint8: Uint8Array };
    return new kinds[entry.type](this.bytes, entry.start, entry.length);
  }

  // A point of the video camera's axes in those of the floor: right, up, towards the camera.
  onFloorAxes(point) { return turned(this.axes, minus(point, this.floor.point)); }

  bounds() {
    const low = [-1, -1], high = [1, 1];
    for (const person of this.people)
      for (let i = 0; i < person.trail.length; i += 3)
        for (const [k, axis] of [[0, 0], [1, 2]]) {
          low[k] = Math.min(low[k], person.trail[i + axis]);
          high[k] = Math.max(high[k], person.trail[i + axis]);
        }
    return { low, high };
  }

  // A box about everybody's whole way.
  everybodysCorners() {
    const { low, high } = this.bounds();
    let top = 1;
    for (const person of this.people)
      for (let row = 0; row < person.time.length; row++)
        if (person.status[row] !== MISSING) top = Math.max(top, person.pelvisAt(row)[1]);
    const corners = [];
    for (const x of [low[0] - 0.5, high[0] + 0.5])
      for (const y of [0, top + ABOVE_PELVIS_M])
        for (const z of [low[1] - 0.5, high[1] + 0.5]) corners.push([x, y, z]);
    return corners;
  }

  // The source's frame that is shown.
  frameAt(time) {
    const seen = this.people.find((person) => person.rowAt(time) >= 0), first = this.people[0];
    if (seen) return seen.frame + seen.rowAt(time);
    return Math.round(first.frame + (time - first.time[0]) * this.fps);
  }

  gridLines() {
    const { low, high } = this.bounds(), points = [];
    const [x0, z0] = low.map((v) => Math.floor(v - 2)), [x1, z1] = high.map((v) => Math.ceil(v + 2));
    for (let x = x0; x <= x1; x++) points.push(x, 0, z0, x, 0, z1);
    for (let z = z0; z <= z1; z++) points.push(x0, 0, z, x1, 0, z);
    return new Float32Array(points);
  }

  // A corner of the picture, so far before the camera.
  corner(u, v, depth) {
    const K = this.camera.K;
    const point = [(u - K[0][2]) / K[0][0] * depth, (v - K[1][2]) / K[1][1] * depth, depth];
    return this.onFloorAxes(point);
  }

  corners(depth) {
    const { width, height } = this.camera;
    return [[0, 0], [width, 0], [0, height], [width, height]].map(([u, v]) => this.corner(u, v, depth));
  }

  screenCorners() { return new Float32Array(this.corners(SCREEN_M).flat()); }

  backdropCorners() { return new Float32Array(this.corners(BEHIND_ALL_M).flat()); }

  frustumLines() {
    const eye = this.onFloorAxes([0, 0, 0]), [a, b, c, d] = this.corners(SCREEN_M), points = [];
    for (const [from, to] of [[eye, a], [eye, b], [eye, c], [eye, d], [a, b], [b, d], [d, c], [c, a]])
      points.push(...from, ...to);
    return new Float32Array(points);
  }
}
