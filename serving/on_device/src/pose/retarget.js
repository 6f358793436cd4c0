// A driving person's motion on the source person's body: the twin of `tf_unseen_pose/pose/retargeting.py`, which says why.
// Points are all 23 joints, those that a skeleton lacks being absent, then the middle of the hips and that of the shoulders.

import { JOINTS, LIMBS, index, isFine, withJoints } from './skeleton.js';
import { median, percentile } from '../geometry/crop.js';

const HIPS = JOINTS.length, CHEST = HIPS + 1, POINTS = HIPS + 2;
const bothSides = (...names) => names.flatMap((name) => [index(`left_${name}`), index(`right_${name}`)]);
const SOLES = bothSides('heel', 'toe'), ANKLES = bothSides('ankle'), FACE = [index('nose'), ...bothSides('ear')];
const MIDDLES = [[HIPS, bothSides('hip')], [CHEST, bothSides('shoulder')]];
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
  const legs = bothSides('knee', 'ankle');
  const movement = legs.reduce((sum, point) => sum + ratios[point], 0) / legs.length;
  const lacking = (joint) => isFine(joint) && [joint, MIRRORED[joint]].every((side) => !(own[side][2] > 0));
  const points = placed(scaled, body, sourceBody, movement);
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

function placed(points, body, source, movement) {
  const supports = shownByBoth([SOLES, ANKLES, [HIPS], [CHEST]], body, source);
  const roots = shownByBoth([[HIPS], [CHEST], SOLES, ANKLES], body, source);
  if (!supports || !roots) return null;
  const [support, sourceSupport] = supports, [root, sourceRoot] = roots;
  const shifted = points.map((frame, t) => {
    const before = anchor(body.points[t], support), now = anchor(frame, support);
    return frame.map((point) => point.map((value, axis) => value + movement * before[axis] - now[axis]));
  });
  const shown = (group) => shifted.filter((_, t) => group.some((point) => body.seen[t][point]));
  const x = median(shown(root).map((frame) => anchor(frame, root)[0]));
  const ground = support.every((point) => [...SOLES, ...ANKLES].includes(point)) ? GROUND_PERCENTILE : 50;
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
