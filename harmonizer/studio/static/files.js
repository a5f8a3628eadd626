// The pictures that were chosen, dropped, or taken from the examples.

const ROLES = ["composite", "mask", "background"];
const EXAMPLES = {
  portrait: { composite: "composite.jpg", mask: "mask.png" },
  launch: { composite: "foreground.png", background: "background.jpg" },
};

// The role that a dropped file has, by its name.
function guess(name) {
  if (/mask|matte|alpha/i.test(name)) return "mask";
  return /background|\bbg\b/i.test(name) ? "background" : "composite";
}

export class Files {
  // `inputs` are the file fields by role; `changed()` is called when another file is chosen.
  constructor(inputs, changed) {
    Object.assign(this, { inputs, changed });
    for (const role of ROLES) {
      this[role] = inputs[role].files[0] ?? null; // the browser may have chosen some before this script ran
      inputs[role].addEventListener("change", () => {
        this[role] = inputs[role].files[0] ?? null;
        changed();
      });
    }
  }

  // Fields that `chosen` does not name are emptied.
  set(chosen) {
    for (const role of ROLES) {
      this[role] = chosen[role] ?? null;
      const list = new DataTransfer();
      if (this[role]) list.items.add(this[role]);
      this.inputs[role].files = list.files;
    }
    this.changed();
  }

  drop(list) {
    const chosen = Object.fromEntries(ROLES.map((role) => [role, this[role]]));
    for (const file of list) chosen[guess(file.name)] = file;
    this.set(chosen);
  }

  async openExample(name) {
    const chosen = {};
    for (const [role, file] of Object.entries(EXAMPLES[name])) {
      chosen[role] = new File([await (await fetch(`studio/examples/${file}`)).blob()], file);
    }
    this.set(chosen);
  }

  get stem() {
    return this.composite.name.replace(/\.[^.]*$/, "");
  }
}
