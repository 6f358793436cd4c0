import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizeInHeader } from '../src/photo.js';
import { cutOut } from '../src/geometry/resample.js';

test('sizes are read from the headers of PNG and JPEG files', () => {
  const png = new Uint8Array(24);
  png.set([0x89, 0x50, 0x4e, 0x47]);
  png.set([0, 1, 0, 0, 0, 0, 2, 0], 16);
  assert.deepEqual(sizeInHeader(png), [65536, 512]);
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc2, 0, 11, 8, 1, 0, 2, 0, 3, 0, 0, 0, 0, 0]);
  assert.deepEqual(sizeInHeader(jpeg), [512, 256]);
  assert.equal(sizeInHeader(new Uint8Array([1, 2, 3])), null);
  assert.equal(sizeInHeader(new Uint8Array([0xff, 0xd8, 0xff, 0xda, 0, 0, 0, 0, 0, 0, 0, 0])), null);
});

test('a photo of one colour stays of it, at any size', () => {
  const photo = { width: 1300, height: 900, data: new Uint8ClampedArray(4 * 1300 * 900).fill(77) };
  for (const step of [0.5, 1.7, 4.2]) {
    assert.ok(cutOut(photo, { step, x: -40, y: 13 }).every((value) => value === 77));
  }
});

test('a canvas of the photo’s own scale is its pixels', () => {
  const data = Uint8ClampedArray.from({ length: 4 * 300 * 300 }, (_, i) => (i * 7) % 251);
  const canvas = cutOut({ width: 300, height: 300, data }, { step: 1, x: 10, y: 20 });
  assert.equal(canvas[4 * (5 * 256 + 6)], data[4 * (25 * 300 + 16)]);
});
