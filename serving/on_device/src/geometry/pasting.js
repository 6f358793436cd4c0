// Putting the network's canvas back into the photo, with a feathered edge: as `tf_unseen_pose/imaging/pasting.py` does.

import { CANVAS } from './crop.js';

const FEATHER = 12;

/** Which of the photo's pixels along one axis the canvas covers: {first, last}, or null. */
export function covered(size, step, shift) {
  const first = Math.max(0, Math.ceil(shift)), last = Math.min(size - 1, Math.floor(shift + step * (CANVAS - 1)));
  return first <= last ? { first, last } : null;
}

/** Weight 0..1 of the canvas for each covered pixel: it fades towards its edges, but not at the photo's own. */
export function fade({ first, last }, size, step, shift) {
  return Float32Array.from({ length: last - first + 1 }, (_, i) => {
    const position = (first + i - shift) / step;
    const low = first === 0 ? Infinity : position;
    const high = last === size - 1 ? Infinity : CANVAS - 1 - position;
    return Math.min(1, Math.max(0, Math.min(low, high) / FEATHER));
  });
}

/** A place in a photo for canvases. The photo is anything that can be drawn; the browser's own scaler enlarges. */
export class Pasting {
  constructor(photo, width, height, crop) {
    this._photo = photo;
    this._patch = surface(CANVAS, CANVAS);
    const across = covered(width, crop.step, crop.x), down = covered(height, crop.step, crop.y);
    this._window = across && down && {
      x: across.first, y: down.first, width: across.last - across.first + 1, height: down.last - down.first + 1,
    };
    if (!this._window) return;
    // The canvas's corner: pixel centres lie at whole numbers, corners half a pixel before.
    this._place = [
      crop.x - crop.step / 2 + 0.5 - across.first, crop.y - crop.step / 2 + 0.5 - down.first,
      crop.step * CANVAS, crop.step * CANVAS,
    ];
    this._fade = mask(fade(across, width, crop.step, crop.x), fade(down, height, crop.step, crop.y));
    this._enlarged = surface(this._window.width, this._window.height);
  }

  /** Draws the photo with the canvas, RGBA bytes, in its place. */
  draw(context, pixels) {
    context.drawImage(this._photo, 0, 0);
    if (!this._window || !pixels) return;
    this._patch.putImageData(new ImageData(pixels, CANVAS, CANVAS), 0, 0);
    const { width, height, x, y } = this._window, enlarged = this._enlarged;
    enlarged.globalCompositeOperation = 'copy';
    enlarged.imageSmoothingQuality = 'high';
    enlarged.drawImage(this._patch.canvas, ...this._place);
    enlarged.globalCompositeOperation = 'destination-in';
    enlarged.drawImage(this._fade.canvas, 0, 0, width, height);
    context.drawImage(enlarged.canvas, x, y);
  }
}

function mask(across, down) {
  const picture = new ImageData(across.length, down.length);
  down.forEach((rowWeight, row) => across.forEach((columnWeight, column) => {
    picture.data[4 * (row * across.length + column) + 3] = Math.round(255 * Math.min(rowWeight, columnWeight));
  }));
  const context = surface(across.length, down.length);
  context.putImageData(picture, 0, 0);
  return context;
}

function surface(width, height) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  return canvas.getContext('2d');
}
