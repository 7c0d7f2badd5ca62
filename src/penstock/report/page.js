// What the reader does: choose a case, play, step, jump, filter, print.

function start(section) {
  const viewer = new Viewer(section);
  const { player } = viewer;
  section.hidden = false;

  const choose = (index) => {
    if (index < 0 || index >= cases.length) return;
    viewer.open(index);
    history.replaceState(null, "", `#case-${index + 1}`);
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-case]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(Number(link.dataset.case));
    section.scrollIntoView({ block: "start" });
    section.focus({ preventScroll: true });
  });
  const actions = {
    previous: () => choose(viewer.index - 1),
    next: () => choose(viewer.index + 1),
    play: () => player.toggle(),
    back: () => player.step(-1),
    forth: () => player.step(1),
    ...Object.fromEntries(view.lanes.map(({ name }) => [`worst-${name}`, () => viewer.worst(name)])),
    sound: () => player.turn(),
    mute: () => player.mute(),
    loop: () => player.nextLoop(),
  };
  for (const [id, action] of Object.entries(actions)) at(id).addEventListener("click", action);
  at("speed").addEventListener("change", () => player.setSpeed(Number(at("speed").value)));
  at("scrub").addEventListener("input", () => {
    const frame = Number(at("scrub").value);
    player.pause();
    player.jump(frame);
  });

  const keys = { ",": "back", ".": "forth", ...Object.fromEntries(view.lanes.map(({ name, key }) => [key, `worst-${name}`])), b: "sound", m: "mute", l: "loop", n: "next", p: "previous" };
  const here = { " ": "play", ArrowLeft: "back", ArrowRight: "forth" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input[type=search], select, .closeup, summary")) return;
    if (viewer.stills?.press(event)) return event.preventDefault();
    const inside = section.contains(event.target);
    // Space plays from anywhere, as soon as the page is open, unless something has the focus that scrolls or answers to it.
    const anywhere = event.key === " " && player.leader && !event.target.closest("input, .scroll, pre");
    // A button answers to space itself; so does the scrub bar to the arrows, which move it by a frame.
    const own = (event.key === " " && event.target.closest("button, a")) || (event.key.startsWith("Arrow") && event.target === at("scrub"));
    const id = keys[event.key.toLowerCase()] ?? ((inside || anywhere) && !own ? here[event.key] : undefined);
    if (!id || at(id).disabled) return;
    event.preventDefault();
    if (anywhere && !inside) section.scrollIntoView({ block: "nearest" });
    actions[id]();
  });
  for (const canvas of Object.values(viewer.closeups)) movable(canvas, viewer);
  addEventListener("beforeprint", () => viewer.still());
  addEventListener("hashchange", () => {
    const chosen = /^#case-(\d+)$/.exec(location.hash);
    if (chosen && Number(chosen[1]) - 1 !== viewer.index) viewer.open(Number(chosen[1]) - 1);
  });
  const asked = /^#case-(\d+)$/.exec(location.hash);
  viewer.open(asked && Number(asked[1]) <= cases.length ? Number(asked[1]) - 1 : 0);
  // The browser goes to the case's line in the table; the viewer shows more of it.
  if (asked) addEventListener("load", () => requestAnimationFrame(() => section.scrollIntoView({ block: "start" })));
}

/** Dragging, the wheel and the keys move and zoom what the closeups show. */
function movable(canvas, viewer) {
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    from = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    viewer.moveCloseup((from[0] - event.clientX) / canvas.clientWidth, (from[1] - event.clientY) / canvas.clientHeight, 1);
    from = [event.clientX, event.clientY];
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (from = null));
  const moves = { ArrowLeft: [-0.08, 0, 1], ArrowRight: [0.08, 0, 1], ArrowUp: [0, -0.08, 1], ArrowDown: [0, 0.08, 1], "+": [0, 0, 1.15], "=": [0, 0, 1.15], "-": [0, 0, 1 / 1.15] };
  canvas.addEventListener("keydown", (event) => {
    if (!moves[event.key]) return;
    event.preventDefault();
    viewer.moveCloseup(...moves[event.key]);
  });
}

function filterable(field) {
  const rows = [...document.querySelectorAll("table.cases tbody tr")];
  field.closest("p").hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => row.firstElementChild.textContent.toLowerCase().includes(word));
      left += row.hidden ? 0 : 1;
    }
    at("filtered").textContent = words.length ? `${left} of ${rows.length}` : "";
  });
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details.past")) details.open = true;
});
if (at("viewer")) start(at("viewer"));
if (at("filter")) filterable(at("filter"));
