// Where in a photo a person may be of whom the joints are known: the twin of `mask_from_joints` in
// `tf_unseen_pose/imaging/registration.py`, limbs as thick lines, the torso filled.

import { LIMBS } from '../pose/skeleton.js';
import { CROP_FACTOR, personScale } from './crop.js';

// Half of how wide a limb is drawn, in standard deviations of its prior.
const HALF_WIDTH = 1.5;

/** 1 for every pixel of a picture {width, height} that is further than `margin` from the person in a pose, else 0. */
export function besidePerson(pose, { width, height }, margin) {
  const result = new Float32Array(width * height).fill(1), unit = personScale(pose) / CROP_FACTOR;
  const seen = (joint) => pose[joint]?.[2] > 0;
  LIMBS.filter(({ joints }) => joints.every(seen)).forEach(({ joints, anchors, width: deviation }) => {
    const ends = [...joints, ...anchors.filter(seen)].map((joint) => pose[joint]);
    const reach = HALF_WIDTH * deviation * unit + margin;
    const [columns, rows] = [width, height].map((size, axis) => pixelsAbout(ends.map((end) => end[axis]), reach, size));
    for (const y of rows) {
      for (const x of columns) if (distance(ends, x, y) <= reach) result[y * width + x] = 0;
    }
  });
  return result;
}

function pixelsAbout(values, reach, size) {
  const first = Math.max(0, Math.floor(Math.min(...values) - reach)), last = Math.min(size - 1, Math.ceil(Math.max(...values) + reach));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

/** How far a point is from the least convex shape about some points. */
function distance(points, x, y) {
  let least = Infinity;
  points.forEach((a, i) => points.slice(0, i).forEach((b, j) => {
    least = Math.min(least, fromLine(a, b, x, y));
    if (points.slice(0, j).some((c) => within(a, b, c, x, y))) least = 0;
  }));
  return least;
}

function fromLine([ax, ay], [bx, by], x, y) {
  const dx = bx - ax, dy = by - ay, along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const part = Math.min(Math.max(along, 0), 1);
  return Math.hypot(x - ax - part * dx, y - ay - part * dy);
}

function within(a, b, c, x, y) {
  const side = ([px, py], [qx, qy]) => (qx - px) * (y - py) - (qy - py) * (x - px);
  const sides = [side(a, b), side(b, c), side(c, a)];
  return sides.every((value) => value >= 0) || sides.every((value) => value <= 0);
}
