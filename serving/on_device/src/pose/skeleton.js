// The skeletons of `tf_unseen_pose/known_skeletons.py`, in its order: all 23 joints and 14 limbs are BODY's, the first 14 and 10
// PERSON's. Left and right are the person's own. A model's file says which of the two its poses are of.
// A pose is an array of 14 or 23 joints [x, y, visibility] in pixels, visibility 0 meaning absent; filmed motions have a
// fourth number, depth, smaller being nearer.

export const JOINTS = [
  'head', 'neck',
  'right_shoulder', 'right_elbow', 'right_wrist',
  'left_shoulder', 'left_elbow', 'left_wrist',
  'right_hip', 'right_knee', 'right_ankle',
  'left_hip', 'left_knee', 'left_ankle',
  'nose', 'right_ear', 'left_ear', 'right_hand', 'left_hand',
  'right_heel', 'left_heel', 'right_toe', 'left_toe',
];

/** How many joints of PERSON lead those of BODY; what follows are hands, feet and face. */
export const PERSON_JOINTS = 14;

export const index = (name) => JOINTS.indexOf(name);

/** Whether a joint is one of hands, feet and face. */
export const isFine = (joint) => joint >= PERSON_JOINTS;

const limb = (name, joints, colour, width = 11, anchors = []) =>
  ({ name, joints: joints.map(index), colour, width, anchors: anchors.map(index) });

/** Name, joints, colour in skeleton and masks, half-width in pixels of the canvas, further joints where they are seen. */
export const LIMBS = [
  limb('head', ['head', 'neck'], '#f2d45c', 11, ['nose', 'right_ear', 'left_ear']),
  limb('right_upper_arm', ['right_shoulder', 'right_elbow'], '#ff8a65'),
  limb('right_forearm', ['right_elbow', 'right_wrist'], '#ff5252'),
  limb('left_upper_arm', ['left_shoulder', 'left_elbow'], '#4fc3f7'),
  limb('left_forearm', ['left_elbow', 'left_wrist'], '#2196f3'),
  limb('right_thigh', ['right_hip', 'right_knee'], '#ba68c8'),
  limb('right_calf', ['right_knee', 'right_ankle'], '#e040fb'),
  limb('left_thigh', ['left_hip', 'left_knee'], '#81c784'),
  limb('left_calf', ['left_knee', 'left_ankle'], '#43a047'),
  limb('torso', ['right_shoulder', 'left_shoulder', 'right_hip', 'left_hip'], '#ffffff', 13),
  limb('right_hand', ['right_wrist', 'right_hand'], '#ffb199', 8),
  limb('left_hand', ['left_wrist', 'left_hand'], '#90d5ff', 8),
  limb('right_foot', ['right_heel', 'right_toe'], '#f3a6ff', 8, ['right_ankle']),
  limb('left_foot', ['left_heel', 'left_toe'], '#a5e0a8', 8, ['left_ankle']),
];

const named = (name) => LIMBS.find((limb) => limb.name === name);
const line = (from, to, name) => ({ from: index(from), to: index(to), colour: named(name).colour });

/** Lines of the drawn skeleton. */
export const LINES = [
  line('right_hip', 'left_hip', 'torso'),
  line('right_shoulder', 'right_hip', 'torso'),
  line('left_shoulder', 'left_hip', 'torso'),
  ...LIMBS.map(({ joints: [from, to], colour }) => ({ from, to, colour })),
  ...['right', 'left'].flatMap((side) => [
    line('nose', `${side}_ear`, 'head'),
    line(`${side}_ankle`, `${side}_heel`, `${side}_foot`),
  ]),
];

// What hangs on a joint, and on what hangs there: a hand on its elbow's wrist.
const HANGING = {
  neck: ['head'], head: ['nose', 'right_ear', 'left_ear'],
  ...Object.fromEntries(['right', 'left'].flatMap((side) => [
    ['shoulder', 'elbow'], ['elbow', 'wrist'], ['wrist', 'hand'], ['hip', 'knee'], ['knee', 'ankle'], ['ankle', 'heel', 'toe'],
  ].map(([joint, ...others]) => [`${side}_${joint}`, others.map((other) => `${side}_${other}`)]))),
};

/** Indices of the joints that hang from one. */
export const carriedBy = (joint) =>
  (HANGING[JOINTS[joint]] ?? []).map(index).flatMap((other) => [other, ...carriedBy(other)]);

const holderOf = (joint) => JOINTS.findIndex((name) => HANGING[name]?.includes(JOINTS[joint]));

/** "left_wrist" -> "left wrist". */
export const spoken = (name) => name.replaceAll('_', ' ');

/** How many joints the poses of a model's skeleton {name, joints} have. Throws where it is neither PERSON nor BODY. */
export function jointCountOf({ name, joints }) {
  if ([PERSON_JOINTS, JOINTS.length].includes(joints.length) && joints.every((joint, i) => joint === JOINTS[i])) return joints.length;
  throw new Error(`the model file is of the skeleton '${name}', the page knows 'person' and 'body'`);
}

/** A pose as one of so many joints: those that it lacks are absent. */
export const withJoints = (pose, count) => Array.from({ length: count }, (_, i) => pose[i] ?? pose[0].map(() => 0));

/** A pose in a photo: joints that lie outside of it are absent; the twin of `pose.cut_off.inside_photo`. */
export const insidePhoto = (pose, { width, height }) => pose.map(([x, y, seen, ...depth]) => {
  const beyond = Math.max(-x, x - width + 1, -y, y - height + 1);
  return [x, y, beyond > 0.5 ? 0 : seen, ...depth];
});

/**
 * The pose with a joint moved by (dx, dy), and with `carry` all that hangs from it; the joint counts as seen then. Hands,
 * feet and face turn as the limb does that ends in the joint.
 */
export function moved(pose, joint, dx, dy, carry) {
  const along = new Set(carry ? carriedBy(joint) : []), [cx, cy] = pose[joint];
  const turn = [...along].every(isFine) ? turnAbout(pose[holderOf(joint)], pose[joint], dx, dy) : 0;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return pose.map(([x, y, seen], i) => {
    if (i === joint) return [x + dx, y + dy, 1];
    if (!along.has(i)) return [x, y, seen];
    return [cx + dx + cos * (x - cx) - sin * (y - cy), cy + dy + sin * (x - cx) + cos * (y - cy), seen];
  });
}

/** By how much the line from a joint to another turns when that moves, in radians. */
function turnAbout(holder, [x, y], dx, dy) {
  if (!(holder?.[2] > 0)) return 0;
  return Math.atan2(y + dy - holder[1], x + dx - holder[0]) - Math.atan2(y - holder[1], x - holder[0]);
}
