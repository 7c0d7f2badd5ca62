// Still pictures of a case: all of them small, and one of each side large, beside or over each other.

const ZOOM = 8;
const GROUNDS = ["checks", "black", "white", "green", "colour", "picture"];
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HIGH = 460; // pixels that a picture may be high

class Stills {
  constructor(section, blobOf) {
    this.root = section.querySelector(".stills");
    this.stage = this.root.querySelector(".stage");
    this.frames = Object.fromEntries(SIDES.map((side) => [side, this.root.querySelector(`.frame.${side}`)]));
    this.blobOf = blobOf;
    this.kinds = [...view.stills.of_answer, ...view.stills.of_case];
    this.still = this.kinds[0].name;
    this.ground = "checks";
    this.swiping = false;
    this.zoomed = false;
    this.share = 50;
    this.own = "";
    this.entry = null;
    this.seeThrough = this.kinds.some((kind) => kind.see_through); // else there is nothing to lay a background behind
    this.listen();
  }

  listen() {
    this.root.addEventListener("change", (event) => {
      if (event.target.name === "still") this.choose(event.target.value);
      if (event.target.name === "ground") this.lay(event.target.value);
    });
    if (this.seeThrough) {
      at("own-colour").addEventListener("input", () => this.lay("colour"));
      at("own-picture").addEventListener("change", (event) => this.take(event.target.files[0]));
    }
    at("swipe").addEventListener("click", () => this.swipe());
    at("zoom").addEventListener("click", () => this.zoom());
    at("swipe-at").addEventListener("input", () => this.moveLine(Number(at("swipe-at").value)));
    for (const frame of Object.values(this.frames)) this.draggable(frame);
  }

  /** Show a case's pictures; `null`: it has none. */
  open(entry) {
    this.entry = entry ?? null;
    this.root.hidden = !entry;
    if (!entry) return;
    this.urls = new Map();
    this.sides = SIDES.filter((side) => entry[side]);
    this.turn = 0;
    this.place = this.places()[0] ?? [0.5, 0.5];
    this.fillSheet();
    this.draw();
  }

  /** The worst places, the candidate's first. */
  places() {
    return ["candidate", "baseline"].map((side) => this.entry.places[side]).filter(Boolean);
  }

  addressOf(medium) {
    if (medium.source) return medium.source;
    if (!this.urls.has(medium.id)) this.urls.set(medium.id, this.blobOf(medium.id, medium.type));
    return this.urls.get(medium.id);
  }

  /** An image, or the words that stand in its place. */
  picture(medium, words) {
    if (!medium || medium.message) return message(medium?.message ?? "nothing came back");
    const image = new Image();
    image.alt = words;
    image.draggable = false;
    image.addEventListener("error", () => image.replaceWith(message(medium.source ? `not in this page: open the report where its folder lies (${medium.source})` : "the browser cannot show this picture")));
    image.src = this.addressOf(medium);
    if (!medium.boxes) return image;
    const marked = Object.assign(document.createElement("span"), { className: "marked" });
    marked.append(image, boxesOf(medium));
    return marked;
  }

  /** All that is no cut-out, small: those of the case, then both sides of each. */
  fillSheet() {
    const shown = view.stills.of_case.map((still) => ["case", still]);
    for (const still of view.stills.of_answer.filter((kind) => !kind.see_through)) shown.push(...this.sides.map((side) => [side, still]));
    const items = shown.map(([group, still]) => {
      const words = group === "case" ? still.title : `${still.title}, ${group}`;
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.dataset.still = still.name;
      button.append(Object.assign(document.createElement("span"), { textContent: words }), this.picture(this.entry[group][still.name], words));
      button.addEventListener("click", () => this.choose(still.name));
      const item = Object.assign(document.createElement("li"), { className: group });
      item.append(button);
      return item;
    });
    this.root.querySelector(".sheet").replaceChildren(...items);
  }

  choose(name) {
    this.still = name;
    this.draw();
  }

  /** Put a background behind what is transparent. */
  lay(ground) {
    this.ground = ground === "picture" && !this.own ? this.ground : ground;
    this.draw();
    if (ground === "picture" && !this.own) at("own-picture").click();
  }

