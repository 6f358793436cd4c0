import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anchors, detected, jointsOf, seen, wholePhoto } from '../src/pose/blazepose.js';
import { anglesAt, motionOf, turned } from '../src/pose/interpolation.js';
import { retarget } from '../src/pose/retarget.js';
import { carriedBy, index, moved, withJoints } from '../src/pose/skeleton.js';
import { standing } from '../src/ui/guide.js';
import { inside, nearestJoint } from '../src/ui/hit.js';

const person = standing({ width: 400, height: 400 });
const close = (a, b, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test('a pointer means the nearest joint within reach', () => {
  const [x, y] = person[index('left_wrist')];
  assert.equal(nearestJoint(person, x + 3, y - 4, 6), index('left_wrist'));
  assert.equal(nearestJoint(person, x + 30, y, 6), -1);
  assert.equal(nearestJoint([[NaN, NaN], [0, 0]], 1, 1, 5), 1);
  assert.deepEqual(inside(-5, 500, 400, 300), [0, 299]);
  const pose = withJoints(person, 23), heel = index('left_heel'), ankle = index('left_ankle');
  const [ax, ay] = person[ankle];
  pose[heel] = [ax, ay + 2, 1];
  assert.equal(nearestJoint(pose, ax, ay + 2, 20), ankle);
  pose[heel] = [ax, ay + 9, 1];
  assert.equal(nearestJoint(pose, ax, ay + 8, 20), heel);
});

test('a joint takes along what hangs from it', () => {
  const elbow = index('right_elbow'), wrist = index('right_wrist');
  const alone = moved(person, elbow, 5, 6, false), together = moved(person, elbow, 5, 6, true);
  assert.deepEqual(alone[wrist], person[wrist]);
  assert.deepEqual(together[wrist], [person[wrist][0] + 5, person[wrist][1] + 6, 1]);
  assert.deepEqual(together[index('head')], person[index('head')]);
});

test('hands, feet and face turn with the limb that they end', () => {
  const pose = withJoints(person, 23), set = (name, x, y) => { pose[index(name)] = [x, y, 1]; };
  for (const [name, ...place] of [['left_elbow', 200, 100], ['left_wrist', 200, 140], ['left_hand', 203, 150]]) set(name, ...place);
  assert.deepEqual(carriedBy(index('left_shoulder')), ['left_elbow', 'left_wrist', 'left_hand'].map(index));
  // From below the elbow to its right: a quarter, anticlockwise as it is seen.
  const [x, y] = moved(pose, index('left_wrist'), 40, -40, true)[index('left_hand')];
  close(x, 250);
  close(y, 97);
  assert.deepEqual(moved(pose, index('left_elbow'), 5, 6, true)[index('left_hand')], [208, 156, 1]);
  assert.deepEqual(moved(pose, index('left_wrist'), 40, -40, false)[index('left_hand')], [203, 150, 1]);
  const hand = moved(pose, index('left_hand'), 1, 2, true);
  assert.deepEqual([hand[index('left_hand')], hand[index('left_wrist')]], [[204, 152, 1], [200, 140, 1]]);
  // What is absent stays so.
  assert.equal(moved(pose, index('left_ankle'), 4, 4, true)[index('left_toe')][2], 0);
});

test('a joint that is moved counts as seen', () => {
  const hidden = person.map(([x, y], joint) => [x, y, joint === 4 ? 0 : 1]);
  assert.equal(moved(hidden, 4, 1, 1, false)[4][2], 1);
  assert.equal(moved(hidden, 3, 1, 1, true)[4][2], 0);
});

test('limbs keep their lengths while they turn', () => {
  const length = (pose) => Math.hypot(pose[6][0] - pose[5][0], pose[6][1] - pose[5][1]);
  const poses = motionOf(person, [[0, {}], [1, { left_shoulder: 90 }], [2, {}]], 10);
  assert.equal(poses.length, 21);
  poses.forEach((pose) => close(length(pose), length(person), 1e-9));
  assert.deepEqual(poses[0], person);
  const [sx, sy] = person[5], [ex, ey] = person[6];
  close(poses[10][6][0], sx - (ey - sy));
  close(poses[10][6][1], sy + (ex - sx));
});

test('between keys angles run smoothly from one to the next', () => {
  const keys = [[0, { neck: 10 }], [2, { neck: 30, left_hip: 8 }]];
  assert.deepEqual(anglesAt(keys, 1), { neck: 20, left_hip: 4 });
  assert.deepEqual(anglesAt(keys, 9), { neck: 30, left_hip: 8 });
  assert.deepEqual(turned(person, {}), person);
});

test('a motion is fitted to another size', () => {
  const twice = person.map(([x, y, v]) => [2 * x + 30, 2 * y - 10, v]);
  const [fitted] = retarget([twice], person);
  fitted.forEach((joint, i) => joint.forEach((value, axis) => close(value, person[i][axis], 1e-6)));
  assert.equal(retarget([twice], person.map(([x, y]) => [x, y, 0])), null);
});

test('BlazePose sees a photo letterboxed, and its numbers come back to it', () => {
  const photo = { width: 8, height: 4, data: new Uint8ClampedArray(4 * 32).fill(255) };
  const picture = seen(photo, wholePhoto(photo), 8, -1);
  assert.equal(picture[0], -1);
  assert.equal(picture[3 * (4 * 8 + 4)], 1);
  const numbers = new Float32Array(195).fill(5);
  for (let mark = 0; mark < 39; mark++) numbers.set([128, 128], 5 * mark);
  const pose = jointsOf(numbers, { x: 50, y: 60, side: 100, angle: 1 });
  pose.forEach(([x, y, visible]) => { close(x, 50); close(y, 60); assert.ok(visible > 0.9); });
});

test('the detector’s surest box gives the region; nobody gives none', () => {
  assert.equal(anchors().length, 2254);
  const scores = new Float32Array(2254).fill(-9), boxes = new Float32Array(2254 * 12);
  const photo = { width: 224, height: 224 };
  assert.equal(detected(scores, boxes, photo), null);
  scores[0] = 9;
  boxes.set([0, 0, 0, -56], 4);
  const region = detected(scores, boxes, photo);
  close(region.side, 2 * 1.25 * 56, 1e-6);
  close(region.angle, 0, 1e-6);
});
