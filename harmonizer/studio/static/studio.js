// The page: files to an edit, the edit to sliders, every change to the picture.

import * as api from "./api.js";
import { drawHistograms, measure } from "./canvas/histograms.js";
import { arrange, thetaOf } from "./edit/edit.js";
import { latest } from "./edit/latest.js";
import { History } from "./edit/history.js";
import { Sliders } from "./edit/sliders.js";
import { Files } from "./files.js";
import { Stage } from "./stage.js";
import { askForKey, complain, work } from "./words.js";

const TABLE = 65; // of 33 steps, curves that clip would be two levels off in one pixel of a hundred
const PREVIEW = 1920;
const DETAIL = 4096; // where a larger picture is zoomed into
const at = (id) => document.getElementById(id);

api.onKeyWanted(askForKey);
const registry = await api.listFilters().catch((error) => {
  complain(error);
  throw error;
});
const entries = new Map(registry.filters.map((entry) => [entry.name, entry]));
const stage = new Stage(updateButtons);
const sliders = new Sliders(at("sliders"), entries, changed, { canArrange: true });
const files = new Files({ composite: at("composite"), mask: at("mask"), background: at("background") }, open);
let pictures, stem, edit, colours, counted, history, opening, origin;
let isDetailed = false; // the finer preview is there, or on its way
at("format").replaceChildren(...registry.formats.map((format) => new Option(format)));
if (files.composite) open();

// Show what was chosen: a cut-out on its background, or a picture and its mask.
async function open() {
  opening?.abort();
  opening = new AbortController();
  const { signal } = opening;
  stage.painter.close();
  stage.placer.close();
  complain(null);
  updateButtons();
  if (!files.composite) return stage.show("empty");
  try {
    await (files.background ? openPlacement(signal) : openMask(signal));
  } catch (error) {
    if (error.name !== "AbortError") complain(error);
  }
}

async function openMask(signal) {
  const { composite, mask } = files;
  const [{ bitmap, size }, grey] = await Promise.all([
    api.preview({ composite }, PREVIEW, signal),
    mask && api.mask({ composite, mask }, null, signal).then(createImageBitmap),
  ]);
  if (signal.aborted) return;
  stage.viewport.fit();
  stage.painter.open(bitmap, size, grey);
  stage.show("mask", size);
}

async function openPlacement(signal) {
  const { composite, mask, background } = files;
  const [cutOut, under] = await Promise.all([
    api.preview({ composite, mask }, PREVIEW, signal), api.preview({ composite: background }, PREVIEW, signal),
  ]);
  if (signal.aborted) return;
  stage.viewport.fit();
  stage.show("place", under.size);
  stage.placer.open(under.bitmap, under.size, cutOut.bitmap, cutOut.size);
}

// The composite and its mask as the service shall harmonize them.
async function prepare(signal) {
  const { composite, mask, background } = files;
  if (background) {
    const place = stage.placer.place; // null before the placement is shown: pixel over pixel
    const [pasted, its] = await Promise.all([
      api.compose({ composite, mask, background }, place, signal), api.mask({ composite, mask, background }, place, signal),
    ]);
    return { composite: new File([pasted], `${files.stem}-composite.png`), mask: new File([its], `${files.stem}-mask.png`) };
  }
  if (stage.painter.isPainted) return { composite, mask: new File([await stage.painter.toBlob()], `${files.stem}-mask.png`) };
  if (!mask) throw new api.Problem("Nothing shows the foreground. Paint it with the brush, or choose its mask.");
  return { composite, mask };
}

at("files").addEventListener("submit", async (event) => {
  event.preventDefault();
  opening?.abort();
  await work("Harmonizing …", async (signal, progress) => {
    const prepared = await prepare(signal);
    const [answer, { bitmap, size }, blob] = await Promise.all([
      api.harmonize(prepared, signal, progress), api.preview(prepared, PREVIEW, signal), api.colours(prepared, signal),
    ]);
    [pictures, stem, edit, colours] = [prepared, files.stem, answer.edit, blob];
    isDetailed = false;
    counted = new Float32Array(await blob.arrayBuffer());
    origin = files.background ? "place" : "mask";
    at("back").textContent = files.background ? "Move the cut-out" : "Change the mask";
    stage.view.setPicture(bitmap);
    history = new History(thetaOf(edit));
    sliders.show(history.state);
    for (const id of ["filters", "tones", "downloads"]) at(id).hidden = false;
    stage.show("result", size);
    await show(history.state);
    return answer.warning ? `Harmonized. Note: ${answer.warning}.` : "Harmonized.";
  });
  updateButtons();
});

