// The page's side of the worker: calls as promises.

import workerUrl from './worker.js?worker&url';

export class Engine {
  constructor() {
    const base = new URL('.', document.baseURI).href;
    // A worker from a blob is under the page's Content-Security-Policy even where the server sends no header.
    const script = `importScripts(${JSON.stringify(new URL(workerUrl, base).href)})`;
    const blob = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    this._worker = new Worker(blob);
    this._base = base;
    this._waiting = new Map();
    this._count = 0;
    this._worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = this._waiting.get(id);
      this._waiting.delete(id);
      if (error === undefined) resolve(result); else reject(new Error(error));
    };
    this._worker.onerror = (event) => this._fail(event.message || 'The worker could not be started.');
  }

  /** Loads runtime and model, for the accelerator "wasm" or "webgpu"; says what it runs on, and how many joints poses have. */
  open(accelerator) { return this._call('open', { base: this._base, accelerator }); }

  encode(pixels, joints) { return this._call('encode', { pixels, joints }); }

  decide(joints) { return this._call('decide', { joints }); }

  findPose({ data, width, height }) { return this._call('findPose', { photo: { data, width, height } }); }

  /** A plate in a photo's place and light; see `geometry/background_plate.js`. */
  placePlate(plate, photo, pose) {
    const picture = ({ data, width, height }) => ({ data, width, height });
    return this._call('placePlate', { plate: picture(plate), photo: picture(photo), pose });
  }

  close() {
    this._worker.terminate();
    this._fail('The runtime was closed.');
  }

  _call(call, given) {
    return new Promise((resolve, reject) => {
      const id = this._count++;
      this._waiting.set(id, { resolve, reject });
      this._worker.postMessage({ id, call, ...given });
    });
  }

  _fail(message) {
    for (const { reject } of this._waiting.values()) reject(new Error(message));
    this._waiting.clear();
  }
}
