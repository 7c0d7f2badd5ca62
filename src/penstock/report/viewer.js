// One case at a time: its two pictures or videos, the mouths, the strip, its numbers.

const cases = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const SIDES = ["baseline", "candidate"];

class Viewer {
  constructor(section) {
    this.section = section;
    this.screens = Object.fromEntries(SIDES.map((side) => [side, section.querySelector(`figure.${side} .screen`)]));
    this.mouths = Object.fromEntries(SIDES.map((side) => [side, section.querySelector(`figure.${side} .mouth`)]));
    this.player = new Player(() => this.update());
    this.index = -1;
    this.urls = [];
  }

  /** Show a case: nothing of the others stays loaded. */
  async open(index) {
    if (index < 0 || index >= cases.length) return;
    this.index = index;
    const entry = cases[index];
    this.player.pause();
    this.player.clear();
    for (const url of this.urls.splice(0)) URL.revokeObjectURL(url);
    at("viewer-name").textContent = entry.name;
    at("viewer-place").textContent = `${index + 1} of ${cases.length}`;
    at("viewer-slices").textContent = entry.slices.join(" · ");
    at("viewer-error").hidden = !entry.error;
    at("viewer-error").textContent = entry.error ? `${entry.status}: ${entry.error}` : "";
    at("previous").disabled = index === 0;
    at("next").disabled = index === cases.length - 1;
    this.fillNumbers(entry);
    for (const link of document.querySelectorAll("a[data-case]")) {
      if (Number(link.dataset.case) === index) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    await parsed(index);
    if (this.index !== index) return;
    const videos = {};
    let shown = 0;
    for (const side of SIDES) {
      const medium = entry.media[side];
      const figure = this.screens[side].parentElement;
      const element = this.fill(side, medium);
      // A side that never returned anything has no place; one that only failed here shows its gap.
      figure.hidden = !cases.some((other) => other.media[side]);
      shown += figure.hidden ? 0 : 1;
      if (element instanceof HTMLVideoElement) videos[side] = element;
      this.mouths[side].hidden = !(element instanceof HTMLVideoElement);
    }
    this.section.classList.toggle("single", shown === 1);
    this.section.classList.toggle("none", shown === 0);
    this.openStrip(entry, videos);
  }

  fill(side, medium) {
    const screen = this.screens[side];
    screen.replaceChildren();
    if (!medium) {
      screen.append(message("nothing came back"));
      return null;
    }
    if (medium.kind === "file") {
      screen.append(message(`not a picture or a video: ${medium.file}`));
      return null;
    }
    const element = document.createElement(medium.kind === "video" ? "video" : "img");
    element.addEventListener("error", () => {
      const why = medium.embedded ? "the browser cannot show this file" : "not in this page: open the report where its bundle lies";
      screen.replaceChildren(message(`${why} (${medium.file})`));
    });
    element.src = medium.embedded ? this.blob(side, medium) : medium.source;
    if (medium.kind === "video") {
      this.watch(side, element);
      element.preload = "auto";
      element.playsInline = true;
      element.setAttribute("aria-label", `${side}'s video`);
    } else element.alt = `what the ${side} returned`;
    screen.append(element);
    return element;
  }

  /** Draw the mouth of every frame that comes to the screen. */
  watch(side, video) {
    const drawn = () => {
      if (this.player.videos[side] !== video) return;
      this.drawMouth(side);
      video.requestVideoFrameCallback(drawn);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(drawn);
  }

  blob(side, medium) {
    const url = URL.createObjectURL(new Blob([this.bytes(side)], { type: medium.type }));
    this.urls.push(url);
    return url;
  }

  bytes(side) {
    const text = atob(at(`media-${this.index + 1}-${side}`).textContent);
    const bytes = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
    return bytes;
  }

  openStrip(entry, videos) {
    const frames = entry.frames;
    const first = frames.candidate ?? frames.baseline;
    const fps = first?.fps ?? 25;
    this.sync = {};
    this.jitter = {};
    let known = 1;
    for (const side of SIDES) {
      this.sync[side] = byFrame(frames[side]?.sync, Math.floor(WINDOW_FRAMES / 2));
      this.jitter[side] = byFrame(frames[side]?.jitter, 0);
      known = Math.max(known, this.jitter[side].length, frames[side]?.sync.length ? frames[side].sync.length + WINDOW_FRAMES - 1 : 1);
    }
    const apart = Math.round(fps / 2);
    this.moments = {
      sync: worstMoments(this.sync.candidate, this.sync.baseline, apart),
      jitter: worstMoments(this.jitter.candidate, this.jitter.baseline, apart),
    };
    this.turns = { sync: 0, jitter: 0 };
    this.sound = first?.sound.length ? { peaks: first.sound, rate: first.sound_fps } : null;
    const face = (frames.candidate ?? frames.baseline)?.face;
    // The mouth is four fifths down a face's box. Without a box: where a portrait has it.
    this.mouth = face ? { x: face[0] + face[2] / 2, y: face[1] + face[3] * 0.8, width: face[2] * 0.62 } : { x: 0.5, y: 0.55, width: 0.36 };
    const moving = Object.keys(videos).length > 0;
    this.section.querySelector(".transport").hidden = !moving;
    this.section.querySelector(".keys").hidden = !moving;
    this.section.querySelector(".timeline").hidden = !moving && known === 1;
    at("worst-sync").disabled = !this.moments.sync.length;
    at("worst-jitter").disabled = !this.moments.jitter.length;
    this.player.open(videos, fps, known);
    this.drawn = 0;
    const side = videos.candidate ? "candidate" : "baseline";
    if (!this.sound && videos[side] && entry.media[side].embedded) this.listen(side);
    this.player.jump(this.moments.sync[0] ?? 0);
  }

  async listen(side) {
    const index = this.index;
    try {
      const peaks = await peaksOf(this.bytes(side).buffer, 50);
      if (this.index !== index) return;
      this.sound = { peaks, rate: 50 };
      this.drawn = 0;
      this.update();
    } catch {
      // the video has no sound that can be decoded: the lane stays away
    }
  }

  fillNumbers(entry) {
    at("numbers").replaceChildren(
      ...entry.numbers.map(([title, unit, baseline, candidate, change, error, worse]) => {
        const row = document.createElement("tr");
        if (worse) row.className = "worse";
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = unit ? `${title} ` : title;
        if (unit) head.append(Object.assign(document.createElement("small"), { textContent: unit }));
        row.append(head, ...[baseline, candidate, change].map((text) => Object.assign(document.createElement("td"), { textContent: text })));
        if (error) row.lastElementChild.append(Object.assign(document.createElement("span"), { className: "lost", textContent: error }));
        return row;
      }),
    );
  }

  /** Bring everything that shows the current frame up to date. */
  update() {
    const { player } = this;
    const frames = player.frames;
    if (this.drawn !== frames) {
      this.drawn = frames;
      drawLane(at("lane-sync"), this.sync, frames, this.moments.sync);
      drawLane(at("lane-jitter"), this.jitter, frames, this.moments.jitter);
      drawWave(at("lane-sound"), this.sound?.peaks ?? [], this.sound?.rate ?? 50, player.fps, frames);
    }
    const scrub = at("scrub");
    scrub.max = String(frames - 1);
    scrub.value = String(player.frame);
    this.section.querySelector(".playhead").style.left = `${(100 * player.frame) / Math.max(1, frames - 1)}%`;
    const words = [`frame ${player.frame + 1} of ${frames}`, `${(player.frame / player.fps).toFixed(2)} s`, ...this.values("sync", "sync distance"), ...this.values("jitter", "jitter")].join(" · ");
    at("readout").textContent = words;
    scrub.setAttribute("aria-valuetext", words);
    at("play").textContent = player.playing ? "❚❚" : "▶";
    at("play").setAttribute("aria-label", player.playing ? "pause both (space)" : "play both (space)");
    at("sound").firstChild.textContent = `sound: ${player.sounding} `;
    at("sound").disabled = Object.keys(player.videos).length < 2;
    at("loop").firstChild.textContent = `loop: ${player.loop} `;
    at("mute").setAttribute("aria-pressed", String(player.muted));
    for (const side of SIDES) {
      this.screens[side].parentElement.querySelector(".sounding").hidden = player.muted || player.sounding !== side || !player.videos[side];
      if (player.videos[side]) this.drawMouth(side);
    }
  }

  values(kind, title) {
    const text = (side) => this[kind][side]?.[this.player.frame]?.toFixed(2);
    const [candidate, baseline] = [text("candidate"), text("baseline")];
    if (candidate === undefined && baseline === undefined) return [];
    return [`${title} ${candidate ?? "–"}${baseline === undefined ? "" : ` (baseline ${baseline})`}`];
  }

  drawMouth(side) {
    const video = this.player.videos[side];
    if (video.readyState < 2) return;
    const canvas = this.mouths[side];
    const width = this.mouth.width * video.videoWidth;
    const height = (width * canvas.height) / canvas.width;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(video, this.mouth.x * video.videoWidth - width / 2, this.mouth.y * video.videoHeight - height / 2, width, height, 0, 0, canvas.width, canvas.height);
  }

  /** Move or zoom both mouths: by shares of what is shown. */
  moveMouth(right, down, zoom) {
    const mouth = this.mouth;
    mouth.width = Math.min(1, Math.max(0.04, mouth.width / zoom));
    mouth.x = Math.min(1, Math.max(0, mouth.x + right * mouth.width));
    mouth.y = Math.min(1, Math.max(0, mouth.y + (down * mouth.width * 300) / 720));
    this.update();
  }

  /** The next of the worst moments; the worst first. */
  worst(kind) {
    const moments = this.moments[kind];
    if (!moments.length) return;
    this.player.pause();
    this.player.jump(moments[this.turns[kind] % moments.length]);
    this.turns[kind] += 1;
  }

  /** Paper cannot play: what is on the screens is copied as a picture. */
  still() {
    for (const side of SIDES) {
      const video = this.player.videos[side];
      this.screens[side].querySelector(".still")?.remove();
      if (!video || video.readyState < 2) continue;
      const canvas = Object.assign(document.createElement("canvas"), { className: "still", width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d").drawImage(video, 0, 0);
      this.screens[side].append(canvas);
    }
  }
}

function message(text) {
  return Object.assign(document.createElement("p"), { className: "message", textContent: text });
}

/** The media stand at the page's end: wait until those of a case have been read. */
async function parsed(index) {
  const wanted = SIDES.filter((side) => cases[index].media[side]?.embedded).map((side) => `media-${index + 1}-${side}`);
  if (document.readyState !== "loading" || wanted.every((id) => at(id)?.nextElementSibling)) return;
  await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}
