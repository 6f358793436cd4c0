// What the network made of the photo: which limb each pixel belongs to, and the limbs taken out.
// `layers` is [1, limbs + 1, h + 2, w + 2, 4]: colour times mask in -1..1, and the mask, with a border; last the person.

import { CANVAS } from '../geometry/crop.js';
import { LIMBS, spoken } from '../pose/skeleton.js';

const PALEST = 0.02;

/** Whether these are layers as they are known here. */
export const understood = (layers) => layers?.shape.length === 5 && layers.shape[4] === 4
  && layers.shape[1] <= LIMBS.length + 1;

const limbsOf = (layers) => LIMBS.slice(0, layers.shape[1] - 1);

/** Each limb's mask in the limb's colour, over the photo. */
export function drawMasks(context, layers, crop) {
  const { width, height } = inner(layers), picture = new ImageData(width, height);
  const limbs = limbsOf(layers), colours = limbs.map(({ colour }) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
  for (let pixel = 0; pixel < width * height; pixel++) {
    const masks = limbs.map((_, limb) => texel(layers, limb, pixel)[3]), sum = masks.reduce((a, b) => a + b, 0);
    for (let c = 0; c < 3 && sum > 0; c++) {
      picture.data[4 * pixel + c] = masks.reduce((total, mask, limb) => total + mask * colours[limb][c], 0) / sum;
    }
    picture.data[4 * pixel + 3] = 200 * Math.min(1, sum);
  }
  const small = canvasOf(picture), side = crop.step * CANVAS;
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, crop.x - crop.step / 2 + 0.5, crop.y - crop.step / 2 + 0.5, side, side);
}

/** One figure a limb: its layer about the person, as opaque as a mask is beside that limb's surest pixel; named. */
export function layerFigures(layers) {
  const box = personBox(layers);
  return limbsOf(layers).map(({ name }, limb) => {
    const picture = new ImageData(box.width, box.height), texels = box.pixels.map((pixel) => texel(layers, limb, pixel));
    const surest = Math.max(PALEST, ...texels.map(([, , , mask]) => mask));
    texels.forEach(([r, g, b, mask], pixel) => {
      const shown = [r, g, b].map((value) => (mask > PALEST ? (value / mask + 1) * 127.5 : 0));
      picture.data.set([...shown, (255 * mask) / surest], 4 * pixel);
    });
    const figure = document.createElement('figure'), caption = document.createElement('figcaption');
    caption.textContent = spoken(name);
    figure.append(canvasOf(picture), caption);
    return figure;
  });
}

/** The pixels of the box about the whole person's mask, row by row. */
function personBox(layers) {
  const { width, height } = inner(layers), all = Array.from({ length: width * height }, (_, pixel) => pixel);
  const person = all.filter((pixel) => texel(layers, layers.shape[1] - 1, pixel)[3] > 0.3);
  if (!person.length) return { width, height, pixels: all };
  const [columns, rows] = [person.map((pixel) => pixel % width), person.map((pixel) => Math.floor(pixel / width))];
  const [left, right] = [Math.min(...columns), Math.max(...columns)], [top, bottom] = [Math.min(...rows), Math.max(...rows)];
  const inBox = (pixel) => pixel % width >= left && pixel % width <= right && pixel >= top * width && pixel < (bottom + 1) * width;
  return { width: right - left + 1, height: bottom - top + 1, pixels: all.filter(inBox) };
}

const inner = ({ shape }) => ({ height: shape[2] - 2, width: shape[3] - 2 });

function texel({ data, shape }, limb, pixel) {
  const width = shape[3] - 2, row = Math.floor(pixel / width) + 1, column = (pixel % width) + 1;
  const at = 4 * ((limb * shape[2] + row) * shape[3] + column);
  return data.subarray(at, at + 4);
}

function canvasOf(picture) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: picture.width, height: picture.height });
  canvas.getContext('2d').putImageData(picture, 0, 0);
  return canvas;
}
