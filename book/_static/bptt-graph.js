/* The network of the lesson unrolled, and the way back from one loss, cut into chunks.

   The page hands over, for the loss of step s and the first step b that its gradient reaches (both
   from 0): sizes[s][t], the size of the part of W_hh's gradient by the use at step t, and
   length[s][b], cosine[s][b], the gradient from b on against the whole one (null: it is 0). */

"use strict";

interactiveFigures.define("bptt-graph", (box) => {
  const { fixed } = interactiveFigures;
  const { sizes, length, cosine } = box.data();
  const STEPS = sizes.length;
  const [LOSS, STATE, INPUT, BARS] = [22, 92, 162, 258]; // where each row stands, in px
  const RADIUS = 12;
  const TALLEST = 48;
  const BACK = "var(--figure-2)";

  const chosen = box.slider({
    label: "Loss at step", min: 1, max: STEPS, step: 1, value: STEPS - 1,
  });
  const chunk = box.slider({
    label: "Steps in a chunk", min: 1, max: STEPS, step: 1, value: 4,
    format: (v) => (v === STEPS ? `${v} (no cut)` : String(v)),
  });
  const drawing = box.drawing({
    label: "The unrolled network with the way back from the chosen loss", height: 284,
  });
  const reached = box.readout("Uses of W_hh that this gradient reaches");
  const share = box.readout("Length of the cut gradient, whole = 1");
  const angle = box.readout("Cosine between the two");

  const forward = { stroke: "currentColor", "stroke-width": 1.2, fill: "none" };
  const back = { stroke: BACK, "stroke-width": 4, fill: "none" };

  /* A straight arrow from one point to another; both lie on a row or on a column. */
  function arrow([x1, y1], [x2, y2], look) {
    const size = 3 + 1.2 * look["stroke-width"];
    const [dx, dy] = [Math.sign(x2 - x1), Math.sign(y2 - y1)];
    const [bx, by] = [x2 - dx * size, y2 - dy * size];
    const [sx, sy] = [dy * size * 0.55, dx * size * 0.55];
    const tip = `M${x2},${y2}L${bx + sx},${by + sy}L${bx - sx},${by - sy}z`;
    return [
      ["path", { ...look, d: `M${x1},${y1}L${bx},${by}` }],
      ["path", { d: tip, fill: look.stroke }],
    ];
  }

  function label(x, y, letter, step, more = {}) {
    const text = { x, y, "text-anchor": "middle", ...more };
    return ["text", text, `${letter}${String(step).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d])}`];
  }

  function layOut(width, s, first, border) {
    const pitch = width / (STEPS + 0.5);
    const at = (t) => pitch * (t + 0.75);
    const off = 5; // the way back runs beside the way forward
    const tallest = Math.max(...sizes[s], 1e-12);
    const parts = [["text", { x: 2, y: INPUT + 32 }, "Size of the part of each use of W_hh:"]];
    for (let t = 0; t < STEPS; t += 1) {
      const x = at(t);
      const onTheWay = t >= first && t <= s;
      if (border(t)) {
        const line = { d: `M${x - pitch / 2},${LOSS}V${INPUT + 8}`, stroke: "currentColor" };
        parts.push(["path", { ...line, "stroke-width": 2, "stroke-dasharray": "3 5" }]);
      }
      const start = t === 0 ? x - pitch * 0.7 : at(t - 1) + RADIUS;
      parts.push(...arrow([start, STATE - off], [x - RADIUS, STATE - off], forward));
      parts.push(...arrow([x, INPUT - 14], [x, STATE + RADIUS], forward));
      parts.push(...arrow([x - off, STATE - RADIUS], [x - off, LOSS + 9], forward));
      if (t === s) parts.push(...arrow([x + off, LOSS + 10], [x + off, STATE - RADIUS], back));
      if (onTheWay && t > first) {
        parts.push(...arrow([x - RADIUS, STATE + off], [at(t - 1) + RADIUS, STATE + off], back));
      }
      const circle = { cx: x, cy: STATE, r: RADIUS, fill: "none", stroke: "currentColor" };
      parts.push(["circle", { ...circle, "stroke-width": onTheWay ? 3 : 1.2 }]);
      parts.push(label(x, STATE + 4, "h", t + 1));
      parts.push(label(x, INPUT, "x", t + 1));
      const strong = t === s ? { "font-weight": 700, "text-decoration": "underline" } : {};
      parts.push(label(x, LOSS, "L", t + 1, strong));
      if (t > s) continue;
      const height = (TALLEST * sizes[s][t]) / tallest;
      const bar = { x: x - pitch * 0.28, y: BARS - height, width: pitch * 0.56, height };
      const look = onTheWay
        ? { fill: BACK, stroke: BACK }
        : { fill: "none", stroke: "currentColor", "stroke-dasharray": "3 3" };
      parts.push(["rect", { ...bar, ...look }]);
      const text = sizes[s][t] < 0.005 ? "0" : fixed(sizes[s][t], 2);
      parts.push(["text", { x, y: BARS + 18, "text-anchor": "middle" }, text]);
    }
    return parts;
  }

  box.update(() => {
    const s = chosen.value - 1;
    const first = s - (s % chunk.value);
    const border = (t) => t > 0 && t % chunk.value === 0;
    drawing.set((width) => layOut(width, s, first, border));
    const last = `the one at step ${s + 1}`;
    reached.set(
      (first === s ? last : `those at steps ${first + 1} to ${s + 1}`) + `, of ${s + 1}`
    );
    const whole = length[s][first] !== null;
    const text = (value) => fixed(value, 2);
    share.set(whole ? text(length[s][first]) : "the whole one is 0");
    angle.set(whole && cosine[s][first] !== null ? text(cosine[s][first]) : "none");
  });
});
