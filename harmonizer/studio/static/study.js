// A study: one task after the other; every answer is stored before the next task comes.

import * as api from "./api.js";
import { latest } from "./edit/latest.js";
import { Sliders } from "./edit/sliders.js";
import { View } from "./canvas/view.js";

const TABLE = 65, PREVIEW = 1920; // as on the page of the studio
const PLACE = "harmonizer-participant";
const RATINGS = [1, 2, 3, 4, 5];
const at = (id) => document.getElementById(id);
const screens = ["welcome", "adjust", "compare", "end"];
const choices = [...document.querySelectorAll("#compare button")];

let progress; // where the participant is, as the service says
let retry; // what "Try again" does

async function ask(path, values) {
  let answer;
  try {
    answer = await fetch(`v1/study/${path}`, values && {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values),
    });
  } catch {
    throw new api.Problem("The service does not answer. Nothing that was stored is lost.");
  }
  if (answer.ok) return answer;
  const { error, advice } = await answer.json().catch(() => ({}));
  const problem = new api.Problem([error ?? `The service answered ${answer.status}.`, advice].filter(Boolean).join("\n"));
  problem.status = answer.status;
  throw problem;
}

// Do some work; if it fails, say so and offer to do it again.
async function attempt(work) {
  at("problem").textContent = "";
  at("again").hidden = true;
  try {
    await work();
  } catch (error) {
    at("problem").textContent = error.message;
    retry = work;
    at("again").hidden = false;
  }
}

at("again").addEventListener("click", () => attempt(retry));

function display(screen) {
  for (const each of screens) at(each).hidden = each !== screen; // null hides all
}

async function resume() {
  const { filters } = await api.listFilters();
  sliders = new Sliders(at("sliders"), new Map(filters.map((entry) => [entry.name, entry])), (theta) => show(theta));
  const id = localStorage.getItem(PLACE);
  if (id) {
    try {
      await go(await (await ask(`participants/${encodeURIComponent(id)}`)).json());
      return;
    } catch (error) {
      if (error.status !== 404) throw error;
      localStorage.removeItem(PLACE); // of another study at this address
    }
  }
  display("welcome");
}

at("start").addEventListener("click", () => attempt(async () => {
  const next = await (await ask("participants", {})).json();
  localStorage.setItem(PLACE, next.participant);
  await go(next);
}));

async function go(next) {
  progress = next;
  const { answered, total, task } = progress;
  document.title = progress.title;
  at("title").textContent = progress.title;
  at("progress").hidden = false;
  at("bar").max = total;
  at("bar").value = answered;
  at("place").textContent = task ? `${answered + 1} of ${total}` : `All ${total} answered`;
  display(null); // nobody answers a task whose pictures are not there
  if (!task) display("end");
  else await attempt(task.kind === "adjust" ? () => showAdjustment(task) : () => showPair(task));
  window.scrollTo(0, 0);
  at("title").focus({ preventScroll: true }); // who listens to the page begins at its top
}

// What is sent again after a lost reply is stored once: the service knows the task.
async function send(values) {
  const path = `participants/${encodeURIComponent(progress.participant)}/answers`;
  const next = await (await ask(path, { task: progress.task.id, ...values })).json();
  await go(next);
}

const part = async (task, name) => (await ask(`tasks/${task.id}/${name}`)).blob();

// Adjusting

let sliders, view, colours;

async function showAdjustment(task) {
  view ??= new View(at("canvas"));
  const [composite, mask] = await Promise.all([part(task, "composite"), part(task, "mask")]);
  const files = { composite, mask };
  const [{ bitmap }, counted] = await Promise.all([api.preview(files, PREVIEW), api.colours(files)]);
  colours = counted;
  const theta = Object.fromEntries(task.edit.filters.map((step) => [step.name, 0]));
  [at("canvas").width, at("canvas").height] = [bitmap.width, bitmap.height];
  view.setPicture(bitmap);
  view.divider = 0;
  at("divider").value = 0;
  sliders.show(theta);
  at("importance").replaceChildren(...Object.keys(theta).map(rating));
  await show(theta);
  display("adjust");
}

const show = latest(async (theta) => {
  try {
    view.setTable(await api.grade(progress.task.edit, theta, colours, TABLE), TABLE);
    view.draw();
    at("canvas").dataset.shown = JSON.stringify(theta);
    if (at("again").hidden) at("problem").textContent = ""; // what an earlier table lacked
  } catch (error) {
    at("problem").textContent = error.message;
  }
});

function rating(name) {
  const group = document.createElement("fieldset");
  group.className = "rating";
  const legend = document.createElement("legend");
  legend.textContent = name.replaceAll("_", " ");
  group.append(legend, ...RATINGS.map((value) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: `importance-${name}`, value, required: true });
    label.append(input, String(value));
    return label;
  }));
  return group;
}

at("divider").addEventListener("input", () => {
  view.divider = at("divider").value / 100;
  view.draw();
});

at("adjustment").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target), button = event.target.querySelector("[type=submit]");
  const names = Object.keys(sliders.theta);
  const importance = Object.fromEntries(names.map((name) => [name, Number(form.get(`importance-${name}`))]));
  button.disabled = true;
  attempt(() => send({ theta: sliders.theta, importance })).finally(() => { button.disabled = false; });
});

// Comparing

async function showPair(task) {
  const urls = await Promise.all(["first", "second"].map(async (name) => URL.createObjectURL(await part(task, name))));
  await Promise.all(choices.map((button, index) => {
    const image = button.querySelector("img");
    URL.revokeObjectURL(image.src);
    image.src = urls[index];
    return image.decode();
  }));
  display("compare");
}

function choose(choice) {
  if (at("compare").hidden || choices[0].disabled) return;
  for (const button of choices) button.disabled = true; // a second key is no second answer
  attempt(() => send({ choice })).finally(() => {
    for (const button of choices) button.disabled = false;
  });
}

for (const button of choices) button.addEventListener("click", () => choose(button.dataset.choice));
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const choice = { 1: "first", 2: "second", ArrowLeft: "first", ArrowRight: "second" }[event.key];
  if (choice) choose(choice);
});

await attempt(resume);

// For tests and the curious: what is shown now, as bytes.
window.harmonizer = { get view() { return view; } };
