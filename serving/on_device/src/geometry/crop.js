// Where in a photo the network's canvas lies: the twin of `tf_unseen_pose/imaging/crop.py`, which says why.
// A crop is {step, x, y}: pixel (i, j) of the canvas shows the photo at (x + step i, y + step j).

import { index } from '../pose/skeleton.js';

export const CANVAS = 256;
const CROP_FACTOR = 1.14;
const SCALE_UNIT = 200;
const UPPER_BODY_FACTOR = 2.5, CALF_FACTOR = 5, BOX_FACTOR = 1.2, LEAST_BOX_FACTOR = 0.9;
const STRAY_PERCENTAGE = 2, MARGIN = 0.03, MOST_STEP_BACK = 1.5;
const ROOM = (1 - 2 * MARGIN) * (CANVAS - 1);

const HEAD = index('head'), HIPS = ['left_hip', 'right_hip'].map(index);
const CALVES = ['left', 'right'].map((side) => [index(`${side}_knee`), index(`${side}_ankle`)]);

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The least box about the visible joints: {low: [x, y], high: [x, y]}; null where fewer than two are visible. */
export function boxOf(pose) {
  const seen = pose.filter((joint) => joint[2] > 0);
  if (seen.length < 2) return null;
  const axes = [0, 1].map((axis) => seen.map((joint) => joint[axis]));
  return { low: axes.map((values) => Math.min(...values)), high: axes.map((values) => Math.max(...values)) };
}

/** Whether a pose has a size: two visible joints in different places. */
export function hasExtent(pose) {
  const box = boxOf(pose);
  return box !== null && (box.high[0] > box.low[0] || box.high[1] > box.low[1]);
}

/** How large a person is, in units of 200 pixels; 1 for a standing person of 200 pixels. */
export function personScale(pose) {
  const { low, high } = boxOf(pose);
  const side = Math.max(high[0] - low[0], high[1] - low[1]);
  const size = Math.max(UPPER_BODY_FACTOR * upperBody(pose), CALF_FACTOR * calf(pose));
  return (size > 0 ? Math.max(size, LEAST_BOX_FACTOR * side) : BOX_FACTOR * side) / SCALE_UNIT;
}

function upperBody(pose) {
  const hips = HIPS.map((i) => pose[i]).filter((hip) => hip[2] > 0);
  return hips.length && pose[HEAD][2] > 0 ? mean(hips.map((hip) => hip[1])) - pose[HEAD][1] : 0;
}

function calf(pose) {
  const seen = CALVES.map((ends) => ends.map((i) => pose[i])).filter((ends) => ends.every((end) => end[2] > 0));
  return seen.length ? mean(seen.map(([knee, ankle]) => Math.hypot(knee[0] - ankle[0], knee[1] - ankle[1]))) : 0;
}

/**
 * The one crop in which a source is encoded and a sequence of target poses rendered, in pixels of the photo.
 * `source` must have an extent; target poses without one are left out of account.
 */
export function sequenceCrop(source, targets) {
  const usable = targets.filter(hasExtent);
  const poses = usable.length ? usable : [source];
  const own = boxOf(source), boxes = poses.map(boxOf);
  const scale = percentile(poses.map(personScale), 100 - STRAY_PERCENTAGE);
  const usual = Math.max(personScale(source), scale) / CROP_FACTOR;
  const axes = [0, 1].map((axis) => extentAlong(axis, own, boxes));
  const needed = axes.map(({ low, high }) => (high - low) / ROOM);
  const step = Math.min(Math.max(usual, ...needed), MOST_STEP_BACK * usual);
  const [x, y] = axes.map((axis, i) => {
    const fits = needed[i] <= MOST_STEP_BACK * usual;
    const [low, high] = fits ? [axis.low, axis.high] : axis.own;
    return within(axis.centre, low, high, (step * ROOM) / 2) - (step * (CANVAS - 1)) / 2;
  });
  // In single precision, as Python keeps it.
  return { step: Math.fround(step), x: Math.fround(x), y: Math.fround(y) };
}

function extentAlong(axis, own, boxes) {
  const lows = boxes.map((box) => box.low[axis]), highs = boxes.map((box) => box.high[axis]);
  const middles = boxes.map((box) => box.low[axis] + box.high[axis]);
  return {
    own: [own.low[axis], own.high[axis]],
    low: Math.min(own.low[axis], percentile(lows, STRAY_PERCENTAGE)),
    high: Math.max(own.high[axis], percentile(highs, 100 - STRAY_PERCENTAGE)),
    centre: (own.low[axis] + own.high[axis] + median(middles)) / 4,
  };
}

/** The nearest centre that has low..high no further than `half` away; their middle if they are larger. */
function within(centre, low, high, half) {
  const first = high - half, last = low + half;
  return first <= last ? clamp(centre, first, last) : (low + high) / 2;
}

const sorted = (values) => [...values].sort((a, b) => a - b);

/** One of the values: NumPy's "nearest", which rounds halves to even. */
export function percentile(values, percentage) {
  const place = ((values.length - 1) * percentage) / 100;
  const below = Math.floor(place);
  const nearest = place - below === 0.5 ? below + (below % 2) : Math.round(place);
  return sorted(values)[nearest];
}

export function median(values) {
  const order = sorted(values), count = order.length;
  return (order[(count - 1) >> 1] + order[count >> 1]) / 2;
}

/** A pose of the photo, in pixels of the canvas. */
export const toCanvas = ({ step, x, y }, pose) =>
  pose.map(([px, py, seen, ...depth]) => [(px - x) / step, (py - y) / step, seen, ...depth.map((z) => z / step)]);

/** Whether all visible joints of a pose lie on the canvas, a margin away from its edge. */
export function holds(crop, pose) {
  // Half a pixel less than `sequenceCrop` leaves: what it fits exactly is held.
  const edge = MARGIN * (CANVAS - 1) - 0.5, inside = (value) => value >= edge && value <= CANVAS - 1 - edge;
  return toCanvas(crop, pose).every(([x, y, seen]) => !(seen > 0) || (inside(x) && inside(y)));
}
