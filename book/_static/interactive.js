/* Shared helper for the figures that move.

   A figure lives in its own file, named after it, and is written like this:

       interactiveFigures.define("halving", (box) => {
         const steps = box.slider({ label: "Steps", min: 1, max: 20, step: 1, value: 5 });
         const start = box.choice({
           label: "Start at", options: { one: "1", ten: "10" }, value: "one" });
         const plot = box.plot({
           label: "Value against step",
           x: { label: "step", min: 0, max: 20 }, y: { label: "value", min: 0, max: 10 } });
         const curve = plot.line({ label: "value", style: "solid", marker: "circle" });
         const left = box.readout("Left at the last step");
         box.update(() => {
           const first = start.value === "ten" ? 10 : 1;
           const points = [];
           for (let t = 0; t <= steps.value; t += 1) points.push([t, first * 0.5 ** t]);
           curve.set(points);
           left.set(interactiveFigures.number(points.at(-1)[1], 3));
         });
       });

   `box.update(draw)` calls draw once, and again at every change of a control. Each call on
   `box` adds its part below the one before; controls that follow each other share a row.

   box.slider({label, min, max, step, value, format, play})   .value is a number; format(v) ->
                                                        text; play: true adds a button that moves it
   box.choice({label, options: {id: text}, value})      .value is the id of the chosen button
   box.readout(label)                                   .set(text)
   box.list(label)                                      .set([text, ...]): in as many columns as fit
   box.plot({label, x, y, height})                      x, y: {label, min, max, log}; height in px
     plot.line({label, style, marker})                  .set([[x, y], ...]); the limits may be
                                                        changed by plot.setLimits({x, y})
     plot.points({label, marker})                       .set([[x, y, text], ...]): points with names
     style: "solid" | "dashed" | "dotted"; marker: "circle" | "square" | "triangle" | "none"
   box.drawing({label, height})                         .set((width) => [[tag, attributes, text], ...])
                                                        SVG shapes, laid out for a width in px;
                                                        height may be changed by drawing.setHeight
   box.data()                                           what the page handed over:
                                                        plots.figure_data("halving", {...}) in a cell

   Numbers are written as in the lessons, with a true minus:

   interactiveFigures.number(value, digits)             2 significant digits if none are named; the
                                                        same as plots.number for a float
   interactiveFigures.fixed(value, decimals)            always so many decimals, for what changes
                                                        while a control is moved: 0.50, −0.02
   interactiveFigures.percent(share, digits)            97 %

   What assistive technology reads aloud has "times 10 to the power of" in the place of × 10⁻⁴.

   In a drawing use currentColor, var(--figure-1) to var(--figure-5) and var(--rule); text is 13 px
   high. No meaning rests on colour alone.

   It is a classic deferred script: pages must also work when opened from a folder. */

"use strict";

