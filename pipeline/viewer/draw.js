// WebGL 2: skinned bodies, lines, the video's picture in the camera's frustum.
"use strict";

const BODY_VERTEX = `#version 300 es
in vec3 rest; in vec3 normal; in vec4 joint; in vec4 weight; in vec4 joint2; in vec4 weight2;
uniform vec4 bones[72]; uniform mat4 view;
out vec3 n; out vec3 p;
void main() {
  vec4 x = vec4(0.0), y = x, z = x;
  for (int k = 0; k < 8; k++) {
    int b = 3 * int((k < 4 ? joint[k] : joint2[k - 4]) + 0.5);
    float w = k < 4 ? weight[k] : weight2[k - 4];
    x += w * bones[b]; y += w * bones[b + 1]; z += w * bones[b + 2];
  }
  vec4 v = vec4(rest, 1.0);
  p = vec3(dot(x, v), dot(y, v), dot(z, v));
  n = vec3(dot(x.xyz, normal), dot(y.xyz, normal), dot(z.xyz, normal));
  gl_Position = view * vec4(p, 1.0);
}`;
const BODY_COLOUR = `#version 300 es
precision highp float;
in vec3 n; in vec3 p; uniform vec3 colour; uniform vec3 eye; uniform float alpha; out vec4 rgba;
void main() {
  vec3 u = normalize(n), e = normalize(eye - p), key = normalize(vec3(0.4, 0.9, 0.5));
  float soft = max((dot(u, key) + 0.5) / 1.5, 0.0);
  float gloss = pow(max(dot(u, normalize(e + key)), 0.0), 24.0) * 0.16;
  rgba = vec4(colour * (0.34 + 0.3 * max(dot(u, e), 0.0) + 0.5 * soft * soft) + gloss, alpha);
}`;
// Pressed flat onto the floor, for the shadow.
const SHADOW_VERTEX = BODY_VERTEX.replace("gl_Position", "p.y = 0.003; gl_Position");
const SHADOW_COLOUR = `#version 300 es
precision highp float; out vec4 rgba; void main() { rgba = vec4(0.15, 0.17, 0.21, 0.24); }`;
const ATTRIBUTES = ["rest", "normal", "joint", "weight", "joint2", "weight2"];
const LINE_VERTEX = `#version 300 es
in vec3 at; uniform mat4 view; void main() { gl_Position = view * vec4(at, 1.0); }`;
const LINE_COLOUR = `#version 300 es
precision highp float; uniform vec4 colour; out vec4 rgba; void main() { rgba = colour; }`;
const PICTURE_VERTEX = `#version 300 es
in vec3 at; in vec2 uv; uniform mat4 view; out vec2 t; void main() { t = uv; gl_Position = view * vec4(at, 1.0); }`;
const PICTURE_COLOUR = `#version 300 es
precision highp float; in vec2 t; uniform sampler2D film; out vec4 rgba; void main() { rgba = texture(film, t); }`;

