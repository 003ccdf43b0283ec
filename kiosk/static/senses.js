// What an answer sounds like: a short pattern of its own for each verdict, and its words aloud for whoever asked for them.
"use strict";

(() => {
  const page = document.documentElement;
  const desk = document.querySelector(".desk");
  if (!desk) return;

  // Hertz and milliseconds, one after the other; no hertz is a pause. What was recorded is high and clear, what was not is
  // low and rough.
  const PATTERNS = {
    welcome: { wave: "triangle", notes: [[523, 90], [659, 90], [784, 200]] },
    already_in: { wave: "triangle", notes: [[659, 110], [0, 70], [659, 110]] },
    noted: { wave: "triangle", notes: [[587, 240], [880, 110]] },
    checked_out: { wave: "triangle", notes: [[784, 110], [523, 220]] },
    not_recognised: { wave: "square", notes: [[247, 150], [0, 60], [196, 260]] },
    see_staff: { wave: "square", notes: [[220, 120], [0, 60], [220, 120], [0, 60], [220, 120]] },
    not_recorded: { wave: "sawtooth", notes: [[147, 550]] },
  };
  const LOUD = { triangle: 0.5, square: 0.14, sawtooth: 0.2 };
  const FADE_S = 0.012;

  let sounds = null;
  let sounding = [];

  // A browser is silent until the page was touched or typed at, and complains about who tries before.
  const untouched = () => navigator.userActivation?.hasBeenActive === false;

  const tone = (wave, hertz, from, until) => {
    const source = sounds.createOscillator();
    const volume = sounds.createGain();
    source.type = wave;
    source.frequency.value = hertz;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(LOUD[wave], from + FADE_S);
    volume.gain.setValueAtTime(LOUD[wave], until - FADE_S);
    volume.gain.linearRampToValueAtTime(0, until);
    source.connect(volume).connect(sounds.destination);
    source.start(from);
    source.stop(until);
    return source;
  };

  const play = ({ wave, notes }) => {
    sounds ??= new AudioContext();
    sounds.resume().catch(() => {});
    for (const each of sounding.splice(0)) each.stop();
    let at = sounds.currentTime + 0.01;
    for (const [hertz, ms] of notes) {
      if (hertz) sounding.push(tone(wave, hertz, at, at + ms / 1000));
      at += ms / 1000;
    }
  };

  // Only voices of this device: a name is not sent to anybody to be read out.
  const voiceFor = (language) =>
    window.speechSynthesis?.getVoices().find((voice) => voice.localService && voice.lang.slice(0, 2) === language.slice(0, 2));

  const hush = () => window.speechSynthesis?.cancel();

  const speak = (section) => {
    const voice = voiceFor(section.lang);
    if (!voice) return;
    const texts = section.querySelectorAll(".greeting, .word, .attended, .next");
    const words = Array.from(texts, (each) => each.textContent.replace(/\s+/g, " ").trim());
    const said = new SpeechSynthesisUtterance(words.join(" "));
    said.voice = voice;
    said.lang = voice.lang;
    speechSynthesis.speak(said);
  };

  const wantsSpeech = () => page.dataset.wishes.split(" ").includes("speech");

  const tell = (section) => {
    hush();
    if (untouched()) return;
    if (desk.dataset.sound !== "off" && window.AudioContext) play(PATTERNS[section.dataset.verdict]);
    if (wantsSpeech()) speak(section);
  };

  desk.addEventListener("desk:verdict", (event) => tell(event.detail));
  desk.addEventListener("desk:cleared", hush);
  desk.addEventListener("desk:wish", () => {
    const section = document.querySelector("#verdict [data-verdict]");
    hush();
    if (section && wantsSpeech()) speak(section);
  });
  window.addEventListener("pagehide", hush);

  // The button for it shows in the languages there is a voice for.
  const listVoices = () => {
    page.dataset.voices = ["en", "fr"].filter(voiceFor).join(" ");
  };
  listVoices();
  window.speechSynthesis?.addEventListener("voiceschanged", listVoices);
})();
