// Two videos on one clock. The side that sounds gives the clock; the silent one is held to it.

const CLOSE_S = 0.008; // a fifth of a frame: not worth correcting
const FAR_S = 0.25; // beyond this a jump is quicker than a changed speed

class Player {
  constructor(onChange) {
    this.onChange = onChange;
    this.clear();
  }

  clear() {
    for (const video of Object.values(this.videos ?? {})) {
      video.pause();
      video.removeAttribute("src");
      video.load();
    }
    this.videos = {};
    this.fps = 25;
    this.frame = 0;
    this.known = 1;
    this.speed = this.speed ?? 1;
    this.loop = this.loop ?? "off";
    this.muted = this.muted ?? false;
    this.sounding = "candidate";
    this.around = 0;
    this.wanted = false;
  }

  /** Take a case's videos. `known` is how many frames the measurements know of. */
  open(videos, fps, known) {
    this.videos = videos;
    this.fps = fps;
    this.known = known;
    this.sounding = videos.candidate ? "candidate" : "baseline";
    for (const video of Object.values(videos)) {
      video.addEventListener("loadedmetadata", () => this.show(this.frame));
      video.addEventListener("seeked", () => this.onChange());
      video.addEventListener("loadeddata", () => this.onChange());
      video.addEventListener("ended", () => video === this.leader && this.ended());
      video.addEventListener("click", () => this.toggle());
    }
    this.hush();
  }

  get leader() {
    return this.videos[this.sounding] ?? Object.values(this.videos)[0];
  }

  get playing() {
    return Boolean(this.leader && !this.leader.paused && !this.leader.ended);
  }

  /** Frames of the longest side: as measured, unless the files are quite different (their sound may be longer). */
  get frames() {
    const lengths = Object.values(this.videos).map((video) => (Number.isFinite(video.duration) ? Math.round(video.duration * this.fps) : 0));
    const longest = Math.max(1, ...lengths);
    return this.known > 1 && longest < this.known + this.fps / 2 ? this.known : longest;
  }

  hush() {
    for (const [side, video] of Object.entries(this.videos)) video.muted = this.muted || side !== this.sounding;
  }

  /** Show one frame on both sides: the middle of its time, so that rounding cannot show its neighbour. */
  show(frame) {
    this.frame = Math.min(Math.max(0, Math.round(frame)), this.frames - 1);
    for (const video of Object.values(this.videos)) {
      const last = Number.isFinite(video.duration) ? Math.max(0, video.duration - 0.5 / this.fps) : Infinity;
      if (video.readyState > 0) video.currentTime = Math.min((this.frame + 0.5) / this.fps, last);
    }
    this.onChange();
  }

  step(count) {
    this.pause();
    this.show(this.frame + count);
  }

  jump(frame) {
    this.around = frame;
    this.show(frame);
  }

  toggle() {
    if (this.wanted) this.pause();
    else this.play();
  }

  async play() {
    if (!this.leader) return;
    this.wanted = true; // a second press may come before the first is done
    if (this.frame >= this.frames - 1) this.show(0);
    for (const video of Object.values(this.videos)) video.playbackRate = this.speed;
    await Promise.all(Object.values(this.videos).map(settled)); // so that both begin at once
    if (!this.wanted) return;
    await Promise.allSettled(Object.values(this.videos).map((video) => video.play()));
    this.wanted = this.playing;
    this.onChange();
    this.follow();
  }

  pause() {
    this.wanted = false;
    if (!this.leader) return;
    const playing = this.playing;
    for (const video of Object.values(this.videos)) video.pause();
    if (playing) this.show(this.leader.currentTime * this.fps - 0.5);
    this.onChange();
  }

  ended() {
    if (this.loop === "off") {
      this.wanted = false;
      for (const video of Object.values(this.videos)) video.pause();
      this.show(this.frames - 1);
    } else {
      this.show(this.loop === "one second" ? this.from : 0);
      this.play();
    }
  }

  get from() {
    return Math.max(0, Math.round(this.around - this.fps / 2));
  }

  follow() {
    if (!this.playing) return;
    const now = this.leader.currentTime;
    if (this.loop === "one second" && now * this.fps > Math.max(this.around, this.fps / 2) + this.fps / 2) this.show(this.from);
    else {
      for (const video of Object.values(this.videos)) {
        if (video === this.leader || video.ended || video.seeking) continue;
        const late = now - video.currentTime;
        if (Math.abs(late) > FAR_S) video.currentTime = now;
        else video.playbackRate = this.speed * (Math.abs(late) < CLOSE_S ? 1 : 1 + Math.max(-0.6, Math.min(0.6, 8 * late)));
      }
      this.frame = Math.min(this.frames - 1, Math.floor(now * this.fps + 1e-6));
    }
    this.onChange();
    requestAnimationFrame(() => this.follow());
  }

  setSpeed(speed) {
    this.speed = speed;
    for (const video of Object.values(this.videos)) video.playbackRate = speed;
  }

  /** The other side sounds. */
  turn() {
    const other = this.sounding === "candidate" ? "baseline" : "candidate";
    if (!this.videos[other]) return;
    this.sounding = other;
    for (const video of Object.values(this.videos)) video.playbackRate = this.speed;
    this.hush();
    this.onChange();
  }

  mute() {
    this.muted = !this.muted;
    this.hush();
    this.onChange();
  }

  nextLoop() {
    const kinds = ["off", "clip", "one second"];
    this.loop = kinds[(kinds.indexOf(this.loop) + 1) % kinds.length];
    this.around = this.frame;
    this.onChange();
  }
}

/** Until a video shows the frame that it was sent to; one that cannot is not waited for. */
function settled(video) {
  if (!video.seeking || video.error) return undefined;
  return new Promise((resolve) => {
    for (const name of ["seeked", "error", "emptied"]) video.addEventListener(name, resolve, { once: true });
  });
}
