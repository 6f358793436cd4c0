// Sums over squares, in time that does not grow with the square.

/** For every pixel the sum of the values within `radius` rows and columns of it; beyond the border there is nothing. */
export function boxSum(values, width, height, radius) {
  const along = new Float32Array(values.length), result = new Float32Array(values.length);
  for (let row = 0; row < height; row++) slide(values, along, row * width, 1, width, radius);
  for (let column = 0; column < width; column++) slide(along, result, column, width, height, radius);
  return result;
}

/** Running sums of `count` values from `first` on, `stride` apart. */
function slide(from, to, first, stride, count, radius) {
  let sum = 0;
  for (let i = -radius; i < count; i++) {
    if (i + radius < count) sum += from[first + stride * (i + radius)];
    if (i > radius) sum -= from[first + stride * (i - radius - 1)];
    if (i >= 0) to[first + stride * i] = sum;
  }
}
