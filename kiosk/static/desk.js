// Keeps the desk ready for the next person: the field has the focus, a verdict goes away by itself, and no answer is
// never taken for a good one. Without this file the page works as a plain form.
"use strict";

(() => {
  const desk = document.querySelector(".desk");
  const field = document.querySelector("#identifier");
  const verdict = document.querySelector("#verdict");
  const unanswered = document.querySelector("#unanswered");
  if (!desk || !field) return;

  const resetAfter = Number(desk.dataset.resetMs);
  const idleAfter = Number(desk.dataset.idleMs);
  let resetTimer = 0;
  let idleTimer = 0;
  let underWay = 0;

  const elsewhere = () =>
    document.documentElement.lang !== desk.dataset.defaultLanguage ||
    location.pathname !== desk.dataset.ready;

  const focus = () => field.focus({ preventScroll: true });

  // Only to a kiosk that is there: a browser's own error page has no way back.
  const goBack = () =>
    fetch(desk.dataset.alive).then(
      (answer) => (answer.ok && !field.value ? location.replace(desk.dataset.ready) : later()),
      later,
    );

  const ready = () => {
    // Somebody is typing, or an answer is on its way: not now.
    if (field.value || underWay) return later();
    verdict.replaceChildren();
    if (elsewhere()) return goBack();
    focus();
  };

  const later = () => {
    clearTimeout(resetTimer);
    resetTimer = setTimeout(ready, resetAfter);
  };

  // Whoever walked away in the middle leaves nothing on the screen for the next person.
  const awake = () => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => {
      field.value = "";
      ready();
    }, idleAfter);
  };

  const show = (...nodes) => {
    verdict.replaceChildren(...nodes);
    later();
  };

  // The next person is answered in the language of the place: the page around the answer follows, and what is being
  // typed stays where it is.
  const follow = (language) => {
    if (!language || language === document.documentElement.lang) return;
    fetch(`${desk.dataset.ready}?lang=${language}`)
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer)))
      .then((text) => {
        const page = new DOMParser().parseFromString(text, "text/html");
        for (const part of [".top", ".ready", ".bottom", ".entry label", ".entry button"]) {
          desk.querySelector(part).replaceChildren(...page.querySelector(`.desk ${part}`).childNodes);
        }
        unanswered.innerHTML = page.querySelector("#unanswered").innerHTML;
        field.placeholder = page.querySelector("#identifier").placeholder;
        document.documentElement.lang = page.documentElement.lang;
        document.title = page.title;
        htmx.process(desk.querySelector(".bottom"));
      })
      .catch(later);
  };

  const newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  };

  // Before htmx sees it, and while it is still starting: the page must not go away under somebody's fingers. An empty
  // field is not sent; a scan that is quicker than htmx waits for it.
  const early = [];
  const starting = () => window.htmx && !field.form._htmx?.initialized;
  desk.addEventListener(
    "submit",
    (event) => {
      if (field.value.trim() && !starting()) return;
      event.preventDefault();
      event.stopPropagation();
      if (!field.value.trim()) return;
      early.push(field.value);
      field.value = "";
    },
    true,
  );
  desk.addEventListener("htmx:after:init", (event) => {
    if (event.target !== field.form) return;
    const typing = field.value;
    for (const text of early.splice(0)) {
      field.value = text;
      field.form.requestSubmit();
    }
    field.value = typing;
  });

  // Each submission is an intent of its own, even when two scans come before the first answer.
  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    if (request.method !== "POST") return;
    request.body.set("intent_id", newId());
    field.value = "";
    underWay += 1;
    desk.classList.add("busy");
    event.detail.ctx.isCheckIn = true;
  });

  // Only a kiosk's answer names its verdict; anything else was not recorded as far as anybody knows.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (!ctx.isCheckIn) {
      if (ctx.response.headers.get("Kiosk-Withdrawn")) location.replace(desk.dataset.ready);
      if (ctx.response.status >= 400) event.preventDefault();
      return;
    }
    if (!ctx.response.headers.get("Kiosk-Verdict")) {
      event.preventDefault();
      show(unanswered.content.cloneNode(true));
    }
  });

  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.isCheckIn) show(unanswered.content.cloneNode(true));
  });

  document.addEventListener("htmx:finally:request", (event) => {
    if (!event.detail.ctx.isCheckIn) return;
    underWay -= 1;
    desk.classList.toggle("busy", underWay > 0);
    follow(verdict.firstElementChild?.lang);
    later();
    focus();
  });

  // A click beside the field must not cost the next scan; a link reached by keyboard keeps the focus.
  field.addEventListener("blur", (event) => {
    if (!event.relatedTarget) setTimeout(() => document.activeElement === document.body && focus());
  });

  // A scanner types wherever the focus is: its first letter takes it back to the field.
  document.addEventListener("keydown", (event) => {
    if (event.target === field || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.length === 1 && event.key !== " ") focus();
  });

  field.addEventListener("input", awake);

  // Back from another page: the browser kept what stood here, and nobody else should see it.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    field.value = "";
    ready();
  });

  if (verdict.firstElementChild) later();
  if (elsewhere()) awake();
})();
