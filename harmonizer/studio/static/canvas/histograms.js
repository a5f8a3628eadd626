// How the tones of background and foreground are spread, before and after the filters.

const BINS = 48;
const SMOOTHING = [0.25, 0.5, 0.25]; // a colour is the mean of a cell about as wide as two bins
const COLUMNS = 5; // red, green, blue, pixels of the frame, pixels of the foreground
const LUMA = [0.2126, 0.7152, 0.0722];

// The colour that a table of size^3 triples has for r, g, b in [0, 1]: that of the nearest step.
function lookUp(table, size, colour) {
  const [red, green, blue] = colour.map((value) => Math.round(value * (size - 1)));
  const at = 3 * ((blue * size + green) * size + red);
  return [table[at] / 255, table[at + 1] / 255, table[at + 2] / 255];
}

// Histograms of luminance: shares by bin, and the mean.
export function measure(colours, table, size) {
  const parts = { background: null, before: null, after: null };
  for (const part of Object.keys(parts)) parts[part] = { bins: new Float64Array(BINS), sum: 0, mean: 0 };
  const add = (part, colour, weight) => {
    const luma = Math.min(1, colour.reduce((sum, value, channel) => sum + LUMA[channel] * value, 0));
    part.bins[Math.min(BINS - 1, Math.floor(luma * BINS))] += weight;
    part.sum += weight;
    part.mean += weight * luma;
  };
  for (let row = 0; row + COLUMNS <= colours.length; row += COLUMNS) {
    const colour = [colours[row], colours[row + 1], colours[row + 2]];
    const [all, foreground] = [colours[row + 3], colours[row + 4]];
    add(parts.background, colour, Math.max(0, all - foreground));
    if (foreground > 0) {
      add(parts.before, colour, foreground);
      add(parts.after, lookUp(table, size, colour), foreground);
    }
  }
  for (const part of Object.values(parts)) {
    part.mean /= part.sum || 1;
    part.bins = smooth(part.bins).map((count) => count / (part.sum || 1));
  }
  return parts;
}

function smooth(bins) {
  return bins.map((_, bin) => SMOOTHING.reduce((sum, weight, at) => sum + weight * (bins[bin + at - 1] ?? 0), 0));
}

export function drawHistograms(canvas, parts) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  const top = Math.max(...Object.values(parts).flatMap(({ bins }) => [...bins]), 1e-9);
  context.clearRect(0, 0, width, height);
  const trace = ({ bins }) => {
    context.beginPath();
    context.moveTo(0, height);
    bins.forEach((share, bin) => context.lineTo(((bin + 0.5) * width) / BINS, height - 1 - Math.sqrt(share / top) * (height - 4)));
    context.lineTo(width, height);
  };
  trace(parts.background);
  context.fillStyle = style.getPropertyValue("--line");
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = style.getPropertyValue("--soft");
  context.setLineDash([4, 4]);
  trace(parts.before);
  context.stroke();
  context.strokeStyle = style.getPropertyValue("--accent");
  context.setLineDash([]);
  trace(parts.after);
  context.stroke();
  const percent = (part) => `${Math.round(100 * part.mean)} %`;
  canvas.setAttribute("aria-label", `Mean luminance: background ${percent(parts.background)}; `
    + `foreground ${percent(parts.before)} before, ${percent(parts.after)} after`);
}
