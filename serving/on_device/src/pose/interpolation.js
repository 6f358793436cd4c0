// From a few key poses to a motion: limbs turn about their joints and keep their lengths.
//
// A key turns limbs from the person's own pose: {joint: degrees}, clockwise as the viewer sees it. What hangs from a
// joint turns along with it.

import { carriedBy, index } from './skeleton.js';

/** A pose with what hangs from each named joint turned about it. */
export function turned(pose, angles) {
  let result = pose;
  // From the trunk outwards, as `angles` is written.
  for (const [name, degrees] of Object.entries(angles)) result = turnedAbout(result, index(name), degrees);
  return result;
}

function turnedAbout(pose, joint, degrees) {
  const along = new Set(carriedBy(joint)), [cx, cy] = pose[joint];
  const cos = Math.cos((degrees * Math.PI) / 180), sin = Math.sin((degrees * Math.PI) / 180);
  return pose.map(([x, y, seen], i) =>
    (along.has(i) ? [cx + cos * (x - cx) - sin * (y - cy), cy + sin * (x - cx) + cos * (y - cy), seen] : [x, y, seen]));
}

/** The angles at a time; keys are [seconds, {joint: degrees}], in order, and what a key does not name is 0. */
export function anglesAt(keys, seconds) {
  const next = keys.findIndex(([time]) => time > seconds);
  if (next === 0) return keys[0][1];
  if (next < 0) return keys.at(-1)[1];
  const [[start, from], [end, to]] = [keys[next - 1], keys[next]];
  const part = smooth((seconds - start) / (end - start));
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return Object.fromEntries(names.map((name) => [name, (1 - part) * (from[name] ?? 0) + part * (to[name] ?? 0)]));
}

/** Slow at both ends. */
const smooth = (part) => part * part * (3 - 2 * part);

/** All poses of a motion from keys, at `fps` frames a second. */
export function motionOf(pose, keys, fps) {
  const count = Math.round(keys.at(-1)[0] * fps) + 1;
  return Array.from({ length: count }, (_, frame) => turned(pose, anglesAt(keys, frame / fps)));
}
