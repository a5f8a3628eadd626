// The page: files to an edit, the edit to sliders, every change to the picture.

import * as api from "./api.js";
import { History } from "./history.js";
import { Sliders } from "./sliders.js";
import { View } from "./view.js";

const TABLE = 65; // of 33 steps, curves that clip would be two levels off in one pixel of a hundred
const PREVIEW = 1920;
const at = (id) => document.getElementById(id);

const files = { composite: null, mask: null, background: null };
const registry = await api.listFilters().catch((error) => {
  at("problem").textContent = error.message;
  throw error;
});
const entries = new Map(registry.filters.map((entry) => [entry.name, entry]));
const sliders = new Sliders(at("sliders"), entries, changed);
const view = new View(at("canvas"));
let edit, colours, history, running;
at("format").replaceChildren(...registry.formats.map((format) => new Option(format)));

for (const role of Object.keys(files)) {
  at(role).addEventListener("change", () => choose(role, at(role).files[0] ?? null));
}

function choose(role, file) {
  files[role] = file;
  at("harmonize").disabled = !files.composite || !(files.mask || files.background);
}

// Files may have been chosen while the registry was on its way.
for (const role of Object.keys(files)) choose(role, at(role).files[0] ?? null);

function say(text) {
  at("status").textContent = text;
}

function complain(error) {
  at("problem").textContent = error ? error.message : "";
}

// Two dropped files: the second, by its name, is a mask or a background.
at("frame").addEventListener("dragover", (event) => {
  event.preventDefault();
  at("frame").classList.add("over");
});
at("frame").addEventListener("dragleave", () => at("frame").classList.remove("over"));
at("frame").addEventListener("drop", (event) => {
  event.preventDefault();
  at("frame").classList.remove("over");
  for (const file of event.dataTransfer.files) {
    const role = /mask|matte|alpha/i.test(file.name) ? "mask" : /background|bg/i.test(file.name) ? "background" : "composite";
    const list = new DataTransfer();
    list.items.add(file);
    at(role).files = list.files;
    choose(role, file);
  }
});

at("files").addEventListener("submit", async (event) => {
  event.preventDefault();
  complain(null);
  running = new AbortController();
  const { signal } = running;
  at("harmonize").disabled = true;
  at("cancel").hidden = false;
  say("Harmonizing …");
  try {
    const [answer, bitmap, counted] = await Promise.all([
      api.harmonize(files, signal), api.preview(files, PREVIEW, signal), api.colours(files, signal),
    ]);
    edit = answer.edit;
    colours = counted;
    view.setPicture(bitmap);
    const theta = Object.fromEntries(edit.filters.map((step) => [step.name, step.theta]));
    history = new History(theta);
    sliders.show(theta);
    for (const id of ["canvas", "divider-row", "filters", "downloads"]) at(id).hidden = false;
    at("empty").hidden = true;
    await show(theta);
    say(answer.warning ? `Harmonized. Note: ${answer.warning}.` : "Harmonized.");
  } catch (error) {
    say(error.name === "AbortError" ? "Cancelled." : "");
    complain(error.name === "AbortError" ? null : error);
  } finally {
    at("harmonize").disabled = false;
    at("cancel").hidden = true;
    updateHistory();
  }
});
at("cancel").addEventListener("click", () => running?.abort());

// While one table is on its way, only the newest of all further changes waits.
let busy = false, waiting = null;

async function show(theta) {
  if (busy) {
    waiting = theta;
    return;
  }
  busy = true;
  try {
    view.setTable(await api.grade(edit, theta, colours, TABLE), TABLE);
    view.draw();
    at("canvas").dataset.shown = JSON.stringify(theta);
  } catch (error) {
    complain(error);
  } finally {
    busy = false;
  }
  if (waiting) {
    const next = waiting;
    waiting = null;
    await show(next);
  }
}

function changed(theta, isFinal) {
  if (isFinal) {
    history.push(theta);
    updateHistory();
  }
  show(theta);
}

function go(theta) {
  sliders.set(theta);
  updateHistory();
  show(theta);
}

function updateHistory() {
  at("undo").disabled = !history?.canUndo;
  at("redo").disabled = !history?.canRedo;
}

at("undo").addEventListener("click", () => go(history.undo()));
at("redo").addEventListener("click", () => go(history.redo()));
at("reset").addEventListener("click", () => {
  history.push({ ...sliders.predicted });
  go(history.state);
});
at("divider").addEventListener("input", () => {
  view.divider = at("divider").value / 100;
  view.draw();
});
at("show-mask").addEventListener("change", () => {
  view.tint = at("show-mask").checked ? 0.5 : 0;
  view.draw();
});

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function download(button, work) {
  complain(null);
  button.disabled = true;
  say("Rendering …");
  try {
    await work();
    say("Saved.");
  } catch (error) {
    say("");
    complain(error);
  } finally {
    button.disabled = false;
  }
}

const stem = () => files.composite.name.replace(/\.[^.]*$/, "");
const edited = () => api.measure(files, edit, sliders.theta);

at("save-picture").addEventListener("click", (event) => download(event.target, async () => {
  const format = at("format").value;
  save(await api.render(files, edit, sliders.theta, format), `${stem()}-harmonized.${format}`);
}));
at("save-edit").addEventListener("click", (event) => download(event.target, async () => {
  const text = JSON.stringify(await edited(), null, 2);
  save(new Blob([`${text}\n`], { type: "application/json" }), `${stem()}-edit.json`);
}));
at("save-lut").addEventListener("click", (event) => download(event.target, async () => {
  save(await api.cube(await edited()), `${stem()}.cube`);
}));

// For tests and the curious: what is shown now, as bytes.
window.harmonizer = { view };
