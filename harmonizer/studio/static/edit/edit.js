// An edit's filters as theta by name, in their order.

export const thetaOf = (edit) => Object.fromEntries(edit.filters.map((step) => [step.name, step.theta]));

// The edit with the filters of `theta`, in its order. A list that differs has to measure its statistics anew.
export function arrange(edit, theta) {
  const names = Object.keys(theta);
  if (names.join() === edit.filters.map((step) => step.name).join()) return edit;
  return { ...edit, filters: names.map((name) => ({ name, theta: theta[name] })) };
}
