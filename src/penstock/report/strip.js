"use strict";
// Drawing a case's series frame by frame, and finding its worst moments.

const SVG = "http://www.w3.org/2000/svg";
const SMOOTH_FRAMES = 5;
const MOMENTS = 3;

function make(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (parent) parent.append(element);
  return element;
}

/** One value a frame: a window's distance stands at its middle frame. */
function byFrame(series, shift) {
  return series && series.length ? [...new Array(shift).fill(null), ...series] : [];
}

/** The moving mean over `width` entries; null where there is no value at all. */
function smooth(series, width) {
  const half = Math.floor(width / 2);
  return series.map((_, place) => {
    const near = series.slice(Math.max(0, place - half), place + half + 1).filter((value) => value !== null);
    return near.length ? near.reduce((sum, value) => sum + value, 0) / near.length : null;
  });
}

/** Frames where the candidate is worst: against the baseline if there is one, else by itself. Lower is better. */
function worstMoments(candidate, baseline, apart) {
  const own = candidate.length ? candidate : baseline;
  const against = candidate.length ? baseline : [];
  const excess = own.map((value, frame) => {
    if (value === null || (against.length && (against[frame] ?? null) === null)) return null;
    return against.length ? value - against[frame] : value;
  });
  const smoothed = smooth(excess, SMOOTH_FRAMES).map((value, frame) => (excess[frame] === null ? null : value));
  const order = smoothed.map((value, frame) => [value, frame]).filter(([value]) => value !== null).sort((a, b) => b[0] - a[0]);
  const found = [];
  for (const [, frame] of order) {
    if (found.every((other) => Math.abs(other - frame) >= apart)) found.push(frame);
    if (found.length === MOMENTS) break;
  }
  return found;
}

/** Draw both sides' lines into a lane; returns the largest value. */
function drawLane(lane, sides, frames, moments) {
  lane.querySelector("svg")?.remove();
  const values = Object.values(sides).flat().filter((value) => value !== null);
  const note = lane.querySelector("small");
  note.textContent = "";
  if (!values.length) {
    lane.hidden = true;
    return;
  }
  lane.hidden = false;
  let high = 0;
  for (const value of values) high = Math.max(high, value);
  note.textContent = `0 to ${Number(high.toPrecision(3))}`;
  const svg = make("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" }, lane);
  const x = (frame) => (frames > 1 ? (1000 * frame) / (frames - 1) : 0).toFixed(1);
  const y = (value) => (96 - 90 * (high > 0 ? Math.max(0, value) / high : 0)).toFixed(1);
  for (const frame of moments.slice(0, 1)) make("line", { class: "dip", x1: x(frame), y1: 0, x2: x(frame), y2: 100 }, svg);
  for (const [side, series] of Object.entries(sides)) {
    let piece = [];
    for (let frame = 0; frame <= series.length; frame += 1) {
      const value = frame < series.length ? series[frame] : null;
      if (value !== null) piece.push(`${x(frame)},${y(value)}`);
      else if (piece.length) {
        make("polyline", { class: side, points: piece.length > 1 ? piece.join(" ") : `${piece[0]} ${piece[0]}` }, svg);
        piece = [];
      }
    }
  }
}

/** Draw peaks (0 to 1, `rate` a second) on the same axis of frames. */
function drawWave(lane, peaks, rate, fps, frames) {
  lane.querySelector("svg")?.remove();
  lane.hidden = !peaks.length;
  if (!peaks.length) return;
  let high = 0.05;
  for (const peak of peaks) high = Math.max(high, peak);
  const svg = make("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" }, lane);
  const x = (place) => Math.min(1000, (1000 * ((place / rate) * fps)) / Math.max(1, frames - 1)).toFixed(1);
  const top = peaks.map((peak, place) => `${x(place)},${(50 - (47 * peak) / high).toFixed(1)}`);
  const bottom = peaks.map((peak, place) => `${x(place)},${(50 + (47 * peak) / high).toFixed(1)}`).reverse();
  make("polygon", { class: "wave", points: [...top, ...bottom].join(" ") }, svg);
}

/** Peaks of a sound that is in the page as bytes, for bundles whose frames.json has none. */
async function peaksOf(bytes, rate) {
  const context = new OfflineAudioContext(1, 1, 8000);
  const sound = await context.decodeAudioData(bytes.slice(0));
  const samples = sound.getChannelData(0);
  const step = sound.sampleRate / rate;
  return Array.from({ length: Math.ceil(samples.length / step) }, (_, place) => {
    let high = 0;
    for (let at = Math.floor(place * step); at < Math.min(samples.length, (place + 1) * step); at += 1) high = Math.max(high, Math.abs(samples[at]));
    return high;
  });
}