  /** Take the reader's picture as background: it stays in this page. */
  take(file) {
    if (!file) return;
    if (this.own) URL.revokeObjectURL(this.own);
    this.own = URL.createObjectURL(file);
    this.lay("picture");
  }

  swipe() {
    this.swiping = !this.swiping;
    this.draw();
    if (this.swiping) at("swipe-at").focus({ preventScroll: true });
  }

  /** Eight times as large around the worst place, or whole. */
  zoom() {
    this.zoomed = !this.zoomed;
    if (this.zoomed) this.place = this.places()[this.turn] ?? [0.5, 0.5];
    this.draw();
  }

  /** Go to the next side's worst place. */
  next() {
    const places = this.places();
    if (!places.length) return;
    if (this.zoomed) this.turn = (this.turn + 1) % places.length;
    this.zoomed = true;
    this.place = places[this.turn];
    this.draw();
  }

  moveLine(share) {
    this.share = Math.min(100, Math.max(0, share));
    this.draw();
  }

  /** Move what is shown enlarged, by shares of what is shown. */
  pan(right, down) {
    const edge = 0.5 / ZOOM;
    this.place = this.place.map((at, axis) => Math.min(1 - edge, Math.max(edge, at + [right, down][axis] / ZOOM)));
    this.draw();
  }

  draw() {
    const kind = this.kinds.find(({ name }) => name === this.still);
    const ofCase = view.stills.of_case.includes(kind);
    const both = this.sides.length === 2;
    const swiping = this.swiping && both;
    for (const side of SIDES) {
      const there = this.sides.includes(side);
      this.frames[side].hidden = !there;
      this.root.querySelector(`.side-name.${side}`).hidden = !there;
      if (!there) this.fillWords(side, null);
      if (there) this.fillFrame(side, this.entry[ofCase ? "case" : side][kind.name], kind, swiping);
    }
    this.stage.classList.toggle("single", !both);
    this.stage.dataset.side = this.sides[0];
    this.stage.classList.toggle("swiping", swiping);
    this.stage.classList.toggle("zoomed", this.zoomed);
    this.root.querySelector(".swipe-bar").hidden = !swiping;
    this.root.querySelector(".swipe-bar i").style.left = `${this.share}%`;
    at("swipe-at").value = String(this.share);
    at("swipe").disabled = !both;
    at("swipe").setAttribute("aria-pressed", String(swiping));
    at("zoom").setAttribute("aria-pressed", String(this.zoomed));
    at("still-meaning").textContent = kind.meaning;
    for (const input of this.root.querySelectorAll("input[name=still]")) input.checked = input.value === this.still;
    for (const input of this.root.querySelectorAll("input[name=ground]")) input.checked = input.value === this.ground;
    for (const button of this.root.querySelectorAll(".sheet button")) button.setAttribute("aria-pressed", String(button.dataset.still === this.still));
  }

  fillFrame(side, medium, kind, swiping) {
    const frame = this.frames[side];
    const plane = frame.firstElementChild;
    const key = `${this.still} ${medium?.id || medium?.source || medium?.message || ""}`;
    if (plane.dataset.shown !== key || !plane.childElementCount) {
      plane.dataset.shown = key;
      plane.replaceChildren(this.picture(medium, `${kind.title} of the ${side}`), ...labelsOf(medium));
      this.fillWords(side, medium);
    }
    const size = medium?.width ? medium : SIDES.flatMap((any) => Object.values(this.entry[any] ?? {})).find((other) => other.width) ?? { width: 3, height: 2 };
    frame.style.aspectRatio = `${size.width} / ${size.height}`;
    frame.style.maxWidth = `${Math.round((HIGH * size.width) / size.height)}px`;
    frame.className = `frame ${side} ${kind.see_through && !medium?.message ? this.ground : ""}`;
    frame.style.backgroundColor = kind.see_through && this.ground === "colour" ? at("own-colour").value : "";
    frame.style.backgroundImage = kind.see_through && this.ground === "picture" ? `url("${this.own}")` : "";
    frame.style.clipPath = swiping ? (side === "candidate" ? `inset(0 0 0 ${this.share}%)` : `inset(0 ${100 - this.share}% 0 0)`) : "";
    const bar = this.root.querySelector(".swipe-bar");
    bar.style.maxWidth = frame.style.maxWidth;
    const enlarged = this.zoomed && !medium?.message;
    const offset = (at) => `${100 * Math.min(0, Math.max(1 - ZOOM, 0.5 - ZOOM * at))}%`;
    plane.style.transform = enlarged ? `translate(${offset(this.place[0])}, ${offset(this.place[1])}) scale(${ZOOM})` : "";
    this.mark(frame, enlarged);
  }

