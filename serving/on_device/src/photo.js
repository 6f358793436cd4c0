// From a file that a user gave to pixels, or to one sentence that says why not.

export const MOST_BYTES = 60e6, MOST_PIXELS = 50e6, LONGEST_SIDE = 2048, LEAST_SIDE = 32;

/** A reason that is meant for the user: one sentence. */
export class Refusal extends Error {}

/** {canvas, data, width, height} of a photo, upright, its longer side at most LONGEST_SIDE. */
export async function readPhoto(file) {
  if (file.size > MOST_BYTES) throw new Refusal('The file is larger than 60 MB; choose a smaller one.');
  const size = sizeInHeader(new Uint8Array(await file.slice(0, 1 << 19).arrayBuffer()));
  // Before it is decoded: a small file may unpack to more than the memory holds.
  if (size) requireFew(...size);
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Refusal('This file is no photo that the browser can read, or it is damaged; choose a JPEG or PNG file.');
  });
  try {
    requireFew(bitmap.width, bitmap.height);
    if (Math.min(bitmap.width, bitmap.height) < LEAST_SIDE) {
      throw new Refusal('The photo is too small; choose one of 32 pixels or more.');
    }
    return pixelsOf(bitmap);
  } finally {
    bitmap.close();
  }
}

function requireFew(width, height) {
  if (width * height > MOST_PIXELS) {
    throw new Refusal(`The photo has ${Math.round((width * height) / 1e6)} million pixels; make it smaller than 50 million.`);
  }
}

function pixelsOf(bitmap) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  // Transparent pictures stand on white.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return { canvas, data: context.getImageData(0, 0, width, height).data, width, height };
}

/** [width, height] as the header of a PNG or JPEG file says; null for other files. */
export function sizeInHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 24 && view.getUint32(0) === 0x89504e47) return [view.getUint32(16), view.getUint32(20)];
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    // Start of frame, but not the tables that share its range.
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}
