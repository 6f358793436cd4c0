// The arithmetic around MediaPipe's BlazePose: what its two networks see of a photo, and what their numbers mean.
// The figures are those of MediaPipe's graphs `pose_detection_cpu` and `pose_landmark_cpu`.

import { JOINTS } from './skeleton.js';

export const DETECTOR_SIZE = 224, LANDMARK_SIZE = 256;
const LEAST_SCORE = 0.5, LEAST_VISIBILITY = 0.1, REGION_SCALE = 1.25;
// From the neck through the ears to the top of the head; see `tf_unseen_pose/pose/joint_formats.py`.
const HEAD_BEYOND_EARS = 0.6;
const NUMBERS_A_LANDMARK = 5;

// Of which of BlazePose's landmarks our joints from the third on are the mean.
const LANDMARKS = {
  right_shoulder: [12], right_elbow: [14], right_wrist: [16], left_shoulder: [11], left_elbow: [13], left_wrist: [15],
  right_hip: [24], right_knee: [26], right_ankle: [28], left_hip: [23], left_knee: [25], left_ankle: [27],
  nose: [0], right_ear: [8], left_ear: [7], right_hand: [20, 18], left_hand: [19, 17],
  right_heel: [30], left_heel: [29], right_toe: [32], left_toe: [31],
};
const EARS = [7, 8], SHOULDERS = [11, 12];

const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/** A square region of a photo: centre, side in pixels, and how far it is turned, in radians. */
export const wholePhoto = ({ width, height }) =>
  ({ x: (width - 1) / 2, y: (height - 1) / 2, side: Math.max(width, height), angle: 0 });

/** The region, RGB floats [size, size, 3] from `low` for black to 1; black beyond the photo. */
export function seen({ data, width, height }, region, size, low) {
  const result = new Float32Array(3 * size * size).fill(low), unit = region.side / size;
  const cos = Math.cos(region.angle) * unit, sin = Math.sin(region.angle) * unit;
  // Averages of some samples a pixel, where the photo is much larger.
  const taps = Math.min(8, Math.max(1, Math.round(unit)));
  for (let j = 0, to = 0; j < size; j++) {
    for (let i = 0; i < size; i++, to += 3) {
      const sum = [0, 0, 0];
      for (let t = 0; t < taps * taps; t++) {
        const u = i + (0.5 + (t % taps)) / taps - size / 2, v = j + (0.5 + Math.floor(t / taps)) / taps - size / 2;
        addSample(sum, data, width, height, region.x + cos * u - sin * v, region.y + sin * u + cos * v);
      }
      for (let c = 0; c < 3; c++) result[to + c] = low + ((1 - low) * sum[c]) / (255 * taps * taps);
    }
  }
  return result;
}

function addSample(sum, data, width, height, x, y) {
  const left = Math.floor(x), top = Math.floor(y), across = x - left, down = y - top;
  for (const [row, column, weight] of [
    [top, left, (1 - across) * (1 - down)], [top, left + 1, across * (1 - down)],
    [top + 1, left, (1 - across) * down], [top + 1, left + 1, across * down],
  ]) {
    if (row < 0 || column < 0 || row >= height || column >= width) continue;
    const from = 4 * (row * width + column);
    for (let c = 0; c < 3; c++) sum[c] += weight * data[from + c];
  }
}

/** The detector's 2254 anchors' centres, in parts of its picture. */
export function anchors() {
  const centres = [];
  for (const [cells, count] of [[28, 2], [14, 2], [7, 6]]) {
    for (let cell = 0; cell < cells * cells; cell++) {
      const centre = [((cell % cells) + 0.5) / cells, (Math.floor(cell / cells) + 0.5) / cells];
      for (let n = 0; n < count; n++) centres.push(centre);
    }
  }
  return centres;
}

/** The surest person's region, from the detector's scores [2254] and boxes [2254 * 12]; null where nobody is seen. */
export function detected(scores, boxes, photo) {
  let best = 0;
  scores.forEach((score, i) => { if (score > scores[best]) best = i; });
  if (sigmoid(scores[best]) < LEAST_SCORE) return null;
  const [ax, ay] = anchors()[best], whole = wholePhoto(photo);
  // Keypoints 0 and 1: the middle of the hips, and a point on the circle about the whole person, above the head.
  const [[hx, hy], [tx, ty]] = [4, 6].map((k) => [boxes[12 * best + k] / DETECTOR_SIZE + ax - 0.5,
    boxes[12 * best + k + 1] / DETECTOR_SIZE + ay - 0.5]);
  const side = 2 * REGION_SCALE * whole.side * Math.hypot(tx - hx, ty - hy);
  const angle = Math.PI / 2 - Math.atan2(hy - ty, tx - hx);
  return { x: whole.x + hx * whole.side, y: whole.y + hy * whole.side, side, angle };
}

/** The 23 joints in pixels of the photo, from the landmark network's 195 numbers about a region. */
export function jointsOf(numbers, region) {
  const cos = Math.cos(region.angle) * region.side, sin = Math.sin(region.angle) * region.side;
  const landmark = (i) => {
    const at = i * NUMBERS_A_LANDMARK;
    const [u, v] = [numbers[at] / LANDMARK_SIZE - 0.5, numbers[at + 1] / LANDMARK_SIZE - 0.5];
    return [region.x + cos * u - sin * v, region.y + sin * u + cos * v, sigmoid(numbers[at + 3])];
  };
  const neck = mean(SHOULDERS.map(landmark)), ears = mean(EARS.map(landmark));
  const beyond = (axis) => ears[axis] + HEAD_BEYOND_EARS * (ears[axis] - neck[axis]);
  const head = [beyond(0), beyond(1), Math.min(ears[2], neck[2])];
  const others = JOINTS.slice(2).map((name) => mean(LANDMARKS[name].map(landmark)));
  return [head, neck, ...others].map(([x, y, visible]) => [x, y, visible < LEAST_VISIBILITY ? 0 : visible]);
}

/** The mean of some points, as visible as the least of them. */
const mean = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length)
  .concat(Math.min(...points.map((point) => point[2])));
