// What part of a picture its canvas shows. Zoom: wheel, pinch, + and -. Pan: drag, arrows. 0 shows the whole.

const LARGEST = 32;
const STEP = 1.25;
const PAN = 0.1; // of the canvas, by an arrow key

export class Viewport {
  constructor(changed) {
    this.changed = changed;
    this.fit();
  }

  fit() {
    [this.zoom, this.x, this.y] = [1, 0.5, 0.5];
    this.changed();
  }

  // Places on the canvas and in the picture, both in [0, 1].
  toPicture({ x, y }) {
    return { x: this.x + (x - 0.5) / this.zoom, y: this.y + (y - 0.5) / this.zoom };
  }

  zoomBy(factor, place = { x: 0.5, y: 0.5 }) {
    const { x, y } = this.toPicture(place);
    this.zoom = Math.min(LARGEST, Math.max(1, this.zoom * factor));
    this.#centre(x - (place.x - 0.5) / this.zoom, y - (place.y - 0.5) / this.zoom);
  }

  zoomIn() {
    this.zoomBy(STEP);
  }

  zoomOut() {
    this.zoomBy(1 / STEP);
  }

  pan(x, y) {
    this.#centre(this.x + x / this.zoom, this.y + y / this.zoom);
  }

  // For a 2-D context: the picture's pixels, `width` across, on the canvas.
  transform(context, width, height) {
    const { canvas } = context;
    const [across, down] = [(canvas.width * this.zoom) / width, (canvas.height * this.zoom) / height];
    const [left, top] = [this.x - 0.5 / this.zoom, this.y - 0.5 / this.zoom];
    context.setTransform(across, 0, 0, down, -left * width * across, -top * height * down);
  }

  // `tool.down(place, event)` says whether it takes the pointer; then come `tool.move(place)` and `tool.up()`.
  attach(canvas, tool) {
    const pointers = new Map();
    let work = null;
    const locate = (event) => {
      const box = canvas.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, locate(event));
      if (pointers.size > 1) {
        if (work === "tool") tool.up();
        work = "pinch";
      } else {
        work = event.button === 0 && tool.down(locate(event), event) ? "tool" : "pan";
      }
    });
    canvas.addEventListener("pointermove", (event) => {
      const [before, now] = [pointers.get(event.pointerId), locate(event)];
      if (!before) return tool.hover?.(now);
      if (work === "tool") tool.move(now);
      if (work === "pan") this.pan(before.x - now.x, before.y - now.y);
      if (work === "pinch") this.#pinch(before, now, [...pointers].find(([id]) => id !== event.pointerId)?.[1]);
      pointers.set(event.pointerId, now);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        pointers.delete(event.pointerId);
        if (work === "tool") tool.up();
        work = null;
      });
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 400), locate(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey && (tool.key?.(event) || this.#key(event.key))) event.preventDefault();
    });
  }

  #pinch(before, now, other) {
    if (!other) return;
    const apart = (place) => Math.hypot(place.x - other.x, place.y - other.y);
    this.pan((before.x - now.x) / 2, (before.y - now.y) / 2);
    this.zoomBy(apart(now) / Math.max(apart(before), 1e-3), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }

  #key(key) {
    const actions = {
      "+": () => this.zoomIn(), "=": () => this.zoomIn(), "-": () => this.zoomOut(), 0: () => this.fit(),
      ArrowLeft: () => this.pan(-PAN, 0), ArrowRight: () => this.pan(PAN, 0),
      ArrowUp: () => this.pan(0, -PAN), ArrowDown: () => this.pan(0, PAN),
    };
    actions[key]?.();
    return key in actions;
  }

  #centre(x, y) {
    const half = 0.5 / this.zoom;
    this.x = Math.min(1 - half, Math.max(half, x));
    this.y = Math.min(1 - half, Math.max(half, y));
    this.changed();
  }
}
