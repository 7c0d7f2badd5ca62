// Keeps two clips in step, and answers by keys. Without it, the buttons and the clips' own controls do.
'use strict';
const clips = [...document.querySelectorAll('video')];
const [left, right] = clips;
const APART_S = 0.06;

function follow() {
  if (Math.abs(right.currentTime - left.currentTime) > APART_S && right.readyState >= 1) {
    right.currentTime = Math.min(left.currentTime, right.duration || left.currentTime);
  }
}

function toggle() {
  if (left.paused) {
    follow();
    clips.forEach((clip) => clip.play().catch(() => undefined));
  } else {
    clips.forEach((clip) => clip.pause());
  }
}

if (clips.length === 2) {
  // the left one leads, and one bar moves both: neither side has anything that the other lacks
  const play = document.querySelector('#play');
  const place = document.querySelector('#place');
  document.querySelector('.both').hidden = false;
  clips.forEach((clip) => { clip.controls = false; });
  right.muted = true;
  play.addEventListener('click', toggle);
  place.addEventListener('input', () => { left.currentTime = (place.value / 1000) * (left.duration || 0); });
  left.addEventListener('play', () => { play.textContent = 'Stop both'; right.play().catch(() => undefined); });
  left.addEventListener('pause', () => { play.textContent = 'Play both'; right.pause(); });
  left.addEventListener('seeking', follow);
  left.addEventListener('timeupdate', () => {
    follow();
    if (left.duration) place.value = (1000 * left.currentTime) / left.duration;
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
