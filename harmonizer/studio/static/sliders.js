// One slider a filter, with its number, the predicted value as a mark, and a button that goes back to it.

const PRECISION = 3;

export class Sliders {
  // `entries` are filters of the registry by name; `change(theta, isFinal)` is called while a slider moves, and at its end.
  constructor(list, entries, change) {
    this.list = list;
    this.entries = entries;
    this.change = change;
  }

  show(predicted) {
    this.predicted = predicted;
    this.theta = { ...predicted };
    this.list.replaceChildren(...Object.keys(predicted).map((name) => this.#row(name)));
  }

  set(theta) {
    this.theta = { ...theta };
    for (const row of this.list.children) this.#write(row, row.dataset.name);
  }

  #row(name) {
    const { summary } = this.entries.get(name);
    const row = document.createElement("li");
    row.className = "filter";
    row.dataset.name = name;
    row.innerHTML = `
      <label></label>
      <input type="number" min="-1" max="1" step="0.01">
      <button type="button">Reset</button>
      <div class="track"><input type="range" min="-1" max="1" step="0.001"><span class="predicted"></span></div>
      <output></output>`;
    const [label, number, reset, track] = row.children;
    const range = track.firstElementChild;
    range.id = `theta-${name}`;
    label.htmlFor = range.id;
    label.textContent = name.replaceAll("_", " ");
    label.title = summary;
    number.setAttribute("aria-label", `theta of ${label.textContent}`);
    reset.setAttribute("aria-label", `reset ${label.textContent}`);
    track.lastElementChild.style.left = `calc(${50 + 50 * this.predicted[name]}% + ${-8 * this.predicted[name]}px)`;
    track.lastElementChild.title = `predicted: ${this.predicted[name].toFixed(PRECISION)}`;
    range.addEventListener("input", () => this.#move(row, name, Number(range.value), false));
    range.addEventListener("change", () => this.#move(row, name, Number(range.value), true));
    number.addEventListener("change", () => {
      const value = Number(number.value);
      this.#move(row, name, Number.isFinite(value) ? Math.min(1, Math.max(-1, value)) : this.theta[name], true);
    });
    reset.addEventListener("click", () => this.#move(row, name, this.predicted[name], true));
    this.#write(row, name);
    return row;
  }

  #move(row, name, value, isFinal) {
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
  }
}
