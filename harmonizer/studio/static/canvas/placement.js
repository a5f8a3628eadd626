// A cut-out on its background: drag it to move it, drag a corner to scale it.

const GRIP = 12; // pixels of the screen from a corner

export class Placer {
  // `changed(place)` is called with {x, y, scale, flip}: the centre in pixels of the background, and its scale.
  constructor(canvas, viewport, changed) {
    Object.assign(this, { canvas, viewport, changed });
    this.context = canvas.getContext("2d");
    this.tool = {
      down: (place) => this.#start(place),
      move: (place) => this.#drag(place),
      up: () => {},
      key: (event) => this.#key(event),
    };
    this.close();
  }

  close() {
    Object.assign(this, { background: null, place: null });
  }

  // Bitmaps in little, and the sizes of the whole pictures.
  open(background, size, cutOut, cutOutSize) {
    Object.assign(this, { background, size, cutOut, cutOutSize });
    const isCanvas = size.width === cutOutSize.width && size.height === cutOutSize.height;
    const fitting = Math.min(1, (0.9 * size.width) / cutOutSize.width, (0.9 * size.height) / cutOutSize.height);
    this.set({ x: size.width / 2, y: size.height / 2, scale: isCanvas ? 1 : fitting, flip: false });
  }

  set(place) {
    this.place = { ...this.place, ...place };
    this.place.x = Math.min(this.size.width - 1, Math.max(1, this.place.x));
    this.place.y = Math.min(this.size.height - 1, Math.max(1, this.place.y));
    this.place.scale = Math.min(100, Math.max(0.01, this.place.scale));
    this.draw();
    this.changed(this.place);
  }

  draw() {
    if (!this.background) return;
    const { context, size, place } = this;
    this.viewport.transform(context, size.width, size.height);
    context.clearRect(0, 0, size.width, size.height);
    context.drawImage(this.background, 0, 0, size.width, size.height);
    const [width, height] = this.#extent();
    context.save();
    context.translate(place.x, place.y);
    if (place.flip) context.scale(-1, 1);
    context.drawImage(this.cutOut, -width / 2, -height / 2, width, height);
    context.restore();
    const point = this.#pointSize();
    context.strokeStyle = "white";
    context.lineWidth = point;
    context.setLineDash([6 * point, 4 * point]);
    context.strokeRect(place.x - width / 2, place.y - height / 2, width, height);
    context.setLineDash([]);
    context.fillStyle = "white";
    for (const [x, y] of this.#corners()) context.fillRect(x - 5 * point, y - 5 * point, 10 * point, 10 * point);
  }

  #extent() {
    return [this.cutOutSize.width * this.place.scale, this.cutOutSize.height * this.place.scale];
  }

  #corners() {
    const [width, height] = this.#extent();
    return [[-1, -1], [1, -1], [-1, 1], [1, 1]].map(
      ([x, y]) => [this.place.x + (x * width) / 2, this.place.y + (y * height) / 2]);
  }

  // Pixels of the background under one of the screen.
  #pointSize() {
    return this.size.width / (this.viewport.zoom * this.canvas.clientWidth);
  }

  #locate(place) {
    const { x, y } = this.viewport.toPicture(place);
    return [x * this.size.width, y * this.size.height];
  }

  #start(place) {
    const [x, y] = this.#locate(place);
    const grip = GRIP * this.#pointSize();
    const [width, height] = this.#extent();
    this.last = [x, y];
    this.scaling = this.#corners().some(([left, top]) => Math.abs(x - left) < grip && Math.abs(y - top) < grip);
    return this.scaling || (Math.abs(x - this.place.x) < width / 2 && Math.abs(y - this.place.y) < height / 2);
  }

  #drag(place) {
    const [x, y] = this.#locate(place);
    const { place: now, last } = this;
    this.last = [x, y];
    if (!this.scaling) return this.set({ x: now.x + x - last[0], y: now.y + y - last[1] });
    const apart = ([left, top]) => Math.hypot(left - now.x, top - now.y);
    return this.set({ scale: now.scale * (apart([x, y]) / Math.max(apart(last), 1)) });
  }

  // Arrows move the cut-out by a pixel of the screen, with shift by ten; [ and ] scale it.
  #key({ key, shiftKey }) {
    const step = this.#pointSize() * (shiftKey ? 10 : 1);
    const { x, y, scale } = this.place;
    const moved = {
      ArrowLeft: { x: x - step }, ArrowRight: { x: x + step }, ArrowUp: { y: y - step }, ArrowDown: { y: y + step },
      "[": { scale: scale / 1.02 }, "]": { scale: scale * 1.02 },
    }[key];
    if (moved) this.set(moved);
    return Boolean(moved);
  }
}
