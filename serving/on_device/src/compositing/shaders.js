// The formulas of `tf_unseen_pose/model/compositing.py` for graphics processors. `processor.js` and the package's
// `imaging/compositing.py` are twins; tests compare them.
//
// Float maps are enlarged by hand: the hardware's own filter has 8 bits of fraction and is an extension for floats. A map
// of nine channels is a texture of three texels a cell.

import { LEAST_LOGIT, MASK_FLOOR, TEAR } from './changes.js';

/** Boxes of covered pixels. */
export const BOXES = `#version 300 es
uniform vec2 count;
// -1 where the first row is drawn on top, which is last in memory.
uniform float up;
in vec2 pixel;

void main() {
  gl_Position = vec4((2.0 * pixel / count - 1.0) * vec2(1, up), 0, 1);
}`;

const ENLARGING = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;

// Of the canvas, from the first covered pixel.
uniform vec2 corner, size;

struct Cells { ivec2 low, high; vec2 part; };

// Between which cells of a map a covered pixel lies.
Cells cellsAt(vec2 pixel, ivec2 count) {
  vec2 position = clamp((pixel + 0.5 - corner) * vec2(count) / size - 0.5, vec2(0), vec2(count - 1));
  ivec2 low = min(ivec2(position), max(count - 2, ivec2(0)));
  return Cells(low, min(low + 1, count - 1), position - vec2(low));
}

uniform float feather;
// 1 where there is no fade: left, top, right, bottom.
uniform vec4 open;

// How much of the canvas is shown at a pixel: less towards its edges.
float fadeAt(vec2 pixel) {
  vec2 from = pixel + 0.5 - corner;
  vec4 inside = vec4(from, size - from) + 1e6 * open;
  return clamp(min(min(inside.x, inside.y), min(inside.z, inside.w)) / feather, 0.0, 1.0);
}

// Texel "part" of a cell, which has so many.
vec4 enlarged(sampler2D map, Cells at, int texels, int part) {
  ivec2 x = texels * ivec2(at.low.x, at.high.x) + part;
  vec4 upper = mix(texelFetch(map, ivec2(x[0], at.low.y), 0), texelFetch(map, ivec2(x[1], at.low.y), 0), at.part.x);
  vec4 lower = mix(texelFetch(map, ivec2(x[0], at.high.y), 0), texelFetch(map, ivec2(x[1], at.high.y), 0), at.part.x);
  return mix(upper, lower, at.part.y);
}
`;

/** What depends on the photo alone: its colours with the person's mask, and the scene with the hole filled, faded. */
export const PREPARE = `${ENLARGING}
uniform sampler2D photo, matte, hole, reach, plate;
layout(location = 0) out vec4 source;
layout(location = 1) out vec4 scene;

void main() {
  vec2 pixel = floor(gl_FragCoord.xy);
  vec3 colour = texelFetch(photo, ivec2(pixel), 0).rgb;
  vec4 factors = enlarged(matte, cellsAt(pixel, textureSize(matte, 0)), 1, 0);
  source = vec4(colour, clamp(dot(factors, vec4(colour, 1)), 0.0, 1.0));
  Cells at = cellsAt(pixel, textureSize(hole, 0));
  vec4 paint = enlarged(hole, at, 1, 0), known = texelFetch(plate, ivec2(pixel), 0);
  vec3 painted = (1.0 - paint.a) * colour + (paint.rgb + paint.a) / 2.0;
  vec3 made = mix(painted, mix(colour, known.rgb, enlarged(reach, at, 1, 0).r), known.a);
  scene = vec4(mix(colour, made, fadeAt(pixel)), 1);
}`;

/**
 * The person in one pose: colour and alpha. What a pixel need not know is not looked up: that is most of the time where
 * graphics are emulated.
 */
export const PERSON = `${ENLARGING}
uniform sampler2D source, scene, decisions;
uniform float scale, steepness;
// Covered pixels, and cells of the decisions, along x and y.
uniform vec2 count, cells;
out vec4 result;

float oddsOf(float mask) {
  return log((mask + ${MASK_FLOOR}) / (1.0 - mask + ${MASK_FLOOR}));
}

// Which of the places of two cells and their next ones agree with a place.
vec4 agreement(vec4 x, vec4 y, vec2 place) {
  vec4 across = x - place.x, down = y - place.y;
  return step(across * across + down * down, vec4(${(TEAR * TEAR).toFixed(1)}));
}

