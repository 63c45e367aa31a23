"use strict";
// The sequence player: which sequence, which frame, playing or not; buttons and keys.
class Player {
  constructor() {
    this.stage = new Stage();
    this.strip = new Strip((frame) => { this.pause(); this.seek(frame); });
    this.frame = 0;
    this.playing = false;
    this.ticket = 0;
    report.sequences.forEach((sequence, index) => $("p-sequence").append(new Option(sequence.name, index)));
    this.setView(matchMedia("(max-width: 640px)").matches ? "blend" : "side");
    this.listen();
    this.open(0);
  }

  async open(number) {
    this.pause();
    $("p-sequence").value = number;
    const ticket = ++this.ticket;
    try {
      const info = await payload(`sequence-${number}`);
      if (ticket !== this.ticket) return;
      this.info = info;
      this.store = new FrameStore(number, info);
      this.frame = 0;
      $("p-seek").max = info.length - 1;
      this.say("");
      this.fillMaps();
      this.fillReadout();
      this.strip.show(info);
      await this.seek(0);
    } catch (error) { this.say(error.message); }
  }

  fillMaps() {
    const options = [new Option("off", "")];
    for (const [id, track] of Object.entries(this.info.tracks)) {
      for (const level of Object.keys(track.maps || {})) options.push(new Option(`${report.trackers[id].name}, ${level}`, `${id}|${level}`));
    }
    $("p-map").replaceChildren(...options);
    $("p-map-label").hidden = options.length < 2;
    $("p-map-note").hidden = true;
  }

  heat() {
    const [id, level] = $("p-map").value.split("|");
    return level ? heatAt(this.info.tracks[id].maps[level], this.frame) : null;
  }

  async seek(frame) {
    if (!this.info) return;
    this.frame = Math.min(Math.max(frame, 0), this.info.length - 1);
    const wanted = this.frame;
    $("p-seek").value = wanted;
    $("p-seek").setAttribute("aria-valuetext", `frame ${wanted} of ${this.info.length - 1}`);
    $("p-counter").textContent = `frame ${wanted} of ${this.info.length - 1}`;
    this.strip.cursor(wanted);
    this.readout();
    try {
      const store = this.store;
      const images = await store.get(wanted);
      if (wanted !== this.frame || store !== this.store) return;
      this.images = images;
      this.redraw();
      store.prefetch(wanted, 1);
    } catch (error) { this.say(error.message || "A frame could not be read."); }
  }

  redraw() {
    if (!this.info) return;
    this.stage.draw(this.info, this.frame, this.images || {}, this.heat());
    $("p-stage").dataset.drawn = this.frame;
  }

  // One row per tracker, made once a sequence so that the focus stays on its box while frames go by.
  fillReadout() {
    $("p-readout").replaceChildren(...Object.entries(this.info.tracks).map(([id, track]) => {
      const row = document.createElement("tr");
      row.style.setProperty("--c", report.trackers[id].color);
      const label = document.createElement("label"), box = document.createElement("input"), swatch = document.createElement("i");
      Object.assign(box, { type: "checkbox", checked: shown.has(Number(id)) });
      box.dataset.toggle = id;
      swatch.className = "swatch";
      label.append(box, " ", swatch, report.trackers[id].name);
      row.insertCell().append(label);
      for (let column = 0; column < 4; column += 1) row.insertCell();
      row.cells[4].textContent = track.failures.length;
      return row;
    }));
  }

  readout() {
    const text = (values, digits) => values?.[this.frame]?.toFixed(digits) ?? "–";
    Object.values(this.info.tracks).forEach((track, line) => {
      const cells = $("p-readout").rows[line].cells;
      cells[1].textContent = text(track.overlap, 2) + (track.overlap[this.frame] === 0 ? " lost" : "");
      cells[2].textContent = text(track.error, 1);
      cells[3].textContent = text(track.score, 2);
    });
  }

