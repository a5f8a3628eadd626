// A mask, painted over its picture by a brush. It has the picture's size; what is undone is painted anew without it.

const COLOUR = "255, 0, 102";
const SPACING = 0.25; // of the radius, from one dab of the brush to the next

function blank(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

export class MaskPainter {
  // `viewport` says what part is shown; `changed()` is called after each stroke.
  constructor(canvas, viewport, changed) {
    Object.assign(this, { canvas, viewport, changed });
    this.context = canvas.getContext("2d");
    this.brush = { radius: 20, softness: 0.3, erase: false };
    this.tool = {
      down: (place, event) => this.#start(place, event),
      move: (place) => this.#extend(place),
      up: () => this.#finish(),
      hover: (place) => this.#point(place),
      key: (event) => this.#key(event.key),
    };
    canvas.addEventListener("pointerleave", () => this.#point(null));
    this.close();
  }

  close() {
    Object.assign(this, { bitmap: null, done: [], undone: [], cursor: null });
  }

  // `size` is that of the whole picture, `bitmap` the picture in little, `grey` a bitmap of the mask to begin with.
  open(bitmap, size, grey) {
    Object.assign(this, { bitmap, size, base: grey, done: [], undone: [], cursor: null });
    this.mask = blank(size.width, size.height);
    this.#repaint();
  }

  get isPainted() {
    return this.done.length > 0;
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  undo() {
    this.undone.push(this.done.pop());
    this.#repaint();
  }

  redo() {
    this.done.push(this.undone.pop());
    this.#repaint();
  }

  clear() {
    this.#do({ kind: "clear" });
  }

  invert() {
    this.#do({ kind: "invert" });
  }

  // The mask as grey PNG.
  async toBlob() {
    const { width, height } = this.size;
    const grey = blank(width, height);
    const context = grey.getContext("2d");
    context.drawImage(this.mask, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "black";
    context.fillRect(0, 0, width, height);
    return new Promise((resolve) => grey.toBlob(resolve, "image/png"));
  }

  draw() {
    if (!this.bitmap) return;
    const { context, size: { width, height } } = this;
    this.viewport.transform(context, width, height);
    context.clearRect(0, 0, width, height);
    context.drawImage(this.bitmap, 0, 0, width, height);
    context.globalAlpha = 0.5;
    context.drawImage(this.mask, 0, 0);
    context.globalAlpha = 1;
    if (!this.cursor) return;
    for (const [colour, thickness] of [["black", 3], ["white", 1]]) {
      context.beginPath();
      context.arc(this.cursor.x, this.cursor.y, this.brush.radius, 0, 2 * Math.PI);
      context.strokeStyle = colour;
      context.lineWidth = (thickness * width) / (this.viewport.zoom * this.canvas.width);
      context.stroke();
    }
  }

  #locate(place) {
    const { x, y } = this.viewport.toPicture(place);
    return { x: x * this.size.width, y: y * this.size.height };
  }

  #start(place, event) {
    if (event.shiftKey) return false; // pans
    const point = this.#locate(place);
    this.stroke = { kind: "stroke", ...this.brush, points: [point] };
    this.#dab(this.stroke, point);
    this.draw();
    return true;
  }

  #extend(place) {
    const { points, radius } = this.stroke;
    const [from, to] = [points.at(-1), this.#locate(place)];
    const steps = Math.floor(Math.hypot(to.x - from.x, to.y - from.y) / Math.max(1, SPACING * radius));
    for (let step = 1; step <= steps; step++) {
      const point = { x: from.x + ((to.x - from.x) * step) / steps, y: from.y + ((to.y - from.y) * step) / steps };
      points.push(point);
      this.#dab(this.stroke, point);
    }
    this.#point(place);
  }

  #finish() {
    this.done.push(this.stroke);
    this.undone = [];
    this.stroke = null;
    this.changed();
  }

  #point(place) {
    this.cursor = place && this.bitmap ? this.#locate(place) : null;
    this.draw();
  }

  // The brush without a pointer: arrows move it, the space bar puts a dab.
  #key(key) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (!step && key !== " ") return false;
    const { width, height } = this.size;
    this.cursor ??= { x: width / 2, y: height / 2 };
    if (step) {
      this.cursor.x = Math.min(width, Math.max(0, this.cursor.x + (step[0] * this.brush.radius) / 2));
      this.cursor.y = Math.min(height, Math.max(0, this.cursor.y + (step[1] * this.brush.radius) / 2));
      this.draw();
    } else {
      this.#do({ kind: "stroke", ...this.brush, points: [{ ...this.cursor }] });
    }
    return true;
  }

  #do(operation) {
    this.done.push(operation);
    this.undone = [];
    this.#apply(operation);
    this.draw();
    this.changed();
  }

  #apply(operation) {
    const context = this.mask.getContext("2d");
    const { width, height } = this.size;
    if (operation.kind === "clear") context.clearRect(0, 0, width, height);
    if (operation.kind === "stroke") for (const point of operation.points) this.#dab(operation, point);
    if (operation.kind === "invert") {
      context.globalCompositeOperation = "source-out";
      context.fillStyle = `rgb(${COLOUR})`;
      context.fillRect(0, 0, width, height);
      context.globalCompositeOperation = "source-over";
    }
  }

  #dab({ radius, softness, erase }, { x, y }) {
    const context = this.mask.getContext("2d");
    context.globalCompositeOperation = erase ? "destination-out" : "source-over";
    context.fillStyle = `rgb(${COLOUR})`;
    if (softness > 0) {
      context.fillStyle = context.createRadialGradient(x, y, radius * (1 - softness), x, y, radius);
      context.fillStyle.addColorStop(0, `rgba(${COLOUR}, 1)`);
      context.fillStyle.addColorStop(1, `rgba(${COLOUR}, 0)`);
    }
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    context.globalCompositeOperation = "source-over";
  }

  #repaint() {
    const context = this.mask.getContext("2d");
    context.clearRect(0, 0, this.size.width, this.size.height);
    if (this.base) {
      context.drawImage(this.base, 0, 0);
      const image = context.getImageData(0, 0, this.size.width, this.size.height);
      const [red, green, blue] = COLOUR.split(",").map(Number);
      for (let at = 0; at < image.data.length; at += 4) {
        image.data[at + 3] = image.data[at];
        [image.data[at], image.data[at + 1], image.data[at + 2]] = [red, green, blue];
      }
      context.putImageData(image, 0, 0);
    }
    for (const operation of this.done) this.#apply(operation);
    this.draw();
    this.changed();
  }
}
