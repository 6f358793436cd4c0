// The two halves of the re-poser as signatures of one .tflite file: what was encoded stays in LiteRT's memory.
// Names, shapes and types of tensors are read from the file.

import { Tensor } from '@litertjs/core';

const STATE_SHOWN = ['layers', 'matte', 'hole'];

export class ReposingModel {
  /** `steepness` is the factor of alpha's logit. */
  constructor(compiled, steepness) {
    const named = (start) => Object.values(compiled.signatures).find(({ key }) => key.startsWith(start));
    this._encode = named('encode');
    this._decide = named('decide');
    if (!this._encode || !this._decide) throw new Error('the model file has no signatures encode_source and decide');
    this.accelerator = compiled.options.accelerator;
    this._steepness = steepness;
    this._state = {};
  }

  /** Takes in a canvas, RGBA bytes, with its pose; answers with what drawing and showing take: maps, steepness. */
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
    const shown = { steepness: this._steepness };
    for (const name of STATE_SHOWN.filter((part) => part in state)) shown[name] = await mapOf(state[name]);
    return shown;
  }

  /** How to show the encoded person in another pose, a map of nine channels, and how long that took. */
  async decide(joints) {
    const started = performance.now();
    const poses = {};
    for (const details of this._decide.getInputDetails().filter(({ name }) => !(name in this._state))) {
      poses[details.name] = jointsTensor(details, details.name.includes('target') ? joints : this._source);
    }
    const outputs = await this._decide.run({ ...this._state, ...poses });
    const decisions = await mapOf(Object.values(outputs)[0]);
    free(outputs);
    free(poses);
    return { decisions, milliseconds: performance.now() - started };
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

const mapOf = async (tensor) => ({ shape: [...tensor.type.layout.dimensions], data: await tensor.data() });

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