class Painter {
  constructor(canvas, scene) {
    const gl = this.gl = canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true, stencil: true });
    if (!gl) throw new Error("This browser has no WebGL 2");
    this.canvas = canvas; this.scene = scene;
    this.body = this.program(BODY_VERTEX, BODY_COLOUR);
    this.shadow = this.program(SHADOW_VERTEX, SHADOW_COLOUR);
    this.line = this.program(LINE_VERTEX, LINE_COLOUR);
    this.picture = this.program(PICTURE_VERTEX, PICTURE_COLOUR);
    this.faces = this.buffer(scene.faces, gl.ELEMENT_ARRAY_BUFFER);
    const joints = this.buffer(scene.joints), weights = this.buffer(scene.weights);
    for (const person of scene.people) {
      person.vao = gl.createVertexArray();
      gl.bindVertexArray(person.vao);
      person.buffers = [this.buffer(person.vertices), this.buffer(person.normals)];
      this.attribute(this.body, "rest", person.buffers[0], 3, gl.FLOAT, false);
      this.attribute(this.body, "normal", person.buffers[1], 3, gl.FLOAT, false);
      for (const [end, start] of [["", 0], ["2", 4]]) {
        this.attribute(this.body, `joint${end}`, joints, 4, gl.UNSIGNED_BYTE, false, 8, start);
        this.attribute(this.body, `weight${end}`, weights, 4, gl.UNSIGNED_SHORT, true, 16, 2 * start);
      }
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.faces);
      person.trailLines = this.lines(person.trail);
    }
    this.grid = this.lines(scene.gridLines());
    this.frustum = this.lines(scene.frustumLines());
    this.film = this.texture();
    this.screen = this.screenOf(scene.screenCorners());
    this.backdrop = this.screenOf(scene.backdropCorners());
    gl.bindVertexArray(null);
  }

  program(vertex, colour) {
    const gl = this.gl, program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, colour]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text); gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    ATTRIBUTES.forEach((name, k) => gl.bindAttribLocation(program, k, name));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    return program;
  }

  buffer(data, kind = this.gl.ARRAY_BUFFER) {
    const buffer = this.gl.createBuffer();
    this.gl.bindBuffer(kind, buffer);
    this.gl.bufferData(kind, data, this.gl.STATIC_DRAW);
    return buffer;
  }

  // After a person's resting vertices have changed.
  reshape(person) {
    const gl = this.gl;
    [person.vertices, person.normals].forEach((data, k) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, person.buffers[k]);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, data);
    });
  }

  attribute(program, name, buffer, size, type, normalized, stride = 0, start = 0) {
    const gl = this.gl, place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, normalized, stride, start);
  }

  lines(points) {
    const vao = this.gl.createVertexArray();
    this.gl.bindVertexArray(vao);
    this.attribute(this.line, "at", this.buffer(points), 3, this.gl.FLOAT, false);
    return { vao, count: points.length / 3 };
  }

  screenOf(corners) {
    const gl = this.gl, vao = gl.createVertexArray();
    gl.bindVertexArray(vao);
    this.attribute(this.picture, "at", this.buffer(corners), 3, gl.FLOAT, false);
    this.attribute(this.picture, "uv", this.buffer(new Float32Array([0, 0, 1, 0, 0, 1, 1, 1])), 2, gl.FLOAT, false);
    return vao;
  }

  texture() {
    const gl = this.gl, texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    return texture;
  }

  uniform(program, name) { return this.gl.getUniformLocation(program, name); }

  strokes(lines, colour, view) {
    const gl = this.gl;
    if (!lines.count) return;
    gl.useProgram(this.line);
    gl.uniformMatrix4fv(this.uniform(this.line, "view"), false, view);
    gl.uniform4fv(this.uniform(this.line, "colour"), colour);
    gl.bindVertexArray(lines.vao);
    gl.drawArrays(gl.LINES, 0, lines.count);
  }

  // Draws one moment; `eye` is where the onlooker stands, `video` the picture or null. Seen from the
  // lens (`filmed`) the picture lies behind everything, else in the camera's frustum.
  paint(time, view, eye, video, filmed = false) {
    const gl = this.gl, canvas = this.canvas, ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    gl.viewport(0, 0, width, height);
    gl.clearColor(0.965, 0.97, 0.978, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST); gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (video && filmed) this.showFilm(video, view, this.backdrop);
    this.strokes(this.grid, [0.80, 0.82, 0.85, 1], view);
    this.strokes(this.frustum, [0.45, 0.5, 0.56, 1], view);
    if (video && !filmed) this.showFilm(video, view, this.screen);
    this.drawShadows(time, view);
    for (const person of this.scene.people) {
      if (!person.shown) continue;
      const colour = person.colour.map((c) => c / 255);
      this.strokes(person.trailLines, [...colour, 0.8], view);
      const row = person.rowAt(time);
      if (row >= 0) this.drawBody(person, row, colour, view, eye);
    }
  }

  // Each point of the floor once, however many triangles lie above it.
  drawShadows(time, view) {
    const gl = this.gl, program = this.shadow;
    gl.useProgram(program);
    gl.uniformMatrix4fv(this.uniform(program, "view"), false, view);
    gl.enable(gl.STENCIL_TEST); gl.stencilFunc(gl.EQUAL, 0, 255); gl.stencilOp(gl.KEEP, gl.KEEP, gl.INCR);
    gl.depthMask(false);
    for (const person of this.scene.people) {
      const row = person.shown ? person.rowAt(time) : -1;
      if (row < 0) continue;
      person.poseAt(row);
      gl.uniform4fv(this.uniform(program, "bones"), person.bones);
      gl.bindVertexArray(person.vao);
      gl.drawElements(gl.TRIANGLES, this.scene.faces.length, gl.UNSIGNED_SHORT, 0);
    }
    gl.depthMask(true); gl.disable(gl.STENCIL_TEST);
  }

  drawBody(person, row, colour, view, eye) {
    const gl = this.gl, program = this.body;
    person.poseAt(row);
    gl.useProgram(program);
    gl.uniform4fv(this.uniform(program, "bones"), person.bones);
    gl.uniformMatrix4fv(this.uniform(program, "view"), false, view);
    gl.uniform3fv(this.uniform(program, "colour"), colour);
    gl.uniform3fv(this.uniform(program, "eye"), eye);
    gl.uniform1f(this.uniform(program, "alpha"), person.status[row] === OBSERVED ? person.opacity ?? 1 : 0.45);
    gl.enable(gl.CULL_FACE);
    gl.bindVertexArray(person.vao);
    gl.drawElements(gl.TRIANGLES, this.scene.faces.length, gl.UNSIGNED_SHORT, 0);
    gl.disable(gl.CULL_FACE);
  }

  showFilm(video, view, screen) {
    const gl = this.gl;
    gl.useProgram(this.picture);
    gl.bindTexture(gl.TEXTURE_2D, this.film);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, video);
    gl.uniformMatrix4fv(this.uniform(this.picture, "view"), false, view);
    gl.bindVertexArray(screen);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}