  async play() {
    if (!this.info) return;
    this.playing = true;
    this.showPlaying();
    if (this.frame === this.info.length - 1) await this.seek(0);
    let last = performance.now(), due = 0;
    const tick = async (now) => {
      if (!this.playing) return;
      due += ((now - last) / 1000) * this.info.fps * Number($("p-speed").value);
      last = now;
      const steps = Math.floor(due);
      if (steps) {
        due -= steps;
        await this.seek(this.frame + Math.min(steps, 8));
        last = Math.max(last, performance.now() - 100);  // waiting for images is not made up for by skipping
      }
      if (this.frame >= this.info.length - 1) this.pause();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  pause() { this.playing = false; this.showPlaying(); }
  toggle() { if (this.playing) this.pause(); else this.play(); }
  step(frames) { this.pause(); this.seek(this.frame + frames); }

  showPlaying() {
    $("p-play").textContent = this.playing ? "Pause" : "Play";
    $("p-play").setAttribute("aria-pressed", this.playing);
  }

  failure(direction) {
    const frames = Object.entries(this.info.tracks).filter(([id]) => shown.has(Number(id))).flatMap(([, track]) => track.failures);
    const ahead = frames.filter((frame) => direction * (frame - this.frame) > 0).sort((a, b) => direction * (a - b));
    this.pause();
    if (ahead.length) { this.say(""); this.seek(ahead[0]); } else this.say(`No ${direction > 0 ? "later" : "earlier"} failure of the trackers shown.`);
  }

  setView(view) {
    document.querySelector(`[name="p-view"][value="${view}"]`).checked = true;
    this.stage.single = view === "blend";
    document.querySelector(".blend").hidden = view !== "blend";
    this.redraw();
  }

  speed(change) {
    const select = $("p-speed");
    select.selectedIndex = Math.min(Math.max(select.selectedIndex + change, 0), select.options.length - 1);
  }

  say(text) { $("p-message").textContent = text; $("p-message").hidden = !text; }

  listen() {
    const on = (id, kind, act) => $(id).addEventListener(kind, act);
    on("p-sequence", "change", (event) => this.open(Number(event.target.value)));
    on("p-play", "click", () => this.toggle());
    on("p-back", "click", () => this.step(-1));
    on("p-step", "click", () => this.step(1));
    on("p-prev-fail", "click", () => this.failure(-1));
    on("p-next-fail", "click", () => this.failure(1));
    on("p-seek", "input", (event) => { this.pause(); this.seek(Number(event.target.value)); });
    on("p-blend", "input", (event) => { this.stage.blend = event.target.value / 100; this.redraw(); });
    on("p-zoom", "change", (event) => { this.stage.zoom = event.target.checked; this.redraw(); });
    on("p-truth", "change", (event) => { this.stage.truth = event.target.checked; this.redraw(); });
    on("p-map", "change", (event) => { $("p-map-note").hidden = !event.target.value; this.redraw(); });
    document.querySelectorAll('[name="p-view"]').forEach((radio) => radio.addEventListener("change", () => this.setView(radio.value)));
    document.querySelectorAll("[data-play]").forEach((button) => button.addEventListener("click", () => this.openNamed(button.dataset.play)));
    document.addEventListener("trackers", () => this.redraw());
    window.addEventListener("resize", () => this.redraw());
    on("p-stage", "pointerdown", () => $("p-stage").focus({ preventScroll: true }));
    on("player", "keydown", (event) => this.key(event));
  }

  openNamed(name) {
    this.open(report.sequences.findIndex((sequence) => sequence.name === name));
    $("player").scrollIntoView();
    $("p-stage").focus({ preventScroll: true });
  }

  key(event) {
    const target = event.target;
    if (event.ctrlKey || event.altKey || event.metaKey || target.matches("select")) return;
    const arrows = target.matches('input[type="range"], input[type="radio"]');
    if (event.key === " " && target.matches("button, input, summary")) return;
    if (arrows && /^(Arrow|Home|End)/.test(event.key)) return;
    const flip = (id) => $(id).click();
    const keys = {
      " ": () => this.toggle(), ArrowLeft: () => this.step(event.shiftKey ? -10 : -1), ArrowRight: () => this.step(event.shiftKey ? 10 : 1),
      Home: () => this.step(-Infinity), End: () => this.step(Infinity), n: () => this.failure(1), p: () => this.failure(-1),
      b: () => this.setView(this.stage.single ? "side" : "blend"), z: () => flip("p-zoom"), g: () => flip("p-truth"),
      "+": () => this.speed(1), "=": () => this.speed(1), "-": () => this.speed(-1),
    };
    const index = Number(event.key) - 1;
    const act = index >= 0 && index < report.trackers.length ? () => setTracker(index, !shown.has(index)) : keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  }
}

if (report.sequences.length && $("player")) window.player = new Player();
