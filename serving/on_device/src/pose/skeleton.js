// The 14 joints and 10 limbs of `tf_unseen_pose/known_skeletons.py` (PERSON), in its order. Left and right are the person's own.
// A pose is an array of 14 joints [x, y, visibility] in pixels, visibility 0 meaning absent; filmed motions have a fourth
// number, depth, smaller being nearer.

export const JOINTS = [
  'head', 'neck',
  'right_shoulder', 'right_elbow', 'right_wrist',
  'left_shoulder', 'left_elbow', 'left_wrist',
  'right_hip', 'right_knee', 'right_ankle',
  'left_hip', 'left_knee', 'left_ankle',
];

export const LIMBS = [
  'head',
  'right_upper_arm', 'right_forearm', 'left_upper_arm', 'left_forearm',
  'right_thigh', 'right_calf', 'left_thigh', 'left_calf',
  'torso',
];

const COLOURS = [
  '#f2d45c',
  '#ff8a65', '#ff5252', '#4fc3f7', '#2196f3',
  '#ba68c8', '#e040fb', '#81c784', '#43a047',
  '#ffffff',
];

/** What colour a limb has in the skeleton and in the masks. */
export const colourOf = (limb) => COLOURS[LIMBS.indexOf(limb)];

export const index = (name) => JOINTS.indexOf(name);

const bone = (from, to, limb) => [index(from), index(to), limb];

/** Lines of the drawn skeleton: [joint, joint, limb]. */
export const BONES = [
  bone('right_shoulder', 'left_shoulder', 'torso'),
  bone('right_hip', 'left_hip', 'torso'),
  bone('right_shoulder', 'right_hip', 'torso'),
  bone('left_shoulder', 'left_hip', 'torso'),
  bone('neck', 'head', 'head'),
  ...['right', 'left'].flatMap((side) => [
    bone(`${side}_shoulder`, `${side}_elbow`, `${side}_upper_arm`),
    bone(`${side}_elbow`, `${side}_wrist`, `${side}_forearm`),
    bone(`${side}_hip`, `${side}_knee`, `${side}_thigh`),
    bone(`${side}_knee`, `${side}_ankle`, `${side}_calf`),
  ]),
];

// What moves along with a joint: a hand with its elbow, a foot with its knee.
const CARRIED = {
  neck: ['head'],
  ...Object.fromEntries(['right', 'left'].flatMap((side) => [
    [`${side}_shoulder`, [`${side}_elbow`, `${side}_wrist`]],
    [`${side}_elbow`, [`${side}_wrist`]],
    [`${side}_hip`, [`${side}_knee`, `${side}_ankle`]],
    [`${side}_knee`, [`${side}_ankle`]],
  ])),
};

/** Indices of the joints that hang from one. */
export const carriedBy = (joint) => (CARRIED[JOINTS[joint]] ?? []).map(index);

/** "left_wrist" -> "left wrist". */
export const spoken = (name) => name.replaceAll('_', ' ');

/** The pose with a joint moved by (dx, dy), and with `carry` all that hangs from it; the joint counts as seen then. */
export function moved(pose, joint, dx, dy, carry) {
  const along = new Set([joint, ...(carry ? carriedBy(joint) : [])]);
  return pose.map(([x, y, seen], i) => (along.has(i) ? [x + dx, y + dy, i === joint ? 1 : seen] : [x, y, seen]));
}
