// Homographies as nine numbers, row by row.

/** First `second`, then `first`. */
export const composed = (first, second) => Array.from({ length: 9 }, (_, i) => {
  const row = i - (i % 3), column = i % 3;
  return first[row] * second[column] + first[row + 1] * second[3 + column] + first[row + 2] * second[6 + column];
});

export function inverse([a, b, c, d, e, f, g, h, i]) {
  const adjugate = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];
  const determinant = a * adjugate[0] + b * adjugate[3] + c * adjugate[6];
  return adjugate.map((value) => value / determinant);
}

/** Where a point goes. */
export function mapped([a, b, c, d, e, f, g, h, i], x, y) {
  const depth = g * x + h * y + i;
  return [(a * x + b * y + c) / depth, (d * x + e * y + f) / depth];
}

/** How far at most the corners of a picture go. */
export function largestShift(homography, { width, height }) {
  const corners = [[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]];
  return Math.max(...corners.map(([x, y]) => {
    const [u, v] = mapped(homography, x, y);
    return Math.hypot(u - x, v - y);
  }));
}

/** From pixels of a picture to those of the same one in another size: corners stay corners, (x + 0.5) scales, x does not. */
export const resizing = (across, down = across) => [across, 0, (across - 1) / 2, 0, down, (down - 1) / 2, 0, 0, 1];

/** In pixels of a picture, what a homography says in units from its middle. */
export function aboutMiddle(homography, { width, height }, unit = 1) {
  const outer = [unit, 0, (width - 1) / 2, 0, unit, (height - 1) / 2, 0, 0, 1];
  return composed(outer, composed(homography, inverse(outer)));
}
