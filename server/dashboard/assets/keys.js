// Keys for people who go through many rows: j and k move, Enter opens (the link has the focus), / finds; on a flag's own
// page j and k lead to the flags beside it, a, c and s open its forms.
// Every page works without this file.
"use strict";

function move(step) {
  const stops = [...document.querySelectorAll("table.queue a.go, table.trees .mark, table.plots a.go")];
  if (stops.length === 0) return;
  const at = stops.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : stops.length - 1) : Math.min(Math.max(at + step, 0), stops.length - 1);
  stops[next].focus();
  stops[next].scrollIntoView({ block: "nearest" });
}

// A link or a folded form that has a key of its own: followed, or unfolded with the focus in its first field.
function press(named, event) {
  event.preventDefault();
  named.click();
  const field = named.closest("details")?.querySelector("input:not([type=hidden]), select");
  if (field) field.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (named) press(named, event);
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "Escape") document.activeElement.blur();
  else if (event.key === "/") {
    const field = document.querySelector("[data-find]");
    if (!field) return;
    field.focus();
    event.preventDefault();
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});
