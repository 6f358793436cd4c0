// Bicubic samples of pictures {data: RGBA bytes, width, height}: `sample_cubic` in `tf_unseen_pose/geometry/warping.py`.

/** The first channels of a picture at a place, as many as `into` has; a place beyond the border counts as on it. */
export function cubic({ data, width, height }, x, y, into) {
  const inX = Math.min(Math.max(x, 0), width - 1), inY = Math.min(Math.max(y, 0), height - 1);
  const left = Math.floor(inX) - 1, top = Math.floor(inY) - 1, channels = into.length;
  const across = cubicWeights(inX - left - 1), down = cubicWeights(inY - top - 1);
  into.fill(0);
  for (let j = 0; j < 4; j++) {
    const line = width * Math.min(Math.max(top + j, 0), height - 1);
    for (let i = 0; i < 4; i++) {
      const weight = across[i] * down[j], at = 4 * (line + Math.min(Math.max(left + i, 0), width - 1));
      for (let c = 0; c < channels; c++) into[c] += weight * data[at + c];
    }
  }
  for (let c = 0; c < channels; c++) into[c] = Math.min(Math.max(into[c], 0), 255);
}

/** Of the four pixels about a place that lies `part` beyond the second: Keys' kernel, a = -0.75, as OpenCV has it. */
function cubicWeights(part) {
  const near = (t) => (1.25 * t - 2.25) * t * t + 1, far = (t) => ((-0.75 * t + 3.75) * t - 6) * t + 3;
  return [far(1 + part), near(part), near(1 - part), far(2 - part)];
}
