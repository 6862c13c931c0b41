// Keys for people who go through many rows: j and k move, Enter opens (the link has the focus), / finds.
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

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  if (event.key === "j") move(1);
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
