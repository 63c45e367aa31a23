"use strict";
const COLORS = { rgbt: "#12906a", rgb: "#0f7bc0", ir: "#c96a00" };
const NAMES = { rgbt: "both cameras, fused", rgb: "visible alone", ir: "thermal alone" };
const $ = (id) => document.getElementById(id);
const canvases = { rgb: $("rgb"), ir: $("ir") };
let pair = null; // what the server said about the opened pair
let box = null; // the box the user is drawing: [x, y, w, h]
let kept = []; // those of the targets drawn before it
let tracks = null; // modality -> answer for the frame on show, once tracking has begun
let frame = 0, last = false, running = false, images = {}, queue = Promise.resolve(), limit = Infinity;

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

// Calls the server; its one-sentence refusals become errors with that sentence.
async function call(method, address, body) {
  const options = { method, body };
  if (body && !(body instanceof FormData)) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(address, options);
  if (!response.ok) throw new Error(await refusal(response));
  return response;
}

async function refusal(response) {
  try {
    const { detail } = await response.json();
    return typeof detail === "string" ? detail : `${detail[0].loc.at(-1)}: ${detail[0].msg}`;
  } catch { return `The server answered ${response.status}.`; }
}

// One thing after the other: a click waits for the answer to the one before.
function guarded(act) {
  queue = queue.then(async () => {
    try { await act(); } catch (error) { running = false; say(error.message || "The server does not answer.", true); }
    update();
  });
  return queue;
}

// Opening

async function about() {
  const content = await (await call("GET", "/api/about")).json();
  for (const scene of content.scenes) $("scene").append(new Option(scene.name, scene.name));
  const summary = () => { $("scene-summary").textContent = content.scenes[$("scene").selectedIndex]?.summary ?? ""; };
  $("scene").addEventListener("change", summary);
  summary();
  $("upload-note").textContent = `${content.kinds}; ${content.megabytes} MB at most.`;
  limit = content.megabytes;
}

async function opened(response) {
  const before = pair;
  pair = await response.json();
  if (before) call("DELETE", `/api/sessions/${before.id}`).catch(() => {});
  box = pair.box ?? [pair.width * 0.4, pair.height * 0.4, pair.width * 0.2, pair.height * 0.2];
  box = box.map(Math.round);
  kept = [];
  $("work").hidden = false;
  $("panes").classList.toggle("one", pair.cameras.length < 2);
  $("fusing").hidden = pair.cameras.length < 2;
  for (const [name, canvas] of Object.entries(canvases)) canvas.parentNode.hidden = !pair.cameras.includes(name);
  for (const input of $("modalities").querySelectorAll("input")) {
    const needs = input.value === "rgbt" ? ["rgb", "ir"] : [input.value];
    input.disabled = !needs.every((name) => pair.cameras.includes(name));
    input.checked = pair.cameras.length === 2 ? input.value === "rgbt" : !input.disabled;
  }
  pair.laid = 0; // how often thermal was laid anew, so that no picture of before is shown
  forgetFused();
  await show(0);
  restart();
  document.dispatchEvent(new Event("opened"));
  const start = pair.box ? "its first box is known; drag to choose another." : "draw a box around the target.";
  say([`Opened ${pair.length} frame${pair.length === 1 ? "" : "s"} of ${pair.width}×${pair.height}: ${start}`, ...pair.notes].join(" "));
}

function upload(form) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/uploads");
    request.upload.onprogress = (event) => { $("upload-progress").value = event.loaded / event.total; };
    request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
    request.onerror = () => reject(new Error("The upload was refused or interrupted."));
    request.send(form);
  });
}

async function uploadPair() {
  const form = new FormData();
  let size = 0;
  for (const name of ["rgb", "ir"]) for (const file of $(`file-${name}`).files) { form.append(name, file); size += file.size; }
  if (!size) throw new Error("Choose files for one camera or both first.");
  if (size > limit * 1e6) throw new Error(`Expected at most ${limit} MB, these files have ${Math.ceil(size / 1e6)} MB.`);
  $("upload-progress").hidden = false;
  try {
    const response = await upload(form);
    if (!response.ok) throw new Error(await refusal(response));
    await opened(response);
  } finally { $("upload-progress").hidden = true; }
}

// Drawing

