// What is said: the words under the videos, and on the strip the sounds for which lips must meet.

/** The place of the word that is said at a time, or -1. */
function wordAt(words, seconds) {
  return words.findIndex(([, start, end], place) => seconds >= start && seconds < Math.max(end, Math.min(words[place + 1]?.[1] ?? end, end + 0.2)));
}

/** All words in a line, each to be clicked: `seek` gets the time at which it begins. */
function writeWords(line, words, seek) {
  line.hidden = !words.length;
  line.replaceChildren(
    ...words.flatMap(([text, start]) => {
      const word = Object.assign(document.createElement("span"), { textContent: text });
      word.addEventListener("click", () => seek(start));
      return [word, " "];
    }),
  );
}

/** Make the word that is said now stand out. */
function markWord(line, words, seconds) {
  const now = words.length ? wordAt(words, seconds) : -1;
  for (const [place, word] of [...line.querySelectorAll("span")].entries()) word.classList.toggle("now", place === now);
}

/** Words, and each side's sounds p, b and m, on the axis of the frames. */
function drawSpeech(lane, words, marks, fps, frames) {
  lane.querySelector(".said")?.remove();
  const rows = Object.entries(marks).filter(([, sounds]) => sounds.length);
  lane.hidden = !words.length && !rows.length;
  lane.querySelector("small").textContent = rows.length ? "filled: lips closed" : "";
  if (lane.hidden) return;
  const left = (seconds) => `${Math.min(100, (100 * seconds * fps) / Math.max(1, frames - 1)).toFixed(2)}%`;
  const said = Object.assign(document.createElement("div"), { className: "said" });
  const row = (name) => said.appendChild(Object.assign(document.createElement("div"), { className: name }));
  const line = row("words");
  for (const [text, start] of words) {
    const word = line.appendChild(Object.assign(document.createElement("span"), { textContent: text }));
    word.style.left = left(start);
  }
  for (const [side, sounds] of rows) {
    const line = row(`sounds ${side}`);
    for (const [symbol, start, end, closed] of sounds) {
      const sound = line.appendChild(Object.assign(document.createElement("b"), { textContent: symbol, className: closed ? "closed" : "apart" }));
      sound.style.left = left((start + end) / 2);
      sound.title = `${side}: ${symbol} at ${start.toFixed(2)} s, lips ${closed ? "closed" : "stay apart"}`;
    }
  }
  lane.append(said);
}