  /** What stands below a picture. */
  fillWords(side, medium) {
    const list = this.root.querySelector(`.still-words.${side}`);
    list.replaceChildren(...(medium?.words ?? []).map(({ text, kind }) => Object.assign(document.createElement("li"), { className: kind, textContent: text })));
    list.hidden = !list.childElementCount;
  }

  /** A ring around the worst place. */
  mark(frame, enlarged) {
    frame.querySelector(".spot")?.remove();
    const place = this.places()[this.turn];
    if (!place || !frame.querySelector("img")) return;
    const ring = Object.assign(document.createElement("i"), { className: "spot" });
    const where = place.map((at, axis) => (enlarged ? Math.min(0, Math.max(1 - ZOOM, 0.5 - ZOOM * this.place[axis])) + ZOOM * at : at));
    [ring.style.left, ring.style.top] = where.map((at) => `${100 * at}%`);
    frame.append(ring);
  }

  draggable(frame) {
    let from = null;
    frame.addEventListener("pointerdown", (event) => {
      if (!this.zoomed) return;
      from = [event.clientX, event.clientY];
      frame.setPointerCapture(event.pointerId);
    });
    frame.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.pan((from[0] - event.clientX) / frame.clientWidth, (from[1] - event.clientY) / frame.clientHeight);
      from = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, () => (from = null));
  }

  /** Do what a key stands for; whether it stands for anything here. */
  press(event) {
    if (!this.entry) return false;
    const key = event.key.toLowerCase();
    const move = MOVES[event.key];
    if (move) {
      if (event.target.closest("input")) return false; // it moves its own choice or line
      if (this.zoomed && event.shiftKey) this.pan(move[0] / 8, move[1] / 8);
      else if (this.swiping && move[0] && !event.shiftKey) this.moveLine(this.share + 2 * move[0]);
      else return false;
      return true;
    }
    const ground = GROUNDS[Number(key) - 1];
    if (ground && this.seeThrough) this.lay(ground);
    else if (key === "s") this.swipe();
    else if (key === "z") this.zoom();
    else if (key === "w") this.next();
    else if (key === "v") this.choose(this.kinds[(this.kinds.findIndex(({ name }) => name === this.still) + 1) % this.kinds.length].name);
    else return false;
    return true;
  }
}

/** The boxes over a picture: they fit it as the picture fits its place. */
function boxesOf({ boxes, width, height }) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("aria-hidden", "true");
  for (const { at: [x, y, across, down], kind } of boxes) {
    const shape = document.createElementNS(SVG, "rect");
    const places = { x: x * width, y: y * height, width: across * width, height: down * height };
    for (const [name, value] of Object.entries(places)) shape.setAttribute(name, value);
    shape.setAttribute("class", kind);
    drawing.append(shape);
  }
  return drawing;
}

/** What stands at the boxes: above them, inside where there is no room; from the side that has more of it. */
function labelsOf(medium) {
  return (medium?.boxes ?? []).filter(({ text }) => text).map(({ at: [x, y, across], text, kind }) => {
    const label = Object.assign(document.createElement("b"), { className: `box-label ${kind}`, title: text });
    label.append(Object.assign(document.createElement("bdi"), { textContent: text }));
    label.style.top = `${100 * y}%`;
    label.classList.toggle("inside", y < 0.08);
    if (x + across / 2 > 0.5) {
      label.style.right = `${100 * (1 - x - across)}%`;
      label.style.maxWidth = `${100 * (x + across)}%`;
    } else {
      label.style.left = `${100 * x}%`;
      label.style.maxWidth = `${100 * (1 - x)}%`;
    }
    return label;
  });
}
