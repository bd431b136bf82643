// One body with ten shape numbers and 24 joints to turn; stands in for a scene with one person.
"use strict";

class Posable {
  constructor(facts, base64) {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const kinds = { Float32: Float32Array, Int16: Int16Array, Uint16: Uint16Array, Uint8: Uint8Array };
    Object.assign(this, facts);
    for (const [name, entry] of Object.entries(facts.arrays))
      this[name] = new kinds[entry.type](bytes.buffer, entry.start, entry.length);
    this.axes = facts.axes.flat();
    this.start = { betas: [...this.betas], pose: this.pose.map((v) => [...v]) };
    this.vertices = new Float32Array(this.template.length); this.rest = new Float32Array(3 * JOINTS);
    this.bones = new Float32Array(JOINTS * 12);
    this.status = [OBSERVED]; this.shown = true; this.opacity = 0.72; this.trail = new Float32Array(0);
    this.people = [this];
    this.reshape();
  }

  // What a Painter asks of a scene and of a person.
  onFloorAxes(point) { const p = turned(this.axes, point); return [p[0], p[1] - this.floor, p[2]]; }
  gridLines() {
    const points = [];
    for (let k = -2; k <= 2; k += 0.5) points.push(k, 0, -2, k, 0, 2, -2, 0, k, 2, 0, k);
    return new Float32Array(points);
  }
  frustumLines() { return new Float32Array(0); }
  screenCorners() { return new Float32Array(12); }

  backdropCorners() { return new Float32Array(12); }
  rowAt() { return 0; }
  poseAt() { this.posed(); }
  posed() { return poseBones(this.bones, this.pose.map(turnOfVector), this.rest, this, [0, 0, 0]); }

  // The resting body of these betas; with pose correctives also of this pose.
  reshape() {
    const { betas, template, directions, jointTemplate, jointDirections, vertices, rest } = this;
    const blend = (out, base, along) => {
      for (let i = 0; i < out.length; i++) {
        let sum = base[i];
        for (let k = 0; k < betas.length; k++) sum += along[betas.length * i + k] * betas[k];
        out[i] = sum;
      }
    };
    blend(vertices, template, directions); blend(rest, jointTemplate, jointDirections);
    if (this.correctives) this.bend();
    this.normals = restNormals(vertices, this.faces);
  }

  bend() {
    const bends = this.pose.slice(1).flatMap((v) => turnOfVector(v).map((x, i) => x - (i % 4 ? 0 : 1)));
    bends.forEach((bend, k) => {
      if (!bend) return;
      const step = bend * this.correctiveStep, start = k * this.vertices.length;
      for (let i = 0; i < this.vertices.length; i++) this.vertices[i] += step * this.correctives[start + i];
    });
  }

  // Turns a joint about an axis of the room by an angle; its own rotation changes, not its parent's.
  turnAbout(joint, axis, angle) {
    const { turns } = this.posed(), whole = chained(transposed(this.axes), chained(turnOfVector(times(axis, angle)), this.axes));
    const parent = this.parents[joint] < 0 ? [1, 0, 0, 0, 1, 0, 0, 0, 1] : turns[this.parents[joint]];
    this.pose[joint] = vectorOfTurn(chained(transposed(parent), chained(whole, turns[joint])));
  }
}
