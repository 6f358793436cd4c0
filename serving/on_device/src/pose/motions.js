// The motions that come along: one that was filmed (`demo_data/motion.json`), the others of a few keys each.

import { index } from './skeleton.js';
import { motionOf } from './interpolation.js';
import { retarget } from './retarget.js';

const FPS = 15;

export const MOTIONS = {
  balance: 'Balance on one leg (filmed)',
  wave: 'Wave',
  wings: 'Raise and lower the arms',
};

/** {poses, fps} of a motion for a person in a photo, or null where too little of the person is seen. */
export async function motionFor(name, source) {
  if (name === 'balance') {
    const { poses, fps } = await (await fetch(new URL('demo/motion.json', document.baseURI))).json();
    const fitted = retarget(poses.map(({ joints }) => joints), source);
    return fitted && { poses: fitted, fps };
  }
  return { poses: motionOf(source, KEYS[name](source), FPS), fps: FPS };
}

const KEYS = {
  wave: (pose) => {
    const up = raised(pose, 'left', 110), out = { ...up, left_elbow: elbowTo(pose, 'left', 150) };
    const hither = { ...up, left_elbow: elbowTo(pose, 'left', 200) };
    return [[0, {}], [0.8, out], [1.2, hither], [1.6, out], [2, hither], [2.4, out], [3.2, {}]];
  },
  wings: (pose) => {
    const both = (degrees) => ({ ...straight(pose, 'left', degrees), ...straight(pose, 'right', degrees) });
    return [[0, {}], [1, both(90)], [2, both(150)], [3, both(30)], [4, {}]];
  },
};

/** An arm's angle from hanging down, in degrees, growing as it is raised sideways: the viewer's side of the arm. */
function raiseOf(pose, from, to, side) {
  const [x, y] = [0, 1].map((axis) => pose[index(to)][axis] - pose[index(from)][axis]);
  return (Math.atan2(outward(pose, side) * x, y) * 180) / Math.PI;
}

/** Which way is outward for an arm: 1 is the viewer's right. */
function outward(pose, side) {
  const [own, other] = [side, side === 'left' ? 'right' : 'left'].map((which) => pose[index(`${which}_shoulder`)][0]);
  return own >= other ? 1 : -1;
}

/** The turn that raises the upper arm to an angle. Raising is anticlockwise on the viewer's right. */
function raised(pose, side, degrees) {
  const now = raiseOf(pose, `${side}_shoulder`, `${side}_elbow`, side);
  return { [`${side}_shoulder`]: -outward(pose, side) * nearest(degrees - now) };
}

/** The elbow's own turn that brings the forearm to an angle after the upper arm went to `upper`. */
function elbowTo(pose, side, degrees, upper = 110) {
  const [arm, forearm] = [['shoulder', 'elbow'], ['elbow', 'wrist']]
    .map(([from, to]) => raiseOf(pose, `${side}_${from}`, `${side}_${to}`, side));
  return -outward(pose, side) * nearest(degrees - (forearm + upper - arm));
}

const straight = (pose, side, degrees) =>
  ({ ...raised(pose, side, degrees), [`${side}_elbow`]: elbowTo(pose, side, degrees, degrees) });

const nearest = (degrees) => ((degrees + 540) % 360) - 180;
