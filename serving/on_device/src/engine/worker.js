// What takes long, off the page's thread: LiteRT.js, the re-poser and, when asked for, the pose finder; laying a plate.
// A classic script, since LiteRT.js loads its own with importScripts. Messages: {id, call, ...arguments}.

import { loadAndCompile, loadLiteRt, supportsFeature } from '@litertjs/core';
import { placed } from '../geometry/background_plate.js';
import { jointCountOf } from '../pose/skeleton.js';
import { about } from './model_file.js';
import { PoseFinder } from './pose_finder.js';
import { ReposingModel } from './reposing_model.js';

let base, model, finder;

const calls = {
  async open({ base: where, accelerator }) {
    base = where;
    const jspi = accelerator === 'webgpu', threads = !jspi && await mayShareMemory();
    // LiteRT.js's own script cannot find its files from a blob; and what is no error it is not to print as one.
    self.Module = {
      locateFile: (file) => `${base}wasm/${file}`,
      mainScriptUrlOrBlob: `${base}wasm/litert_wasm_threaded_internal.js`,
      printErr: (line) => (/^(ERROR|F\d)/.test(line) ? console.warn(line) : console.debug(line)),
    };
    await loadLiteRt(`${base}wasm/`, { threads, jspi });
    const file = await content('models/reposer.tflite'), { alpha_steepness: steepness, skeleton } = about(file);
    const jointCount = jointCountOf(skeleton);
    model = new ReposingModel(await compiled(file, accelerator), steepness);
    return { accelerator: model.accelerator, threads, jointCount };
  },
  encode: ({ pixels, joints }) => model.encode(pixels, joints),
  decide: ({ joints }) => model.decide(joints),
  async findPose({ photo }) {
    finder ??= new PoseFinder(await compiled(await content('models/pose_detection.tflite'), 'wasm'),
      await compiled(await content('models/pose_landmark.tflite'), 'wasm'));
    return finder.find(photo);
  },
  placePlate: ({ plate, photo, pose }) => placed(plate, photo, pose),
};

// LiteRT.js has threads in its build with relaxed SIMD alone; browsers allow them on isolated pages.
const mayShareMemory = async () =>
  self.crossOriginIsolated && await supportsFeature('relaxedSimd') && await supportsFeature('threads');

async function content(file) {
  const answer = await fetch(base + file);
  if (!answer.ok) throw new Error(`The file ${file} is missing (${answer.status}).`);
  return new Uint8Array(await answer.arrayBuffer());
}

function compiled(content, accelerator) {
  const options = accelerator === 'webgpu' ? { accelerator, gpuOptions: { precision: 'fp32' } } : { accelerator };
  return loadAndCompile(content, options);
}

// One after the other: the state that `decide` needs is what the last `encode` left.
let previous = Promise.resolve();
self.onmessage = ({ data: { id, call, ...given } }) => {
  previous = previous.then(() => calls[call](given)).then(
    (result) => self.postMessage({ id, result }),
    (error) => self.postMessage({ id, error: String(error?.message ?? error) }),
  );
};
