// The page's one state, and what changes it: photo, the two poses, what is shown.

import { Compositor } from './compositing/compositor.js';
import { Engine } from './engine/engine.js';
import { OTHER_SCENE } from './geometry/background_plate.js';
import { hasExtent } from './geometry/crop.js';
import { Refusal, readPhoto } from './photo.js';
import { Player } from './player.js';
import { motionFor } from './pose/motions.js';
import { insidePhoto, moved, withJoints } from './pose/skeleton.js';
import { Session } from './session.js';
import { Guide } from './ui/guide.js';
import { Speed } from './ui/speed.js';
import { Stage } from './ui/stage.js';
import { drawMasks, layerFigures, understood } from './ui/layers.js';

const PLACING = 'Place the joints on the person.';

export class App {
  constructor(page) {
    this._page = page;
    this._stage = new Stage(page.stage, {
      moved: (joint, dx, dy) => this._move(joint, dx, dy),
      tapped: (x, y) => this._guide.tap(x, y),
    });
    this._guide = new Guide(page.guide, {
      changed: (joints) => this._stage.setPose(joints),
      done: (pose, placed) => this._placed(pose, placed),
    });
    this._speed = new Speed(page.speed);
    this._compositor = new Compositor(() => this._redraw());
    this._page.drawsSlowly(this._compositor.slow);
    this._opened = new Promise((resolve) => { this._tellOpened = resolve; });
    this._taking = 0;
    this.mode = 'move';
    this.view = 'result';
    this.carry = true;
  }

  /** Whether no photo was asked for yet. */
  get empty() { return !this._asked; }
  get photo() { return this._session?.photo; }
  get target() { return this._target; }
  /** The result, RGBA bytes, whatever is shown. */
  get pixels() {
    if (!this._picture) return null;
    const { sitting, decisions } = this._picture, { width, height } = sitting.photo;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    this._compositor.draw(context, sitting, decisions);
    return context.getImageData(0, 0, width, height).data;
  }

  get canvas() { return this._page.stage.querySelector('canvas'); }

  /** Loads the runtime for an accelerator; a photo that is there is encoded anew. */
  async open(accelerator) {
    const photo = this.photo, engine = new Engine();
    const about = await engine.open(accelerator).catch((error) => {
      engine.close();
      throw error;
    });
    this.stop();
    this._engine?.close();
    this._engine = engine;
    this._tellOpened();
    this._jointCount = about.jointCount;
    this._speed.on(about);
    if (this._guide.active) this._sayNext();
    else if (photo && this._source) await this._begin(photo, this._source, this._target);
  }

  /** Takes the photo that `read` brings: {photo, pose}, the pose where it is known. Of several only the last asked for. */
  take(read) {
    const asked = this._asked = Symbol('photo');
    return this._busyWhile(async () => {
      const { photo, pose } = await read();
      if (asked === this._asked) await this._taken(photo, pose);
    });
  }

  takeFile(file) { return this.take(async () => ({ photo: await readPhoto(file) })); }

  /** Takes a photo of the scene without the person, for the photo that is there; of several only the last asked for. */
  takePlate(file) {
    const asked = this._askedPlate = Symbol('plate');
    return this._busyWhile(async () => {
      const { photo } = this, picture = await readPhoto(file);
      if (asked !== this._askedPlate) return;
      this._page.say('Laying the scene over the photo …');
      const plate = await this._engine.placePlate(picture, photo, this._source).finally(() => {
        if (asked === this._askedPlate) this._sayNext();
      });
      if (asked !== this._askedPlate) return;
      if (!plate) throw new Refusal(OTHER_SCENE);
      await this._setPlate(plate);
    });
  }

  removePlate() {
    this._askedPlate = null;
    return this._setPlate(null);
  }

  /** Has the user place the joints. */
  placeAnew() {
    this.stop();
    this._page.ready(false);
    // A picture that is still being made is not wanted any more.
    this._session = this._newSession(this.photo);
    this._stage.context.drawImage(this.photo.canvas, 0, 0);
    this._stage.placing = true;
    this._showBusy();
    this._page.say(PLACING);
    this._guide.start(this.photo);
  }

  /** Back to the photo's own pose. */
  reset() {
    this.stop();
    this._session.setSource(this._source);
    this._setTarget(this._source);
  }

  setMode(mode) {
    this.stop();
    this.mode = mode;
    // Where joints are corrected the photo is seen; where the person is moved, the result.
    if (mode === 'correct') this._target = this._source;
    this._setTarget(this._target);
  }

  setView(view) {
    this.stop();
    this.view = view;
    this._draw();
  }

  set skeletonShown(value) { this._stage.shown = value; }

  /** Plays a motion until it is stopped; with `film`, called around one round, once. */
  async play(name, film) {
    this.stop();
    const motion = await motionFor(name, this._source);
    if (!motion) throw new Refusal('Too little of the person is seen for this motion; choose another one.');
    await this._session.prepare(motion.poses);
    this._choose('move');
    const player = this._player = new Player(motion, {
      decided: (pose) => this._session.decided(pose),
      show: (picture, pose) => {
        this._stage.setPose(pose);
        this._show(picture);
      },
    });
    await (film ? film(player) : player.loop());
    if (this._player === player) this.stop();
  }

