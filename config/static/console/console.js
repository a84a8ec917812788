// Copying, choosing rows, and the key for the search; every page works without it but for these.
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
