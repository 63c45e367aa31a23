"use strict";
// Data that loads when it is needed: from an element of this page, or from a script file beside it (which, other than
// fetch, browsers allow on pages opened from disk).
const arriving = new Map();
window.rgbtDeliver = (id, value) => arriving.get(id)?.resolve(value);

// An element counts once the parser has passed it: its text is complete when something follows it.
async function element(id) {
  for (;;) {
    const loading = document.readyState === "loading";
    const found = document.getElementById(id);
    if (found && (found.nextSibling || !loading)) return found;
    if (!loading) return null;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function payload(id) {
  if (arriving.has(id)) return arriving.get(id).promise;
  const entry = {};
  entry.promise = new Promise((resolve, reject) => { entry.resolve = resolve; entry.reject = reject; });
  arriving.set(id, entry);
  load(id, entry);
  return entry.promise;
}

async function load(id, entry) {
  const file = report.files[id];
  if (file) {
    const script = document.createElement("script");
    script.src = file;
    script.onerror = () => entry.reject(new Error(`The file ${file} is missing; it belongs beside this page.`));
    document.head.append(script);
    return;
  }
  const inside = await element(id);
  if (inside) entry.resolve(JSON.parse(inside.textContent));
  else entry.reject(new Error("This page holds no data for the sequence."));
}

const forget = (id) => arriving.delete(id);

// Frames of one sequence. Blocks of encoded images and decoded images are kept only near the frame on show.
class FrameStore {
  constructor(number, info) {
    this.number = number;
    this.info = info;
    this.images = new Map();
    this.blocks = new Set();
  }

  blockId(index) { return `frames-${this.number}-${Math.floor(index / report.block)}`; }

  get(index) {
    if (index < 0 || index >= this.info.length || !this.info.modalities.length) return Promise.resolve({});
    if (!this.images.has(index)) this.images.set(index, this.decode(index));
    return this.images.get(index);
  }

  async decode(index) {
    const id = this.blockId(index);
    this.blocks.add(id);
    const block = await payload(id);
    const pair = {};
    await Promise.all(this.info.modalities.map(async (name) => {
      const text = block[name][index % report.block];
      if (!text) return;
      const image = new Image();
      image.src = "data:image/jpeg;base64," + text;
      await image.decode();
      pair[name] = image;
    }));
    return pair;
  }

  prefetch(index, step) {
    for (let ahead = 1; ahead <= 10; ahead += 1) this.get(index + ahead * step);
    for (const other of [...this.images.keys()]) if (Math.abs(other - index) > 40) this.images.delete(other);
    const here = Math.floor(index / report.block);
    for (const id of [...this.blocks]) {
      if (Math.abs(Number(id.split("-")[2]) - here) > 2) { forget(id); this.blocks.delete(id); }
    }
  }
}
