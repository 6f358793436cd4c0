// Plays a motion: what is decided about a picture is kept, which is small at any size of the photo, so that from its second
// round on a motion runs at its own speed even where deciding is slower.

export class Player {
  /** `decided(pose)` says how a picture is made; `show(picture, pose)` makes and shows it. */
  constructor({ poses, fps }, { decided, show }) {
    this._poses = poses;
    this._fps = fps;
    this._do = { decided, show };
    this._kept = [];
    this.playing = false;
  }

  /** Plays round after round until `stop`. */
  async loop() {
    this.playing = true;
    while (this.playing) await this._round();
  }

  /** Decides what is not decided yet, telling the part that is done, then has `film` play a round at full speed. */
  async once(progress, film) {
    this.playing = true;
    for (let frame = 0; frame < this._poses.length && this.playing; frame++) {
      await this._picture(frame);
      progress((frame + 1) / this._poses.length);
    }
    if (this.playing) await film(() => this._round());
    this.playing = false;
  }

  stop() { this.playing = false; }

  async _round() {
    const complete = this._poses.every((_, frame) => this._kept[frame]), started = performance.now();
    for (let frame = 0; frame < this._poses.length && this.playing; frame++) {
      this._do.show(await this._picture(frame), this._poses[frame]);
      // On the first round every frame is shown, however long it takes.
      const due = complete ? started + (1000 * (frame + 1)) / this._fps : performance.now();
      await pause(Math.max(0, due - performance.now()));
    }
  }

  async _picture(frame) {
    this._kept[frame] ??= await this._do.decided(this._poses[frame]);
    return this._kept[frame];
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
