// Finds the most prominent person of a photo with the two networks of MediaPipe's BlazePose, run by LiteRT.js.

import { Tensor } from '@litertjs/core';
import { DETECTOR_SIZE, LANDMARK_SIZE, detected, jointsOf, seen, wholePhoto } from '../pose/blazepose.js';

const LEAST_PRESENCE = 0.5;

export class PoseFinder {
  constructor(detector, landmarks) {
    this._detector = detector;
    this._landmarks = landmarks;
  }

  /** The pose in pixels of {data, width, height}, or null where nobody is found. */
  async find(photo) {
    const found = await run(this._detector, seen(photo, wholePhoto(photo), DETECTOR_SIZE, -1));
    const region = detected(sized(found, 2254), sized(found, 2254 * 12), photo);
    if (!region) return null;
    const marks = await run(this._landmarks, seen(photo, region, LANDMARK_SIZE, 0));
    return sized(marks, 1)[0] < LEAST_PRESENCE ? null : jointsOf(sized(marks, 195), region);
  }
}

/** The output of that many numbers. */
const sized = (outputs, count) => outputs.find((values) => values.length === count);

async function run(model, values) {
  const [details] = model.getInputDetails(), input = new Tensor(values, details.shape);
  const outputs = await model.run([input]);
  const results = [];
  for (const output of outputs) results.push(await output.data());
  for (const tensor of [input, ...outputs]) tensor.delete();
  return results;
}
