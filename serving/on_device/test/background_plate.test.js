import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placed } from '../src/geometry/background_plate.js';
import { composed, inverse, mapped } from '../src/geometry/homography.js';
import { besidePerson } from '../src/geometry/person.js';
import { standing } from '../src/ui/guide.js';

const SIZE = { width: 240, height: 180 }, POSE = standing(SIZE), PERSON = besidePerson(POSE, SIZE, 0).map((beside) => 1 - beside);

/** A scene without end: levels 0..255 at any (x, y), smooth to a pixel or so, alike nowhere. */
function scene(seed) {
  const waves = Array.from({ length: 24 }, (_, i) => {
    const angle = 2.4 * i + seed, length = 9 + ((7 * i + 3 * seed) % 60);
    return [Math.cos(angle) / length, Math.sin(angle) / length, (i * i + seed) % 7, 9 + length / 12, i % 3];
  });
  return (x, y) => waves.reduce((levels, [across, down, phase, strength, channel]) => {
    const value = strength * Math.sin(2 * Math.PI * (across * x + down * y) + phase);
    return levels.map((level, c) => level + (c === channel ? value : 0.6 * value));
  }, [120, 128, 116]);
}

/** What a camera sees of a scene where `view` takes its pixels, in a light of so much red, green and blue. */
function taken(picture, { width, height }, view = [1, 0, 0, 0, 1, 0, 0, 0, 1], light = [1, 1, 1]) {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    const levels = picture(...mapped(view, i % width, Math.floor(i / width)));
    levels.forEach((level, c) => { data[4 * i + c] = light[c] * level; });
  }
  return { data, width, height };
}

function withPerson(background) {
  const data = background.data.map((level, i) => (i % 4 < 3 && PERSON[i >> 2] ? 40 + 60 * (i % 4) : level));
  return { ...background, data };
}

/** A camera turned by so many degrees, `scale` times as near, moved by parts of the photo's width; its picture's size. */
function view(degrees, scale, x, y, { width, height }) {
  const angle = (degrees * Math.PI) / 180, size = SIZE.width / Math.max(width, height) / scale;
  const [cos, sin] = [size * Math.cos(angle), size * Math.sin(angle)];
  const toMiddle = [1, 0, (SIZE.width - 1) / 2 + x * SIZE.width, 0, 1, (SIZE.height - 1) / 2 + y * SIZE.width, 0, 0, 1];
  return composed(composed(toMiddle, [cos, -sin, 0, sin, cos, 0, 0, 0, 1]), inverse([1, 0, (width - 1) / 2, 0, 1, (height - 1) / 2, 0, 0, 1]));
}

/** Decibels between pictures where a person is. */
function likeness(one, other) {
  let sum = 0, count = 0;
  for (let i = 0; i < one.length; i++) {
    if (i % 4 === 3 || !PERSON[i >> 2]) continue;
    sum += (one[i] - other[i]) ** 2;
    count++;
  }
  return 10 * Math.log10((255 * 255 * count) / sum);
}

const background = taken(scene(1), SIZE), photo = withPerson(background);

test('a plate of the very view is taken as it is', () => {
  assert.deepEqual(placed(background, photo, POSE), background.data);
});

for (const [name, size, view_, light] of [
  ['shifted', SIZE, [0, 1, 0.08, -0.05], [1, 1, 1]],
  ['turned and nearer, in another light', SIZE, [4, 1.1, -0.03, 0.04], [0.7, 0.8, 0.75]],
  ['larger and further', { width: 360, height: 270 }, [-3, 0.91, 0.05, 0.02], [1.1, 1, 0.9]],
  ['smaller', { width: 160, height: 120 }, [2, 1, 0.02, -0.06], [1, 1, 1]],
  ['upright', { width: 180, height: 240 }, [-2, 1, 0.03, 0.01], [1, 1.1, 1]],
]) {
  test(`a plate that is ${name} comes to lie where the photo shows it`, () => {
    const plate = placed(taken(scene(1), size, view(...view_, size), light), photo, POSE);
    const shown = plate.filter((alpha, i) => i % 4 === 3 && PERSON[i >> 2]);
    assert.ok(shown.filter((alpha) => alpha === 255).length > 0.9 * shown.length);
    for (let i = 0; i < plate.length; i += 4) if (!plate[i + 3]) plate.set(background.data.subarray(i, i + 3), i);
    assert.ok(likeness(plate, background.data) > 45, `${likeness(plate, background.data)} dB`);
  });
}

test('what the plate does not show is transparent', () => {
  const plate = placed(taken(scene(1), SIZE, [1, 0, 12, 0, 1, -9, 0, 0, 1]), photo, POSE);
  for (const [x, y, alpha] of [[11, 90, 0], [13, 90, 255], [120, 170, 255], [120, 172, 0], [239, 0, 255]]) {
    assert.equal(plate[4 * (240 * y + x) + 3], alpha, `${x} ${y}`);
  }
});

test('another scene is refused', () => {
  const mirrored = taken((x, y) => scene(1)(239 - x, y), SIZE), plain = taken(() => [99, 99, 99], SIZE);
  for (const other of [taken(scene(2), SIZE), mirrored, plain]) assert.equal(placed(other, photo, POSE), null);
  assert.equal(placed(taken(scene(1), SIZE, [1, 0, 150, 0, 1, 60, 0, 0, 1]), photo, POSE), null);
});

test('before a plain wall a plate of the same framing is taken as it is, made as bright', () => {
  const wall = (x, y) => [150 + x / 40, 130, 90 + y / 30], background = taken(wall, SIZE);
  const plate = placed(taken(wall, { width: 480, height: 360 }, [0.5, 0, -0.25, 0, 0.5, -0.25, 0, 0, 1], [0.8, 0.8, 0.8]), withPerson(background), POSE);
  assert.ok(likeness(plate, background.data) > 45);
});
