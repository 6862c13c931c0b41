// What a browser can do for the pages of phones: print the sheet, tell how far a file has gone.
// Every page works without this file.
"use strict";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const form of document.querySelectorAll("form[data-progress]")) form.addEventListener("submit", send);

function send(event) {
  const form = event.currentTarget;
  const shown = document.getElementById(form.dataset.progress);
  const [bar, words] = [shown.querySelector("progress"), shown.querySelector("output")];
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.max = total;
    bar.value = loaded;
    words.textContent = `${(loaded / 1e6).toFixed(1)} / ${(total / 1e6).toFixed(1)} MB`;
    if (loaded === total) {
      bar.removeAttribute("value"); // sent; how long keeping takes nobody knows
      words.textContent = shown.dataset.keeping;
    }
  });
  request.addEventListener("load", () => {
    if (request.status === 200) window.location.assign(request.responseURL);
    else document.open("text/html").write(request.responseText);
  });
  request.addEventListener("error", () => {
    shown.classList.add("wrong");
    words.textContent = shown.dataset.failed;
    form.querySelector("button").disabled = false;
  });
  request.open("POST", form.action);
  request.send(new FormData(form));
  shown.hidden = false;
  form.querySelector("button").disabled = true;
  event.preventDefault();
}
