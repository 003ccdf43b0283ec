// Leaves a staff page to the desk as soon as nobody is at work on it: no name stays on the screen. Without this file the
// pages work as plain forms, and the door locks by itself all the same.
"use strict";

(() => {
  const staff = document.querySelector(".staff");
  if (!staff) return;

  const { desk, lockMs, awayMs, awake } = staff.dataset;
  const idleMs = Number(lockMs || awayMs);
  const lock = document.querySelector("#lock");
  // Other tabs of this browser show names, too.
  const tabs = window.BroadcastChannel ? new BroadcastChannel("kiosk-door") : null;

  const hide = () => staff.replaceChildren();

  // Only to a kiosk that is there: a browser's own error page has no way back. Until then nothing is shown at all.
  const leave = () => {
    hide();
    fetch(desk, { method: "HEAD" }).then(
      () => location.replace(desk),
      () => setTimeout(leave, 2000),
    );
  };

  const lockUp = () => {
    tabs?.postMessage("locked");
    const token = new FormData(lock);
    hide();
    fetch(lock.action, { method: "POST", body: token, redirect: "manual" }).then(leave, leave);
  };

  // --- idle: counted here, because a page that only lies open asks the kiosk nothing

  let idleTimer = 0;
  let toldAt = Date.now();

  const tell = () => {
    toldAt = Date.now();
    fetch(awake).then(
      (answer) => {
        if (answer.status === 403) leave();
      },
      () => {},
    );
  };

  const busy = () => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(lockMs ? lockUp : leave, idleMs);
    if (awake && Date.now() - toldAt > idleMs / 4) tell();
  };

  if (idleMs) {
    for (const kind of ["pointerdown", "pointermove", "keydown", "input", "wheel", "touchstart"]) {
      document.addEventListener(kind, busy, { passive: true });
    }
    busy();
  }

  if (tabs && lockMs) tabs.onmessage = leave;
  lock?.addEventListener("submit", () => tabs?.postMessage("locked"));

  // --- the browser's memory: a page it kept is asked for again, and nothing of it is seen meanwhile

  window.addEventListener("pagehide", () => {
    staff.hidden = true;
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  // --- htmx: an answer from a locked kiosk is none

  document.addEventListener("htmx:before:response", (event) => {
    const { status } = event.detail.ctx.response;
    if (status === 403) {
      event.preventDefault();
      leave();
    }
  });

  // --- who types before htmx has started is searched for all the same

  document.addEventListener("htmx:after:init", (event) => {
    const field = event.target.querySelector?.("[data-next]");
    if (field && field.value !== field.defaultValue) field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // --- what has just been done is said at the top of the page, wherever on it the finger was

  document.addEventListener("htmx:finally:request", () => {
    staff.querySelector("#news > *")?.scrollIntoView({ block: "nearest" });
  });

  // --- a button that is gone after its answer leaves the focus to whoever is looked for next

  document.addEventListener("htmx:after:swap", () => {
    if (document.activeElement && document.activeElement !== document.body) return;
    const next = staff.querySelector("[data-next]");
    next?.focus({ preventScroll: true });
    next?.select();
  });

  // --- a form that is on its way is not sent again; one that htmx sends is there for the next time

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });

  // --- the wait after a wrong PIN

  const countdown = document.querySelector("[data-left-s]");
  if (countdown) {
    const words = countdown.textContent;
    const [shown] = words.match(/\d+:\d\d/);
    const until = performance.now() + 1000 * Number(countdown.dataset.leftS);
    const tick = () => {
      const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      countdown.textContent = words.replace(shown, time);
      if (left) setTimeout(tick, 250);
      else location.replace(countdown.dataset.then);
    };
    tick();
  }
})();
