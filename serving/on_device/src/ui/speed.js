// How fast pictures are made, in the user's words: the median of the last ones.

import { median } from '../geometry/crop.js';

const KEPT = 15;

export class Speed {
  constructor(element) {
    this._element = element;
    this._times = [];
    this._counted = new WeakSet();
  }

  /** What the networks run on from now. */
  on({ accelerator, threads }) {
    const name = accelerator === 'webgpu' ? 'graphics' : threads ? 'processor, several threads' : 'processor, one thread';
    this._name = `On the ${name}.`;
    this._times = [];
    this._element.textContent = this._name;
  }

  /** A picture, on which `milliseconds` were spent, took so many more to draw. One that is shown again does not count. */
  took(picture, drawing) {
    if (this._counted.has(picture)) return;
    this._counted.add(picture);
    this._times = [...this._times, picture.milliseconds + drawing].slice(-KEPT);
    const typical = median(this._times);
    this._element.textContent = `${this._name} ${(1000 / typical).toFixed(1)} pictures a second.`;
    this._element.dataset.milliseconds = typical.toFixed(1);
  }
}
