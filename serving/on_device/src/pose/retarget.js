// A driving person's motion on the source person's body: the twin of `tf_unseen_pose/pose/retargeting.py`, which says why.
// Points are the 14 joints, then the middle of the hips and that of the shoulders.

import { BONES, index } from './skeleton.js';
import { median, percentile } from '../geometry/crop.js';

const HIPS = 14, CHEST = 15, POINTS = 16;
const FEET = ['left_ankle', 'right_ankle'].map(index);
const MIDDLES = [[HIPS, ['left_hip', 'right_hip']], [CHEST, ['left_shoulder', 'right_shoulder']]]
  .map(([middle, names]) => [middle, names.map(index)]);
// How far the body's surface lies below a joint that rests on the ground, and how far above the lowest part others still
// carry, in parts of the height; and bones in parts of it.
const ANKLE_FLESH = 0.04, SHARING = 0.08, TORSO = 0.3, THIGH = 0.245, CALF = 0.245;
const FLESH = new Map([['head', 0.05], ['neck', 0.04], ...['left', 'right'].flatMap((side) => [
  ['shoulder', 0.045], ['elbow', 0.025], ['wrist', 0.02], ['hip', 0.055], ['knee', 0.03], ['ankle', ANKLE_FLESH],
].map(([joint, flesh]) => [`${side}_${joint}`, flesh]))].map(([name, flesh]) => [index(name), flesh]));
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
  const measured = lengths(body), sourceMeasured = lengths(sourceBody);
  const ratios = ratiosOf(measured, sourceMeasured);
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
  const points = placed(scaled, body, sourceBody, movement, [measured, sourceMeasured].map(heightOf));
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

/** About how tall the person is when standing, in pixels. */
const heightOf = (measured) => Math.max(
  measured[CHEST] / TORSO, measured[index('left_knee')] / THIGH, measured[index('left_ankle')] / CALF,
);

function placed(points, body, source, movement, [height, sourceHeight]) {
  const supports = shownByBoth([FEET, [HIPS], [CHEST]], body, source);
  const roots = shownByBoth([[HIPS], [CHEST], FEET], body, source);
  if (!supports || !roots) return null;
  const [support] = supports, [root, sourceRoot] = roots;
  const standing = support.every((point) => FEET.includes(point));
  const flesh = standing ? FLESH : new Map(support.map((point) => [point, 0]));
  const carriers = [...flesh.keys()].filter((point) => body.seen.some((frame) => frame[point]));
  const depths = carriers.map((point) => flesh.get(point));
  const shifted = points.map((frame, t) => {
    const [own, fitted] = [[body.points[t], height], [frame, sourceHeight]]
      .map(([shown, unit]) => carriers.map((point, i) => [shown[point][0], shown[point][1] + unit * depths[i]]));
    const shares = sharesOf(own.map(([, y]) => y), carriers.map((point) => support.includes(point)), height);
    const before = anchor(own, shares), now = anchor(fitted, shares);
    const by = before.map((value, axis) => movement * value - now[axis]);
    return { frame: frame.map((point) => point.map((value, axis) => value + by[axis])), low: movement * before[1] };
  });
  const when = (group) => shifted.filter((_, t) => group.some((point) => body.seen[t][point]));
  const x = median(when(root).map(({ frame }) => middle(frame, root)));
  const y = percentile(when(carriers).map(({ low }) => low), standing ? GROUND_PERCENTILE : 50);
  const ground = Math.max(...[...flesh].filter(([point]) => source.seen[0][point])
    .map(([point, depth]) => source.points[0][point][1] + sourceHeight * depth));
  const dx = middle(source.points[0], sourceRoot) - x, dy = ground - y;
  return shifted.map(({ frame }) => frame.map((point) => [point[0] + dx, point[1] + dy]));
}

/** How much of the body rests on each point, by how far down it reaches; those that count as one do so by the lowest. */
function sharesOf(lowest, together, height) {
  const common = Math.max(...lowest.filter((_, i) => together[i]));
  const reached = lowest.map((y, i) => (together[i] ? common : y)), ground = Math.max(...reached);
  const shares = reached.map((y) => Math.max(0, 1 - (ground - y) / Math.max(SHARING * height, 1e-6)));
  const sum = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => share / sum);
}

/** The x that carries the body, and how far down it reaches. */
const anchor = (carriers, shares) => [
  carriers.reduce((sum, [x], i) => sum + shares[i] * x, 0), Math.max(...carriers.map(([, y]) => y)),
];

const middle = (frame, group) => group.reduce((sum, point) => sum + frame[point][0], 0) / group.length;

function shownByBoth(groups, ...bodies) {
  for (const group of groups) {
    const shown = bodies.map(({ seen }) => group.filter((point) => seen.some((frame) => frame[point])));
    if (shown.every((points) => points.length)) return shown;
  }
  return null;
}
