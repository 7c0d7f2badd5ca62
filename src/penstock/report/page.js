"use strict";
// One control for both videos of a case: the candidate gives the sound and the clock, the baseline follows.
for (const card of document.querySelectorAll(".case")) {
  const videos = [...card.querySelectorAll("video")];
  const control = card.querySelector(".control");
  if (!control || videos.length === 0) continue;
  const [button, range, output] = control.children;
  const leader = videos[videos.length - 1];
  const length = () => Math.max(0, ...videos.map((video) => (Number.isFinite(video.duration) ? video.duration : 0)));
  const show = () => {
    const total = length();
    if (total > 0) range.value = String(Math.round((1000 * leader.currentTime) / total));
    output.textContent = `${leader.currentTime.toFixed(2)} s`;
  };
  const seek = (seconds) => {
    for (const video of videos) video.currentTime = Math.min(Math.max(seconds, 0), Number.isFinite(video.duration) ? video.duration : 0);
    show();
  };
  const follow = () => {
    for (const video of videos) if (video !== leader && Math.abs(video.currentTime - leader.currentTime) > 0.06) video.currentTime = leader.currentTime;
    show();
    if (!leader.paused) requestAnimationFrame(follow);
  };
  const toggle = () => {
    if (!leader.paused) { videos.forEach((video) => video.pause()); return; }
    if (leader.ended) seek(0);
    Promise.all(videos.map((video) => video.play())).then(follow, () => undefined);
  };
  leader.addEventListener("play", () => { button.textContent = "❚❚"; });
  leader.addEventListener("pause", () => { button.textContent = "▶"; videos.forEach((video) => video.pause()); });
  button.addEventListener("click", toggle);
  range.addEventListener("input", () => seek((Number(range.value) / 1000) * length()));
  card.addEventListener("keydown", (event) => {
    if (event.target !== card) return;
    if (event.key === " ") { event.preventDefault(); toggle(); }
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      seek(leader.currentTime + (event.key === "ArrowRight" ? 0.04 : -0.04));
    }
  });
}
