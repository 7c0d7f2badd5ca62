// One case at a time: its two pictures or videos, the closeups, the strip, its numbers.

const cases = JSON.parse(document.getElementById("data").textContent);
const view = JSON.parse(document.getElementById("view").textContent); // what the family shows: lanes, a closeup
const at = (id) => document.getElementById(id);
const SIDES = ["baseline", "candidate"];

class Viewer {
  constructor(section) {
    this.section = section;
    this.screens = Object.fromEntries(SIDES.map((side) => [side, section.querySelector(`figure.${side} .screen`)]));
    this.closeups = view.closeup ? Object.fromEntries(SIDES.map((side) => [side, section.querySelector(`figure.${side} .closeup`)])) : {};
    this.player = new Player(() => this.update());
    this.index = -1;
    this.urls = [];
    this.stills = view.stills ? new Stills(section, (id, type) => this.blobOf(id, type)) : null;
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
    this.section.classList.toggle("of-stills", Boolean(entry.stills));
    this.stills?.open(entry.stills);
    const videos = {};
    let shown = 0;
    for (const side of SIDES) {
      const medium = entry.media[side];
      const figure = this.screens[side].parentElement;
      const element = this.fill(side, medium);
      // A side that never returned anything has no place; one that only failed here shows its gap.
      figure.hidden = Boolean(entry.stills) || !cases.some((other) => other.media[side]);
      shown += figure.hidden ? 0 : 1;
      if (element instanceof HTMLVideoElement) videos[side] = element;
      if (view.closeup) this.closeups[side].hidden = !(element instanceof HTMLVideoElement);
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

  /** Draw the closeup of every frame that comes to the screen. */
  watch(side, video) {
    const drawn = () => {
      if (this.player.videos[side] !== video) return;
      this.drawCloseup(side);
      video.requestVideoFrameCallback(drawn);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(drawn);
  }

  blob(side, medium) {
    return this.blobOf(this.idOf(side), medium.type);
  }

  /** An address of what is in the page, for as long as the case is shown. */
  blobOf(id, type) {
    const url = URL.createObjectURL(new Blob([this.bytes(id)], { type }));
    this.urls.push(url);
    return url;
  }

  idOf(side) {
    return `media-${this.index + 1}-${side}`;
  }

  bytes(id) {
    const text = atob(at(id).textContent);
    const bytes = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
    return bytes;
  }

  openStrip(entry, videos) {
    const frames = entry.frames;
    const first = frames.candidate ?? frames.baseline;
    const fps = first?.fps ?? 25;
    this.lanes = {};
    this.moments = {};
    this.turns = {};
    let known = 1;
    for (const { name, window } of view.lanes) {
      const lane = {};
      for (const side of SIDES) {
        const series = frames[side]?.lanes[name] ?? [];
        lane[side] = byFrame(series, Math.floor(window / 2));
        if (series.length) known = Math.max(known, series.length + window - 1);
      }
      this.lanes[name] = lane;
      this.moments[name] = worstMoments(lane.candidate, lane.baseline, Math.round(fps / 2));
      this.turns[name] = 0;
      at(`worst-${name}`).disabled = !this.moments[name].length;
    }
    const heard = first?.heard ?? [];
    this.words = first?.words?.length ? first.words : heard;
    at("heard").hidden = this.words === heard || !heard.length;
    at("heard").textContent = `heard: ${heard.map(([text]) => text).join(" ")}`;
    this.sounds = Object.fromEntries(SIDES.map((side) => [side, frames[side]?.closures ?? []]));
    writeWords(at("subtitles"), this.words, (seconds) => this.player.jump(Math.floor(seconds * fps + 1e-6)));
    this.sound = first?.sound.length ? { peaks: first.sound, rate: first.sound_fps } : null;
    if (view.closeup) this.closeup = this.closeOf(first?.box);
    const moving = Object.keys(videos).length > 0;
    this.section.querySelector(".transport").hidden = !moving;
    this.section.querySelector(":scope > .keys").hidden = !moving;
    this.section.querySelector(".timeline").hidden = !moving && known === 1;
    this.player.open(videos, fps, known);
    this.drawn = 0;
    const side = videos.candidate ? "candidate" : "baseline";
    if (!this.sound && videos[side] && entry.media[side].embedded) this.listen(side);
    this.player.jump(this.moments[view.lanes[0]?.name]?.[0] ?? 0);
  }

  /** What the closeup shows: its middle and width, as shares of the picture. */
  closeOf(box) {
    const { across, down, width, otherwise } = view.closeup;
    if (!box) return { x: otherwise[0], y: otherwise[1], width: otherwise[2] };
    return { x: box[0] + box[2] * across, y: box[1] + box[3] * down, width: box[2] * width };
  }

  async listen(side) {
    const index = this.index;
    try {
      const peaks = await peaksOf(this.bytes(this.idOf(side)).buffer, 50);
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
      ...entry.numbers.map(([title, unit, baseline, candidate, change, error, worse], index) => {
        const row = document.createElement("tr");
        if (worse) row.className = "worse";
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = unit ? `${title} ` : title;
        if (unit) head.append(Object.assign(document.createElement("small"), { textContent: unit }));
        row.append(head, ...[baseline, candidate, change].map((text) => Object.assign(document.createElement("td"), { textContent: text })));
        const said = error && error === entry.numbers[index - 1]?.[5] ? "as above" : error; // an answer that cannot be read has one reason everywhere
        if (said) row.lastElementChild.append(Object.assign(document.createElement("span"), { className: "lost", textContent: said }));
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
      for (const { name } of view.lanes) drawLane(at(`lane-${name}`), this.lanes[name], frames, this.moments[name]);
      drawSpeech(at("lane-speech"), this.words, this.sounds, player.fps, frames);
      drawWave(at("lane-sound"), this.sound?.peaks ?? [], this.sound?.rate ?? 50, player.fps, frames);
    }
    markWord(at("subtitles"), this.words, (player.frame + 0.5) / player.fps);
    const scrub = at("scrub");
    scrub.max = String(frames - 1);
    scrub.value = String(player.frame);
    this.section.querySelector(".playhead").style.left = `${(100 * player.frame) / Math.max(1, frames - 1)}%`;
    const words = [`frame ${player.frame + 1} of ${frames}`, `${(player.frame / player.fps).toFixed(2)} s`, ...view.lanes.flatMap((lane) => this.values(lane))].join(" · ");
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
      if (player.videos[side]) this.drawCloseup(side);
    }
  }

  values({ name, title }) {
    const text = (side) => this.lanes[name][side]?.[this.player.frame]?.toFixed(2);
    const [candidate, baseline] = [text("candidate"), text("baseline")];
    if (candidate === undefined && baseline === undefined) return [];
    return [`${title} ${candidate ?? "–"}${baseline === undefined ? "" : ` (baseline ${baseline})`}`];
  }

  drawCloseup(side) {
    const video = this.player.videos[side];
    if (!view.closeup || video.readyState < 2) return;
    const canvas = this.closeups[side];
    const width = this.closeup.width * video.videoWidth;
    const height = (width * canvas.height) / canvas.width;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(video, this.closeup.x * video.videoWidth - width / 2, this.closeup.y * video.videoHeight - height / 2, width, height, 0, 0, canvas.width, canvas.height);
  }

  /** Move or zoom both closeups: by shares of what is shown. */
  moveCloseup(right, down, zoom) {
    const shown = this.closeup;
    shown.width = Math.min(1, Math.max(0.04, shown.width / zoom));
    shown.x = Math.min(1, Math.max(0, shown.x + right * shown.width));
    shown.y = Math.min(1, Math.max(0, shown.y + (down * shown.width * 300) / 720));
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
  const { media, stills } = cases[index];
  const wanted = SIDES.filter((side) => media[side]?.embedded).map((side) => `media-${index + 1}-${side}`);
  for (const group of ["case", ...SIDES]) wanted.push(...Object.values(stills?.[group] ?? {}).map((still) => still.id).filter(Boolean));
  if (document.readyState !== "loading" || wanted.every((id) => at(id)?.nextElementSibling)) return;
  await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}