  stop() {
    if (!this._player) return;
    this._player.stop();
    this._player = null;
    this._setTarget(this._target);
  }

  async _taken(photo, pose) {
    this.stop();
    this._guide.stop();
    this._page.ready(false);
    this._page.layers([]);
    this._askedPlate = this._plate = null;
    this._page.plated(false);
    this._session = this._newSession(photo);
    this._stage.setSize(photo.width, photo.height);
    this._stage.context.drawImage(photo.canvas, 0, 0);
    this._stage.setPose([]);
    this._stage.placing = false;
    this._choose('move');
    this._source = this._target = this._picture = null;
    // Who is quick chooses a photo before the runtime is there.
    await this._opened;
    pose ??= await this._found(photo);
    if (this.photo !== photo) return;
    if (pose) await this._beginWith(photo, pose);
    else this.placeAnew();
  }

  /** Begins with a pose of either skeleton. */
  _beginWith(photo, pose) {
    const own = insidePhoto(withJoints(pose, this._jointCount), photo);
    return this._begin(photo, own, own);
  }

  _newSession(photo) {
    // What an earlier photo's session still brings is not wanted any more.
    const ifCurrent = (action) => (value) => { if (session === this._session) action(value); };
    const session = new Session(this._engine, photo, this._plate, {
      picture: ifCurrent((picture) => this._show(picture)),
      failed: ifCurrent((error) => this._page.refuse(`The picture could not be made: ${error.message}.`)),
      busy: ifCurrent(() => this._showBusy()),
    });
    return session;
  }

  /** Has the person shown before another background. */
  _setPlate(plate) {
    this.stop();
    this._plate = plate;
    this._page.plated(plate !== null);
    this._session.setPlate(plate);
    // While joints are placed there is nobody to show.
    return this._guide.active ? null : this._setTarget(this._target);
  }

  async _busyWhile(action) {
    this._taking++;
    this._showBusy();
    try {
      await action();
    } finally {
      this._taking--;
      this._showBusy();
    }
  }

  _showBusy() { this._page.stage.setAttribute('aria-busy', this._taking > 0 || this._session?.working === true); }

  async _found(photo) {
    this._page.say('Looking for the person …');
    const pose = await this._engine.findPose(photo).catch(() => null);
    if (pose && hasExtent(pose)) return pose;
    this._page.say('No person was found; please place the joints yourself.');
    return null;
  }

  _placed(pose, placed) {
    this._stage.placing = false;
    if (hasExtent(pose)) {
      this._choose(placed ? 'move' : 'correct');
      this._beginWith(this.photo, pose);
    } else {
      this._page.refuse('Fewer than two joints are visible; place more of them.');
      this.placeAnew();
    }
  }

  _begin(photo, source, target) {
    if (this._session?.photo !== photo || this._session.engine !== this._engine) this._session = this._newSession(photo);
    this._source = source;
    this._session.setSource(source);
    this._page.ready(true);
    return this._setTarget(target);
  }

  _setTarget(pose) {
    this._target = pose;
    this._stage.setPose(pose);
    return this._session.show(pose);
  }

  _move(joint, dx, dy) {
    if (this._player) this.stop();
    const pose = moved(this._target, joint, dx, dy, this.carry && this.mode === 'move');
    if (!hasExtent(pose)) return;
    if (this.mode === 'correct') {
      this._source = pose;
      this._session.setSource(pose);
    }
    this._setTarget(pose);
  }

  /** What the canvas shows. */
  get _shown() {
    return this.mode === 'correct' && this.view === 'result' ? 'photo' : this.view;
  }

  /** Whether the canvas shows what nobody photographed: the photo itself and masks over it were. */
  get synthetic() {
    return this._shown === 'result' || this._shown === 'background';
  }

  /** Changes the mode by itself: the result is looked at then, whatever was before. */
  _choose(mode) {
    this.mode = mode;
    this.view = 'result';
    this._page.chosen(mode);
  }

  _show(picture) {
    this._picture = picture;
    const started = performance.now();
    this._draw();
    this._speed.took(picture, performance.now() - started);
    this._sayNext();
  }

  /** Says what may be done next. */
  _sayNext() {
    if (this._guide.active) this._page.say(PLACING);
    else this._page.say(this.mode === 'correct' ? 'Move each joint onto the person.' : 'Drag a joint, or play a motion.');
  }

  _redraw() {
    this._page.drawsSlowly(this._compositor.slow);
    this._draw();
  }

  _draw() {
    const { context } = this._stage, encoded = this._session?.encoded, view = this._shown;
    if (!encoded || !this._picture) return;
    const { layers } = encoded;
    if (view === 'result') this._compositor.draw(context, this._picture.sitting, this._picture.decisions);
    else if (view === 'background') this._compositor.drawScene(context, encoded.sitting);
    else context.drawImage(this.photo.canvas, 0, 0);
    const masks = view === 'masks' && understood(layers);
    if (masks) drawMasks(context, layers, encoded.crop);
    this._page.layers(masks ? layerFigures(layers) : []);
    // Photo, masks and background show where the person was.
    this._stage.frozen = this.view !== 'result';
    if (!this._player) this._stage.setPose(this.view === 'result' ? this._target : this._source);
  }
}
