// Says so when the numbers on the page are no longer fresh.
"use strict";

(() => {
  const live = document.querySelector("#live");
  const stale = document.querySelector("#stale");
  if (!live || !stale) return;

  const clock = () => new Date().toTimeString().slice(0, 5);
  let fresh = clock();

  const lost = () => {
    stale.querySelector("time").textContent = fresh;
    stale.hidden = false;
  };

  document.addEventListener("htmx:before:response", (event) => {
    const { status, headers } = event.detail.ctx.response;
    if (status >= 400) {
      event.preventDefault();
      lost();
      return;
    }
    // Only the numbers carry a tag: anything else is the sign-in page, which belongs where the whole page is.
    if (!headers.get("ETag")) {
      event.preventDefault();
      location.reload();
      return;
    }
    fresh = clock();
    stale.hidden = true;
  });
  document.addEventListener("htmx:error", lost);
})();