// A displacement enlarged bilinearly, from the cells that agree with the one that most of the weight agrees with.
vec2 displaced(Cells at) {
  ivec4 columns = ivec4(at.low.x, at.high.x, at.low.x, at.high.x), rows = ivec4(at.low.yy, at.high.yy);
  vec4 weights = mix(vec4(1, 0, 1, 0), vec4(0, 1, 0, 1), at.part.x) * mix(vec4(1, 1, 0, 0), vec4(0, 0, 1, 1), at.part.y);
  vec4 x, y, counted;
  for (int i = 0; i < 4; i++) {
    vec2 place = texelFetch(decisions, ivec2(3 * columns[i], rows[i]), 0).xy;
    x[i] = place.x;
    y[i] = place.y;
  }
  float support = 0.0;
  for (int i = 0; i < 4; i++) {
    vec4 agreeing = weights * agreement(x, y, vec2(x[i], y[i]));
    float sum = dot(agreeing, vec4(1));
    if (sum > support) {
      support = sum;
      counted = agreeing;
    }
  }
  return vec2(dot(counted, x), dot(counted, y)) / support;
}

// As in sampling.js.
vec4 cubicWeights(float part) {
  vec2 close = vec2(part, 1.0 - part), away = 1.0 + close;
  vec2 near = (1.25 * close - 2.25) * close * close + 1.0, far = ((-0.75 * away + 3.75) * away - 6.0) * away + 3.0;
  return vec4(far.x, near, far.y);
}

// Colour and mask of the source at a place, bicubically; a place beyond the border counts as on it.
vec4 sampled(vec2 place) {
  place = clamp(place, vec2(0), count - 1.0);
  ivec2 first = ivec2(place) - 1, last = ivec2(count) - 1;
  vec4 across = cubicWeights(fract(place.x)), down = cubicWeights(fract(place.y)), sum = vec4(0);
  for (int j = 0; j < 4; j++) {
    for (int i = 0; i < 4; i++) {
      sum += across[i] * down[j] * texelFetch(source, clamp(first + ivec2(i, j), ivec2(0), last), 0);
    }
  }
  return clamp(sum, 0.0, 1.0);
}

void main() {
  vec2 pixel = floor(gl_FragCoord.xy);
  Cells at = cellsAt(pixel, ivec2(cells));
  // Alpha's logit, coverage.
  vec4 person = enlarged(decisions, at, 3, 2);
  if (steepness * (person.x + oddsOf(person.y)) > ${LEAST_LOGIT.toFixed(1)}) {
    // The third is the gain.
    vec4 copying = enlarged(decisions, at, 3, 0), offset = enlarged(decisions, at, 3, 1);
    vec4 copied = sampled(pixel + scale * displaced(at));
    vec3 colour = copying.z * copied.rgb + (offset.rgb + 1.0 - copying.z) / 2.0;
    result = vec4(colour, 1.0 / (1.0 + exp(min(-steepness * (person.x + oddsOf(copied.a * person.y)), 80.0))));
  } else result = vec4(texelFetch(scene, ivec2(pixel), 0).rgb, 0);
}`;

/** The picture: the person, with a smooth outline, before the scene. */
export const COMPOSE = `${ENLARGING}
uniform sampler2D source, scene, decisions, person;
uniform float steepness;
uniform vec2 count, cells;
out vec4 result;

void main() {
  // The first row is drawn on top.
  vec2 pixel = vec2(gl_FragCoord.x, count.y - gl_FragCoord.y) - 0.5;
  vec4 shown = texelFetch(person, ivec2(pixel), 0);
  if (steepness > 1.0) {
    shown.a = 0.0;
    // Between pixels the texture is the mean of four: the neighbours count 1, 2, 1 along both axes.
    for (int i = 0; i < 4; i++) shown.a += textureLod(person, (pixel + vec2(i & 1, i >> 1)) / count, 0.0).a / 4.0;
  }
  vec3 behind = texelFetch(scene, ivec2(pixel), 0).rgb;
  float stillness = enlarged(decisions, cellsAt(pixel, ivec2(cells)), 3, 2).z;
  vec3 made = mix(behind, shown.rgb, fadeAt(pixel) * shown.a);
  result = vec4(mix(made, texelFetch(source, ivec2(pixel), 0).rgb, stillness), 1);
}`;
