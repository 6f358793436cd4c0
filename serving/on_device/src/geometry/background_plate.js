// A picture of the scene without the person, laid over the photo of the person: what
// `tf_unseen_pose/imaging/background_plate.py` does, with a registration of its own.
// Pictures are {data: RGBA bytes, width, height}.

import { median } from './crop.js';
import { composed, mapped, resizing } from './homography.js';
import { besidePerson } from './person.js';
import { registered } from './registration.js';
import { reduced } from './resample.js';
import { cubic } from './sampling.js';

// Proportions of two pictures that differ by no more than this part are the same.
const SAME_PROPORTIONS = 0.01;
// Places are found, and light is compared, in pictures with this longer side at most.
const SMALL_SIDE = 640;
// From how far beside the person pixels are compared, in those pictures.
const MARGIN = 5;
// Levels that are neither clipped nor mostly noise; how many pixels must have them, and how many are looked at.
const DARKEST = 12, BRIGHTEST = 243, LEAST_PIXELS = 200, MOST_PIXELS = 20_000;
// A plate that is darker or brighter than this was not taken of the same scene at the same time.
const MOST_GAIN = 4;

/** What is said where a plate cannot be placed: Python's sentence. */
export const OTHER_SCENE = 'The background has too little in common with the photo to be aligned; take it from the same '
  + 'place, or leave it out.';

/**
 * The plate in the photo's place and light: RGBA bytes of the photo's size, in which what the plate does not show is
 * transparent; null where it shows too little of what the photo shows. `pose` is the person's in the photo.
 */
export function placed(plate, photo, pose) {
  const side = Math.min(SMALL_SIDE, ...[plate, photo].map(longest));
  const [behind, seen] = [plate, photo].map((picture) => reduced(picture, longest(picture) / side));
  const toSmall = enlarging(photo, seen);
  const free = besidePerson(pose.map(([x, y, known]) => [...mapped(toSmall, x, y), known]), seen, MARGIN);
  const everywhere = new Float32Array(behind.width * behind.height).fill(1);
  const place = registered({ ...seen, grey: grey(seen), free }, { ...behind, grey: grey(behind), free: everywhere }, roughPlaces(seen, behind));
  if (!place) return null;
  return warped(plate, composed(enlarging(behind, plate), composed(place, toSmall)), photo, gains(seen, behind, place, free));
}

const longest = ({ width, height }) => Math.max(width, height);

/** From pixels of a picture to those of the same one in another size. */
const enlarging = (from, to) => resizing(to.width / from.width, to.height / from.height);

const grey = ({ data }) => Float32Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3);

/** Places that may be about right: of pictures of one view; or, of other proportions, with a common middle, by all that fits. */
function roughPlaces(seen, behind) {
  const across = behind.width / seen.width, down = behind.height / seen.height;
  if (Math.abs(across / down - 1) <= SAME_PROPORTIONS) return [resizing(across, down)];
  return [1, across, down].map((scale) => {
    const shift = (size) => (behind[size] - 1 - scale * (seen[size] - 1)) / 2;
    return [scale, 0, shift('width'), 0, scale, shift('height'), 0, 0, 1];
  });
}

/** By how much the photo is the brighter beside the person, channel by channel. */
function gains(seen, behind, place, free) {
  const ratios = [[], [], []], step = Math.ceil(free.length / MOST_PIXELS);
  for (let i = 0; i < free.length; i += step) {
    const column = i % seen.width, [x, y] = mapped(place, column, (i - column) / seen.width).map(Math.round);
    if (!free[i] || !(x >= 0 && y >= 0 && x < behind.width && y < behind.height)) continue;
    const colours = [seen.data.subarray(4 * i, 4 * i + 3), behind.data.subarray(4 * (y * behind.width + x)).subarray(0, 3)];
    if (colours.some((levels) => levels.some((level) => level <= DARKEST || level >= BRIGHTEST))) continue;
    ratios.forEach((channel, c) => channel.push(colours[0][c] / colours[1][c]));
  }
  return ratios.map((channel) => (channel.length < LEAST_PIXELS ? 1 : Math.min(Math.max(median(channel), 1 / MOST_GAIN), MOST_GAIN)));
}

/** The plate where a photo's pixels lie in it, each channel times its gain. */
function warped(plate, place, photo, gain) {
  const step = Math.floor(Math.sqrt(Math.abs(place[0] * place[4] - place[1] * place[3])));
  if (step >= 2) {
    // Sampling alone would skip pixels.
    const small = reduced(plate, step);
    return warped(small, composed(enlarging(plate, small), place), photo, gain);
  }
  const { width, height } = photo, data = new Uint8ClampedArray(4 * width * height), level = new Float64Array(3);
  for (let to = 0; to < data.length; to += 4) {
    const column = (to / 4) % width, [x, y] = mapped(place, column, (to / 4 - column) / width);
    if (!(x >= -0.5 && y >= -0.5 && x <= plate.width - 0.5 && y <= plate.height - 0.5)) continue;
    cubic(plate, x, y, level);
    for (let c = 0; c < 3; c++) data[to + c] = gain[c] * level[c];
    data[to + 3] = 255;
  }
  return data;
}
