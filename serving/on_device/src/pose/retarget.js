// A driving person's motion on the source person's body: the twin of `tf_unseen_pose/pose/retargeting.py`, which says why.
// Points are the 14 joints, then the middle of the hips and that of the shoulders.

import { BONES, index } from './skeleton.js';
import { median, percentile } from '../geometry/crop.js';

const HIPS = 14, CHEST = 15, POINTS = 16;
const FEET = ['left_ankle', 'right_ankle'].map(index);
const MIDDLES = [[HIPS, ['left_hip', 'right_hip']], [CHEST, ['left_shoulder', 'right_shoulder']]]
  .map(([middle, names]) => [middle, names.map(index)]);
const LENGTH_PERCENTILE = 90, GROUND_PERCENTILE = 90, LEAST_RATIO = 0.8, MOST_RATIO = 1.25;

// [parent, child], parents first.
const TREE = [
  [HIPS, CHEST],
  ...MIDDLES.flatMap(([middle, joints]) => joints.map((joint) => [middle, joint])),
  [CHEST, index('neck')],
  ...BONES.filter(([, , limb]) => limb !== 'torso').map(([from, to]) => [from, to]),
];
const MIRRORED = Array.from({ length: POINTS }, (_, point) => {
  if (point >= HIPS || point < 2) return point;
  return { 2: 5, 3: 6, 4: 7, 5: 2, 6: 3, 7: 4, 8: 11, 9: 12, 10: 13, 11: 8, 12: 9, 13: 10 }[point];
});

/** Poses of a driving person, as the source person would take them, in pixels of the source's photo; null if unfit. */
export function retarget(driving, source) {
  const body = bodyOf(driving), sourceBody = bodyOf([source]);
  const ratios = ratiosOf(lengths(body), lengths(sourceBody));
  if (!ratios) return null;
  const scaled = body.points.map((frame) => {
    const points = frame.map((point) => [...point]);
    points[HIPS] = [0, 0];
    for (const [parent, child] of TREE) {
      for (const axis of [0, 1]) {
        points[child][axis] = points[parent][axis] + ratios[child] * (frame[child][axis] - frame[parent][axis]);
      }
    }
    return points;
  });
  const knees = ['left_knee', 'right_knee', ...['left_ankle', 'right_ankle']].map(index);
  const movement = knees.reduce((sum, point) => sum + ratios[point], 0) / knees.length;
  const points = placed(scaled, body, sourceBody, movement);
  return points && points.map((frame, t) => driving[t].map(([, , shown, ...depth], i) =>
    [...frame[i], shown, ...depth.map((z) => ratios[CHEST] * z)]));
}

function bodyOf(poses) {
  const seen = poses.map((pose) => [...pose.map((joint) => joint[2] > 0), false, false]);
  const points = poses.map((pose, t) => {
    const frame = [...pose.map(([x, y], i) => (seen[t][i] ? [x, y] : [0, 0])), [0, 0], [0, 0]];
    for (const [middle, pair] of MIDDLES) {
      const shown = pair.filter((joint) => seen[t][joint]);
      seen[t][middle] = shown.length > 0;
      for (const axis of [0, 1]) {
        frame[middle][axis] = shown.reduce((sum, joint) => sum + frame[joint][axis], 0) / Math.max(1, shown.length);
      }
    }
    return frame;
  });
  fill(points, seen, CHEST, null);
  fill(points, seen, HIPS, CHEST);
  for (const [parent, child] of TREE) fill(points, seen, child, parent);
  return { points, seen };
}

/** Where a point is absent, its offset from the parent runs straight from sight to sight, or is none. */
function fill(points, seen, point, parent) {
  const frames = points.map((_, t) => t).filter((t) => seen[t][point]);
  const base = (t) => (parent === null ? [0, 0] : points[t][parent]);
  const offset = (t) => [0, 1].map((axis) => points[t][point][axis] - base(t)[axis]);
  const known = new Map(frames.map((t) => [t, offset(t)]));
  points.forEach((frame, t) => {
    if (seen[t][point]) return;
    const before = frames.findLast((other) => other < t), after = frames.find((other) => other > t);
    const from = known.get(before ?? after) ?? [0, 0], to = known.get(after ?? before) ?? [0, 0];
    const part = before === undefined || after === undefined ? 0 : (t - before) / (after - before);
    frame[point] = [0, 1].map((axis) => base(t)[axis] + from[axis] + part * (to[axis] - from[axis]));
  });
}

/** The length of the bone that ends in each point, the longer of left and right; 0 where it is never seen. */
function lengths({ points, seen }) {
  const result = new Array(POINTS).fill(0);
  for (const [parent, child] of TREE) {
    const measured = points.map((frame, t) => [frame, t]).filter(([, t]) => seen[t][child] && seen[t][parent])
      .map(([frame]) => Math.hypot(frame[child][0] - frame[parent][0], frame[child][1] - frame[parent][1]));
    if (measured.length) result[child] = percentile(measured, LENGTH_PERCENTILE);
  }
  return result.map((length, point) => Math.max(length, result[MIRRORED[point]]));
}

/** Source length to driving length a bone, near the ratio of the whole body. */
function ratiosOf(driving, source) {
  const measured = driving.map((length, point) => length > 0 && source[point] > 0);
  const ratios = source.map((length, point) => (measured[point] ? length / driving[point] : 0));
  const along = TREE.filter(([parent]) => parent < HIPS || false).map(([, child]) => Math.min(child, MIRRORED[child]));
  const common = [CHEST, ...new Set(along)].filter((point) => measured[point]).map((point) => ratios[point]);
  if (common.length < 2) return null;
  const overall = median(common);
  return ratios.map((ratio, point) =>
    (measured[point] && ratio >= LEAST_RATIO * overall ? Math.min(ratio, MOST_RATIO * overall) : overall));
}

function placed(points, body, source, movement) {
  const supports = shownByBoth([FEET, [HIPS], [CHEST]], body, source);
  const roots = shownByBoth([[HIPS], [CHEST], FEET], body, source);
  if (!supports || !roots) return null;
  const [support, sourceSupport] = supports, [root, sourceRoot] = roots;
  const shifted = points.map((frame, t) => {
    const before = anchor(body.points[t], support), now = anchor(frame, support);
    return frame.map((point) => point.map((value, axis) => value + movement * before[axis] - now[axis]));
  });
  const shown = (group) => shifted.filter((_, t) => group.some((point) => body.seen[t][point]));
  const x = median(shown(root).map((frame) => anchor(frame, root)[0]));
  const ground = support.every((point) => FEET.includes(point)) ? GROUND_PERCENTILE : 50;
  const y = percentile(shown(support).map((frame) => anchor(frame, support)[1]), ground);
  const dx = anchor(source.points[0], sourceRoot)[0] - x, dy = anchor(source.points[0], sourceSupport)[1] - y;
  return shifted.map((frame) => frame.map((point) => [point[0] + dx, point[1] + dy]));
}

/** The mean x and the lowest place of some points. */
function anchor(frame, group) {
  const x = group.reduce((sum, point) => sum + frame[point][0], 0) / group.length;
  return [x, Math.max(...group.map((point) => frame[point][1]))];
}

function shownByBoth(groups, ...bodies) {
  for (const group of groups) {
    const shown = bodies.map(({ seen }) => group.filter((point) => seen.some((frame) => frame[point])));
    if (shown.every((points) => points.length)) return shown;
  }
  return null;
}
