// Carrying a model's decisions out on a photo's own pixels: with WebGL 2, or, where there is none, in JavaScript.

import { NOBODY, changedBoxes } from './changes.js';
import { Graphics } from './graphics.js';
import { Processor } from './processor.js';

export class Compositor {
  /**
   * Draws photos that are ready for it, see `sitting.js`. Calls `changed()` where what it draws with has changed, and what it
   * drew last is to be drawn again.
   */
  constructor(changed) {
    this._canvas = document.createElement('canvas');
    this._canvas.addEventListener('webglcontextlost', (event) => {
      // So it may be restored.
      event.preventDefault();
      this._use(new Processor());
      changed();
    });
    this._canvas.addEventListener('webglcontextrestored', () => {
      this._use(this._best());
      changed();
    });
    this._use(this._best());
  }

  /** Whether pictures are drawn in JavaScript, which takes longer. */
  get slow() { return this._engine instanceof Processor; }

  /** The photo with its person in the pose that decisions are about. */
  draw(context, sitting, decisions) {
    context.drawImage(sitting.photo.canvas, 0, 0);
    const boxes = changedBoxes(sitting, decisions);
    if (!boxes.length) return;
    // The event comes later.
    if (this._engine.lost) this._use(new Processor());
    if (this._sitting !== sitting) this._engine.prepare(sitting);
    this._sitting = sitting;
    this._engine.draw(context, decisions, boxes);
  }

  /** The photo without its person. */
  drawScene(context, sitting) { this.draw(context, sitting, NOBODY); }

  _use(engine) {
    this._engine = engine;
    this._sitting = null;
  }

  _best() {
    try {
      return new Graphics(this._canvas);
    } catch (error) {
      console.warn(`Pictures are drawn without graphics: ${error.message}.`);
      return new Processor();
    }
  }
}
