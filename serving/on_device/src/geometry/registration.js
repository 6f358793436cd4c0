// Where a photo's background lies in another picture of the scene: what features and Lucas-Kanade tell the package's
// `imaging/background_plate.py`, in less code.
//
// Pictures are compared without their local mean and contrast, so that light does not matter. About rough places, small
// pictures are searched exhaustively; larger and larger ones are aligned by Gauss-Newton steps in which what does not fit
// weighs little. Source: the inverse compositional algorithm, Baker & Matthews, 2004.
//
// Pictures are {grey, free, width, height}: levels, and 1 where they are compared, else 0. A place is a homography from
// pixels of the photo to those of the plate.

import { aboutMiddle, composed, inverse, largestShift, resizing } from './homography.js';
import { structures } from './structure.js';

// A place is judged by the largest pictures whose longer side is at most this: larger ones show more noise.
const JUDGED = 160;
// What is searched about a rough place: shifts in parts of the longer side, scales, turns in radians.
const SHIFT = 0.1, SCALES = [0.9, 0.95, 1, 1.05, 1.1], TURNS = [-0.08, -0.04, 0, 0.04, 0.08];
// How many places are followed, in small pictures; how many of the largest pictures tell perspective.
const FOLLOWED = 4, PERSPECTIVE = 2;
// Steps at most, and the shift of a corner, in pixels, at which they end.
const STEPS = 15, SETTLED = 0.01;
// Differences beyond so many times their median hardly count; what they are at least measured by.
const OUTLYING = 3, LEAST_SPREAD = 0.05;
// Slopes that tell a shift from noise, and how many pixels must have them; what part of what is compared the plate must show.
const LEAST_SLOPE = 0.3, LEAST_SLOPING = 40, LEAST_COMMON = 0.4;
// A place is right if it leaves less than this part of what places so many pixels beside it leave: with the scene's own plate
// up to 0.61 was left, with those of other scenes 0.73 and more.
const LEFT = 0.67, BESIDE = 5;
// Backgrounds that differ by fewer levels (root mean square) look the same; by how much one may be the brighter.
const ALIKE = 3.5, MOST_GAIN = 4;
// A smaller shift of the corners, in pixels, is below what can be measured, and none.
const LEAST_SHIFT = 0.1;

/**
 * The best place about some rough ones. Where the background is too plain to tell, it is that rough one at which both look
 * the same; null where none is right.
 */
export function registered(photo, plate, rough) {
  const sizes = structures(photo).map(compared), others = structures(plate);
  const judge = sizes.findIndex(({ width, height }) => Math.max(width, height) <= JUDGED);
  const judged = (holds, place) => place && holds(inSize(place, judge), sizes[judge], others[judge]);
  const place = followed(rough, sizes, others);
  const right = judged(fits, place) ? place : rough.find((start) => judged(lookAlike, start));
  if (!right) return null;
  return rough.find((start) => largestShift(composed(inverse(start), right), photo) <= LEAST_SHIFT) ?? right;
}

/** The best place about some rough ones, found at the smallest size and followed to the full one. */
function followed(rough, sizes, others) {
  const last = sizes.length - 1;
  let places = rough.flatMap((start) => searched(sizes[last], others[last], inSize(start, last)));
  for (let i = last; i >= 0; i--) {
    const found = places.map((place) => aligned(i === last ? place : inSize(place, -1), sizes[i], others[i], i < PERSPECTIVE ? 8 : 4));
    const misfits = new Map(found.map((place) => [place, misfit(place, sizes[i], others[i])]));
    places = found.sort((a, b) => misfits.get(a) - misfits.get(b)).slice(0, i > PERSPECTIVE ? FOLLOWED : 1);
  }
  return places[0];
}

/** A place in pictures of 1 / 2^halvings of the size. */
const inSize = (place, halvings) => composed(resizing(2 ** -halvings), composed(place, resizing(2 ** halvings)));

/** A picture with the numbers of the pixels that are compared, and the slopes of the structure there. */
function compared(picture) {
  const { values, free, width, height } = picture, at = [];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, i = y * width + 1; x < width - 1; x++, i++) {
      if (free[i] && free[i - 1] && free[i + 1] && free[i - width] && free[i + width]) at.push(i);
    }
  }
  const slope = (stride) => Float32Array.from(at, (i) => (values[i + stride] - values[i - stride]) / 2);
  return { ...picture, at: Int32Array.from(at), right: slope(1), down: slope(width) };
}

/** By how much the plate differs from each compared pixel; NaN where it does not show it. */
function residuals([a, b, c, d, e, f, g, h, k], { values, at, width }, other) {
  const { values: plate, width: line, height: lines } = other, result = new Float32Array(at.length).fill(NaN);
  for (let n = 0; n < at.length; n++) {
    const x = at[n] % width, y = (at[n] - x) / width, depth = g * x + h * y + k;
    const u = (a * x + b * y + c) / depth, v = (d * x + e * y + f) / depth;
    if (!(u >= 0 && v >= 0 && u < line - 1 && v < lines - 1)) continue;
    const left = Math.floor(u), top = Math.floor(v), upper = top * line + left, lower = upper + line, across = u - left;
    const above = plate[upper] + across * (plate[upper + 1] - plate[upper]);
    result[n] = above + (v - top) * (plate[lower] + across * (plate[lower + 1] - plate[lower]) - above) - values[at[n]];
  }
  return result;
}

