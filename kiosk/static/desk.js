// Keeps the desk ready for the next person: the field has the focus, a verdict goes away by itself, and no answer is
// never taken for a good one. Without this file the page works as a plain form.
"use strict";

(() => {
  const desk = document.querySelector(".desk");
  const field = document.querySelector("#identifier");
  const verdict = document.querySelector("#verdict");
  const unanswered = document.querySelector("#unanswered");
  if (!desk || !field) return;

  const page = document.documentElement;
  let resetTimer = 0;
  let idleTimer = 0;
  let underWay = 0;
  let switched = false;

  const inAnotherLanguage = () => page.lang !== desk.dataset.defaultLanguage;
  const elsewhere = () => switched || inAnotherLanguage() || location.pathname + location.search !== desk.dataset.ready;

  // Who asked for something needs more time, too.
  const patiently = (ms) => ms * (inAnotherLanguage() || page.dataset.wishes ? desk.dataset.patience : 1);

  const focus = () => field.focus({ preventScroll: true });

  const empty = () => {
    field.value = "";
    delete field.dataset.answered;
  };

  // A slip of the fingers is mended where it was made. Until it is touched the text belongs to the answer, and goes
  // with it.
  const giveBack = (typed) => {
    if (!typed || field.value || !verdict.querySelector("[data-mendable]")) return;
    field.value = typed;
    field.setSelectionRange(typed.length, typed.length);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dataset.answered = "";
  };

  // Only to a kiosk that is there: a browser's own error page has no way back.
  const goBack = () =>
    fetch(desk.dataset.alive).then(
      (answer) => (answer.ok && !field.value ? location.replace(desk.dataset.ready) : later()),
      later,
    );

  const clear = () => {
    verdict.replaceChildren();
    desk.dispatchEvent(new Event("desk:cleared"));
  };

  const ready = () => {
    clear();
    if ("answered" in field.dataset) empty();
    // Somebody is typing, or an answer is on its way: the page stays as it is for them.
    if (field.value || underWay) return later();
    desk.dispatchEvent(new Event("desk:next"));
    if (elsewhere()) return goBack();
    focus();
  };

  const later = () => {
    clearTimeout(resetTimer);
    resetTimer = setTimeout(ready, patiently(desk.dataset.resetMs));
  };

  // Whoever walked away in the middle leaves nothing on the screen for the next person.
  const awake = () => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => {
      empty();
      ready();
    }, patiently(desk.dataset.idleMs));
  };

  // The desk is for another session by now. Whoever is at it goes on with the one they see; the next person gets the
  // other.
  const heed = (purpose) => {
    switched = purpose !== null && purpose !== desk.dataset.purpose;
    if (switched && !verdict.firstElementChild && !field.value && !underWay) goBack();
  };

  const announce = () => {
    const section = verdict.querySelector("[data-verdict]");
    if (!section) return;
    desk.dispatchEvent(new CustomEvent("desk:verdict", { detail: section }));
    // All of it; of what is taller than the screen, the name.
    section.scrollIntoView({ block: "nearest" });
    section.querySelector(".greeting").scrollIntoView({ block: "nearest" });
  };

  const showUnanswered = () => {
    verdict.replaceChildren(unanswered.content.cloneNode(true));
    verdict.querySelector("[data-verdict]").dataset.wishes = page.dataset.wishes;
    announce();
    later();
  };

  // The next person is answered in the language of the place: the page around the answer follows, and what is being
  // typed stays where it is.
  const follow = (language) => {
    if (!language || language === page.lang) return;
    fetch(desk.dataset.ready + ease.address(language))
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer)))
      .then((text) => {
        const other = new DOMParser().parseFromString(text, "text/html");
        switched = other.querySelector(".desk").dataset.purpose !== desk.dataset.purpose;
        if (switched) return;
        const theirs = other.querySelectorAll(".desk [data-follows]");
        for (const [nth, part] of desk.querySelectorAll("[data-follows]").entries()) {
          part.replaceChildren(...theirs[nth].childNodes);
          htmx.process(part);
        }
        unanswered.innerHTML = other.querySelector("#unanswered").innerHTML;
        field.placeholder = other.querySelector("#identifier").placeholder;
        page.lang = other.documentElement.lang;
        document.title = other.title;
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
    // A scan names no button: what a scanner sends is nothing to be mended by hand.
    event.detail.ctx.typed = event.detail.ctx.sourceEvent?.submitter ? field.value : "";
    empty();
    underWay += 1;
    desk.classList.add("busy");
    event.detail.ctx.isCheckIn = true;
  });

  // Only a kiosk's answer names its verdict; anything else was not recorded as far as anybody knows.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (!ctx.isCheckIn) {
      if (ctx.response.headers.get("Kiosk-Withdrawn")) location.replace(desk.dataset.ready);
      heed(ctx.response.headers.get("Kiosk-Session"));
      if (ctx.response.status >= 400) event.preventDefault();
      return;
    }
    if (!ctx.response.headers.get("Kiosk-Verdict")) {
      event.preventDefault();
      showUnanswered();
    }
  });

  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.isCheckIn) showUnanswered();
  });

  document.addEventListener("htmx:finally:request", (event) => {
    if (!event.detail.ctx.isCheckIn) return;
    underWay -= 1;
    desk.classList.toggle("busy", underWay > 0);
    follow(verdict.firstElementChild?.lang);
    later();
    focus();
  });

  // Before the answer is looked at by anything else: what it sounds like comes with what it looks like.
  document.addEventListener("htmx:after:swap", (event) => {
    if (!event.detail.ctx.isCheckIn) return;
    announce();
    giveBack(event.detail.ctx.typed);
  });

  field.addEventListener("input", () => {
    delete field.dataset.answered;
    awake();
  });
  desk.addEventListener("desk:wish", () => {
    awake();
    if (verdict.firstElementChild) later();
  });

  // To another page, and back from it: the browser keeps what stood here, and nobody else should see it.
  window.addEventListener("pagehide", () => {
    empty();
    clear();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) ready();
  });

  announce();
  if (verdict.firstElementChild) later();
  if (elsewhere()) awake();
})();
