// Carrying decisions out on the photo's pixels in JavaScript, where there is no WebGL 2: the arithmetic of `shaders.js`.

import { cubic } from '../geometry/sampling.js';
import { LEAST_LOGIT, MASK_FLOOR, TEAR } from './changes.js';

// Of how many channels the last three are about the person: alpha's logit, coverage, stillness.
const DECISIONS = 9, PERSON = 6;

const oddsOf = (mask) => Math.log((mask + MASK_FLOOR) / (1 - mask + MASK_FLOOR));

export class Processor {
  /** Takes in all that depends on the photo alone; see `sitting.js`. */
  prepare({ photo, place, matte, hole, steepness, reach, plate }) {
    const covered = place.covered(photo);
    Object.assign(this, { _place: place, _steepness: steepness });
    this._fades = [place.fade(0), place.fade(1)];
    this._source = withMask(covered, place, matte);
    this._scene = this._filled(covered, hole, reach, plate);
  }

  _fade(column, row) { return Math.min(this._fades[0][column], this._fades[1][row]); }

  /** The covered pixels with the hole filled, by a plate or else painted, less so towards the canvas's edges: RGBA bytes. */
  _filled({ data, width, height }, hole, reach, plate) {
    const result = new Uint8ClampedArray(data);
    const lines = new Enlarging(this._place, hole), paint = new Float64Array(4);
    const reaches = new Enlarging(this._place, reach), shown = new Float64Array(1);
    for (let row = 0, at = 0; row < height; row++) {
      const line = lines.row(row), reachLine = reaches.row(row);
      for (let column = 0; column < width; column++, at += 4) {
        lines.at(line, column, paint);
        reaches.at(reachLine, column, shown);
        const fade = this._fade(column, row), known = plate ? plate[at + 3] / 255 : 0;
        for (let c = 0; c < 3; c++) {
          let change = 127.5 * (paint[c] + paint[3]) - paint[3] * data[at + c];
          if (known) change += known * (shown[0] * (plate[at + c] - data[at + c]) - change);
          result[at + c] += fade * change;
        }
      }
    }
    return result;
  }

  /** Draws boxes of the covered pixels, as decided, where they lie in the photo. */
  draw(context, decisions, boxes) {
    const lines = new Enlarging(this._place, decisions), [x, y] = this._place.start;
    const person = { colours: this._scene.slice(), alpha: new Float32Array(this._scene.length / 4) };
    person.still = person.alpha.slice();
    for (const box of boxes) this._show(lines, box, person);
    for (const box of boxes) {
      const { left, top, right, bottom } = box;
      context.putImageData(new ImageData(this._composed(person, box), right - left, bottom - top), x + left, y + top);
    }
  }

  /** Sets colours, alpha and stillness within a box of the covered pixels. */
  _show(lines, { left, top, right, bottom }, { colours, alpha, still }) {
    const found = new Float64Array(DECISIONS), copied = new Float64Array(4);
    for (let row = top; row < bottom; row++) {
      const line = lines.row(row);
      for (let column = left; column < right; column++) {
        lines.at(line, column, found, PERSON);
        const at = row * this._place.width + column;
        still[at] = found[8];
        // What a pixel need not know is not looked up.
        if (this._steepness * (found[6] + oddsOf(found[7])) <= LEAST_LOGIT) continue;
        lines.at(line, column, found, 0, PERSON);
        lines.mended(row, column, found);
        cubic(this._source, column + this._place.scale * found[0], row + this._place.scale * found[1], copied);
        alpha[at] = 1 / (1 + Math.exp(-this._steepness * (found[6] + oddsOf(copied[3] * found[7] / 255))));
        for (let c = 0; c < 3; c++) colours[4 * at + c] = found[2] * copied[c] + 127.5 * (found[3 + c] + 1 - found[2]);
      }
    }
  }

  /** A box of the covered pixels, the person before the scene: RGBA bytes. */
  _composed({ colours, alpha, still }, { left, top, right, bottom }) {
    const result = new Uint8ClampedArray(4 * (right - left) * (bottom - top)).fill(255);
    const { width, height } = this._place;
    for (let row = top, to = 0; row < bottom; row++) {
      for (let column = left; column < right; column++, to += 4) {
        const at = row * width + column;
        // A painted alpha is smooth already.
        const shown = this._steepness > 1 ? smooth(alpha, width, height, column, row) : alpha[at];
        const share = this._fade(column, row) * shown;
        for (let c = 0; c < 3; c++) {
          const scene = this._scene[4 * at + c], made = scene + share * (colours[4 * at + c] - scene);
          result[to + c] = made + still[at] * (this._source.data[4 * at + c] - made);
        }
      }
    }
    return result;
  }
}

