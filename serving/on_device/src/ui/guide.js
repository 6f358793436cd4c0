// Placing the 14 joints one by one, where no pose was found or the found one is far off.

import { JOINTS, PERSON_JOINTS, spoken } from '../pose/skeleton.js';

const ASKED = JOINTS.slice(0, PERSON_JOINTS);
const HINTS = { head: 'the top of the head', neck: 'the neck, between the shoulders' };
const SIDED = ' (the person’s own, not yours)';

// A person from the front, in parts of the picture: x from the middle, y from the top.
const STANDING = [
  [0, 0.1], [0, 0.22], [-0.08, 0.24], [-0.11, 0.37], [-0.12, 0.5], [0.08, 0.24], [0.11, 0.37], [0.12, 0.5],
  [-0.05, 0.51], [-0.055, 0.7], [-0.06, 0.89], [0.05, 0.51], [0.055, 0.7], [0.06, 0.89],
];

export class Guide {
  /** `changed(joints)` gets what is placed so far, null where not; `done(pose, placed)` all of it, `placed` being false where it is a mere guess. */
  constructor(root, { changed, done }) {
    this._root = root;
    this._prompt = root.querySelector('#guide-prompt');
    this._notify = { changed, done };
    root.querySelector('#guide-skip').addEventListener('click', () => this._add(null));
    root.querySelector('#guide-back').addEventListener('click', () => this._back());
    root.querySelector('#guide-standing').addEventListener('click', () => this._finish(standing(this._size), false));
  }

  get active() { return !this._root.hidden; }

  start(size) {
    this._size = size;
    this._placed = [];
    this._root.hidden = false;
    this._ask();
  }

  stop() { this._root.hidden = true; }

  /** The joint that was asked for is at (x, y). */
  tap(x, y) { this._add([x, y, 1]); }

  _add(joint) {
    this._placed.push(joint);
    if (this._placed.length === ASKED.length) this._finish(completed(this._placed, this._size), true);
    else this._ask();
  }

  _back() {
    this._placed.pop();
    this._ask();
  }

  _ask() {
    const name = ASKED[this._placed.length], sided = name.includes('_') ? SIDED : '';
    this._prompt.textContent = `${this._placed.length + 1} of ${ASKED.length}: tap ${HINTS[name] ?? `the ${spoken(name)}`}${sided}.`;
    this._notify.changed(ASKED.map((_, joint) => this._placed[joint] ?? null));
  }

  _finish(pose, placed) {
    this.stop();
    this._notify.done(pose, placed);
  }
}

/** Joints that are not visible lie where a standing figure has them, with visibility 0. */
function completed(placed, size) {
  return standing(size).map(([x, y], joint) => placed[joint] ?? [x, y, 0]);
}

/** A standing figure in the middle of a picture, all joints visible. */
export const standing = ({ width, height }) =>
  STANDING.map(([x, y]) => [Math.min(Math.max(width / 2 + x * height, 0), width - 1), y * height, 1]);
