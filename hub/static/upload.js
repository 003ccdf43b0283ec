// Uploads with a bar that moves, and takes files that are dropped. Without this the form is sent as any other.
"use strict";

(() => {
  const form = document.querySelector("#upload");
  if (!form) return;
  const file = form.querySelector("#file");
  const drop = form.querySelector(".drop");
  const tooLarge = form.querySelector("#too-large");
  const sending = form.querySelector("#sending");
  const notSent = form.querySelector("#not-sent");
  const buttons = form.querySelectorAll("button");

  const fits = () => {
    const chosen = file.files[0];
    tooLarge.hidden = !chosen || chosen.size <= Number(form.dataset.mostBytes);
    return tooLarge.hidden;
  };

  const busy = (yes) => {
    sending.hidden = !yes;
    buttons.forEach((each) => { each.disabled = yes; });
  };

  const show = (request) => {
    if (request.status < 400) {
      // Where the file is now, or where to sign in again.
      location.assign(request.getResponseHeader("Location") || request.responseURL);
      return;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const said = page.querySelector("main [role=alert]:not([hidden])") || page.querySelector("main p");
    notSent.textContent = said ? said.textContent.trim() : notSent.textContent;
    notSent.hidden = false;
    busy(false);
  };

  file.addEventListener("change", fits);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    notSent.hidden = true;
    if (!fits()) {
      file.focus();
      return;
    }
    const request = new XMLHttpRequest();
    const bar = sending.querySelector("progress");
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) bar.value = sent.loaded / sent.total;
    });
    request.addEventListener("load", () => show(request));
    request.addEventListener("error", () => {
      notSent.hidden = false;
      busy(false);
    });
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.send(new FormData(form));
    bar.value = 0;
    busy(true);
  });

  // Back from where the file is now: the form is to be used again.
  window.addEventListener("pageshow", () => busy(false));

  ["dragenter", "dragover"].forEach((name) => drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  }));
  ["dragleave", "drop"].forEach((name) => drop.addEventListener(name, () => drop.classList.remove("over")));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length === 0) return;
    file.files = event.dataTransfer.files;
    fits();
  });
})();
