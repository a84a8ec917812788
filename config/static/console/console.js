// Copying, choosing rows, the key for the search, and pages that follow what runs; every page works without it but for these.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom;
  const text = source ? document.getElementById(source).textContent : button.dataset.copy;
  const icon = button.querySelector(".cm-icon");
  try {
    await navigator.clipboard.writeText(text);
    icon.textContent = "check";
  } catch {
    icon.textContent = "error";
  }
  setTimeout(() => { icon.textContent = "content_copy"; }, 1500);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  const form = event.target.closest("[data-chooser]");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=letter]")];
  if (event.target.matches("[data-all]")) boxes.forEach((box) => { box.checked = event.target.checked; });
  form.querySelector("[data-count]").textContent = boxes.filter((box) => box.checked).length;
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-search]");
  if (!search || document.getElementById("searchbar")) return; // Unfold's own lists have the same key
  event.preventDefault();
  search.focus();
});

// A part marked data-live="2" changes by itself: every two seconds the page is fetched again and its part takes the
// place of the old one, until the page says 0 because nothing runs any more.
document.addEventListener("DOMContentLoaded", () => {
  const part = () => document.querySelector("[data-live]");
  const seconds = () => Number(part()?.dataset.live || 0);
  const state = document.querySelector("[data-live-state]");
  if (!state || !seconds()) return;
  const words = state.querySelector("[data-live-words]");
  const button = state.querySelector("button");
  let paused = false;
  let timer;
  const show = (text, tone) => { words.textContent = text; state.dataset.liveState = tone; };

  function plan() {
    clearTimeout(timer);
    if (!seconds()) {
      show("Ended", "ended");
      button.hidden = true;
    } else if (!paused) {
      timer = setTimeout(renew, seconds() * 1000);
    }
  }

  async function renew() {
    if (document.hidden) return plan();
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      if (answer.redirected) return location.reload(); // logged out meanwhile
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
      if (!fresh) return location.reload();
      if (paused) return;
      const focused = part().contains(document.activeElement) ? document.activeElement.id : "";
      part().replaceWith(document.adoptNode(fresh));
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      show("Live", "live");
    } catch {
      show("No answer, trying again", "away");
    }
    plan();
  }

  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    button.querySelector(".cm-icon").textContent = paused ? "play_arrow" : "pause";
    show(paused ? "Stands still" : "Live", paused ? "still" : "live");
    plan();
  });
  state.hidden = false;
  show("Live", "live");
  plan();
});
