// Who looks: on a sphere about a point, moved by the mouse.
"use strict";

const byId = (name) => document.getElementById(name);
const FIELD_OF_VIEW = 0.75, ROOM = 0.8;

class Onlooker {
  constructor() { this.turn = 0.85; this.rise = 0.38; this.distance = 5; this.at = [0, 0.9, 0]; }

  eye() {
    const r = this.distance, c = Math.cos(this.rise);
    return plus(this.at, [r * c * Math.sin(this.turn), r * Math.sin(this.rise), r * c * Math.cos(this.turn)]);
  }

  // As near as shows all these points from the present side, with room for what lies over the picture.
  see(points, aspect) {
    const ends = [0, 1, 2].map((k) => [Math.min(...points.map((p) => p[k])), Math.max(...points.map((p) => p[k]))]);
    this.at = ends.map(([low, high]) => (low + high) / 2);
    const back = unit(minus(this.eye(), this.at)), x = unit(cross([0, 1, 0], back)), y = cross(back, x);
    const tall = ROOM * Math.tan(FIELD_OF_VIEW / 2), wide = tall * aspect;
    this.distance = Math.max(...points.map((point) => {
      const p = minus(point, this.at);
      return inner(p, back) + Math.max(Math.abs(inner(p, x)) / wide, Math.abs(inner(p, y)) / tall);
    }));
  }

  matrices(aspect) {
    const eye = this.eye();
    return [multiply(perspective(FIELD_OF_VIEW, aspect, 0.05, 300), lookAt(eye, this.at, [0, 1, 0])), eye];
  }

  // Drag: around; with shift or the right button: along; wheel: nearer and farther.
  // `taken(event)` may be true: then somebody else has the mouse.
  listen(canvas, changed, taken = () => false) {
    canvas.onpointermove = (event) => {
      if (!event.buttons || taken(event)) return;
      if (event.buttons & 2 || event.shiftKey) {
        const s = 0.0016 * this.distance, c = Math.cos(this.turn), n = Math.sin(this.turn);
        this.at = plus(this.at, [-event.movementX * s * c, event.movementY * s, event.movementX * s * n]);
      } else {
        this.turn -= event.movementX * 0.006;
        this.rise = Math.min(Math.max(this.rise + event.movementY * 0.006, -0.2), 1.56);
      }
      changed();
    };
    canvas.onpointerdown = (event) => canvas.setPointerCapture(event.pointerId);
    canvas.oncontextmenu = (event) => event.preventDefault();
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.distance *= Math.exp(event.deltaY * 0.001);
      changed();
    }, { passive: false });
  }
}
