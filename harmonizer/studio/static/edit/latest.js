// While one change is worked on, only the newest of all further ones waits.

// A function of a value that calls `work(value, isNewest)`, one at a time; `isNewest()` says whether none waits.
export function latest(work) {
  let busy = false;
  let waiting = [];
  return async (value) => {
    waiting = [value];
    if (busy) return;
    busy = true;
    try {
      while (waiting.length) await work(waiting.pop(), () => waiting.length === 0);
    } finally {
      busy = false;
    }
  };
}
