// What one person asks of the screen: larger, starker, aloud. Kept in the page alone, carried by its form, and taken back
// for the next person. Without this file the buttons ask for the page anew.
"use strict";

(() => {
  const page = document.documentElement;
  const desk = document.querySelector(".desk");
  if (!desk) return;

  const VALUES = { text: "large", contrast: "high", speech: "on" };

  const wished = () => page.dataset.wishes.split(" ").filter(Boolean);

  const address = (language) =>
    "?" + new URLSearchParams([["lang", language], ...wished().map((name) => [name, VALUES[name]])]);

  const show = (names) => {
    page.dataset.wishes = names.join(" ");
    for (const button of desk.querySelectorAll("[data-wish]")) {
      button.setAttribute("aria-pressed", names.includes(button.dataset.wish));
    }
    for (const link of desk.querySelectorAll(".languages a")) link.search = address(link.lang);
  };

  // The form takes them along to the answer, which is then given in the same way.
  const carry = (names) => {
    for (const [name, value] of Object.entries(VALUES)) {
      const field = desk.querySelector(`#fresh [name="${name}"]`);
      if (field) field.value = names.includes(name) ? value : "";
    }
  };

  desk.addEventListener("click", (event) => {
    const button = event.target.closest("[data-wish]");
    if (!button) return;
    event.preventDefault();
    const name = button.dataset.wish;
    const names = wished().includes(name) ? wished().filter((each) => each !== name) : [...wished(), name];
    show(names);
    carry(names);
    desk.dispatchEvent(new CustomEvent("desk:wish", { detail: name }));
  });

  // An answer brings along what its person had asked for: the next one's has nothing of the one before.
  desk.addEventListener("desk:verdict", (event) => show(event.detail.dataset.wishes.split(" ").filter(Boolean)));

  desk.addEventListener("desk:next", () => {
    show([]);
    carry([]);
  });

  window.ease = { address };
})();
