"use strict";
// What happened over time: one line per tracker; a lane of its failures, of cameras it had to do without, of attributes.
const SVG = "http://www.w3.org/2000/svg";

function seriesPath(values, top) {
  let path = "", pen = "M";
  values.forEach((value, index) => {
    if (value === null) { pen = "M"; return; }
    path += `${pen}${index} ${(100 - (100 * Math.min(value, top)) / top).toFixed(2)}`;
    pen = "L";
  });
  return path;
}

class Strip {
  constructor(seek) {
    this.seek = seek;
    const graph = $("p-graph");
    const point = (event) => {
      const box = graph.getBoundingClientRect();
      this.seek(Math.round(((event.clientX - box.left) / box.width) * (this.info.length - 1)));
    };
    graph.addEventListener("pointerdown", (event) => { graph.setPointerCapture(event.pointerId); point(event); });
    graph.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
    $("p-series").addEventListener("change", () => this.draw());
    document.addEventListener("trackers", () => this.info && this.draw());
  }

  show(info) {
    this.info = info;
    const some = (name) => Object.values(info.tracks).some((track) => track[name]);
    for (const option of $("p-series").options) option.disabled = !some(option.value);
    if ($("p-series").selectedOptions[0]?.disabled) $("p-series").value = "overlap";
    this.draw();
  }

  percent(frame) { return (100 * frame) / Math.max(this.info.length - 1, 1); }

  tracks() { return Object.entries(this.info.tracks).map(([id, track]) => [Number(id), track]).filter(([id]) => shown.has(id)); }

  draw() {
    const name = $("p-series").value;
    const all = Object.values(this.info.tracks).flatMap((track) => track[name] || []).filter((value) => value !== null);
    const sorted = all.sort((a, b) => a - b);
    const top = name === "error" ? Math.max(20, sorted[Math.floor(0.98 * sorted.length)] || 0) : 1;
    const lines = $("p-lines");
    lines.setAttribute("viewBox", `0 0 ${Math.max(this.info.length - 1, 1)} 100`);
    lines.replaceChildren(...this.tracks().filter(([, track]) => track[name]).map(([id, track]) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", seriesPath(track[name], top));
      path.style.stroke = report.trackers[id].color;
      return path;
    }));
    $("p-axis-top").textContent = name === "error" ? Math.round(top) : "1";
    this.drawLanes();
  }

  drawLanes() {
    const tracks = this.tracks();
    const total = tracks.reduce((sum, [, track]) => sum + track.failures.length, 0);
    const lanes = tracks.map(([id, track]) => {
      const lane = this.lane(`${report.trackers[id].name}: ${track.failures.length || "no"} failure${track.failures.length === 1 ? "" : "s"}`);
      lane.style.setProperty("--c", report.trackers[id].color);
      lane.append(...track.failures.map((frame) => this.mark(id, frame, total > 24)));
      return lane;
    });
    for (const [id, track] of tracks) {
      for (const [camera, runs] of Object.entries(track.without || {})) {
        lanes.push(this.laneOfRuns(`${report.trackers[id].name}: without ${camera === "ir" ? "thermal" : "visible"}`, runs));
      }
    }
    for (const [tag, runs] of Object.entries(this.info.tags)) lanes.push(this.laneOfRuns(tag.replaceAll("_", " "), runs));
    $("p-lanes").replaceChildren(...lanes);
    $("p-legendkey").hidden = !total;
  }

  lane(label) {
    const lane = document.createElement("div");
    lane.className = "lane";
    const text = document.createElement("span");
    text.textContent = label;
    lane.append(text);
    return lane;
  }

  laneOfRuns(label, runs) {
    const lane = this.lane(label);
    lane.append(...runs.map(([start, end]) => {
      const run = document.createElement("b");
      run.style.left = `${this.percent(start)}%`;
      run.style.width = `${this.percent(end) - this.percent(start)}%`;
      return run;
    }));
    return lane;
  }

  mark(id, frame, crowded) {
    const mark = document.createElement("button");
    mark.type = "button";
    mark.textContent = "▼";
    mark.style.left = `${this.percent(frame)}%`;
    mark.dataset.failure = frame;
    if (crowded) mark.tabIndex = -1;  // the failure buttons and the keys reach them all
    mark.setAttribute("aria-label", `${report.trackers[id].name} fails at frame ${frame}`);
    mark.title = `${report.trackers[id].name}, frame ${frame}`;
    mark.addEventListener("click", () => this.seek(frame));
    return mark;
  }

  cursor(frame) { $("p-cursor").style.left = `${this.percent(frame)}%`; }
}
