/* Gradient descent on the one weight of h_t = tanh(w h_(t-1) - 0.15), as in the chapter:
   h_0 = 0.5, 20 steps, loss (h_20 + 0.6)^2, learning rate 0.5. */

"use strict";

interactiveFigures.define("clipping-wall", (box) => {
  const { fixed, number } = interactiveFigures;
  const UPDATES = 40;
  const AXIS = { min: -2.5, max: 3 };
  const LIMITS = { none: Infinity, ten: 10, one: 1 };

  function lossAt(w) {
    let h = 0.5;
    let slope = 0; // dh / dw
    for (let t = 0; t < 20; t += 1) {
      const next = Math.tanh(w * h - 0.15);
      slope = (1 - next * next) * (h + w * slope);
      h = next;
    }
    return { loss: (h + 0.6) ** 2, gradient: 2 * (h + 0.6) * slope };
  }

  function descend(start, limit) {
    const path = [{ w: start, ...lossAt(start) }];
    for (let update = 0; update < UPDATES; update += 1) {
      const { w, gradient } = path.at(-1);
      const next = w - 0.5 * Math.max(-limit, Math.min(limit, gradient));
      path.push({ w: next, ...lossAt(next) });
    }
    return path;
  }

  const start = box.slider({
    label: "Start at w", min: 1.3, max: 3, step: 0.02, value: 2.16, format: (v) => fixed(v, 2),
  });
  const update = box.slider({
    label: "Update", min: 0, max: UPDATES, step: 1, value: UPDATES, play: true,
  });
  const clip = box.choice({
    label: "Clip to", options: { none: "no clipping", ten: "10", one: "1" }, value: "none",
  });

  const here = box.readout("Now");
  const longest = box.readout("Longest gradient so far");
  const plot = box.plot({
    label: "Loss against the weight w, and the way of the descent",
    x: { label: "weight w", ...AXIS },
    y: { label: "loss", min: 0, max: 3 },
    height: 280,
  });
  const surface = plot.line({ label: "loss", style: "solid" });
  const way = plot.line({ label: "the descent so far", style: "dotted", marker: "circle" });
  const now = plot.line({ label: "where it is now", style: "solid", marker: "square" });

  const grid = Array.from({ length: 1101 }, (_, i) => AXIS.min + 0.005 * i);
  surface.set(grid.map((w) => [w, lossAt(w).loss]));

  box.update(() => {
    const limit = LIMITS[clip.value];
    const path = descend(start.value, limit).slice(0, update.value + 1);
    const points = path.map(({ w, loss }) => [w, loss]);
    way.set(points);
    now.set(points.slice(-1));
    const { w, loss } = path.at(-1);
    const beyond = w < AXIS.min || w > AXIS.max ? " (beyond the picture)" : "";
    const text = (value) => fixed(value, 2);
    here.set(`w = ${text(w)}${beyond}, loss ${text(loss)}`);
    const steepest = Math.max(...path.map(({ gradient }) => Math.abs(gradient)));
    longest.set(number(steepest));
  });
});
