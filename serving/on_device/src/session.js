// One photo with its person: which crop the network sees, what is encoded, and the newest pose that is wanted.
//
// A picture takes longer than a pointer's move. While one is rendered only the newest wish is kept; and a pose that
// leaves the crop has the photo encoded anew in a wider one.

import { sittingOf } from './compositing/sitting.js';
import { boxOf, hasExtent, holds, toCanvas, wholeCrop } from './geometry/crop.js';
import { Placement, onWholePixels } from './geometry/placement.js';
import { cutOut } from './geometry/resample.js';

// How far a wider crop goes beyond the pose that asked for it, in parts of the person: the next move stays inside.
const SPARE = 0.12;

export class Session {
  /**
   * Calls `picture({decisions, sitting, milliseconds})` for each result, `failed(error)` where there is none, `busy()` where
   * `working` changed. `plate` is what is behind the person, see `sitting.js`.
   */
  constructor(engine, photo, plate, { picture, failed, busy }) {
    this.photo = photo;
    this._plate = plate;
    this.engine = engine;
    this._notify = { picture, failed, busy };
    this._source = this._crop = this._wanted = this._encoded = null;
  }

  /** Whether pictures that were asked for are still being made. */
  get working() { return Boolean(this._working); }

  /** The source's pose, in pixels of the photo; all that was made with another is void. */
  setSource(pose) {
    this._source = pose;
    this._crop = null;
  }

  /** Changes what is behind the person, for pictures that come. */
  setPlate(plate) {
    this._plate = plate;
    if (this._encoded) {
      const { place, ...maps } = this._encoded.sitting;
      this._encoded.sitting = sittingOf(this.photo, place, maps, plate);
    }
  }

  /** Has the person shown in a pose, as soon as may be; a wish that came before and was not begun is dropped. */
  show(target) {
    this._wanted = target;
    this._working ??= this._work().catch(this._notify.failed).finally(() => {
      this._working = null;
      this._notify.busy();
    });
    this._notify.busy();
    return this._working;
  }

  /** Makes the crop one that holds a whole motion, as `Reposer.animate` does. */
  async prepare(poses) {
    this._wanted = null;
    await this._working;
    await this._encode(poses);
  }

  /** How one picture of a prepared motion is made: {decisions, sitting, milliseconds}; see `Compositor`. */
  async decided(target) {
    return { ...await this.engine.decide(toCanvas(this._crop, target)), sitting: this._encoded.sitting };
  }

  /** What can be shown of the encoded source: layers, if the model tells, where they lie, and what drawing takes. */
  get encoded() { return this._encoded; }

  async _work() {
    while (this._wanted) {
      const target = this._wanted;
      this._wanted = null;
      if (!hasExtent(target)) continue;
      if (!this._crop) await this._encode([target]);
      if (!holds(this._crop, target, this.photo)) await this._encode([spacious(target)]);
      this._notify.picture(await this.decided(target));
    }
  }

  async _encode(targets) {
    const crop = onWholePixels(wholeCrop(this._source, targets, this.photo));
    const { step, x, y } = this._crop ?? {};
    if (step === crop.step && x === crop.x && y === crop.y) return;
    this._crop = crop;
    const { photo } = this, place = new Placement(photo, crop), canvas = cutOut(place.covered(photo), place.crop);
    const { layers, ...maps } = await this.engine.encode(canvas, toCanvas(crop, this._source));
    this._encoded = { layers, crop, sitting: sittingOf(photo, place, maps, this._plate) };
  }
}

function spacious(pose) {
  const { low, high } = boxOf(pose), spare = SPARE * Math.max(high[0] - low[0], high[1] - low[1]);
  const pushed = (value, axis) => {
    const middle = (low[axis] + high[axis]) / 2;
    return value + Math.sign(value - middle) * spare * Math.min(1, (2 * Math.abs(value - middle)) / (high[axis] - low[axis] || 1));
  };
  return pose.map(([x, y, seen]) => [pushed(x, 0), pushed(y, 1), seen]);
}
