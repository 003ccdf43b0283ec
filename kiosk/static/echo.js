// Sees how a scan arrives in a staff page's field: how long it took and what was sent after it. What it sends is left as
// it is, and a scan without an Enter is sent on its own.
"use strict";

(() => {
  const form = document.querySelector("form[data-echo]");
  const field = form?.elements.heard;
  if (!field) return;

  // What no hand does: so many characters, each so soon after the one before.
  const LEAST = 6;
  const QUICK_MS = 50;
  // A scanner may stumble in the middle of a long code; quiet for longer, it is done.
  const DONE_MS = 700;

  let typed = 0;
  let began = 0;
  let last = 0;
  let quiet = 0;

  const burst = () => typed >= LEAST && last - began <= QUICK_MS * typed;

  const told = (name, value) => {
    if (form.elements[name]) form.elements[name].value = value;
  };

  const tell = (suffix) => {
    told("suffix", suffix);
    told("took_ms", Math.round(last - began));
  };

  const send = (suffix) => {
    tell(suffix);
    form.requestSubmit();
  };

  field.addEventListener("keydown", (event) => {
    clearTimeout(quiet);
    if (event.key === "Enter" && burst()) tell("enter");
    if (event.key === "Tab" && burst() && event.timeStamp - last < DONE_MS) {
      event.preventDefault();
      send("tab");
    }
    if (event.key.length > 1 || event.ctrlKey || event.metaKey) return;
    // The next scan takes the place of the one before.
    if (event.timeStamp - last > DONE_MS) {
      if (burst()) field.value = "";
      typed = 0;
      began = event.timeStamp;
    }
    typed += 1;
    last = event.timeStamp;
    quiet = setTimeout(() => burst() && send("none"), DONE_MS);
  });
})();
