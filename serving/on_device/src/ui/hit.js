// Which joint a pointer means.

import { isFine } from '../pose/skeleton.js';

// By how much further away those of hands, feet and face count than they are, in parts of the reach: where a heel lies under
// its ankle, the ankle is meant.
const RESERVE = 1 / 5;

/** The index of the nearest shown joint within `reach` of a point, or -1. Poses are in the point's own units. */
export function nearestJoint(pose, x, y, reach) {
  let best = -1, least = reach;
  pose.forEach(([jx, jy], joint) => {
    const distance = Math.hypot(jx - x, jy - y) + (isFine(joint) ? RESERVE * reach : 0);
    // Of joints in one place the later one wins: an ankle, not the knee that it hides.
    if (distance <= least) [best, least] = [joint, distance];
  });
  return best;
}

/** A point kept inside a picture. */
export const inside = (x, y, width, height) =>
  [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
