// What the page asks of the service. Every call throws a Problem, whose text says what to do.

export class Problem extends Error {}

let key = sessionStorage.getItem("key");
let askForKey = async () => null;

// `ask()` is called where the service wants a key, and answers one, or null.
export function onKeyWanted(ask) {
  askForKey = ask;
}

const multipart = (parts) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    if (value !== null && value !== undefined) form.append(name, value);
  }
  return form;
};

const authorization = () => (key ? { Authorization: `Bearer ${key}` } : {});

async function ask(path, { method = "POST", body, headers = {}, signal, progress } = {}) {
  for (;;) {
    const all = { ...authorization(), ...headers };
    const answer = await (progress ? upload(path, body, all, signal, progress) : request(path, { method, body, headers: all, signal }));
    if (answer.ok) return answer;
    if (answer.status === 401) {
      key = await askForKey();
      if (key) {
        sessionStorage.setItem("key", key);
        continue;
      }
    }
    const problem = await answer.json().catch(() => ({}));
    throw new Problem([problem.error ?? `The service answered ${answer.status}.`, problem.advice].filter(Boolean).join("\n"));
  }
}

const SILENT = "The service does not answer. Is it still running?";

async function request(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(SILENT);
  }
}

// As fetch, which does not tell how much of a body is sent: `progress` gets that as a share.
function upload(path, body, headers, signal, progress) {
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    const cancelled = () => reject(new DOMException("cancelled", "AbortError"));
    if (signal?.aborted) return cancelled();
    sent.open("POST", path);
    sent.responseType = "blob";
    for (const [name, value] of Object.entries(headers)) sent.setRequestHeader(name, value);
    sent.upload.onprogress = (event) => progress(event.loaded / event.total);
    sent.onload = () => {
      const warning = sent.getResponseHeader("Harmonizer-Warning");
      resolve(new Response(sent.response, { status: sent.status, headers: warning ? { "Harmonizer-Warning": warning } : {} }));
    };
    sent.onerror = () => reject(new Problem(SILENT));
    sent.onabort = cancelled;
    signal?.addEventListener("abort", () => sent.abort(), { once: true });
    sent.send(body);
  });
}

const options = (theta, more) => JSON.stringify({ theta, ...more });

export async function listFilters() {
  return (await ask("v1/filters", { method: "GET" })).json();
}

export async function harmonize(pictures, signal, progress) {
  const headers = { Accept: "application/json" };
  const answer = await ask("v1/harmonize", { body: multipart(pictures), headers, signal, progress });
  return { edit: await answer.json(), warning: answer.headers.get("Harmonizer-Warning") };
}

// The picture in little, its mask in alpha, and the size of the whole.
export async function preview(pictures, side, signal) {
  const answer = await ask(`v1/preview?side=${side}`, { body: multipart(pictures), signal });
  const [width, height] = answer.headers.get("Harmonizer-Size").split("x").map(Number);
  return { bitmap: await decode(await answer.blob()), size: { width, height } };
}

export async function colours(pictures, signal) {
  return (await ask("v1/colours", { body: multipart(pictures), signal })).blob();
}

export async function grade(edit, theta, colours, size, signal) {
  const parts = { edit: JSON.stringify(edit), colours, options: options(theta) };
  return new Uint8Array(await (await ask(`v1/grade?size=${size}`, { body: multipart(parts), signal })).arrayBuffer());
}

export async function compose(pictures, place, signal) {
  return (await ask("v1/compose", { body: multipart({ ...pictures, options: JSON.stringify({ place }) }), signal })).blob();
}

export async function mask(pictures, place, signal) {
  return (await ask("v1/mask", { body: multipart({ ...pictures, options: JSON.stringify({ place }) }), signal })).blob();
}

export async function render(pictures, edit, theta, format, signal, progress) {
  const parts = { ...pictures, edit: JSON.stringify(edit), options: options(theta, { format }) };
  return (await ask("v1/apply", { body: multipart(parts), signal, progress })).blob();
}

export async function measure(pictures, edit, theta, signal, progress) {
  const parts = { ...pictures, edit: JSON.stringify(edit), options: options(theta) };
  return (await ask("v1/apply", { body: multipart(parts), headers: { Accept: "application/json" }, signal, progress })).json();
}

export async function cube(edit) {
  const headers = { "Content-Type": "application/json" };
  return (await ask("v1/lut?size=65", { body: JSON.stringify(edit), headers })).blob();
}

// Values as they are: no colour management, and colours under alpha 0 stay.
export function decode(blob) {
  return createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
}
