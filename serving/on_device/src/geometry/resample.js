// Cutting the canvas out of a photo: the twin of `resample` in `tf_unseen_pose/geometry/resampling.py`.
// Pictures are {data: RGBA bytes or floats, width, height}.

import { CANVAS } from './crop.js';

/** The canvas that a crop shows, RGBA bytes of CANVAS x CANVAS; beyond its border a photo goes on in its colour. */
export function cutOut(photo, crop) {
  const shrink = Math.floor(crop.step);
  if (shrink < 2) return sampled(photo, crop.step, crop.step, crop.x, crop.y);
  const small = reduced(photo, shrink);
  const across = small.width / photo.width, down = small.height / photo.height;
  // Corners stay corners: (x + 0.5) scales, x does not.
  return sampled(
    small, crop.step * across, crop.step * down,
    crop.x * across + (across - 1) / 2, crop.y * down + (down - 1) / 2,
  );
}

/** Bilinear samples at (x + stepX i, y + stepY j). */
function sampled({ data, width, height }, stepX, stepY, x, y) {
  const result = new Uint8ClampedArray(4 * CANVAS * CANVAS);
  const columns = Array.from({ length: CANVAS }, (_, i) => place(x + stepX * i, width));
  for (let j = 0, to = 0; j < CANVAS; j++) {
    const [top, bottom, down] = place(y + stepY * j, height);
    for (let i = 0; i < CANVAS; i++, to += 4) {
      const [left, right, across] = columns[i];
      for (let c = 0; c < 4; c++) {
        const at = (row, column) => data[4 * (row * width + column) + c];
        const upper = at(top, left) * (1 - across) + at(top, right) * across;
        const lower = at(bottom, left) * (1 - across) + at(bottom, right) * across;
        result[to + c] = upper * (1 - down) + lower * down;
      }
    }
  }
  return result;
}

/** The two pixels about a place, and how far it lies towards the second. */
function place(position, size) {
  const inside = Math.min(Math.max(position, 0), size - 1), first = Math.floor(inside);
  return [first, Math.min(first + 1, size - 1), inside - first];
}

/** A picture at about 1 / factor of its size, 1 or more, averaged by a triangle, one axis after the other; floats. */
export function reduced({ data, width, height }, factor) {
  const columns = Math.max(1, Math.round(width / factor)), rows = Math.max(1, Math.round(height / factor));
  const narrow = alongRows(data, width, height, columns);
  return { data: alongColumns(narrow, columns, height, rows), width: columns, height: rows };
}

function alongRows(data, width, height, columns) {
  const taps = triangles(width, columns), result = new Float32Array(4 * columns * height);
  for (let row = 0, to = 0; row < height; row++) {
    for (const { first, weights } of taps) {
      for (let c = 0; c < 4; c++, to++) {
        let sum = 0, from = 4 * (row * width + first) + c;
        for (let k = 0; k < weights.length; k++, from += 4) sum += weights[k] * data[from];
        result[to] = sum;
      }
    }
  }
  return result;
}

function alongColumns(data, width, height, rows) {
  const line = 4 * width, result = new Float32Array(line * rows);
  triangles(height, rows).forEach(({ first, weights }, row) => {
    const to = result.subarray(line * row, line * (row + 1));
    weights.forEach((weight, k) => {
      const from = data.subarray(line * (first + k), line * (first + k + 1));
      for (let i = 0; i < line; i++) to[i] += weight * from[i];
    });
  });
  return result;
}

/** For each output pixel the input pixels under a triangle as wide as the reduction asks, and their weights. */
function triangles(size, count) {
  const scale = size / count;
  return Array.from({ length: count }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - scale)), last = Math.min(size - 1, Math.ceil(centre + scale) - 1);
    const weights = Array.from({ length: last - first + 1 }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / scale));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}
