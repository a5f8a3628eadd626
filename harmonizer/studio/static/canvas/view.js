// The picture on a WebGL2 canvas: before on the left of the divider, after on the right, by a 3-D table under the mask.

const VERTEX = `#version 300 es
const vec2 corners[4] = vec2[](vec2(-1, -1), vec2(1, -1), vec2(-1, 1), vec2(1, 1));
out vec2 place;
void main() {
  vec2 corner = corners[gl_VertexID];
  place = vec2(corner.x + 1.0, 1.0 - corner.y) / 2.0;
  gl_Position = vec4(corner, 0, 1);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler3D;
uniform sampler2D picture;
uniform sampler3D table;
uniform float size, divider, tint, zoom, line;
uniform vec2 centre;
in vec2 place;
out vec4 colour;
void main() {
  vec4 before = texture(picture, centre + (place - 0.5) / zoom);
  vec3 shown = before.rgb;
  // Most pixels of most pictures need no table, and without a GPU the table is what takes the time.
  if (place.x >= divider && before.a > 0.0) {
    vec3 graded = texture(table, before.rgb * (size - 1.0) / size + 0.5 / size).rgb;
    shown = mix(before.rgb, graded, before.a);
  }
  shown = mix(shown, vec3(1, 0, 0.4), tint * before.a);
  colour = vec4(divider > 0.0 && divider < 1.0 && abs(place.x - divider) < line ? vec3(1) : shown, 1);
}`;

function compile(gl, kind, text) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, text);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

export class View {
  // `viewport` says what part of the picture is shown; without one it is the whole.
  constructor(canvas, viewport = { zoom: 1, x: 0.5, y: 0.5 }) {
    Object.assign(this, { canvas, viewport });
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false });
    if (!gl) throw new Error("This browser has no WebGL2, which the preview needs.");
    this.gl = gl;
    const program = gl.createProgram();
    gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
    gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT));
    gl.linkProgram(program);
    gl.useProgram(program);
    this.places = Object.fromEntries(["picture", "table", "size", "divider", "tint", "zoom", "line", "centre"].map(
      (name) => [name, gl.getUniformLocation(program, name)]));
    gl.uniform1i(this.places.picture, 0);
    gl.uniform1i(this.places.table, 1);
    this.picture = gl.createTexture();
    this.table = gl.createTexture();
    this.divider = 0.5;
    this.tint = 0;
  }

  setPicture(bitmap) {
    const gl = this.gl;
    this.size = { width: bitmap.width, height: bitmap.height };
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  }

  setTable(levels, size) {
    const gl = this.gl;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_3D, this.table);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGB8, size, size, size, 0, gl.RGB, gl.UNSIGNED_BYTE, levels);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_3D, side, gl.LINEAR);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) {
      gl.texParameteri(gl.TEXTURE_3D, side, gl.CLAMP_TO_EDGE);
    }
    gl.uniform1f(this.places.size, size);
  }

  draw() {
    if (!this.size) return;
    const { gl, viewport, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    this.#paint(viewport.zoom, viewport.x, viewport.y, 1 / canvas.width);
  }

  #paint(zoom, x, y, line) {
    const gl = this.gl;
    gl.uniform1f(this.places.divider, this.divider);
    gl.uniform1f(this.places.tint, this.tint);
    gl.uniform1f(this.places.zoom, zoom);
    gl.uniform1f(this.places.line, line);
    gl.uniform2f(this.places.centre, x, y);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  // RGBA bytes of the whole picture as it is shown, pixel for pixel, rows from the top.
  readPixels() {
    const { gl, size: { width, height } } = this;
    const target = gl.createTexture();
    const frame = gl.createFramebuffer();
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, target);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, target, 0);
    gl.viewport(0, 0, width, height);
    this.#paint(1, 0.5, 0.5, 0);
    const pixels = new Uint8Array(4 * width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
    gl.deleteTexture(target);
    const rows = [];
    for (let y = height - 1; y >= 0; y--) rows.push(pixels.subarray(4 * width * y, 4 * width * (y + 1)));
    return { width, height, rows };
  }
}
