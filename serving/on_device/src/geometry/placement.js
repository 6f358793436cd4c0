// Where in a photo a canvas that covers whole pixels lies: the twin of `on_whole_pixels` and `Placement` in
// `tf_unseen_pose/imaging/compositing.py`.

import { CANVAS } from './crop.js';

// Width of the fade along the canvas's edge, in parts of its side.
const FEATHER = 12 / 256;

/** The crop nearest to one given whose canvas covers whole pixels of the photo; see `crop.js`. */
export function onWholePixels({ step, x, y }) {
  const whole = Math.max(1, rounded(step * CANVAS)) / CANVAS;
  // Corners of pixels lie between whole numbers.
  const placed = (shift) =>
    rounded((step * (CANVAS - 1)) / 2 + shift + 0.5 - (whole * CANVAS) / 2) + (whole - 1) / 2;
  return { step: whole, x: placed(x), y: placed(y) };
}

/** To the nearest whole number, halves to the even one, as NumPy has it. */
function rounded(value) {
  const up = Math.floor(value + 0.5);
  return up - value === 0.5 && up % 2 ? up - 1 : up;
}

export class Placement {
  /**
   * Of the canvas of a crop on whole pixels in a photo {width, height}. Along x and y, in pixels of the photo: `corner` is
   * the canvas's first pixel, negative where it leaves the photo, `size` its extent; from `start` up to `stop` the photo
   * is covered; `scale` is the extent of a pixel of the canvas.
   */
  constructor(photo, { step, x, y }) {
    this._photo = [photo.width, photo.height];
    this.scale = step;
    this.corner = [x, y].map((shift) => rounded(shift - (step - 1) / 2));
    this.size = [rounded(step * CANVAS), rounded(step * CANVAS)];
    const within = (value, axis) => Math.min(Math.max(value, 0), this._photo[axis]);
    this.start = this.corner.map(within);
    this.stop = this.corner.map((first, axis) => within(first + this.size[axis], axis));
  }

  /** Of what is covered. */
  get width() { return this.stop[0] - this.start[0]; }
  get height() { return this.stop[1] - this.start[1]; }

  /** The crop, in pixels of what is covered. */
  get crop() {
    const [x, y] = this.corner.map((first, axis) => first - this.start[axis] + (this.scale - 1) / 2);
    return { step: this.scale, x, y };
  }

  /** What of a photo {data, width} is covered: {data, width, height}, RGBA bytes. */
  covered({ data, width: line }) {
    const { width, height, start: [left, top] } = this, result = new Uint8ClampedArray(4 * width * height);
    for (let row = 0; row < height; row++) {
      const from = 4 * ((top + row) * line + left);
      result.set(data.subarray(from, from + 4 * width), 4 * row * width);
    }
    return { data: result, width, height };
  }

  /** Between which cells of a map the covered pixels lie, along x (0) or y (1): the lower one, and how far from it. */
  axis(number, cells) {
    const count = this.stop[number] - this.start[number], first = this.start[number] - this.corner[number];
    const low = new Int32Array(count), part = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const position = ((first + i + 0.5) * cells) / this.size[number] - 0.5;
      const inside = Math.min(Math.max(position, 0), cells - 1);
      low[i] = Math.min(Math.floor(inside), Math.max(cells - 2, 0));
      part[i] = inside - low[i];
    }
    return { low, part };
  }

  /** Weight 0..1 of the canvas along x (0) or y (1): less near an edge that lies within the photo. */
  fade(number) {
    const [opensLow, opensHigh] = this.open(number), first = this.start[number] - this.corner[number] + 0.5;
    return Float32Array.from({ length: this.stop[number] - this.start[number] }, (_, i) => {
      const low = opensLow ? Infinity : first + i, high = opensHigh ? Infinity : this.size[number] - first - i;
      return Math.min(1, Math.max(0, Math.min(low, high) / this.feather));
    });
  }

  /** Whether the photo ends where the canvas's low and high edges do, or before: there is no fade there. */
  open(number) { return [this.start[number] === 0, this.stop[number] === this._photo[number]]; }

  /** Width of the fade in pixels. */
  get feather() { return FEATHER * Math.min(...this.size); }
}
