// Catches what comes in, whichever element has the focus. What a person types goes into the field as it is; a scanner's
// burst is a check-in of its own and leaves alone what somebody had begun to type.
"use strict";

(() => {
  const desk = document.querySelector(".desk");
  const field = document.querySelector("#identifier");
  if (!desk || !field) return;

  // What no hand does: so many characters, most of them this soon after the one before. A scanner may stumble now and
  // then, or the machine may; only a real silence parts one stretch of keys from the next.
  const QUICK_MS = 50;
  const LEAST_QUICK = 5;
  const SILENCE_MS = 500;
  // Not every scanner sends Enter. One that is quiet for so long is done.
  const DONE_MS = 1000;

  const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "Fn"]);
  const wrongKeys = new Map(Object.entries(JSON.parse(desk.dataset.scanner || "null")?.map ?? {}));

  // A stretch of keys, and the field as it was before them. None while it is not known where it began: half of a card's
  // number must never be taken for a whole one.
  let run = null;
  let last = performance.now();
  let endedAt = -Infinity;
  let left = "";
  let endsLines = false;
  let quiet = 0;
  const down = new Set();

  const inAnotherField = (target) => target !== field && target.closest?.("input, textarea, select, [contenteditable]");
  const focus = () => field.focus({ preventScroll: true });
  const isBurst = () => run !== null && run.quick >= LEAST_QUICK && run.slow * 4 <= run.quick;

  const untouched = () => field.value === run.before.slice(0, run.from) + run.text + run.before.slice(run.to);

  const checkIn = () => {
    const { text, mine, from, to } = run;
    const kept = untouched() ? mine : "";
    run = null;
    clearTimeout(quiet);
    field.value = Array.from(text, (key) => wrongKeys.get(key) ?? key).join("");
    field.form.requestSubmit();
    field.value = left = kept;
    field.setSelectionRange(from, to);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // Keys pressed one at a time and all of them this quickly come from no hand: at this pace fingers overlap. So typing is
  // never sent by itself, not even when somebody drums on the keys. And a scanner that has sent Enter once will again.
  const whenQuiet = () => {
    if (!isBurst() || run.slow || run.overlapping || endsLines || !untouched()) return;
    checkIn();
    last = -Infinity;
    endedAt = performance.now();
  };

  const forget = (event) => {
    run = null;
    last = event.timeStamp;
    clearTimeout(quiet);
  };

  const begin = () => {
    whenQuiet();
    const { value, selectionStart, selectionEnd } = field;
    // What an answer has left there is nobody's any more.
    const mine = "answered" in field.dataset ? "" : value;
    run = { text: "", before: value, mine, from: selectionStart, to: selectionEnd, quick: 0, slow: 0, overlapping: false };
  };

  const character = (event) => {
    const gap = event.timeStamp - last;
    clearTimeout(quiet);
    if (gap > SILENCE_MS) begin();
    else if (run && gap > QUICK_MS) run.slow += 1;
    else if (run) run.quick += 1;
    last = event.timeStamp;
    if (run) {
      run.text += event.key;
      run.overlapping ||= down.size > 0;
      quiet = setTimeout(whenQuiet, DONE_MS);
    }
    down.add(event.code);
  };

  const lineEnd = (event) => {
    if (isBurst() && event.timeStamp - last <= SILENCE_MS) {
      event.preventDefault();
      checkIn();
      endsLines = true;
      endedAt = event.timeStamp;
    } else if (last === -Infinity && event.timeStamp - endedAt <= SILENCE_MS && field.value === left) {
      // The second half of a line end, or a late one: neither a link's nor the half-typed text's.
      event.preventDefault();
    }
    forget(event);
    last = -Infinity;
  };

  document.addEventListener(
    "keydown",
    (event) => {
      if (MODIFIERS.has(event.key) || inAnotherField(event.target)) return;
      const shortcut = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
      if (event.isComposing || shortcut) {
        if (shortcut && event.key.toLowerCase() === "v") focus();
        forget(event);
      } else if (event.key === "Enter" || event.key === "Tab") {
        lineEnd(event);
      } else if (event.key.length === 1 && !event.repeat && !(event.key === " " && event.target !== field)) {
        focus();
        character(event);
      } else {
        // An accent that waits for its letter is typing too.
        if (event.key === "Dead") focus();
        forget(event);
      }
    },
    true,
  );
  document.addEventListener("keyup", (event) => down.delete(event.code), true);
  window.addEventListener("blur", () => down.clear());

  // A click beside the field must not cost the next scan; a link reached by keyboard keeps the focus.
  field.addEventListener("blur", (event) => {
    if (!event.relatedTarget) setTimeout(() => document.activeElement === document.body && focus());
  });
})();
