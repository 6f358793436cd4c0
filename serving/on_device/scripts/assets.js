// Gathers what the page loads at run time in public/: runtime and pose finder out of node_modules, the model and the
// example out of the project. Nothing of it is committed.

import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const project = join(here, '../..');
const models = process.env.TFLITE_FOLDER ?? join(project, 'saved_models/lite/tflite');
const litert = join(here, 'node_modules/@litertjs/core/wasm');
const blazepose = join(here, 'node_modules/@mediapipe/pose');
const demo = join(project, 'tf_unseen_pose/assets/demo_data');

/** The smallest file that loses next to nothing: float16 weights, else float32. */
async function model() {
  const files = await readdir(models).catch(() => []);
  const name = ['float16', 'fp16', 'float32', 'fp32', ''].map((kind) =>
    files.find((file) => file.endsWith('.tflite') && file.includes(kind))).find(Boolean);
  if (name) return join(models, name);
  console.error(`There is no .tflite file in ${models}; make one with \`python -m tf_unseen_pose export lite --tflite\`, `
    + 'or name the folder of one in TFLITE_FOLDER.');
  return process.exit(1);
}

const files = {
  'models/reposer.tflite': await model(),
  // The packed assets are this one file.
  'models/pose_detection.tflite': join(blazepose, 'pose_solution_packed_assets.data'),
  'models/pose_landmark.tflite': join(blazepose, 'pose_landmark_full.tflite'),
  ...Object.fromEntries(['person.jpg', 'person.json', 'motion.json', 'NOTICE'].map((name) =>
    [`demo/${name}`, join(demo, name)])),
  ...Object.fromEntries((await readdir(litert)).map((name) => [`wasm/${name}`, join(litert, name)])),
};

await rm(join(here, 'public'), { recursive: true, force: true });
let bytes = 0;
for (const [name, source] of Object.entries(files)) {
  const target = join(here, 'public', name);
  await mkdir(join(target, '..'), { recursive: true });
  await copyFile(source, target);
  bytes += (await stat(target)).size;
}
console.log(`public/: ${Object.keys(files).length} files, ${(bytes / 1e6).toFixed(1)} MB; the model is ${files['models/reposer.tflite']}`);
