// A keyboard on the screen for a desk that has none. Its own library is fetched when somebody opens it first.
"use strict";

(() => {
  const desk = document.querySelector(".desk");
  const field = document.querySelector("#identifier");
  const opener = document.querySelector("#keyboard-button");
  const panel = document.querySelector("#keyboard");
  if (!desk || !field || !opener || !panel || desk.dataset.keyboard === "off") return;

  const always = desk.dataset.keyboard === "on";
  const own = JSON.parse(desk.dataset.domains || "[]")[0]?.match(/\.[^.]+$/)?.[0];
  const bottom = `{layout} @ .com ${own && own !== ".com" ? own : ".fr"} {enter}`;
  const digits = "1 2 3 4 5 6 7 8 9 0 {bksp}";
  const signs = "! # $ % & * + = / ? {bksp}";
  const letters = {
    qwerty: ["q w e r t y u i o p", "a s d f g h j k l -", "{shift} z x c v b n m _ ."],
    azerty: ["a z e r t y u i o p", "q s d f g h j k l m", "{shift} w x c v b n - _ ."],
  };
  const layout = {};
  for (const [name, rows] of Object.entries(letters)) {
    layout[name] = [digits, ...rows, bottom];
    layout[`${name}-shift`] = [signs, ...rows.map((row) => row.replace(/\b[a-z]\b(?!})/g, (each) => each.toUpperCase())), bottom];
  }

  const submit = () => field.form.querySelector("[type=submit]");
  const ofThisPage = () => (document.documentElement.lang.startsWith("fr") ? "azerty" : "qwerty");

  let keyboard = null;
  let name = ofThisPage();
  let shifted = false;

  const show = () => {
    keyboard?.setOptions({
      layoutName: shifted ? `${name}-shift` : name,
      display: {
        "{bksp}": "⌫",
        "{shift}": "⇧",
        "{enter}": submit().textContent.trim(),
        "{layout}": name === "qwerty" ? "AZERTY" : "QWERTY",
      },
      buttonTheme: shifted ? [{ class: "held", buttons: "{shift}" }] : [],
    });
    if (!panel.hidden) panel.scrollIntoView({ block: "nearest" });
  };

  const write = (text) => {
    const { selectionStart: from, selectionEnd: to } = field;
    field.setRangeText(text, text || from !== to ? from : Math.max(0, from - 1), to, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const press = (key) => {
    const wasShifted = shifted;
    shifted = key === "{shift}" && !shifted;
    if (key === "{layout}") name = name === "qwerty" ? "azerty" : "qwerty";
    if (key === "{layout}" || shifted || wasShifted) show();
    if (key === "{bksp}") write("");
    else if (key === "{enter}") field.form.requestSubmit(submit());
    else if (!key.startsWith("{")) write(key);
    field.focus({ preventScroll: true });
  };

  const start = () => {
    keyboard = new window.SimpleKeyboard.default({
      onKeyPress: press,
      theme: "keys",
      layout,
      layoutName: name,
      disableButtonHold: true,
      disableCaretPositioning: true,
      preventMouseDownDefault: true,
    });
    show();
  };

  const fetchOnce = () => {
    if (document.querySelector("#keyboard-script")) return;
    const script = document.createElement("script");
    script.id = "keyboard-script";
    script.src = panel.dataset.src;
    script.addEventListener("load", start);
    document.head.append(script);
  };

  // The vendored keys mark what was hit, which may be the letter within the key, and then forget to take it back.
  const letGo = () => {
    for (const each of panel.querySelectorAll(".hg-activeButton")) each.classList.remove("hg-activeButton");
  };

  const open = (opened) => {
    letGo();
    panel.hidden = !opened;
    desk.classList.toggle("with-keyboard", opened);
    opener.setAttribute("aria-expanded", String(opened));
    // The tablet's own keyboard stays away while this one is there.
    field.inputMode = opened ? "none" : "email";
    if (opened) {
      fetchOnce();
    } else {
      name = ofThisPage();
      shifted = false;
      keyboard?.clearInput();
    }
    show();
  };

  opener.hidden = false;
  opener.addEventListener("click", () => {
    open(panel.hidden);
    field.focus({ preventScroll: true });
  });
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) panel.addEventListener(kind, letGo);
  if (always) field.addEventListener("pointerdown", () => open(true));

  // An answer needs the room, and the next person begins afresh.
  document.addEventListener("htmx:config:request", (event) => event.detail.ctx.isCheckIn && open(false));
  desk.addEventListener("desk:next", () => open(always));
  open(always);
})();
