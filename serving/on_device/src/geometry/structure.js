// A picture at several sizes, without its local mean and contrast: what is left of it in any light.

import { boxSum } from './box.js';

// The smallest picture's longer side at most.
const SMALLEST = 64;
// Half the width of what a local mean is of, in pixels; what counts as noise, in levels.
const LOCAL = 4, NOISE = 3;

/**
 * A picture {grey, free, width, height}, levels and 1 where it is compared, else 0, and its halves, quarters, ... Each has
 * `values`, the structure.
 */
export function structures(picture) {
  const sizes = [picture];
  while (Math.max(sizes.at(-1).width, sizes.at(-1).height) > SMALLEST) sizes.push(halved(sizes.at(-1)));
  return sizes.map((size) => ({ ...size, values: structure(size) }));
}

function halved({ grey, free, width: line, height: lines }) {
  const width = line >> 1, height = lines >> 1, count = width * height;
  const half = { grey: new Float32Array(count), free: new Float32Array(count), width, height };
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      const upper = 2 * (y * line + x), lower = upper + line;
      half.grey[to] = (grey[upper] + grey[upper + 1] + grey[lower] + grey[lower + 1]) / 4;
      half.free[to] = free[upper] * free[upper + 1] * free[lower] * free[lower + 1];
    }
  }
  return half;
}

/** Levels without their local mean and contrast, of what is compared. */
function structure({ grey, free, width, height }) {
  const sum = (value) => boxSum(grey.map((level, i) => free[i] * value(level)), width, height, LOCAL);
  const count = sum(() => 1), first = sum((level) => level), second = sum((level) => level * level);
  return grey.map((level, i) => {
    const mean = first[i] / count[i], variance = Math.max(second[i] / count[i] - mean * mean, 0);
    return count[i] ? (level - mean) / Math.sqrt(variance + NOISE * NOISE) : 0;
  });
}
