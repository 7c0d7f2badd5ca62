// Keeps two clips in step, and answers by keys. Without it, the buttons and the clips' own controls do.
'use strict';
const clips = [...document.querySelectorAll('video')];
const [left, right] = clips;
const APART_S = 0.06;

// the longer one leads: nothing of it is left out, and the shorter one waits at its end
const lead = () => (right.duration > left.duration ? right : left);

function follow() {
  const first = lead();
  const second = first === left ? right : left;
  const end = second.duration || 0;
  const target = Math.min(first.currentTime, end);
  if (Math.abs(second.currentTime - target) > APART_S) second.currentTime = target;
  if (!first.paused && second.paused && target < end - APART_S) start(second);
}

function start(clip) {
  clip.play().catch(() => undefined);
}

function toggle() {
  if (lead().paused) {
    follow();
    clips.forEach(start);
  } else {
    clips.forEach((clip) => clip.pause());
  }
}

if (clips.length === 2) {
  // one button and one bar for both: neither side has anything that the other lacks
  const play = document.querySelector('#play');
  const place = document.querySelector('#place');
  document.querySelector('.both').hidden = false;
  right.muted = true;
  play.addEventListener('click', toggle);
  place.addEventListener('input', () => { lead().currentTime = (place.value / 1000) * (lead().duration || 0); });
  const show = () => { play.textContent = lead().paused ? 'Play both' : 'Stop both'; };
  clips.forEach((clip) => {
    clip.controls = false;
    clip.loop = false;
    clip.addEventListener('play', show);
    clip.addEventListener('pause', show);
    clip.addEventListener('seeking', () => { if (clip === lead()) follow(); });
    clip.addEventListener('timeupdate', () => {
      if (clip !== lead()) return;
      follow();
      if (clip.duration) place.value = (1000 * clip.currentTime) / clip.duration;
    });
    clip.addEventListener('ended', () => {
      if (clip !== lead()) return;
      clip.currentTime = 0;
      start(clip);
    });
  });
}

function answer(value) {
  document.querySelector(`button[value="${value}"]`)?.click();
}

const KEYS = { ArrowLeft: () => answer('left'), ArrowRight: () => answer('right'), ArrowDown: () => answer('same') };
const reason = document.querySelector('#reason');

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.id === 'place' && event.key.startsWith('Arrow')) return; // moves both
  if (event.target === reason) {
    if (event.key === 'Escape') reason.blur();
    return;
  }
  if (event.key in KEYS) {
    event.preventDefault();
    KEYS[event.key]();
  } else if (event.key === ' ' && clips.length === 2 && event.target.tagName !== 'BUTTON') {
    event.preventDefault();
    event.stopPropagation();
    toggle();
  } else if (event.key === 'm' && clips.length === 2) {
    [left.muted, right.muted] = [!left.muted, !right.muted];
  } else if (event.key === 'r' && reason) {
    event.preventDefault();
    reason.focus();
  }
}, true);

// an answer is sent once, however often a key is pressed
const form = document.querySelector('form.answer');
form?.addEventListener('submit', (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = 'yes';
});
window.addEventListener('pageshow', () => { if (form) delete form.dataset.sent; });
