// The page of one body: sliders for its shape, joints to pick and to turn, both over the mesh.
"use strict";

const DEGREES = 180 / Math.PI, DOT = 5, NEAR = 14;

class BodyApp {
  constructor(body) {
    this.body = body; this.picked = 0; this.dragged = false;
    this.painter = new Painter(byId("stage"), body);
    this.onlooker = new Onlooker();
    Object.assign(this.onlooker, { distance: 3.1, turn: 0.5, rise: 0.12 });
    this.makeShape(); this.makeJoints(); this.makeButtons(); this.makeMouse();
    window.addEventListener("resize", () => this.paint());
    this.changed(); this.lookAtBody();
    byId("words").hidden = true;
  }

  changed() {
    this.body.reshape();
    this.painter.reshape(this.body);
    this.show(); this.paint();
  }

  lookAtBody() {
    const heights = this.body.posed().joints.map((p) => p[1]);
    this.onlooker.at = [0, (Math.min(...heights) + Math.max(...heights)) / 2, 0];
    this.paint();
  }

  paint() {
    const canvas = byId("stage"), aspect = canvas.clientWidth / Math.max(canvas.clientHeight, 1);
    [this.view, this.eye] = this.onlooker.matrices(aspect);
    this.painter.paint(0, this.view, this.eye, null);
    this.drawJoints();
  }

  // Where a point of the room is in the picture, in CSS pixels.
  pixel(p) {
    const v = this.view, canvas = byId("stage");
    const [x, y, w] = [0, 1, 3].map((r) => v[r] * p[0] + v[4 + r] * p[1] + v[8 + r] * p[2] + v[12 + r]);
    return [(x / w + 1) / 2 * canvas.clientWidth, (1 - y / w) / 2 * canvas.clientHeight];
  }

  drawJoints() {
    const layer = byId("joints"), ratio = window.devicePixelRatio || 1, pen = layer.getContext("2d");
    layer.width = layer.clientWidth * ratio; layer.height = layer.clientHeight * ratio;
    this.pixels = this.body.posed().joints.map((p) => this.pixel(p));
    if (!byId("show-joints").checked) return;
    pen.scale(ratio, ratio);
    pen.strokeStyle = "#3c4450"; pen.lineWidth = 2; pen.font = "11px system-ui, sans-serif";
    pen.beginPath();
    this.body.parents.forEach((p, j) => { if (p >= 0) { pen.moveTo(...this.pixels[p]); pen.lineTo(...this.pixels[j]); } });
    pen.stroke();
    this.pixels.forEach(([x, y], j) => {
      pen.beginPath(); pen.arc(x, y, j === this.picked ? DOT + 2 : DOT, 0, 7);
      pen.fillStyle = j === this.picked ? "#f08443" : "#fff"; pen.fill(); pen.stroke();
      pen.fillStyle = "#1e242c"; pen.fillText(j, x + DOT + 3, y - DOT);
    });
  }

  row(parent, name, label, limit, step, changed) {
    const row = document.createElement("label");
    row.innerHTML = `<span>${label}</span><input type="range" id="${name}" min="${-limit}" max="${limit}" step="${step}"><output></output>`;
    row.lastChild.title = "double-click: 0";
    const input = row.querySelector("input");
    input.oninput = () => changed(Number(input.value));
    row.ondblclick = () => changed(0);
    byId(parent).append(row);
  }

  makeShape() {
    this.body.betas.forEach((_, k) => this.row("shape", `beta-${k}`, `β<sub>${k}</sub>`, 5, 0.05, (value) => {
      this.body.betas[k] = value; this.changed();
    }));
  }

  makeJoints() {
    const list = byId("joint");
    this.body.names.forEach((name, j) => list.add(new Option(`${j} ${name.replaceAll("_", " ")}`, j)));
    list.onchange = () => this.pick(Number(list.value));
    ["x", "y", "z"].forEach((axis, k) => this.row("turn", `turn-${axis}`, axis, 180, 1, (degrees) => {
      this.body.pose[this.picked][k] = degrees / DEGREES; this.changed();
    }));
  }

  pick(joint) { this.picked = joint; this.show(); this.paint(); }

  makeButtons() {
    const reset = (change) => () => { change(); this.changed(); };
    byId("straight").onclick = reset(() => { this.body.pose[this.picked] = [0, 0, 0]; });
    byId("no-pose").onclick = reset(() => { this.body.pose = this.body.start.pose.map((v) => [...v]); });
    byId("no-shape").onclick = reset(() => { this.body.betas = [...this.body.start.betas]; });
    byId("show-joints").onchange = (event) => { this.body.opacity = event.target.checked ? 0.72 : 1; this.paint(); };
    byId("save").onclick = () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([this.asText()], { type: "application/json" }));
      link.download = "body.json"; link.click();
      URL.revokeObjectURL(link.href);
    };
  }

  // What `humans4d body show body.json` reads.
  asText() { return JSON.stringify({ betas: this.body.betas, pose: this.body.pose.flat(), body_model: this.body.name, axes: this.body.axesName }); }

  show() {
    const set = (name, value, text) => {
      byId(name).value = value; byId(name).nextSibling.textContent = text;
    };
    this.body.betas.forEach((value, k) => set(`beta-${k}`, value, value.toFixed(2)));
    byId("joint").value = this.picked;
    ["x", "y", "z"].forEach((axis, k) => {
      const degrees = this.body.pose[this.picked][k] * DEGREES;
      set(`turn-${axis}`, degrees, `${degrees.toFixed(0)}°`);
    });
    const heights = this.body.vertices.filter((_, i) => i % 3 === 1);
    byId("tall").textContent = `${(100 * (heights.reduce((a, b) => Math.max(a, b)) - heights.reduce((a, b) => Math.min(a, b)))).toFixed(1)} cm tall at rest`;
  }

  // A joint's dot takes the mouse: dragging turns the joint about the onlooker's axes.
  makeMouse() {
    const canvas = byId("stage");
    this.onlooker.listen(canvas, () => this.paint(), (event) => {
      if (!this.dragged) return false;
      const [x, y] = [[this.view[0], this.view[4], this.view[8]], [this.view[1], this.view[5], this.view[9]]].map(unit);
      this.body.turnAbout(this.picked, y, event.movementX * 0.01);
      this.body.turnAbout(this.picked, x, event.movementY * 0.01);
      this.changed();
      return true;
    });
    const capture = canvas.onpointerdown;
    canvas.onpointerdown = (event) => {
      capture(event);
      const box = canvas.getBoundingClientRect(), at = [event.clientX - box.left, event.clientY - box.top];
      const away = this.pixels.map((p) => Math.hypot(p[0] - at[0], p[1] - at[1]));
      const nearest = away.indexOf(Math.min(...away));
      this.dragged = byId("show-joints").checked && away[nearest] < NEAR && !event.shiftKey && event.button === 0;
      if (this.dragged) this.pick(nearest);
    };
    canvas.onpointerup = () => { this.dragged = false; };
  }
}

window.addEventListener("load", () => {
  try {
    window.humans4d = new BodyApp(new Posable(JSON.parse(byId("facts").textContent), byId("arrays").textContent.trim()));
    document.body.dataset.state = "ready";
  } catch (error) {
    byId("words").textContent = `This page cannot be shown: ${error.message}`;
    document.body.dataset.state = "failed";
  }
});
