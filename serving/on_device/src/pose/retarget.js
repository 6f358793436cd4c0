// A driving person's motion on the source person's body: the twin of `tf_unseen_pose/pose/retargeting.py`, which says why.
// Points are all 23 joints, those that a skeleton lacks being absent, then the middle of the hips and that of the shoulders.

import { JOINTS, LIMBS, index, isFine, withJoints } from './skeleton.js';
import { median, percentile } from '../geometry/crop.js';

const HIPS = JOINTS.length, CHEST = HIPS + 1, POINTS = HIPS + 2;
const bothSides = (...names) => names.flatMap((name) => [index(`left_${name}`), index(`right_${name}`)]);
const SOLES = bothSides('heel', 'toe'), ANKLES = bothSides('ankle'), FACE = [index('nose'), ...bothSides('ear')];
const MIDDLES = [[HIPS, bothSides('hip')], [CHEST, bothSides('shoulder')]];
// How far the body's surface lies below a joint that rests on the ground, and how far above the lowest part others still
// carry, in parts of the height; and bones in parts of it.
const SOLE_FLESH = 0.01, ANKLE_FLESH = 0.04, SHARING = 0.08, TORSO = 0.3, THIGH = 0.245, CALF = 0.245;
const FLESH = [
  [index('head'), 0.05], [index('neck'), 0.04],
  ...Object.entries({ shoulder: 0.045, elbow: 0.025, wrist: 0.02, hand: 0.015, hip: 0.055, knee: 0.03 })
    .flatMap(([name, flesh]) => bothSides(name).map((joint) => [joint, flesh])),
];
const LENGTH_PERCENTILE = 90, GROUND_PERCENTILE = 90, LEAST_RATIO = 0.8, MOST_RATIO = 1.25;

// [parent, child], parents first.
const TREE = treeOf([
  [HIPS, CHEST],
  ...MIDDLES.flatMap(([middle, joints]) => joints.map((joint) => [middle, joint])),
  [CHEST, index('neck')],
  ...LIMBS.filter(({ name }) => name !== 'torso').map(({ joints }) => joints),
  ...LIMBS.flatMap(({ anchors, joints }) => anchors.flatMap((anchor) => joints.map((joint) => [anchor, joint]))),
]);
const MIRRORED = Array.from({ length: POINTS }, (_, point) => {
  const other = JOINTS[point]?.replace(/left|right/, (side) => (side === 'left' ? 'right' : 'left'));
  return other ? index(other) : point;
});

/** Of bones that connect points, the earliest that each reach a new one from the hips. */
function treeOf(bones) {
  const edges = bones.flatMap(([one, other]) => [[one, other], [other, one]]), reached = new Set([HIPS]), tree = [];
  for (let bone; (bone = edges.find(([from, to]) => reached.has(from) && !reached.has(to)));) {
    tree.push(bone);
    reached.add(bone[1]);
  }
  return tree;
}

/**
 * Poses of a driving person, as the source person would take them, in pixels of the source's photo and of as many joints as
 * the source; null if unfit. Hands, feet and face are absent of which the source shows neither side.
 */
export function retarget(driving, source) {
  const poses = driving.map((pose) => withJoints(pose, JOINTS.length)), own = withJoints(source, JOINTS.length);
  const body = bodyOf(poses), sourceBody = bodyOf([own]);
  const [measured, sourceMeasured] = [body, sourceBody].map(lengths);
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
  const legs = bothSides('knee', 'ankle');
  const movement = legs.reduce((sum, point) => sum + ratios[point], 0) / legs.length;
  const lacking = (joint) => isFine(joint) && [joint, MIRRORED[joint]].every((side) => !(own[side][2] > 0));
  const points = placed(scaled, body, sourceBody, movement, [measured, sourceMeasured].map(heightOf));
  return points && points.map((frame, t) => source.map((_, i) => {
    const [, , shown, ...depth] = poses[t][i];
    return [...frame[i], lacking(i) ? 0 : shown, ...depth.map((z) => ratios[CHEST] * z)];
  }));
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

/** Source length to driving length a bone, near the ratio of the whole body; that for hands and feet, the head's for a face. */
function ratiosOf(driving, source) {
  const measured = driving.map((length, point) => length > 0 && source[point] > 0);
  const ratios = source.map((length, point) => (measured[point] ? length / driving[point] : 0));
  const along = TREE.filter(([parent, child]) => parent < HIPS && !isFine(child)).map(([, child]) => Math.min(child, MIRRORED[child]));
  const common = [CHEST, ...new Set(along)].filter((point) => measured[point]).map((point) => ratios[point]);
  if (common.length < 2) return null;
  const overall = median(common);
  const near = ratios.map((ratio, point) =>
    (measured[point] && ratio >= LEAST_RATIO * overall ? Math.min(ratio, MOST_RATIO * overall) : overall));
  return near.map((ratio, point) => {
    if (FACE.includes(point)) return near[index('head')];
    return isFine(point) && point < HIPS ? overall : ratio;
  });
}

/** About how tall the person is when standing, in pixels. */
const heightOf = (measured) => Math.max(
  measured[CHEST] / TORSO, measured[index('left_knee')] / THIGH, measured[index('left_ankle')] / CALF,
);

function placed(points, body, source, movement, [height, sourceHeight]) {
  const supports = shownByBoth([SOLES, ANKLES, [HIPS], [CHEST]], body, source);
  const roots = shownByBoth([[HIPS], [CHEST], SOLES, ANKLES], body, source);
  if (!supports || !roots) return null;
  const [support] = supports, [root, sourceRoot] = roots;
  const soles = support.every((point) => SOLES.includes(point));
  const standing = soles || support.every((point) => ANKLES.includes(point));
  const own = standing ? (soles ? SOLE_FLESH : ANKLE_FLESH) : 0;
  const flesh = new Map([...supports.flat().map((point) => [point, own]), ...(standing ? FLESH : [])]);
  const carriers = [...flesh.keys()].filter((point) => body.seen.some((frame) => frame[point]));
  const together = carriers.map((point) => support.includes(point));
  const low = (frame, unit) => carriers.map((point) => [frame[point][0], frame[point][1] + unit * flesh.get(point)]);
  const shifted = points.map((frame, t) => {
    const driving = low(body.points[t], height), shares = sharesOf(driving.map(([, y]) => y), together, height);
    const before = anchor(driving, shares), now = anchor(low(frame, sourceHeight), shares);
    const by = before.map((value, axis) => movement * value - now[axis]);
    return { frame: frame.map((point) => point.map((value, axis) => value + by[axis])), low: movement * before[1] };
  });
  const shown = (group) => shifted.filter((_, t) => group.some((point) => body.seen[t][point]));
  const x = median(shown(root).map(({ frame }) => middle(frame, root)));
  const y = percentile(shown(carriers).map((each) => each.low), standing ? GROUND_PERCENTILE : 50);
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