async function show(index) {
  const loaded = await Promise.all(pair.cameras.map(async (name) => {
    const image = new Image();
    image.src = `/api/sessions/${pair.id}/${name}/${index}.jpg?laid=${pair.laid}`;
    await image.decode();
    return [name, image];
  }));
  images = Object.fromEntries(loaded);
  frame = index;
  draw();
}

function draw() {
  if (!pair) return;
  for (const name of pair.cameras) {
    const canvas = canvases[name], pen = canvas.getContext("2d");
    if (canvas.width !== pair.width || canvas.height !== pair.height) { canvas.width = pair.width; canvas.height = pair.height; }
    if (images[name]) pen.drawImage(images[name], 0, 0, pair.width, pair.height);
    const pixel = pair.width / (canvas.clientWidth || pair.width);
    if (!tracks) [...kept, box].forEach((each, index) => outline(pen, each, "#fff", [5, 4], pixel, kept.length ? index + 1 : ""));
    for (const [modality, track] of Object.entries(tracks ?? {})) {
      const targets = track.targets ?? [{ ...track, color: COLORS[modality], id: "" }];
      for (const target of targets) outline(pen, target.box, target.color, target.lost ? [3, 4] : [], pixel, target.id);
    }
  }
}

function outline(pen, [x, y, w, h], color, dash, pixel, number = "") {
  pen.font = `bold ${14 * pixel}px system-ui`;
  pen.setLineDash([]);
  for (const [style, width, pattern] of [["#000b", 5, []], [color, 2.5, dash]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width * pixel;
    pen.setLineDash(pattern.map((part) => part * pixel));
    pen.strokeRect(x, y, w, h);
  }
  pen.setLineDash([]);
  pen.lineWidth = 3 * pixel;
  pen.strokeStyle = "#000b";
  pen.fillStyle = color;
  pen.strokeText(number, x, y - 5 * pixel);
  pen.fillText(number, x, y - 5 * pixel);
}

function update() {
  $("track").textContent = running ? "Pause" : tracks ? "Go on" : "Track";
  $("track").disabled = !running && last && Boolean(tracks);
  $("step").disabled = running || (last && Boolean(tracks));
  $("alone").hidden = !kept.length;
  $("another").disabled = kept.length > 6;
  $("counter").textContent = pair ? `frame ${frame} of ${pair.length - 1}` : "";
  ["x", "y", "w", "h"].forEach((name, index) => { if (box && document.activeElement !== $(`box-${name}`)) $(`box-${name}`).value = box[index]; });
  $("tracks").replaceChildren(...Object.entries(tracks ?? {}).map(([modality, track]) => {
    const row = document.createElement("tr"), head = document.createElement("th");
    head.scope = "row";
    head.className = modality;
    head.textContent = NAMES[modality];
    row.append(head);
    const faults = Object.entries(track.faults ?? {}).map(([camera, why]) => ` (${camera === "ir" ? "thermal" : "visible"}: ${why})`);
    const targets = track.targets ?? [track], named = (target, text) => (track.targets ? `${target.id}: ${text}` : text);
    const scores = targets.map((target) => named(target, target.score.toFixed(2) + (target.lost ? " (lost)" : ""))).join("; ") + faults.join("");
    const places = targets.map((target) => named(target, target.box.map((value) => value.toFixed(0)).join(", "))).join("; ");
    for (const text of [scores, places, track.ms.toFixed(0)]) row.insertCell().textContent = text;
    return row;
  }));
  draw();
}

// A new box: tracking starts again from it, on the frame on show.
function setBox(values) {
  const [x, y, w, h] = values;
  const width = Math.min(Math.max(Math.round(w), 2), pair.width), height = Math.min(Math.max(Math.round(h), 2), pair.height);
  box = [Math.round(Math.min(Math.max(x, 0), pair.width - width)), Math.round(Math.min(Math.max(y, 0), pair.height - height)), width, height];
  running = false;
  if (kept.length && tracks && places()) kept = places().slice(0, kept.length);
  tracks = null;
  update();
}

function listenTo(canvas) {
  let from = null;
  const place = (event) => {
    const bounds = canvas.getBoundingClientRect();
    return [((event.clientX - bounds.left) * pair.width) / bounds.width, ((event.clientY - bounds.top) * pair.height) / bounds.height];
  };
  canvas.addEventListener("pointerdown", (event) => { from = place(event); canvas.setPointerCapture(event.pointerId); running = false; });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event), [w, h] = [0, 1].map((axis) => Math.abs(to[axis] - from[axis]));
    if (w > 3 && h > 3) setBox([Math.min(from[0], to[0]), Math.min(from[1], to[1]), w, h]);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { from = null; });
  canvas.addEventListener("keydown", (event) => {
    const step = event.ctrlKey ? 1 : 5;
    const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [];
    if (event.key === " " || event.key === "Enter") { event.preventDefault(); $("track").click(); return; }
    if (dx === undefined) return;
    event.preventDefault();
    const [x, y, w, h] = current();
    setBox(event.shiftKey ? [x, y, w + dx, h + dy] : [x + dx, y + dy, w, h]);
  });
}

