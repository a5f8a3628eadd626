// What the page asks of the service. Every call throws a Problem, whose text says what to do.

export class Problem extends Error {}

async function post(path, parts, { accept, signal } = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    if (value !== null && value !== undefined) form.append(name, value);
  }
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body: form, headers: accept ? { Accept: accept } : {}, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service does not answer. Is it still running?");
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Problem([problem.error ?? `The service answered ${answer.status}.`, problem.advice].filter(Boolean).join("\n"));
}

const options = (theta, format) => JSON.stringify({ theta, ...(format && { format }) });

export async function listFilters() {
  const answer = await fetch("v1/filters");
  if (!answer.ok) throw new Problem((await answer.json()).error);
  return answer.json();
}

export async function harmonize(pictures, signal) {
  const answer = await post("v1/harmonize", pictures, { accept: "application/json", signal });
  return { edit: await answer.json(), warning: answer.headers.get("Harmonizer-Warning") };
}

export async function preview(pictures, side, signal) {
  const answer = await post(`v1/preview?side=${side}`, pictures, { signal });
  // Values as they are: no colour management, and colours under alpha 0 stay.
  return createImageBitmap(await answer.blob(), { premultiplyAlpha: "none", colorSpaceConversion: "none" });
}

export async function colours(pictures, signal) {
  return (await post("v1/colours", pictures, { signal })).blob();
}

export async function grade(edit, theta, colours, size, signal) {
  const parts = { edit: JSON.stringify(edit), colours, options: options(theta) };
  return new Uint8Array(await (await post(`v1/grade?size=${size}`, parts, { signal })).arrayBuffer());
}

export async function render(pictures, edit, theta, format) {
  const parts = { ...pictures, edit: JSON.stringify(edit), options: options(theta, format) };
  return (await post("v1/apply", parts)).blob();
}

export async function measure(pictures, edit, theta) {
  const parts = { ...pictures, edit: JSON.stringify(edit), options: options(theta) };
  return (await post("v1/apply", parts, { accept: "application/json" })).json();
}

export async function cube(edit) {
  const answer = await fetch("v1/lut?size=65", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(edit),
  });
  if (!answer.ok) throw new Problem((await answer.json()).error);
  return answer.blob();
}
