// A pass held up to the camera is a check-in like any scan. Everything stays on this device: the picture is looked at and
// never kept.
"use strict";

(() => {
  const camera = document.querySelector(".camera");
  const field = document.querySelector("#identifier");
  if (!camera || !field) return;

  const picture = camera.querySelector("video");
  const LOOK_MS = 120;
  // A code that stays in view is one check-in, also when a finger is in the way for a moment.
  const UNSEEN_MS = 3000;
  const MISHAPS = 10;

  const TROUBLES = {
    NotAllowedError: "refused",
    SecurityError: "refused",
    NotFoundError: "none",
    OverconstrainedError: "none",
    NotReadableError: "in-use",
    AbortError: "in-use",
  };

  const show = (state) => {
    camera.dataset.state = state;
  };

  let stream = null;
  let asking = false;
  let detector = null;
  let mishaps = 0;
  let idle = 0;
  const inView = new Map();

  // Nobody there for a while: the desk is where the next person looks.
  const awake = () => {
    clearTimeout(idle);
    idle = setTimeout(() => location.replace(camera.dataset.back), camera.dataset.idleMs);
  };

  const load = (address) =>
    new Promise((loaded, failed) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = loaded;
      script.onerror = failed;
      document.head.append(script);
    });

  const readsPasses = async () => (await window.BarcodeDetector?.getSupportedFormats())?.includes("qr_code");

  const newDetector = async () => {
    if (!(await readsPasses())) {
      // The one we bring along takes the place of none, and of none only.
      delete window.BarcodeDetector;
      await load(camera.dataset.reader);
      const overrides = { locateFile: () => camera.dataset.wasm };
      await window.BarcodeDetectionAPI.prepareZXingModule({ overrides, fireImmediately: true });
    }
    return new window.BarcodeDetector({ formats: ["qr_code"] });
  };

  const checkIn = (text) => {
    const typing = field.value;
    field.value = text;
    field.form.requestSubmit();
    field.value = typing;
  };

  const seen = (texts) => {
    const now = performance.now();
    for (const [text, at] of inView) if (now - at > UNSEEN_MS) inView.delete(text);
    for (const text of texts) {
      const isNew = !inView.has(text);
      inView.set(text, now);
      if (isNew) checkIn(text);
    }
    if (texts.length) awake();
  };

  const look = async (looked) => {
    if (stream !== looked) return;
    try {
      const found = await detector.detect(picture);
      mishaps = 0;
      if (stream === looked) seen(found.map((code) => code.rawValue.trim()).filter(Boolean));
    } catch {
      // A picture that is not there yet is one; a reader that never reads is many.
      mishaps += 1;
    }
    if (mishaps > MISHAPS) stop("broken");
    else setTimeout(look, LOOK_MS, looked);
  };

  const stop = (state) => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    mishaps = 0;
    picture.srcObject = null;
    show(state);
  };

  const start = async () => {
    if (stream || asking || document.hidden) return;
    if (!navigator.mediaDevices) return show("unsupported");
    asking = true;
    show("starting");
    try {
      detector ??= await newDetector();
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 } } });
      const [track] = stream.getVideoTracks();
      track.addEventListener("ended", () => stop("lost"));
      // Whoever faces the screen finds the way as before a mirror.
      picture.classList.toggle("mirrored", track.getSettings().facingMode !== "environment");
      picture.srcObject = stream;
      await picture.play();
      show("looking");
      look(stream);
    } catch (error) {
      stop(TROUBLES[error.name] ?? "broken");
    }
    asking = false;
    if (document.hidden && stream) stop("starting");
  };

  camera.addEventListener("click", (event) => {
    if (event.target.closest("[data-again]")) start();
  });
  navigator.mediaDevices?.addEventListener("devicechange", () => {
    if (["none", "lost"].includes(camera.dataset.state)) start();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? stop("starting") : start()));
  window.addEventListener("pagehide", () => stop("starting"));
  window.addEventListener("pageshow", start);
  for (const sign of ["keydown", "pointerdown"]) document.addEventListener(sign, awake, true);

  awake();
  start();
})();
