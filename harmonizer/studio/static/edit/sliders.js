// The filters in order: a slider each, with its number, a mark at the predicted value, and a button that goes back to it.

const PRECISION = 3;

export class Sliders {
  // `entries` are filters of the registry by name; `change(theta, isFinal)` is called while a slider moves, and at its
  // end. Where `canArrange`, filters can be moved, added and removed too. Theta lists the filters in their order.
  constructor(list, entries, change, { canArrange = false } = {}) {
    Object.assign(this, { list, entries, change, canArrange });
  }

  show(predicted) {
    this.predicted = predicted;
    this.theta = {};
    this.set(predicted);
  }

  set(theta) {
    const isSameList = Object.keys(theta).join() === Object.keys(this.theta).join();
    this.theta = { ...theta };
    if (!isSameList) this.list.replaceChildren(...Object.keys(theta).map((name) => this.#row(name)));
    for (const row of this.list.children) this.#write(row, row.dataset.name);
  }

  add(name) {
    this.#arrange({ ...this.theta, [name]: this.predicted[name] ?? 0 });
    this.list.lastElementChild.querySelector("[type=range]").focus();
  }

  #arrange(theta) {
    this.set(theta);
    this.change(this.theta, true);
  }

  #remove(name) {
    const { [name]: _, ...rest } = this.theta;
    this.#arrange(rest);
  }

  #move(name, step) {
    const names = Object.keys(this.theta);
    const at = names.indexOf(name);
    [names[at], names[at + step]] = [names[at + step], names[at]];
    this.#arrange(Object.fromEntries(names.map((each) => [each, this.theta[each]])));
    const row = this.list.children[at + step];
    const button = row.querySelector(step < 0 ? ".up" : ".down");
    (button.disabled ? row.querySelector("[type=range]") : button).focus();
  }

  #row(name) {
    const predicted = this.predicted[name];
    const title = name.replaceAll("_", " ");
    const row = document.createElement("li");
    row.className = "filter";
    row.dataset.name = name;
    row.innerHTML = `
      <label></label>
      <input type="number" min="-1" max="1" step="0.01">
      <span class="buttons"></span>
      <div class="track"><input type="range" min="-1" max="1" step="0.001"><span class="predicted"></span></div>
      <output></output>`;
    const [label, number, buttons, track] = row.children;
    const range = track.firstElementChild;
    range.id = `theta-${name}`;
    label.htmlFor = range.id;
    label.textContent = title;
    label.title = this.entries.get(name).summary;
    number.setAttribute("aria-label", `theta of ${title}`);
    this.#mark(track.lastElementChild, predicted);
    range.addEventListener("input", () => this.#turn(row, name, Number(range.value), false));
    range.addEventListener("change", () => this.#turn(row, name, Number(range.value), true));
    number.addEventListener("change", () => {
      const value = number.value === "" ? NaN : Number(number.value);
      this.#turn(row, name, Number.isFinite(value) ? Math.min(1, Math.max(-1, value)) : this.theta[name], true);
    });
    const button = (sign, text, kind, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent: sign, title: text, className: kind });
      made.setAttribute("aria-label", text);
      made.addEventListener("click", act);
      buttons.append(made);
    };
    button("↺", `reset ${title}`, "reset", () => this.#turn(row, name, predicted ?? 0, true));
    if (this.canArrange) {
      button("↑", `move ${title} up`, "up", () => this.#move(name, -1));
      button("↓", `move ${title} down`, "down", () => this.#move(name, 1));
      button("×", `remove ${title}`, "remove", () => this.#remove(name));
    }
    return row;
  }

  #mark(mark, predicted) {
    mark.hidden = predicted === undefined;
    if (mark.hidden) return;
    mark.style.left = `calc(${50 + 50 * predicted}% + ${-8 * predicted}px)`;
    mark.title = `predicted: ${predicted.toFixed(PRECISION)}`;
  }

  #turn(row, name, value, isFinal) {
    this.theta = { ...this.theta, [name]: value };
    this.#write(row, name);
    this.change(this.theta, isFinal);
  }

  #write(row, name) {
    const value = this.theta[name];
    const { less, more } = this.entries.get(name);
    row.querySelector("[type=range]").value = value;
    row.querySelector("[type=number]").value = value.toFixed(PRECISION);
    row.querySelector("output").textContent = Math.abs(value) < 0.005 ? "unchanged" : value < 0 ? less : more;
    if (!this.canArrange) return;
    row.querySelector(".up").disabled = !row.previousElementSibling;
    row.querySelector(".down").disabled = !row.nextElementSibling;
    row.querySelector(".remove").disabled = this.list.children.length === 1;
  }
}
