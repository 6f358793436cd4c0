// Carrying decisions out on the photo's pixels with WebGL 2, on a canvas of its own.

import { BOXES, COMPOSE, PERSON, PREPARE } from './shaders.js';

// The attribute that has the boxes' corners.
const CORNERS = 0;

export class Graphics {
  /** Throws where the canvas has no WebGL 2. After its context was lost and restored another one is to be made. */
  constructor(canvas) {
    const gl = canvas.getContext('webgl2', { antialias: false, depth: false });
    if (!gl) throw new Error('there is no WebGL 2');
    this._canvas = canvas;
    this._gl = gl;
    this._preparing = program(gl, PREPARE);
    this._showing = program(gl, PERSON);
    this._composing = program(gl, COMPOSE);
    const names = ['photo', 'matte', 'hole', 'reach', 'plate', 'source', 'scene', 'decisions', 'person'];
    this._textures = Object.fromEntries(names.map((name) => [name, gl.createTexture()]));
    this._prepared = gl.createFramebuffer();
    this._shown = gl.createFramebuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.enableVertexAttribArray(CORNERS);
    gl.vertexAttribPointer(CORNERS, 2, gl.FLOAT, false, 0, 0);
  }

  get lost() { return this._gl.isContextLost(); }

  /** Takes in all that depends on the photo alone; see `sitting.js`. */
  prepare({ photo, place, matte, hole, steepness, reach, plate }) {
    const gl = this._gl, { width, height } = place;
    Object.assign(this._canvas, { width, height });
    this._place = place;
    this._covered(photo, place);
    this._map('matte', matte, gl.RGBA32F, gl.RGBA, matte.shape[2]);
    this._map('hole', hole, gl.RGBA32F, gl.RGBA, hole.shape[2]);
    this._map('reach', reach, gl.R32F, gl.RED, reach.shape[2]);
    this._texture('plate', gl.NEAREST);
    // Transparent where there is none. Chromium may leave the plate before in a texture that is given null.
    const known = plate ?? new Uint8Array(4 * width * height);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, known);
    this._drawnInto(this._shown, ['person'], place);
    this._drawnInto(this._prepared, ['source', 'scene'], place);
    // Left, top, right, bottom.
    const edges = [0, 1].map((axis) => place.open(axis)), open = [0, 1].flatMap((end) => edges.map((axis) => Number(axis[end])));
    const fading = { feather: [place.feather], open }, everywhere = [{ left: 0, top: 0, right: width, bottom: height }];
    this._run(this._preparing, ['photo', 'matte', 'hole', 'reach', 'plate'], { up: [1], ...fading }, everywhere);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    this._settings = { scale: [place.scale], steepness: [steepness], ...fading };
  }

  /** Draws boxes of the covered pixels, as decided, where they lie in the photo. */
  draw(context, decisions, boxes) {
    const gl = this._gl, [, rows, columns] = decisions.shape, settings = { ...this._settings, cells: [columns, rows] };
    this._map('decisions', decisions, gl.RGB32F, gl.RGB, 3 * columns);
    const maps = ['source', 'scene', 'decisions'];
    gl.bindFramebuffer(gl.FRAMEBUFFER, this._shown);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this._run(this._showing, maps, { ...settings, up: [1] }, boxes);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this._run(this._composing, [...maps, 'person'], { ...settings, up: [-1] }, boxes);
    // What is drawn is there until the browser shows its next picture, and no longer; beside the boxes it is transparent.
    context.drawImage(this._canvas, ...this._place.start);
  }

  /** Has textures of the covered pixels drawn into. */
  _drawnInto(target, names, { width, height }) {
    const gl = this._gl, attachments = names.map((_, i) => gl.COLOR_ATTACHMENT0 + i);
    gl.bindFramebuffer(gl.FRAMEBUFFER, target);
    names.forEach((name, i) => {
      this._texture(name, gl.LINEAR);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, attachments[i], gl.TEXTURE_2D, this._textures[name], 0);
    });
    gl.drawBuffers(attachments);
  }

  _covered({ data, width: line }, { width, height, start: [left, top] }) {
    const gl = this._gl, from = { UNPACK_ROW_LENGTH: line, UNPACK_SKIP_PIXELS: left, UNPACK_SKIP_ROWS: top };
    this._texture('photo', gl.NEAREST);
    for (const [name, value] of Object.entries(from)) gl.pixelStorei(gl[name], value);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
    for (const name of Object.keys(from)) gl.pixelStorei(gl[name], 0);
  }

  _map(name, { data, shape }, kind, format, width) {
    const gl = this._gl;
    this._texture(name, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, kind, width, shape[1], 0, format, gl.FLOAT, data);
  }

  _texture(name, filter) {
    const gl = this._gl;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this._textures[name]);
    for (const which of ['MIN', 'MAG']) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${which}_FILTER`], filter);
    for (const axis of ['S', 'T']) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_WRAP_${axis}`], gl.CLAMP_TO_EDGE);
  }

  _run(shader, samplers, settings, boxes) {
    const gl = this._gl, { width, height, corner, start, size } = this._place;
    gl.useProgram(shader);
    gl.viewport(0, 0, width, height);
    samplers.forEach((name, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, this._textures[name]);
      gl.uniform1i(gl.getUniformLocation(shader, name), unit);
    });
    const values = { ...settings, corner: corner.map((first, axis) => first - start[axis]), size, count: [width, height] };
    for (const [name, value] of Object.entries(values)) {
      gl[`uniform${value.length}fv`](gl.getUniformLocation(shader, name), value);
    }
    gl.bufferData(gl.ARRAY_BUFFER, triangles(boxes), gl.STREAM_DRAW);
    gl.drawArrays(gl.TRIANGLES, 0, 6 * boxes.length);
  }
}

/** The corners of two triangles a box. */
const triangles = (boxes) => new Float32Array(boxes.flatMap(({ left, top, right, bottom }) =>
  [left, top, right, top, left, bottom, left, bottom, right, top, right, bottom]));

function program(gl, fragments) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, BOXES], [gl.FRAGMENT_SHADER, fragments]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(`the shader: ${gl.getShaderInfoLog(shader)}`);
  }
  gl.bindAttribLocation(made, CORNERS, 'pixel');
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(`the shaders: ${gl.getProgramInfoLog(made)}`);
  return made;
}
