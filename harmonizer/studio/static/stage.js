// What the large frame shows: nothing, a mask to paint, a cut-out to place, or the result.

import { MaskPainter } from "./canvas/mask.js";
import { Placer } from "./canvas/placement.js";
import { View } from "./canvas/view.js";
import { Viewport } from "./canvas/viewport.js";

const at = (id) => document.getElementById(id);
const GRIP = 0.015; // of the canvas, from the divider

export class Stage {
  // `changed()` is called when the mode changes, and after each stroke of the brush.
  constructor(changed) {
    this.changed = changed;
    this.mode = "empty";
    this.viewport = new Viewport(() => this.#moved());
    this.view = new View(at("canvas"), this.viewport);
    this.painter = new MaskPainter(at("easel"), this.viewport, changed);
    this.placer = new Placer(at("easel"), this.viewport, (place) => this.#showPlace(place));
    this.viewport.attach(at("canvas"), this.#divider());
    this.viewport.attach(at("easel"), this.#easel());
    new ResizeObserver(() => this.#resize()).observe(at("frame"));
    this.#wire();
  }

  // `size` is that of the whole picture.
  show(mode, size) {
    this.mode = mode;
    this.size = size ?? this.size;
    at("empty").hidden = mode !== "empty";
    at("canvas").hidden = mode !== "result";
    at("easel").hidden = mode !== "mask" && mode !== "place";
    at("easel").setAttribute("aria-label", mode === "place" ? "The cut-out on its background" : "The picture and its mask");
    at("view-tools").hidden = mode === "empty";
    at("back").hidden = mode !== "result";
    for (const each of ["result", "mask", "place"]) at(`${each}-tools`).hidden = mode !== each;
    this.#resize();
    this.changed();
  }

  draw() {
    if (this.mode === "result") this.view.draw();
    if (this.mode === "mask") this.painter.draw();
    if (this.mode === "place") this.placer.draw();
  }

  // The canvas has the picture's shape, fits the frame, and a pixel for each of the screen.
  #resize() {
    if (this.mode === "empty" || !this.size) return;
    const { width, height } = this.size;
    const most = Math.max(240, 0.68 * window.innerHeight);
    const shown = Math.min(at("frame").clientWidth, (most * width) / height);
    for (const canvas of [at("canvas"), at("easel")]) {
      canvas.style.width = `${shown}px`;
      canvas.style.height = `${(shown * height) / width}px`;
      const across = Math.max(1, Math.round(shown * devicePixelRatio));
      const down = Math.max(1, Math.round((across * height) / width));
      if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
    }
    this.#setRadius();
    this.draw();
  }

  #moved() {
    if (!this.view) return; // the constructor is not done
    at("zoom").textContent = `${Math.round(100 * this.viewport.zoom)} %`;
    // Where nothing is to be moved, a finger scrolls the page.
    at("canvas").style.touchAction = this.viewport.zoom > 1 ? "none" : "pan-y";
    this.draw();
    this.zoomed?.();
  }

  #divider() {
    const set = ({ x }) => {
      at("divider").value = 100 * x;
      at("divider").dispatchEvent(new Event("input"));
    };
    return {
      down: (place) => {
        const takes = this.viewport.zoom === 1 || Math.abs(place.x - this.view.divider) < GRIP;
        if (takes) set(place);
        return takes;
      },
      move: set,
      up: () => {},
    };
  }

  #easel() {
    const tool = () => (this.mode === "place" ? this.placer.tool : this.painter.tool);
    return {
      down: (place, event) => tool().down(place, event),
      move: (place) => tool().move(place),
      up: () => tool().up(),
      hover: (place) => tool().hover?.(place),
      key: (event) => tool().key(event),
    };
  }

  #wire() {
    at("zoom-in").addEventListener("click", () => this.viewport.zoomIn());
    at("zoom-out").addEventListener("click", () => this.viewport.zoomOut());
    at("fit").addEventListener("click", () => this.viewport.fit());
    at("divider").addEventListener("input", () => {
      this.view.divider = at("divider").value / 100;
      this.draw();
    });
    at("show-mask").addEventListener("change", () => {
      this.view.tint = at("show-mask").checked ? 0.5 : 0;
      this.draw();
    });
    at("brush").addEventListener("change", () => (this.painter.brush.erase = at("brush").value === "erase"));
    at("softness").addEventListener("input", () => (this.painter.brush.softness = Number(at("softness").value)));
    at("radius").addEventListener("input", () => this.#setRadius());
    at("clear").addEventListener("click", () => this.painter.clear());
    at("invert").addEventListener("click", () => this.painter.invert());
    for (const axis of ["x", "y"]) {
      at(`place-${axis}`).addEventListener("change", () => this.placer.set({ [axis]: Number(at(`place-${axis}`).value) }));
    }
    at("place-scale").addEventListener("change", () => this.placer.set({ scale: Number(at("place-scale").value) / 100 }));
    at("place-flip").addEventListener("change", () => this.placer.set({ flip: at("place-flip").checked }));
  }

  // In percent of the picture's shorter side.
  #setRadius() {
    if (!this.size) return;
    this.painter.brush.radius = Math.max(0.5, (at("radius").value / 200) * Math.min(this.size.width, this.size.height));
    this.draw();
  }

  #showPlace({ x, y, scale, flip }) {
    at("place-x").value = Math.round(x);
    at("place-y").value = Math.round(y);
    at("place-scale").value = Math.round(1000 * scale) / 10;
    at("place-flip").checked = flip;
    this.changed();
  }
}
