"use strict";
// Where thermal looks: the same things are clicked in both cameras' own pictures. Uses what demo.js has.
const views = { rgb: $("own-rgb"), ir: $("own-ir") };
const MARKS = ["#ffb000", "#3ddc97", "#5cc8ff", "#ff7eb6", "#c9a2ff", "#f4f06a"];
let pairs = []; // {rgb: [x, y], ir: [x, y]}, in px of each camera's picture; one of both may be missing in the last
let held = null; // {pair, camera} of the point picked last
let own = {}; // camera -> its picture

const complete = () => pairs.filter((each) => each.rgb && each.ir).map((each) => [...each.rgb, ...each.ir]);
const where = () => ({ frame, pairs: complete() });

// A point is the middle of its pixel, whose numbers begin at 0.
function place(canvas, event) {
  const bounds = canvas.getBoundingClientRect();
  return [((event.clientX - bounds.left) * canvas.width) / bounds.width - 0.5, ((event.clientY - bounds.top) * canvas.height) / bounds.height - 0.5];
}

async function openPointing() {
  const loaded = Object.keys(views).map(async (camera) => {
    const image = new Image();
    image.src = `/api/sessions/${pair.id}/own/${camera}/${frame}.jpg`;
    await image.decode();
    return [camera, image];
  });
  own = Object.fromEntries(await Promise.all(loaded));
  await refit();
}

function drawPoints() {
  for (const [camera, canvas] of Object.entries(views)) {
    if (!own[camera]) continue;
    const image = own[camera], pen = canvas.getContext("2d");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    pen.drawImage(image, 0, 0);
    const pixel = canvas.width / (canvas.clientWidth || canvas.width);
    pairs.forEach((each, index) => { if (each[camera]) mark(pen, each[camera], index, pixel); });
  }
}

function mark(pen, [x, y], index, pixel) {
  const [left, top, arm] = [x + 0.5, y + 0.5, 9 * pixel];
  for (const [style, width] of [["#000c", 4], [MARKS[index % MARKS.length], 1.6]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width * pixel;
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [0, 1]]) {
      pen.moveTo(left - arm * dx, top - arm * dy);
      pen.lineTo(left + arm * dx, top + arm * dy);
    }
    pen.stroke();
  }
  pen.font = `bold ${13 * pixel}px system-ui`;
  pen.fillStyle = MARKS[index % MARKS.length];
  pen.fillText(index + 1, left + 5 * pixel, top - 5 * pixel);
}

// Asks for the overlay and the file of the pairs there are.
async function refit() {
  drawPoints();
  const answer = await (await call("POST", `/api/sessions/${pair.id}/points`, where())).json();
  $("overlay").src = answer.overlay;
  await $("overlay").decode();
  let next = 0;
  $("points").replaceChildren(...pairs.map((each) => {
    const item = document.createElement("li"), told = (point) => point ? point.map((value) => value.toFixed(1)).join(", ") : "…";
    const off = each.rgb && each.ir ? answer.left[next++] : undefined;
    item.textContent = `${told(each.rgb)} → ${told(each.ir)}${off === undefined ? "" : ` (${off.toFixed(1)} px off)`}`;
    return item;
  }));
  $("lay").disabled = !answer.file;
  $("unpoint").disabled = !pairs.length;
  if ($("rig-file").href) URL.revokeObjectURL($("rig-file").href);
  const link = answer.file ? URL.createObjectURL(new Blob([answer.file], { type: "application/yaml" })) : "";
  Object.assign($("rig-file"), { href: link, download: answer.name, hidden: !answer.file });
}

// The point under the pointer, else a new one: of the first pair that lacks it.
function pick(camera, at, reach) {
  const near = pairs.find((each) => each[camera] && Math.hypot(each[camera][0] - at[0], each[camera][1] - at[1]) < reach);
  let chosen = near ?? pairs.find((each) => !each[camera]);
  if (!chosen) pairs.push((chosen = {}));
  if (!near) chosen[camera] = at;
  held = { pair: chosen, camera };
}

function pickIn(camera, canvas) {
  let dragging = false;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pick(camera, place(canvas, event), (10 * canvas.width) / canvas.getBoundingClientRect().width);
    dragging = true;
    drawPoints();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    held.pair[camera] = place(canvas, event);
    drawPoints();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => {
    if (dragging) guarded(refit);
    dragging = false;
  });
  canvas.addEventListener("keydown", (event) => {
    const step = event.ctrlKey ? 0.2 : 1;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!move || held?.camera !== camera) return;
    event.preventDefault();
    held.pair[camera] = held.pair[camera].map((value, axis) => value + move[axis]);
    guarded(refit);
  });
}

async function type(text) {
  const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
  if (numbers.length !== 4 || !numbers.every(Number.isFinite)) throw new Error(`Expected four numbers, visible x, y and thermal X, Y, got '${text}'.`);
  pairs = pairs.filter((each) => each.rgb && each.ir);
  pairs.push({ rgb: numbers.slice(0, 2), ir: numbers.slice(2) });
  held = null;
  await refit();
}

async function layPair() {
  const { summary } = await (await call("POST", `/api/sessions/${pair.id}/lay`, where())).json();
  pair.laid += 1;
  forgetFused();
  await show(frame);
  restart();
  say(`From now on thermal is laid on visible: the points say ${summary}. Draw a box and track.`);
}

document.addEventListener("opened", () => {
  pairs = [];
  held = null;
  own = {};
  $("pointing").hidden = pair.cameras.length < 2;
  $("pointing").open = false;
});
$("pointing").addEventListener("toggle", () => { if ($("pointing").open) { running = false; guarded(openPointing); } });
for (const [camera, canvas] of Object.entries(views)) pickIn(camera, canvas);
$("point-form").addEventListener("submit", (event) => { event.preventDefault(); guarded(() => type($("typed").value)); });
$("unpoint").addEventListener("click", () => { pairs.pop(); held = null; guarded(refit); });
$("lay").addEventListener("click", () => guarded(layPair));
window.addEventListener("resize", drawPoints);
