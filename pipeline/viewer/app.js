// The page: play and scrub, people on and off, looking around, the quality strip.
"use strict";

const SHADES = ["#c3cad3", "#2a9d63", "#d08a17", "#d1434b"];
class App {
  constructor(scene) {
    this.scene = scene; this.time = scene.start; this.playing = false; this.speed = 1;
    this.painter = new Painter(byId("stage"), scene);
    this.video = byId("film");
    this.onlooker = new Onlooker();
    this.look("orbit");
    this.makePeople(); this.makeControls(); this.drawStrip();
    this.onlooker.listen(byId("stage"), () => { if (this.view === "camera") this.look("orbit"); this.paint(); });
    window.addEventListener("resize", () => { this.drawStrip(); this.paint(); });
    this.paint();
    byId("words").hidden = true;
  }

  // "camera" stands where the video's camera stood; the others hold everybody's whole way.
  look(name) {
    const angles = { orbit: [0.85, 0.38], top: [0, 1.55], side: [Math.PI / 2, 0.08] };
    const points = this.scene.everybodysCorners();
    if (name !== "side") points.push(this.scene.onFloorAxes([0, 0, 0]), ...this.scene.corners(SCREEN_M));
    this.view = name;
    if (name in angles) [this.onlooker.turn, this.onlooker.rise] = angles[name];
    this.onlooker.see(points, this.aspect());
    this.paint();
  }

  aspect() {
    const canvas = byId("stage");
    return canvas.clientWidth / Math.max(canvas.clientHeight, 1);
  }

  matrices() {
    const aspect = this.aspect();
    if (this.view === "camera") {
      const camera = this.scene.camera, eye = this.scene.onFloorAxes([0, 0, 0]);
      const ahead = this.scene.onFloorAxes([0, 0, 1]), up = minus(this.scene.onFloorAxes([0, -1, 0]), eye);
      const high = 2 * Math.atan(camera.height / 2 / camera.K[1][1]), wide = camera.width / camera.height;
      const fov = aspect >= wide ? high : 2 * Math.atan(Math.tan(high / 2) * wide / aspect);
      return [multiply(perspective(fov, aspect, 0.1, 200), lookAt(eye, ahead, up)), eye];
    }
    return this.onlooker.matrices(aspect);
  }

  paint() {
    if (!this.painter) return;
    const [view, eye] = this.matrices();
    const ready = this.video.readyState >= 2;
    this.painter.paint(this.time, view, eye, ready ? this.video : null, this.view === "camera");
    byId("clock").textContent = `${this.time.toFixed(2)} s, frame ${this.scene.frameAt(this.time)}`;
    byId("slider").value = this.time;
    byId("needle").style.left = `${100 * this.share(this.time)}%`;
  }

  share(time) { return (time - this.scene.start) / Math.max(this.scene.end - this.scene.start, 1e-6); }

  seek(time) {
    this.time = Math.min(Math.max(time, this.scene.start), this.scene.end);
    if (this.video.src && !this.playing) this.video.currentTime = this.time - this.scene.start + 0.001;
    this.paint();
  }

  play(on = !this.playing) {
    if (on === this.playing) return;
    this.playing = on;
    byId("play").textContent = on ? "❚❚" : "▶";
    if (!on) { this.video.pause(); this.seek(this.time); return; }
    if (this.time >= this.scene.end - 1e-3) this.time = this.scene.start;
    if (this.video.src) {
      this.video.currentTime = this.time - this.scene.start;
      this.video.playbackRate = this.speed;
      this.video.play().catch(() => {});
    }
    let before = performance.now();
    const step = (now) => {
      if (!this.playing) return;
      this.time += this.speed * (now - before) / 1000; before = now;
      if (this.time >= this.scene.end) { this.time = this.scene.end; this.play(false); return; }
      this.paint();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  toggle(id, on) {
    const person = this.scene.people.find((one) => one.id === id);
    person.shown = on === undefined ? !person.shown : on;
    byId(`person-${id}`).classList.toggle("off", !person.shown);
    this.paint();
  }

  makePeople() {
    for (const person of this.scene.people) {
      const chip = document.createElement("button");
      chip.id = `person-${person.id}`; chip.className = "chip"; chip.title = person.words;
      chip.style.setProperty("--who", `rgb(${person.colour})`);
      chip.innerHTML = `<i></i><span></span><b class="${person.verdict}"></b>`;
      chip.querySelector("span").textContent = `${person.id} ${person.name}`.trim();
      chip.onclick = () => this.toggle(person.id);
      byId("people").append(chip);
    }
  }

  makeControls() {
    const slider = byId("slider");
    slider.min = this.scene.start; slider.max = this.scene.end; slider.step = 0.001;
    slider.oninput = () => { this.play(false); this.seek(Number(slider.value)); };
    byId("play").onclick = () => this.play();
    byId("speed").onchange = (event) => { this.speed = Number(event.target.value); this.video.playbackRate = this.speed; };
    for (const name of ["orbit", "camera", "top", "side"]) byId(name).onclick = () => this.look(name);
    byId("strip").onclick = (event) => {
      const box = byId("strip").getBoundingClientRect();
      this.seek(this.scene.start + (event.clientX - box.left) / box.width * (this.scene.end - this.scene.start));
    };
    window.addEventListener("keydown", (event) => {
      const frame = 1 / this.scene.fps;
      if (event.key === " ") { event.preventDefault(); this.play(); }
      if (event.key === "ArrowRight") this.seek(this.time + frame);
      if (event.key === "ArrowLeft") this.seek(this.time - frame);
    });
    this.video.onseeked = () => this.paint();
  }

  // A row for everybody: grey where filled in or not measured, else how well the body fits.
  drawStrip() {
    const strip = byId("strip"), ratio = window.devicePixelRatio || 1, high = 9;
    strip.style.height = `${Math.max(high * this.scene.people.length, high)}px`;
    strip.width = strip.clientWidth * ratio; strip.height = strip.clientHeight * ratio;
    const pen = strip.getContext("2d");
    pen.scale(ratio, ratio);
    this.scene.people.forEach((person, number) => {
      const step = person.time.length > 1 ? person.time[1] - person.time[0] : 0.04;
      for (let row = 0; row < person.time.length; row++) {
        if (person.status[row] === MISSING) continue;
        const x = this.share(person.time[row]) * strip.clientWidth;
        const width = Math.max(step / (this.scene.end - this.scene.start) * strip.clientWidth + 0.5, 1);
        pen.fillStyle = person.status[row] === OBSERVED ? SHADES[person.quality[row]] : SHADES[0];
        pen.fillRect(x, number * high + 1, width, high - 2);
      }
    });
  }
}

window.addEventListener("load", () => {
  try {
    const scene = new Scene(JSON.parse(byId("facts").textContent), byId("arrays").textContent.trim());
    const film = byId("film-data").textContent.trim();
    if (film) byId("film").src = `data:video/mp4;base64,${film}`;
    window.humans4d = new App(scene);
    document.body.dataset.state = "ready";
  } catch (error) {
    byId("words").textContent = `This page cannot be shown: ${error.message}`;
    document.body.dataset.state = "failed";
  }
});
