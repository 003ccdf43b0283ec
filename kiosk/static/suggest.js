// Helps with typing an address: offers domains as soon as there is an @, and asks once before it sends one that looks
// mistyped. All of it is worked out here from lists that say nothing about who is known. A scanner is never asked.
"use strict";

(() => {
  const desk = document.querySelector(".desk");
  const field = document.querySelector("#identifier");
  const help = document.querySelector("#help");
  const words = document.querySelector("#help-words");
  if (!desk || !field || !help || !words) return;

  const MOST = 4;
  const COMMON = [
    "gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com",
    "outlook.fr", "hotmail.fr", "yahoo.fr", "orange.fr", "free.fr", "laposte.net", "sfr.fr", "wanadoo.fr",
    "live.com", "live.fr", "gmx.com", "gmx.fr", "bbox.fr", "neuf.fr", "proton.me", "protonmail.com", "aol.com",
    "me.com", "msn.com",
  ];
  // As real as those they resemble; not common enough to be offered.
  const REAL = ["mail.com", "ymail.com", "email.com", "googlemail.com", "rocketmail.com", "gmx.net"];
  const COM = /\.(con|cmo|ocm|comm|coom|vom|xom|cpm)$/;

  const own = JSON.parse(desk.dataset.domains || "[]");
  const offered = Array.from(new Set([...own, ...COMMON]));
  const known = new Set([...offered, ...REAL]);

  const withoutEnd = (domain) => domain.replace(/\.[^.]*$/, "");

  // Letters added, left out, changed or swapped with their neighbour.
  const distance = (one, other) => {
    const rows = Array.from({ length: one.length + 1 }, (_, i) => [i]);
    for (let j = 1; j <= other.length; j += 1) rows[0][j] = j;
    for (let i = 1; i <= one.length; i += 1) {
      for (let j = 1; j <= other.length; j += 1) {
        const changed = one[i - 1] === other[j - 1] ? 0 : 1;
        rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + changed);
        if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
          rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
        }
      }
    }
    return rows[one.length][other.length];
  };

  // Short names have too many real neighbours for a guess.
  const slack = (domain) => (domain.length < 8 ? 0 : domain.length < 9 ? 1 : 2);

  // yahoo.ca is as good as yahoo.fr; but .co, .cm and .om are more often half a .com than a country.
  const elsewhere = (one, other) => {
    const [name, country] = one.split(/\.(.*)/);
    return other.startsWith(`${name}.`) && /^(?!co$|cm$|om$)(com?\.)?[a-z]{2}$/.test(country);
  };

  const nearest = (domain) =>
    offered
      .filter((each) => Math.abs(each.length - domain.length) <= slack(each) && !elsewhere(domain, each))
      .map((each) => ({ each, far: distance(domain, each) }))
      .filter(({ each, far }) => far <= slack(each))
      .sort((one, other) => one.far - other.far)[0]?.each;

  // The domain that was probably meant, or nothing when there is no reason to doubt.
  const meant = (typed) => {
    if (!typed || known.has(typed)) return undefined;
    const dotted = typed.replace(/[.,;\s]+/g, ".").replace(/^\.|\.$/g, "").replace(COM, ".com");
    if (known.has(dotted)) return dotted;
    const ours = own.find((each) => withoutEnd(each) === withoutEnd(dotted));
    if (ours) return ours;
    if (dotted.startsWith("gmail.")) return "gmail.com";
    const bare = dotted.replaceAll(".", "");
    const guess =
      offered.find((each) => each.replaceAll(".", "") === bare || each.startsWith(`${dotted}.`)) ?? nearest(dotted);
    return guess ?? (dotted !== typed && dotted.includes(".") ? dotted : undefined);
  };

  const split = (text) => {
    const at = text.lastIndexOf("@");
    return at > 0 ? { local: text.slice(0, at), domain: text.slice(at + 1).toLowerCase() } : null;
  };

  const correction = (text) => {
    const typed = split(text.trim());
    const domain = typed && meant(typed.domain);
    return domain ? `${typed.local}@${domain}` : undefined;
  };

  const completions = (text) => {
    const typed = split(text.trimStart());
    if (!typed) return [];
    return offered
      .filter((each) => each.startsWith(typed.domain) && each !== typed.domain)
      .slice(0, MOST)
      .map((each) => ({ domain: each, address: `${typed.local}@${each}` }));
  };

  const buttons = help.querySelector(".offers");
  const spoken = help.querySelector("[role=status]");
  let asked = null;
  let speaking = 0;

  const word = (name, value) => words.querySelector(`[data-word=${name}]`).textContent.replace("{}", () => value);

  const button = (text, kind, onClick) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = kind;
    made.textContent = text;
    made.addEventListener("click", onClick);
    return made;
  };

  // Said when the typing pauses, so that a screen reader is not interrupted by every letter.
  const say = (text) => {
    clearTimeout(speaking);
    if (!text) spoken.textContent = "";
    else speaking = setTimeout(() => (spoken.textContent = text), 500);
  };

  const send = (address) => {
    field.value = address;
    field.focus({ preventScroll: true });
    field.form.requestSubmit();
  };

  const fill = (address) => {
    field.value = address;
    field.focus({ preventScroll: true });
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const refresh = () => {
    if (asked !== null && field.value === asked) return;
    asked = null;
    const offers = completions(field.value);
    buttons.replaceChildren(
      ...offers.map(({ domain, address }) => button(`@${domain}`, "offer", () => fill(address))),
    );
    if (offers.length) help.scrollIntoView({ block: "nearest" });
    say(offers.length ? word("offers", offers.map(({ domain }) => domain).join(", ")) : "");
  };

  const ask = (typed, better) => {
    asked = typed;
    buttons.replaceChildren(
      button(word("better", better), "choice better", () => send(better)),
      button(word("keep", typed), "choice", () => send(typed)),
    );
    help.scrollIntoView({ block: "nearest" });
    say(word("question", better));
  };

  // Only what a person sends names its button; a burst, and what is sent on for somebody, does not.
  document.addEventListener(
    "submit",
    (event) => {
      if (event.target !== field.form || !event.submitter || field.value === asked) return;
      const better = correction(field.value);
      if (!better) return;
      event.preventDefault();
      event.stopPropagation();
      ask(field.value, better);
    },
    true,
  );

  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  desk.addEventListener("keydown", (event) => {
    const all = Array.from(buttons.children);
    const here = all.indexOf(event.target);
    if (event.target === field && event.key === "ArrowDown" && all.length) {
      event.preventDefault();
      all[0].focus();
    } else if (here >= 0 && event.key in steps) {
      event.preventDefault();
      (all[here + steps[event.key]] ?? field).focus();
    } else if (here >= 0 && event.key === "Escape") {
      field.focus();
    }
  });

  field.addEventListener("input", refresh);
  document.addEventListener("htmx:config:request", refresh);
  desk.addEventListener("desk:next", refresh);
})();
