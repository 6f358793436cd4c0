// The two halves of the re-poser as signatures of one .tflite file: what was encoded stays in LiteRT's memory.
// Names, shapes and types of tensors are read from the file.

import { Tensor } from '@litertjs/core';

const STATE_SHOWN = ['layers', 'background'];

export class ReposingModel {
  constructor(compiled) {
    const named = (start) => Object.values(compiled.signatures).find(({ key }) => key.startsWith(start));
    this._encode = named('encode');
    this._render = named('render');
    if (!this._encode || !this._render) throw new Error('The model file has no signatures encode_source and render.');
    this.accelerator = compiled.options.accelerator;
    this._state = {};
  }

  /** Takes in a canvas, RGBA bytes, with its pose; answers with what can be shown of it. */
  async encode(pixels, joints) {
    const inputs = {};
    for (const details of this._encode.getInputDetails()) {
      inputs[details.name] = details.name === 'image' ? imageTensor(details, pixels) : jointsTensor(details, joints);
    }
    const state = await this._encode.run(inputs);
    free(inputs);
    free(this._state);
    this._state = state;
    this._source = joints;
    if (state.joints) await this._requireIntact(state.joints, joints);
    const shown = {};
    for (const name of STATE_SHOWN.filter((part) => part in state)) {
      shown[name] = { shape: [...state[name].type.layout.dimensions], data: await state[name].data() };
    }
    return shown;
  }

  /** The encoded person in another pose: RGBA bytes, and how long it took. */
  async render(joints) {
    const started = performance.now();
    const poses = {};
    for (const details of this._render.getInputDetails().filter(({ name }) => !(name in this._state))) {
      poses[details.name] = jointsTensor(details, details.name.includes('target') ? joints : this._source);
    }
    const outputs = await this._render.run({ ...this._state, ...poses });
    const [image] = Object.values(outputs);
    const pixels = rgba(await image.data());
    free(outputs);
    free(poses);
    return { pixels, milliseconds: performance.now() - started };
  }

  // LiteRT 2.5 binds an output that is an input to fresh memory, and the graph then reads zeros for it.
  async _requireIntact(tensor, joints) {
    const [x] = await tensor.data();
    if (Math.abs(x - joints[0][0]) > 0.01) {
      throw new Error('this model file hands the source joints through, which LiteRT.js cannot do');
    }
  }
}

const free = (tensors) => Object.values(tensors).forEach((tensor) => tensor.delete());

function imageTensor({ dtype, shape }, pixels) {
  const values = dtype === 'uint8' ? new Uint8Array(pixels.length * 3 / 4) : new Float32Array(pixels.length * 3 / 4);
  for (let from = 0, to = 0; from < pixels.length; from += 4, to += 3) {
    for (let c = 0; c < 3; c++) values[to + c] = dtype === 'uint8' ? pixels[from + c] : pixels[from + c] / 127.5 - 1;
  }
  return new Tensor(values, shape);
}

/** [1, J, 3], or with a column of depths, which are not known here. */
function jointsTensor({ shape }, joints) {
  const columns = shape.at(-1);
  return new Tensor(Float32Array.from({ length: joints.length * columns }, (_, i) =>
    joints[Math.floor(i / columns)][i % columns] ?? 0), shape);
}

/** RGB bytes, or floats of -1..1, to RGBA bytes. */
function rgba(values) {
  const pixels = new Uint8ClampedArray((values.length / 3) * 4), bytes = values instanceof Uint8Array;
  for (let from = 0, to = 0; from < values.length; from += 3, to += 4) {
    for (let c = 0; c < 3; c++) pixels[to + c] = bytes ? values[from + c] : (values[from + c] + 1) * 127.5;
    pixels[to + 3] = 255;
  }
  return pixels;
}