/** The mean difference, each of 1 at most; those count that a shift would change. Infinite where too few are known. */
function misfit(place, pixels, other) {
  const found = residuals(place, pixels, other);
  let sum = 0, weights = 0, common = 0, sloping = 0;
  for (let n = 0; n < found.length; n++) {
    if (Number.isNaN(found[n])) continue;
    common++;
    const weight = Math.abs(pixels.right[n]) + Math.abs(pixels.down[n]) - LEAST_SLOPE;
    if (weight <= 0) continue;
    sum += weight * Math.min(Math.abs(found[n]), 1);
    weights += weight;
    sloping++;
  }
  return common >= LEAST_COMMON * found.length && sloping >= LEAST_SLOPING ? sum / weights : Infinity;
}

/** Whether a place is better than those beside it by what only the right one is. */
function fits(place, pixels, other) {
  const shifted = (angle) => composed(place, [1, 0, BESIDE * Math.cos(angle), 0, 1, BESIDE * Math.sin(angle), 0, 0, 1]);
  const beside = Array.from({ length: 8 }, (_, i) => misfit(shifted((Math.PI * i) / 4), pixels, other)).filter(Number.isFinite);
  return misfit(place, pixels, other) < (LEFT * beside.reduce((sum, value) => sum + value, 0)) / beside.length;
}

/** Whether two pictures look the same at a place, but for noise and the brightness of the light. */
function lookAlike(place, { grey, at, width }, other) {
  const found = residuals(place, { values: grey, at, width }, { ...other, values: other.grey });
  const both = [...found].flatMap((value, n) => (Number.isNaN(value) ? [] : [[grey[at[n]], grey[at[n]] + value]]));
  const sum = (value) => both.reduce((total, pair) => total + value(...pair), 0);
  const gain = sum((seen) => seen) / sum((_, behind) => behind);
  return both.length > LEAST_COMMON * at.length && gain < MOST_GAIN && gain > 1 / MOST_GAIN
    && sum((seen, behind) => (gain * behind - seen) ** 2) < ALIKE ** 2 * both.length;
}

/** The best place at each scale about a rough one. */
function searched(pixels, other, start) {
  const reach = Math.ceil(SHIFT * Math.max(pixels.width, pixels.height));
  return SCALES.flatMap((scale) => {
    let best = [], least = Infinity;
    for (const turn of TURNS) {
      const cos = scale * Math.cos(turn), sin = scale * Math.sin(turn);
      for (let x = -reach; x <= reach; x++) {
        for (let y = -reach; y <= reach; y++) {
          const place = composed(start, aboutMiddle([cos, -sin, x, sin, cos, y, 0, 0, 1], pixels));
          const found = misfit(place, pixels, other);
          if (found < least) [best, least] = [[place], found];
        }
      }
    }
    return best;
  });
}

/** A place after Gauss-Newton steps: in four parameters as a similarity moves, in eight as any homography. */
function aligned(start, pixels, other, parameters) {
  let place = start;
  for (let step = 0; step < STEPS; step++) {
    const change = stepFrom(residuals(place, pixels, other), pixels, parameters);
    if (!change) break;
    place = composed(place, inverse(change));
    if (largestShift(change, pixels) < SETTLED) break;
  }
  return place;
}

/** How the template is to move to lessen the differences, as a homography; null where nothing tells. */
function stepFrom(found, pixels, parameters) {
  const { at, right, down, width, height } = pixels, unit = Math.max(width, height) / 2, spread = spreadOf(found);
  const equations = Array.from({ length: parameters }, () => new Float64Array(parameters + 1)), row = new Float64Array(parameters);
  for (let n = 0; n < at.length; n++) {
    if (Number.isNaN(found[n])) continue;
    const column = at[n] % width, x = (column - (width - 1) / 2) / unit, y = ((at[n] - column) / width - (height - 1) / 2) / unit;
    const gx = right[n], gy = down[n], outwards = gx * x + gy * y;
    if (parameters === 4) row.set([gx, gy, outwards, gy * x - gx * y]);
    else row.set([gx, gy, gx * x, gx * y, gy * x, gy * y, -x * outwards, -y * outwards]);
    const weight = 1 / (1 + (found[n] / spread) ** 2) ** 2;
    for (let i = 0; i < parameters; i++) {
      for (let j = i; j < parameters; j++) equations[i][j] += weight * row[i] * row[j];
      equations[i][parameters] += weight * row[i] * found[n];
    }
  }
  const mean = equations.reduce((sum, line, i) => sum + line[i], 0) / parameters;
  if (!(mean > 0)) return null;
  equations.forEach((line, i) => {
    for (let j = 0; j < i; j++) line[j] = equations[j][i];
    // What nothing tells stays.
    line[i] += 1e-4 * mean;
  });
  const [shiftX, shiftY, ...rest] = solved(equations).map((value) => value / unit);
  const [a, b, c, d, g = 0, h = 0] = parameters === 4 ? [rest[0], -rest[1], rest[1], rest[0]] : rest;
  return aboutMiddle([1 + a, b, shiftX, c, 1 + d, shiftY, g, h, 1], pixels, unit);
}

/** What differences count as usual, from some of them. */
function spreadOf(found) {
  const step = Math.ceil(found.length / 4000), some = found.filter((value, n) => n % step === 0 && !Number.isNaN(value));
  return OUTLYING * (some.map(Math.abs).sort()[some.length >> 1] ?? 0) + LEAST_SPREAD;
}

/** Of linear equations, each with its right side behind it and its diagonal the greatest: by elimination. */
function solved(equations) {
  const count = equations.length;
  equations.forEach((line, i) => equations.forEach((other, j) => {
    const factor = other[i] / line[i];
    for (let k = i; j !== i && k <= count; k++) other[k] -= factor * line[k];
  }));
  return equations.map((line, i) => line[count] / line[i]);
}
