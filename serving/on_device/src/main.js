// Connects the controls with the app.

import { App } from './app.js';
import { Refusal, readPhoto } from './photo.js';
import { MOTIONS } from './pose/motions.js';
import { download, filmed, pictureOf, poseFile, videoKind } from './ui/saving.js';

const $ = (id) => document.getElementById(id);
const NEEDS_POSE = ['pose-controls', 'plate-controls', 'motion-controls', 'view-controls', 'save-controls'];

const page = {
  stage: $('stage'), guide: $('guide'), speed: $('speed'),
  say(text) {
    if ($('status').textContent !== text) $('status').textContent = text;
  },
  drawsSlowly(value) { $('drawing').hidden = !value; },
  refuse(sentence) {
    $('error').textContent = sentence;
    $('error').hidden = false;
  },
  ready(value) {
    for (const id of NEEDS_POSE) $(id).disabled = !value;
    if (value) $('error').hidden = true;
  },
  chosen(mode) {
    for (const choice of [`[name=mode][value=${mode}]`, '[name=view][value=result]']) document.querySelector(choice).checked = true;
  },
  plated(value) { $('plate-remove').hidden = !value; },
  layers(figures) {
    $('layers').replaceChildren(...figures);
    $('layers').hidden = figures.length === 0;
  },
};

/** Runs an action; whatever goes wrong becomes a sentence. */
const attempt = (action) => async (event) => {
  $('error').hidden = true;
  try {
    await action(event);
  } catch (error) {
    page.refuse(error instanceof Refusal ? error.message : `That did not work: ${error.message}.`);
  }
};
const on = (id, type, action) => $(id).addEventListener(type, attempt(action));
const onChoice = (name, action) => document.querySelectorAll(`[name=${name}]`).forEach((choice) =>
  choice.addEventListener('change', attempt(() => action(choice.value))));

const app = new App(page);

const demo = (name) => fetch(new URL(`demo/${name}`, document.baseURI));

const example = () => app.take(async () => {
  const [photo, { poses }] = await Promise.all([
    demo('person.jpg').then((answer) => answer.blob()).then(readPhoto),
    demo('person.json').then((answer) => answer.json()),
  ]);
  return { photo, pose: poses[0].joints.map((joint) => joint.slice(0, 3)) };
});

async function play() {
  if ($('play').getAttribute('aria-pressed') === 'true') return app.stop();
  setPlaying(true);
  try {
    await app.play($('motion').value);
  } finally {
    setPlaying(false);
  }
}

function setPlaying(value) {
  $('play').setAttribute('aria-pressed', value);
  $('play').textContent = value ? 'Stop' : 'Play';
}

async function saveVideo() {
  const kind = videoKind();
  if (!kind) throw new Refusal('This browser cannot write videos; save pictures instead.');
  $('save-video').disabled = true;
  try {
    await app.play($('motion').value, async (player) => {
      let film;
      await player.once((part) => page.say(`Working the motion out: ${Math.round(100 * part)} %`),
        async (round) => { film = await filmed(app.canvas, kind, round); });
      if (film) download(film, `unseen-pose.${kind.includes('mp4') ? 'mp4' : 'webm'}`);
    });
  } finally {
    $('save-video').disabled = false;
  }
}

function acceptDrops() {
  for (const type of ['dragover', 'drop']) document.addEventListener(type, (event) => event.preventDefault());
  document.addEventListener('drop', attempt(async ({ dataTransfer: { files } }) => {
    if (files.length) await app.takeFile(files[0]);
  }));
}

/** Hands a chosen file on; the same one may be chosen again. */
const onFile = (id, action) => on(id, 'change', async ({ target }) => {
  const [file] = target.files;
  target.value = '';
  if (file) await action(file);
});

function connect() {
  for (const [name, text] of Object.entries(MOTIONS)) $('motion').append(new Option(text, name));
  onFile('file', (file) => app.takeFile(file));
  onFile('plate', (file) => app.takePlate(file));
  on('plate-remove', 'click', () => app.removePlate());
  on('example', 'click', example);
  on('reset', 'click', () => app.reset());
  on('replace', 'click', () => app.placeAnew());
  on('play', 'click', play);
  on('motion', 'change', () => app.stop());
  on('carry', 'change', () => { app.carry = $('carry').checked; });
  on('show-skeleton', 'change', () => { app.skeletonShown = $('show-skeleton').checked; });
  onChoice('mode', (mode) => app.setMode(mode));
  onChoice('view', (view) => app.setView(view));
  on('save-png', 'click', () => download(pictureOf(app.canvas, app.synthetic), 'unseen-pose.png'));
  on('save-pose', 'click', () => download(poseFile(app.target, app.photo), 'unseen-pose.json'));
  on('save-video', 'click', saveVideo);
  on('accelerator', 'change', () => switchTo($('accelerator').value));
  acceptDrops();
}

async function switchTo(accelerator) {
  page.say('Loading …');
  const before = app.pixels;
  try {
    await app.open(accelerator);
    if (!alike(before, app.pixels)) throw new Error('its pictures differ from the processor’s');
  } catch (error) {
    if (accelerator === 'wasm') throw error;
    $('accelerator').value = 'wasm';
    await app.open('wasm');
    throw new Refusal(`This device’s graphics cannot run the model (${error.message}); the processor does.`);
  }
}

/** Whether two pictures of one pose differ by less than is seen: graphics may compute at half the precision. */
function alike(one, other) {
  if (!one || !other || one === other) return true;
  return one.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / one.length < 2;
}

async function start() {
  if (typeof WebAssembly !== 'object' || typeof Worker !== 'function') {
    throw new Refusal('This browser has no WebAssembly, without which the page cannot work; use a current one.');
  }
  if (!navigator.gpu) document.querySelector('#accelerator [value=webgpu]').remove();
  connect();
  await app.open('wasm');
  if (app.empty) await example();
}

attempt(start)();
