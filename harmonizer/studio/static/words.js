// What the page tells its user, and asks of them.

const at = (id) => document.getElementById(id);

export function say(text) {
  at("status").textContent = text;
}

export function complain(error) {
  at("problem").textContent = error ? error.message : "";
}

let running = null;
at("cancel").addEventListener("click", () => running?.abort());

// Do work that can be cancelled: `task(signal, progress)` returns what to say at the end.
export async function work(text, task) {
  if (running) return;
  running = new AbortController();
  complain(null);
  say(text);
  at("work").hidden = false;
  at("progress").removeAttribute("value");
  const progress = (share) => {
    if (share < 1) at("progress").value = share;
    else at("progress").removeAttribute("value"); // all is sent: the service works
  };
  try {
    say(await task(running.signal, progress));
  } catch (error) {
    say(error.name === "AbortError" ? "Cancelled." : "");
    if (error.name !== "AbortError") complain(error);
  } finally {
    running = null;
    at("work").hidden = true;
  }
}

export function askForKey() {
  const dialog = at("key-dialog");
  at("key").value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "use" ? at("key").value || null : null), { once: true });
  });
}
