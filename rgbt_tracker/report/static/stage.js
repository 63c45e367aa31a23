"use strict";
// Drawing one instant: frames, boxes and fusion weights on two canvases, or blended on one.
const TRUTH = "#ffffff";

class Stage {
  constructor() {
    this.canvas = { rgb: $("p-rgb"), ir: $("p-ir") };
    this.single = false;
    this.blend = 0.5;
    this.zoom = false;
    this.truth = true;
  }

  // What part of the frame to show: all of it, or a window of six target sizes, half the frame at most, around the target.
  view(info, frame) {
    const whole = { x: 0, y: 0, w: info.width, h: info.height };
    if (!this.zoom) return whole;
    const boxes = [info.truth[frame], ...Object.entries(info.tracks).map(([, track]) => track.boxes[frame])];
    const box = boxes.find((candidate) => candidate) || this.lastBox;
    if (!box) return whole;
    this.lastBox = box;
    const half = Math.min(info.width, info.height) / 2;
    const side = Math.max(Math.min(6 * Math.sqrt(box[2] * box[3]), half), 1.5 * box[2], 1.5 * box[3], 32);
    const w = Math.min(side * Math.max(info.width / info.height, 1), info.width);
    const h = (w * info.height) / info.width;
    const clamp = (value, size, limit) => Math.min(Math.max(value, 0), limit - size);
    return { x: clamp(box[0] + box[2] / 2 - w / 2, w, info.width), y: clamp(box[1] + box[3] / 2 - h / 2, h, info.height), w, h };
  }

  draw(info, frame, images, heat) {
    const onlyIr = !info.modalities.includes("rgb");
    const onlyOne = info.modalities.length < 2;
    this.canvas.rgb.parentNode.hidden = onlyOne && onlyIr && info.modalities.length === 1;
    this.canvas.ir.parentNode.hidden = (this.single && !onlyOne) || (onlyOne && !onlyIr) || !info.modalities.length;
    $("p-stage").classList.toggle("single", this.single || onlyOne);
    this.canvas.rgb.parentNode.querySelector("figcaption").textContent =
      !info.modalities.length ? "No images" : this.single && !onlyOne ? `RGB ${Math.round(100 - 100 * this.blend)} % + thermal ${Math.round(100 * this.blend)} %` : "RGB";
    const view = this.view(info, frame);
    for (const [name, canvas] of Object.entries(this.canvas)) {
      if (!canvas.parentNode.hidden) this.drawOne(canvas, name, view, info, frame, images, heat);
    }
  }

  drawOne(canvas, name, view, info, frame, images, heat) {
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round((canvas.parentNode.clientWidth || 400) * scale);
    const height = Math.round((width * view.h) / view.w);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = "#30363d";
    pen.fillRect(0, 0, width, height);
    const zoom = width / view.w;
    pen.setTransform(zoom, 0, 0, zoom, -view.x * zoom, -view.y * zoom);
    const layers = this.single && images.rgb && images.ir ? [["rgb", 1], ["ir", this.blend]] : [[images[name] ? name : "rgb", 1]];
    for (const [modality, alpha] of layers) {
      if (!images[modality]) continue;
      pen.globalAlpha = alpha;
      pen.drawImage(images[modality], 0, 0, info.width, info.height);
    }
    pen.globalAlpha = 1;
    if (heat) drawHeat(pen, heat);
    this.drawBoxes(pen, info, frame, scale / zoom);
  }

  drawBoxes(pen, info, frame, pixel) {
    if (this.truth && info.truth[frame]) this.box(pen, info.truth[frame], TRUTH, [5, 4], pixel);
    for (const [id, track] of Object.entries(info.tracks)) {
      if (!shown.has(Number(id))) continue;
      const tracker = report.trackers[id];
      if (track.targets) for (const target of track.targets) this.target(pen, target, frame, tracker.dash, pixel);
      else if (track.boxes[frame]) this.box(pen, track.boxes[frame], tracker.color, tracker.dash, pixel);
    }
  }

  // One of several targets: its own colour, and its number on it.
  target(pen, { id, color, boxes }, frame, dash, pixel) {
    if (!boxes[frame]) return;
    const [x, y] = boxes[frame];
    this.box(pen, boxes[frame], color, dash, pixel);
    pen.font = `bold ${13 * pixel}px system-ui`;
    pen.lineWidth = 3 * pixel;
    pen.strokeStyle = "#000b";
    pen.fillStyle = color;
    pen.strokeText(id, x, y - 4 * pixel);
    pen.fillText(id, x, y - 4 * pixel);
  }

  box(pen, [x, y, w, h], color, dash, pixel) {
    for (const [style, width, pattern] of [["#000b", 4.5, []], [color, 2.5, dash]]) {
      pen.strokeStyle = style;
      pen.lineWidth = width * pixel;
      pen.setLineDash(pattern.map((part) => part * pixel));
      pen.strokeRect(x, y, w, h);
    }
    pen.setLineDash([]);
  }
}

// Share of the thermal modality in the fused features: blue follows RGB, orange follows thermal, clear is half and half.
function heatAt(maps, frame) {
  const window_ = maps?.windows[frame];
  if (!window_) return null;
  const size = maps.width * maps.height;
  maps.bytes ??= Uint8Array.from(atob(maps.values), (letter) => letter.charCodeAt(0));
  const canvas = document.createElement("canvas");
  canvas.width = maps.width;
  canvas.height = maps.height;
  const picture = new ImageData(maps.width, maps.height);
  for (let cell = 0; cell < size; cell += 1) {
    const share = maps.bytes[frame * size + cell] / 255 - 0.5;
    const alpha = Math.min(255, Math.abs(share) * 2 * maps.gain * 200);
    picture.data.set(share > 0 ? [255, 140, 0, alpha] : [30, 110, 255, alpha], 4 * cell);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return { canvas, window: window_ };
}

function drawHeat(pen, heat) {
  pen.imageSmoothingEnabled = true;
  pen.drawImage(heat.canvas, ...heat.window);
  pen.strokeStyle = "#fff8";
  pen.setLineDash([]);
  pen.lineWidth = 1;
  pen.strokeRect(...heat.window);
}
