// The picture with the skeleton on it: joints are dragged by pointer or moved by arrow keys.
//
// Joints are buttons, so that they can be focused and are named; a pointer means the joint nearest to it, since on a
// phone they overlap. Those of hands, feet and face are smaller, and there are none where these are absent.

import { JOINTS, LINES, isFine, spoken } from '../pose/skeleton.js';
import { inside, nearestJoint } from './hit.js';

const REACH = 28, STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// An arrow key's step in parts of the picture's longer side.
const KEY_STEP = 1 / 200, FAR = 5;
const SVG = 'http://www.w3.org/2000/svg';

export class Stage {
  /** `moved(joint, dx, dy)` in pixels of the photo; `tapped(x, y)` where `place` asks for points. */
  constructor(root, { moved, tapped }) {
    this._root = root;
    this._canvas = root.querySelector('canvas');
    this._svg = root.querySelector('svg');
    this.context = this._canvas.getContext('2d');
    this._notify = { moved, tapped };
    this._pose = [];
    this._placing = false;
    this._lines = LINES.map((line) => this._line(line));
    this._buttons = JOINTS.map((name, joint) => this._button(name, joint));
    root.addEventListener('pointerdown', (event) => this._pressed(event));
    root.addEventListener('pointermove', (event) => this._dragged(event));
    root.addEventListener('pointerleave', () => this._mark(-1));
    for (const end of ['pointerup', 'pointercancel']) root.addEventListener(end, () => this._released());
  }

  /** Makes room for a photo. */
  setSize(width, height) {
    Object.assign(this._canvas, { width, height });
    this._svg.setAttribute('viewBox', `-0.5 -0.5 ${width} ${height}`);
    this._root.style.setProperty('--ratio', width / height);
    this._size = { width, height };
  }

  /** Shows a pose, an array of joints in pixels of the photo; joints that are null or missing are not there yet. */
  setPose(pose) {
    const shown = (joint) => pose[joint] && (pose[joint][2] > 0 || !isFine(joint));
    this._pose = JOINTS.map((_, joint) => (shown(joint) ? pose[joint] : [NaN, NaN, 0]));
    LINES.forEach(({ from, to }, i) => this._drawLine(this._lines[i], this._pose[from], this._pose[to]));
    this._buttons.forEach((button, joint) => this._drawJoint(button, JOINTS[joint], this._pose[joint]));
  }

  /** Whether skeleton and joints are shown. */
  set shown(value) { this._root.classList.toggle('bare', !value); }

  /** Whether joints stay where they are. */
  set frozen(value) { this._root.classList.toggle('frozen', value); }

  /** Whether taps place points instead of moving joints. */
  set placing(value) {
    this._placing = value;
    this._root.classList.toggle('placing', value);
  }

  _line({ from, to, colour }) {
    const line = document.createElementNS(SVG, 'line');
    line.setAttribute('stroke', colour);
    line.classList.toggle('fine', isFine(from) || isFine(to));
    this._svg.append(line);
    return line;
  }

  _button(name, joint) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = isFine(joint) ? 'joint fine' : 'joint';
    button.dataset.joint = name;
    button.addEventListener('keydown', (event) => this._key(event, joint));
    this._root.querySelector('#joints').append(button);
    return button;
  }

  _drawLine(line, from, to) {
    const there = Number.isFinite(from[0]) && Number.isFinite(to[0]);
    line.toggleAttribute('hidden', !there);
    line.classList.toggle('unseen', !(from[2] > 0 && to[2] > 0));
    if (!there) return;
    Object.entries({ x1: from[0], y1: from[1], x2: to[0], y2: to[1] }).forEach(([key, value]) => line.setAttribute(key, value));
  }

  _drawJoint(button, name, [x, y, seen]) {
    button.hidden = !Number.isFinite(x);
    if (button.hidden) return;
    button.style.left = `${(100 * (x + 0.5)) / this._size.width}%`;
    button.style.top = `${(100 * (y + 0.5)) / this._size.height}%`;
    button.classList.toggle('unseen', !(seen > 0));
    const place = `${Math.round(x)} across, ${Math.round(y)} down`;
    button.setAttribute('aria-label', `${spoken(name)}, ${place}${seen > 0 ? '' : ', not visible'}`);
  }

  _point(event) {
    const { left, top, width } = this._canvas.getBoundingClientRect(), scale = this._size.width / width;
    return [(event.clientX - left) * scale - 0.5, (event.clientY - top) * scale - 0.5, scale];
  }

  /** The joint that a pointer there means, or -1. */
  _meant(x, y, scale) {
    const untouchable = ['bare', 'frozen', 'placing'].some((name) => this._root.classList.contains(name));
    return untouchable ? -1 : nearestJoint(this._pose, x, y, REACH * scale);
  }

  _mark(joint) {
    this._root.classList.toggle('marked', joint >= 0);
    this._buttons.forEach((button, i) => button.classList.toggle('meant', i === joint));
  }

  _pressed(event) {
    if (!this._size || event.button > 0) return;
    const [x, y, scale] = this._point(event);
    if (this._placing) {
      event.preventDefault();
      this._notify.tapped(...inside(x, y, this._size.width, this._size.height));
      return;
    }
    const joint = this._meant(x, y, scale);
    if (joint < 0) return;
    event.preventDefault();
    this._root.setPointerCapture(event.pointerId);
    this._buttons[joint].focus({ preventScroll: true, focusVisible: false });
    // Where on the joint it was taken hold of: it is not to jump under the pointer.
    this._drag = { joint, pointer: event.pointerId, dx: this._pose[joint][0] - x, dy: this._pose[joint][1] - y };
    this._buttons[joint].classList.add('held');
  }

  _dragged(event) {
    if (!this._drag && this._size) this._mark(this._meant(...this._point(event)));
    if (this._drag?.pointer !== event.pointerId) return;
    const [x, y] = this._point(event), { joint, dx, dy } = this._drag;
    this._moveTo(joint, x + dx, y + dy);
  }

  _released() {
    if (this._drag) this._buttons[this._drag.joint].classList.remove('held');
    this._drag = null;
  }

  _key(event, joint) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const length = KEY_STEP * (event.shiftKey ? FAR : 1) * Math.max(this._size.width, this._size.height);
    this._moveTo(joint, this._pose[joint][0] + step[0] * length, this._pose[joint][1] + step[1] * length);
  }

  _moveTo(joint, x, y) {
    const [nx, ny] = inside(x, y, this._size.width, this._size.height), [ox, oy] = this._pose[joint];
    if (nx !== ox || ny !== oy) this._notify.moved(joint, nx - ox, ny - oy);
  }
}
