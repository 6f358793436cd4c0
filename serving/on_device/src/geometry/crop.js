// Where in a photo the network's canvas lies: the twin of `tf_unseen_pose/imaging/crop.py`, which says why.
// A crop is {step, x, y}: pixel (i, j) of the canvas shows the photo at (x + step i, y + step j).

import { PERSON_JOINTS, index, isFine } from '../pose/skeleton.js';

export const CANVAS = 256;
export const CROP_FACTOR = 1.14;
const SCALE_UNIT = 200;
const UPPER_BODY_FACTOR = 2.5, CALF_FACTOR = 5, BOX_FACTOR = 1.2, LEAST_BOX_FACTOR = 0.9;
const STRAY_PERCENTAGE = 2, REACH = 0.15, FINE_REACH = 0.08, BEYOND = 1.5;

const HEAD = index('head'), HIPS = ['left_hip', 'right_hip'].map(index);
const CALVES = ['left', 'right'].map((side) => [index(`${side}_knee`), index(`${side}_ankle`)]);

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * The least box about the visible joints: {low: [x, y], high: [x, y]}; null where fewer than two are visible. Hands, feet
 * and face do not count.
 */
export function boxOf(pose) {
  const seen = pose.slice(0, PERSON_JOINTS).filter((joint) => joint[2] > 0);
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
 * The one crop in which a source and its target poses are seen whole, so far as the photo is; all in pixels of the photo.
 * `source` must have an extent, and so must a target; targets without one are left out of account.
 */
export function wholeCrop(source, targets, photo) {
  const poses = targets.filter(hasExtent);
  const own = reached(source), others = poses.map(reached);
  const scale = percentile(poses.map(personScale), 100 - STRAY_PERCENTAGE);
  const axes = [0, 1].map((axis) => extentAlong(axis, own, others, photo));
  const needed = axes.map(({ low, high }) => (high - low) / CANVAS);
  const step = Math.max(Math.max(personScale(source), scale) / CROP_FACTOR, ...needed);
  const [x, y] = axes.map(({ low, high, centre }) => (
    within(centre, low, high, (step * CANVAS) / 2) - (step * (CANVAS - 1)) / 2
  ));
  // In single precision, as Python keeps it.
  return { step: Math.fround(step), x: Math.fround(x), y: Math.fround(y) };
}

/** From the head to the middle of the hips, whichever way up. */
function upperBodyLength(pose) {
  const hips = HIPS.map((i) => pose[i]).filter((hip) => hip[2] > 0);
  if (!hips.length || !(pose[HEAD][2] > 0)) return 0;
  return Math.hypot(...[0, 1].map((axis) => mean(hips.map((hip) => hip[axis])) - pose[HEAD][axis]));
}

/** The box that a person reaches, {low, high}, beside that of the joints, `box`. */
function reached(pose) {
  const size = Math.max(SCALE_UNIT * personScale(pose), UPPER_BODY_FACTOR * upperBodyLength(pose));
  const seen = pose.map((joint, i) => [joint, (isFine(i) ? FINE_REACH : REACH) * size])
    .filter(([joint]) => joint[2] > 0);
  const corner = (furthest, sign) => [0, 1].map((axis) => furthest(...seen.map(([joint, reach]) => joint[axis] + sign * reach)));
  return { low: corner(Math.min, -1), high: corner(Math.max, 1), box: boxOf(pose) };
}

function extentAlong(axis, own, others, photo) {
  const lows = others.map(({ low }) => low[axis]), highs = others.map(({ high }) => high[axis]);
  const twiceMiddle = ({ box }) => box.low[axis] + box.high[axis];
  return {
    low: inPhoto(Math.min(own.low[axis], percentile(lows, STRAY_PERCENTAGE)), axis, photo),
    high: inPhoto(Math.max(own.high[axis], percentile(highs, 100 - STRAY_PERCENTAGE)), axis, photo),
    centre: (twiceMiddle(own) + median(others.map(twiceMiddle))) / 4,
  };
}

/** What of a needed place the photo has. */
const inPhoto = (value, axis, { width, height }) => clamp(value, -BEYOND, [width, height][axis] - 1 + BEYOND);

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

/** Whether a pose is on the canvas, whole, so far as the photo is. */
export function holds({ step, x, y }, pose, photo) {
  const { low, high } = reached(pose), corner = [x, y];
  // Half a pixel of the canvas, and of the photo, is left to rounding.
  const room = Math.max(step, 1);
  return corner.every((first, axis) => (
    inPhoto(low[axis], axis, photo) >= first - room
    && inPhoto(high[axis], axis, photo) <= first + step * (CANVAS - 1) + room
  ));
}