const interactiveFigures = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const DASHES = { solid: "none", dashed: "8 5", dotted: "2 4" };
  const COLOURS = 5; // --figure-1 to --figure-5 in course.css
  const MARGIN = { top: 12, right: 14, bottom: 44, left: 56 };
  let created = 0;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function shape(tag, attributes = {}, text = "") {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  }

  function newId() {
    created += 1;
    return `interactive-${created}`;
  }

  const signed = (text) => text.replace("-", "−");
  const withoutZeros = (text) => text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  const tenTo = (power) =>
    `10${String(power).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`;

  function number(value, digits = 2) {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is no number that can be shown.`);
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const power = Number(exponent);
    if (value === 0 || (power >= -3 && power < 6)) {
      const plain = Number(`${mantissa}e${power}`).toFixed(Math.max(0, digits - 1 - power));
      const [whole, ...decimals] = withoutZeros(plain).split(".");
      return signed([whole.replace(/\B(?=(\d{3})+$)/g, ","), ...decimals].join("."));
    }
    const factor = withoutZeros(mantissa);
    if (Math.abs(factor) === 1) return signed(factor).replace("1", tenTo(power));
    return `${signed(factor)}\u00a0×\u00a0${tenTo(power)}`;
  }

  function fixed(value, decimals) {
    const text = value.toFixed(decimals);
    return signed(Number(text) === 0 ? text.replace("-", "") : text);
  }

  const percent = (share, digits = 2) => `${number(100 * share, digits)}\u00a0%`;

  /* Words for a power of ten, as few programs read superscripts aloud. */
  function spoken(text) {
    const named = (_, times, power) => {
      const plain = power.replace(/./g, (c) => (c === "⁻" ? "minus " : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)));
      return `${times ? " times " : ""}10 to the power of ${plain}`;
    };
    return text.replace(/(\s×\s)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, named);
  }

  /* What a readout shows: text, or where it is read in other words, text with a name. */
  function shown(text) {
    const words = spoken(text);
    return words === text ? text : element("span", { role: "img", "aria-label": words }, text);
  }

  /* Ticks at 1, 2 or 5 times a power of ten; on a logarithmic axis at powers of ten. */
  function ticks({ min, max, log }, wanted) {
    if (log) {
      const first = Math.ceil(Math.log10(min) - 1e-9);
      const last = Math.floor(Math.log10(max) + 1e-9);
      const stride = Math.max(1, Math.ceil((last - first + 1) / wanted));
      const powers = [];
      for (let power = last; power >= first; power -= stride) powers.unshift(10 ** power);
      return powers;
    }
    const rough = (max - min) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
    const found = [];
    for (let k = Math.ceil(min / step - 1e-9); k * step <= max + step * 1e-9; k += 1) {
      found.push(k * step);
    }
    return found;
  }

  /* On a logarithmic axis a large tick is a power, as its small ones are: room is scarce there. */
  function tickText(value, { log }) {
    return log && value > 9999 ? tenTo(Math.round(Math.log10(value))) : number(value, 4);
  }

  /* A function from data to pixels. Values past the axis are cut at its ends. */
  function scale({ min, max, log }, from, to) {
    const along = log ? (v) => Math.log10(Math.max(v, min)) : (v) => v;
    const low = along(min);
    const high = along(max);
    return (v) => {
      const part = Math.min(1, Math.max(0, (along(v) - low) / (high - low)));
      return from + part * (to - from);
    };
  }

  function markerPath(kind, x, y) {
    const r = 4;
    if (kind === "square") return `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
    if (kind === "triangle") return `M${x},${y - r}l${r},${2 * r}h${-2 * r}z`;
    return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
  }

  /* A button that moves a slider to its end, a step at a time, and from the start if it is there. */
  function player(input) {
    const button = element("button", { type: "button", class: "interactive-play" }, "Play");
    let timer = null;
    const stop = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "Play";
    };
    const move = (change) => {
      change();
      input.dispatchEvent(new Event("input"));
      if (input.value === input.max) stop();
    };
    button.addEventListener("click", () => {
      if (timer) {
        stop();
        return;
      }
      button.textContent = "Pause";
      timer = setInterval(() => move(() => input.stepUp()), 700);
      if (input.value === input.max) move(() => { input.value = input.min; });
    });
    return button;
  }

  function slider(box, { label, min, max, step, value, format = String, play = false }) {
    const id = newId();
    const input = element("input", { type: "range", id, min, max, step, value, autocomplete: "off" });
    const output = element("output", { for: id });
    const print = () => {
      output.textContent = format(Number(input.value));
      input.setAttribute("aria-valuetext", spoken(output.textContent));
    };
    input.addEventListener("input", () => {
      print();
      box.redraw();
    });
    print();
    const parts = [element("label", { for: id }, label), output, input];
    if (play) parts.push(player(input));
    box.controls().append(element("div", { class: "interactive-slider" }, ...parts));
    return {
      get value() {
        return Number(input.value);
      },
    };
  }

  function choice(box, { label, options, value }) {
    const name = newId();
    const legend = element("legend", {}, label);
    const group = element("fieldset", { class: "interactive-choice" }, legend);
    let chosen = value;
    for (const [key, text] of Object.entries(options)) {
      const id = newId();
      const input = element("input", { type: "radio", id, name, value: key, autocomplete: "off" });
      input.checked = key === value;
      input.addEventListener("change", () => {
        chosen = key;
        box.redraw();
      });
      group.append(input, element("label", { for: id }, text));
    }
    box.controls().append(group);
    return {
      get value() {
        return chosen;
      },
    };
  }

  function readout(box, label) {
    const output = element("output", { "aria-live": "polite" });
    const line = element("p", { class: "interactive-readout" }, element("span", {}, `${label}: `), output);
    box.add(line);
    return {
      set(text) {
        output.replaceChildren(shown(text));
      },
    };
  }

  function list(box, label) {
    const id = newId();
    const lines = element("ul", { class: "interactive-list", "aria-labelledby": id });
    box.add(element("p", { class: "interactive-readout", id }, `${label}:`));
    box.add(lines);
    return {
      set(texts) {
        lines.replaceChildren(...texts.map((text) => element("li", {}, text)));
      },
    };
  }

  /* One curve: a path for the line, a path for its markers, an entry in the legend. */
  function line(plot, { label, style = "solid", marker = "none" }) {
    const number = (plot.lines.length % COLOURS) + 1;
    const colour = `var(--figure-${number})`;
    const stroke = { fill: "none", "stroke-width": 2.5, "stroke-dasharray": DASHES[style] };
    const curve = shape("path", { class: "interactive-line", ...stroke });
    const dots = shape("path", { class: "interactive-markers", "data-marker": marker });
    curve.style.stroke = colour;
    dots.style.fill = colour;
    plot.curves.append(curve, dots);

    const sample = shape("svg", { width: 40, height: 14, "aria-hidden": "true" });
    const sampleLine = shape("path", { d: "M2,7h36", ...stroke });
    sampleLine.style.stroke = colour;
    sample.append(sampleLine);
    if (marker !== "none") {
      const sampleDot = shape("path", { d: markerPath(marker, 20, 7) });
      sampleDot.style.fill = colour;
      sample.append(sampleDot);
    }
    plot.legend.append(element("li", {}, sample, label));

    let points = [];
    const made = {
      draw(toX, toY) {
        const pixels = points.map(([x, y]) => [toX(x).toFixed(1), toY(y).toFixed(1)]);
        curve.setAttribute("d", pixels.length ? `M${pixels.map((p) => p.join(",")).join("L")}` : "");
        if (marker === "none") return;
        dots.setAttribute("d", spaced(pixels).map(([x, y]) => markerPath(marker, +x, +y)).join(""));
      },
      set(newPoints) {
        points = newPoints.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
        plot.draw();
      },
    };
    plot.lines.push(made);
    return { set: made.set };
  }

  /* Named points: a marker each, and its name beside it, on the side where there is room. */
  function points(plot, { label, marker = "circle" }) {
    const number = (plot.lines.length % COLOURS) + 1;
    const group = shape("g", { class: "interactive-points" });
    group.style.fill = `var(--figure-${number})`;
    plot.curves.append(group);
    const sample = shape("svg", { width: 16, height: 14, "aria-hidden": "true" });
    const sampleDot = shape("path", { d: markerPath(marker, 8, 7) });
    sampleDot.style.fill = `var(--figure-${number})`;
    sample.append(sampleDot);
    plot.legend.append(element("li", {}, sample, label));

    let named = [];
    const made = {
      draw(toX, toY, width) {
        const parts = [];
        for (const [x, y, text] of named) {
          const [left, top] = [toX(x), toY(y)];
          const fits = left + 9 + 8 * text.length < width;
          const place = { x: left + (fits ? 9 : -9), y: top + 4, "text-anchor": fits ? "start" : "end" };
          parts.push(shape("path", { d: markerPath(marker, left, top) }), shape("text", place, text));
        }
        group.replaceChildren(...parts);
      },
      set(newPoints) {
        named = newPoints;
        plot.draw();
      },
    };
    plot.lines.push(made);
    return { set: made.set };
  }

  /* About twelve markers are enough to tell lines apart. */
  function spaced(pixels) {
    const stride = Math.max(1, Math.ceil(pixels.length / 12));
    return pixels.filter((_, index) => index % stride === 0);
  }

  function axes(frame, x, y, toX, toY, width, height) {
    const bottom = height - MARGIN.bottom;
    const right = width - MARGIN.right;
    const parts = [];
    for (const value of ticks(x, Math.max(3, Math.floor(width / 90)))) {
      const at = toX(value);
      parts.push(shape("path", { class: "interactive-grid", d: `M${at},${MARGIN.top}V${bottom}` }));
      const place = { x: at, y: bottom + 17, "text-anchor": "middle" };
      parts.push(shape("text", place, tickText(value, x)));
    }
    for (const value of ticks(y, 5)) {
      const at = toY(value);
      parts.push(shape("path", { class: "interactive-grid", d: `M${MARGIN.left},${at}H${right}` }));
      const place = { x: MARGIN.left - 8, y: at + 4, "text-anchor": "end" };
      parts.push(shape("text", place, tickText(value, y)));
    }
    const corner = `M${MARGIN.left},${MARGIN.top}V${bottom}H${right}`;
    parts.push(shape("path", { class: "interactive-axis", d: corner }));
    const middle = (MARGIN.left + right) / 2;
    parts.push(shape("text", { x: middle, y: height - 6, "text-anchor": "middle" }, x.label));
    const up = (MARGIN.top + bottom) / 2;
    const turned = { transform: `translate(13 ${up}) rotate(-90)`, "text-anchor": "middle" };
    parts.push(shape("text", turned, y.label));
    frame.replaceChildren(...parts);
  }

  function plot(box, { label, x, y, height = 260 }) {
    const svg = shape("svg", { class: "interactive-plot", role: "img", "aria-label": label, height });
    const frame = shape("g");
    const curves = shape("g");
    const legend = element("ul", { class: "interactive-legend" });
    svg.append(frame, curves);
    box.add(svg);
    box.add(legend);
    const made = {
      lines: [],
      curves,
      legend,
      draw() {
        const width = svg.clientWidth || 600;
        svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
        const toX = scale(x, MARGIN.left, width - MARGIN.right);
        const toY = scale(y, height - MARGIN.bottom, MARGIN.top);
        axes(frame, x, y, toX, toY, width, height);
        for (const one of made.lines) one.draw(toX, toY, width);
      },
    };
    made.draw();
    // Text keeps its size on a narrow screen: the drawing is laid out again, not shrunk.
    new ResizeObserver(made.draw).observe(svg);
    return {
      line: (options) => line(made, options),
      points: (options) => points(made, options),
      setLimits(limits) {
        Object.assign(x, limits.x);
        Object.assign(y, limits.y);
        made.draw();
      },
    };
  }

  /* Shapes of the figure's own, laid out again at every width, so that text keeps its size. */
  function drawing(box, { label, height = 220 }) {
    const svg = shape("svg", { class: "interactive-plot", role: "img", "aria-label": label, height });
    let layOut = () => [];
    const draw = () => {
      const width = svg.clientWidth || 600;
      svg.setAttribute("viewBox", `0 0 ${width} ${svg.getAttribute("height")}`);
      svg.replaceChildren(...layOut(width).map((part) => shape(...part)));
    };
    box.add(svg);
    new ResizeObserver(draw).observe(svg);
    return {
      set(newLayOut) {
        layOut = newLayOut;
        draw();
      },
      setHeight(newHeight) {
        svg.setAttribute("height", newHeight);
        draw();
      },
    };
  }

  function handedOver(name) {
    const found = document.querySelector(`script.interactive-data[data-figure="${name}"]`);
    if (!found) throw new Error(`No cell of this page hands data over to the figure ${name}.`);
    return JSON.parse(found.textContent);
  }

  function boxIn(root, name) {
    let row = null;
    let draw = () => {};
    const box = {
      controls() {
        if (!row) {
          row = element("div", { class: "interactive-controls" });
          root.append(row);
        }
        return row;
      },
      add(part) {
        row = null;
        root.append(part);
      },
      redraw: () => draw(),
    };
    return {
      slider: (options) => slider(box, options),
      choice: (options) => choice(box, options),
      readout: (label) => readout(box, label),
      list: (label) => list(box, label),
      plot: (options) => plot(box, options),
      drawing: (options) => drawing(box, options),
      data: () => handedOver(name),
      update(newDraw) {
        draw = newDraw;
        draw();
      },
    };
  }

  return {
    number,
    fixed,
    percent,
    define(name, build) {
      for (const root of document.querySelectorAll(`figure[data-figure="${name}"] .interactive-box`)) {
        build(boxIn(root, name));
      }
    },
  };
})();