/** A map's value averaged with its eight neighbours, which count 1, 2, 1 along both axes. */
function smooth(map, width, height, column, row) {
  const before = column ? 1 : 0, after = column < width - 1 ? 1 : 0, at = row * width + column;
  const along = (middle) => map[middle - before] + 2 * map[middle] + map[middle + after];
  return (along(row ? at - width : at) + 2 * along(at) + along(row < height - 1 ? at + width : at)) / 16;
}

/** Bilinear enlargement of a map {data, shape: [1, h, w, C]} to the covered pixels, one row at a time. */
class Enlarging {
  constructor(place, { data, shape: [, rows, columns, channels] }) {
    Object.assign(this, { _data: data, _rows: rows, _columns: columns, _channels: channels });
    this._down = place.axis(1, rows);
    this._across = place.axis(0, columns);
  }

  /** The map between its rows. */
  row(number) {
    const size = this._columns * this._channels, low = this._down.low[number], part = this._down.part[number];
    const upper = size * low, lower = size * Math.min(low + 1, this._rows - 1), data = this._data;
    const line = new Float32Array(size);
    for (let i = 0; i < size; i++) line[i] = data[upper + i] + part * (data[lower + i] - data[upper + i]);
    return line;
  }

  /** Corrects the first two channels at a row and column, a displacement, if it crosses a tear there. */
  mended(row, column, into) {
    const cell = this._down.low[row] * this._columns + this._across.low[column];
    this._torn ??= tornCells(this._rows, this._columns, (at) => this._place(at));
    if (!this._torn[cell]) return;
    const down = this._down.part[row], across = this._across.part[column];
    const weights = [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across];
    agreeingMean(corners(cell, this._rows, this._columns).map((at) => this._place(at)), weights, into);
  }

  _place(cell) { return [this._data[this._channels * cell], this._data[this._channels * cell + 1]]; }

  /** A line's channels from..to at a column. */
  at(line, column, into, from = 0, to = this._channels) {
    const channels = this._channels, low = this._across.low[column], part = this._across.part[column];
    const before = channels * low, after = channels * Math.min(low + 1, this._columns - 1);
    for (let i = from; i < to; i++) into[i] = line[before + i] + part * (line[after + i] - line[before + i]);
  }
}

/** A cell of a map and its next ones, to the right, below, and both; those of the last row or column are their own. */
function corners(cell, rows, columns) {
  const beside = cell % columns < columns - 1 ? 1 : 0, below = cell < columns * (rows - 1) ? columns : 0;
  return [cell, cell + beside, cell + below, cell + below + beside];
}

const agree = (one, other) => (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 <= TEAR * TEAR;

/** For every cell whether any of its corners' places [x, y] disagree. */
function tornCells(rows, columns, placeOf) {
  return Uint8Array.from({ length: rows * columns }, (_, cell) => {
    const places = corners(cell, rows, columns).map(placeOf);
    return places.every((one) => places.every((other) => agree(one, other))) ? 0 : 1;
  });
}

/** The weighted mean of those places that agree with the one that most of the weight agrees with. */
function agreeingMean(places, weights, into) {
  let support = 0;
  for (const one of places) {
    const counted = weights.map((weight, i) => (agree(one, places[i]) ? weight : 0));
    const sum = counted.reduce((total, weight) => total + weight);
    if (sum <= support) continue;
    support = sum;
    for (const axis of [0, 1]) into[axis] = counted.reduce((total, weight, i) => total + weight * places[i][axis], 0) / sum;
  }
}

/** The covered pixels with the person's mask as their fourth channel. */
function withMask({ data, width, height }, place, matte) {
  const lines = new Enlarging(place, matte), found = new Float64Array(4), result = new Uint8ClampedArray(data);
  for (let row = 0, at = 0; row < height; row++) {
    const line = lines.row(row);
    for (let column = 0; column < width; column++, at += 4) {
      lines.at(line, column, found);
      result[at + 3] = 255 * found[3] + found[0] * data[at] + found[1] * data[at + 1] + found[2] * data[at + 2];
    }
  }
  return { data: result, width, height };
}