// The box to edit: the one drawn last, or where the first tracker has it now.
const current = () => places()?.at(-1) ?? box;

// Where the first tracker has the targets now, in the order in which they were drawn.
function places() {
  const track = Object.values(tracks ?? {})[0];
  return track && (track.targets ?? [track]).map((target) => target.box);
}

// A box of its own for one more target, beside the last; tracking starts again with all of them.
function another() {
  kept = places() ?? [...kept, box];
  const [x, y, w, h] = kept.at(-1);
  setBox([x + w * 1.5 + w > pair.width ? x - w * 1.5 : x + w * 1.5, y, w, h]);
}

// Tracking

const chosen = () => [...$("modalities").querySelectorAll("input:checked")].map((input) => input.value);

async function advance() {
  const modalities = chosen();
  if (!modalities.length) throw new Error("Choose at least one way to track.");
  const address = `/api/sessions/${pair.id}`;
  if (!tracks) {
    const answer = await (await call("POST", `${address}/start`, { frame, boxes: [...kept, box], modalities })).json();
    ({ tracks, last } = answer);
    say(`Tracking from frame ${frame}.`);
    return;
  }
  const answer = await (await call("POST", `${address}/step`, { modalities })).json();
  last = answer.last;
  if (!Object.keys(answer.tracks).length) return;
  tracks = answer.tracks;
  await show(answer.frame);
  if (last) say("The last frame is reached.");
}

async function run() {
  while (running) {
    const begun = performance.now();
    await guarded(advance);
    if (last) running = false;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 / pair.fps - (performance.now() - begun))));
  }
  update();
}

function restart() {
  running = false;
  tracks = null;
  last = pair.length === 1;
  update();
}

// Fusing

function forgetFused() {
  if ($("download").href) URL.revokeObjectURL($("download").href);
  $("download").removeAttribute("href");
  $("download").hidden = $("fused").hidden = true;
}

async function fuse() {
  say("Fusing …");
  const strategy = $("strategy").value, index = frame;
  const response = await call("GET", `/api/sessions/${pair.id}/fused/${index}.png?strategy=${strategy}`);
  forgetFused();
  const address = URL.createObjectURL(await response.blob());
  Object.assign($("download"), { href: address, download: `fused-${String(index).padStart(5, "0")}-${strategy}.png`, hidden: false });
  Object.assign($("fused"), { src: address, alt: `Frame ${index}, both cameras fused`, hidden: false });
  say(`Frame ${index} is fused.`);
}

listenTo(canvases.rgb);
listenTo(canvases.ir);
$("scene-form").addEventListener("submit", (event) => {
  event.preventDefault();
  running = false;
  say("Drawing the sequence …");
  const form = new FormData();
  form.append("scene", $("scene").value);
  guarded(async () => opened(await call("POST", "/api/scenes", form)));
});
$("upload-form").addEventListener("submit", (event) => { event.preventDefault(); running = false; guarded(uploadPair); });
$("track").addEventListener("click", () => { running = !running; update(); if (running) run(); });
$("step").addEventListener("click", () => guarded(advance));
$("restart").addEventListener("click", () => { running = false; guarded(async () => { await show(0); restart(); }); });
$("fuse").addEventListener("click", () => { running = false; guarded(fuse); });
$("another").addEventListener("click", another);
$("alone").addEventListener("click", () => { const own = current(); kept = []; setBox(own); });
["x", "y", "w", "h"].forEach((name, index) => $(`box-${name}`).addEventListener("change", (event) => {
  const values = [...current()];
  values[index] = Number(event.target.value);
  setBox(values);
}));
window.addEventListener("pagehide", () => { if (pair) fetch(`/api/sessions/${pair.id}`, { method: "DELETE", keepalive: true }); });
window.addEventListener("resize", draw);
guarded(about);