at("back").addEventListener("click", async () => {
  if (origin === "mask" && !stage.painter.bitmap) await open();
  else stage.show(origin);
});

// Fetch the finer picture once there is more to see than the small one has.
stage.zoomed = async () => {
  const { view, size, viewport, mode } = stage;
  const wanted = viewport.zoom * view.canvas.width > 1.2 * view.size?.width && size?.width > view.size?.width;
  if (mode !== "result" || !wanted || isDetailed) return;
  const detailed = pictures;
  isDetailed = true;
  const { bitmap } = await api.preview(detailed, DETAIL).catch(() => ({}));
  if (!bitmap || pictures !== detailed) return;
  view.setPicture(bitmap);
  stage.draw();
};

const show = latest(async (theta, isNewest) => {
  try {
    const table = await api.grade(arrange(edit, theta), theta, colours, TABLE);
    stage.view.setTable(table, TABLE);
    stage.draw();
    at("canvas").dataset.shown = JSON.stringify(theta);
    if (isNewest()) drawHistograms(at("histogram"), measure(counted, table, TABLE));
  } catch (error) {
    complain(error);
  }
});

function changed(theta, isFinal) {
  if (isFinal) {
    history.push(theta);
    updateButtons();
  }
  show(theta);
}

function go(theta) {
  sliders.set(theta);
  updateButtons();
  show(theta);
}

function updateButtons() {
  const steps = undoable();
  at("undo").disabled = !steps?.canUndo;
  at("redo").disabled = !steps?.canRedo;
  at("harmonize").disabled = !files?.composite;
  if (history) listMore([...entries.keys()].filter((name) => !(name in history.state)));
}

// Only where they differ: the choice in the list shall stay.
function listMore(names) {
  if (names.join() === [...at("more").options].map((option) => option.value).join()) return;
  at("more").replaceChildren(...names.map((name) => new Option(name.replaceAll("_", " "), name)));
  at("add").disabled = names.length === 0;
}

function undoable() {
  return { mask: stage?.painter, result: history }[stage?.mode];
}

function step(way) {
  const steps = undoable();
  if (!steps?.[way === "undo" ? "canUndo" : "canRedo"]) return;
  steps[way]();
  if (steps === history) go(history.state);
}

for (const way of ["undo", "redo"]) at(way).addEventListener("click", () => step(way));
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches("[type=number], [type=password]")) return;
  event.preventDefault();
  step(event.shiftKey ? "redo" : "undo");
});
at("reset").addEventListener("click", () => {
  history.push({ ...sliders.predicted });
  go(history.state);
});
at("add").addEventListener("click", () => sliders.add(at("more").value));

at("frame").addEventListener("dragover", (event) => {
  event.preventDefault();
  at("frame").classList.add("over");
});
at("frame").addEventListener("dragleave", () => at("frame").classList.remove("over"));
at("frame").addEventListener("drop", (event) => {
  event.preventDefault();
  at("frame").classList.remove("over");
  files.drop(event.dataTransfer.files);
});
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => files.openExample(button.dataset.example));
  button.disabled = false;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function download(id, fetchFile) {
  at(id).addEventListener("click", () => work("Rendering …", async (signal, progress) => {
    const [blob, name] = await fetchFile(signal, progress);
    save(blob, name);
    return "Saved.";
  }));
}

const changedEdit = () => arrange(edit, sliders.theta);
const measured = (...rest) => api.measure(pictures, changedEdit(), sliders.theta, ...rest);

download("save-picture", async (...rest) => {
  const format = at("format").value;
  return [await api.render(pictures, changedEdit(), sliders.theta, format, ...rest), `${stem}-harmonized.${format}`];
});
download("save-edit", async (...rest) => {
  const text = `${JSON.stringify(await measured(...rest), null, 2)}\n`;
  return [new Blob([text], { type: "application/json" }), `${stem}-edit.json`];
});
download("save-lut", async (...rest) => [await api.cube(await measured(...rest)), `${stem}.cube`]);
download("save-composite", async () => [pictures.composite, pictures.composite.name]);
download("save-mask", async () => [pictures.mask, pictures.mask.name]);

// For tests and the curious: what is shown now, as bytes.
window.harmonizer = { view: stage.view };
