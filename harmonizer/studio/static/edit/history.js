// States that can be undone and redone.

export class History {
  constructor(state) {
    this.states = [state];
    this.at = 0;
  }

  get state() {
    return this.states[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.states.length - 1;
  }

  push(state) {
    this.states.length = this.at + 1;
    this.states.push(state);
    this.at += 1;
  }

  undo() {
    this.at = Math.max(0, this.at - 1);
    return this.state;
  }

  redo() {
    this.at = Math.min(this.states.length - 1, this.at + 1);
    return this.state;
  }
}
