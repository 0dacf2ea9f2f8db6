/* Every shape of an nn.RNN, from its seven settings; below, the network unrolled over time.

   Nodes are states. Rows are layers, the lowest at the bottom; with two directions each layer has
   two rows. What goes into h_n is filled, what goes into output has a dashed frame round it. */

"use strict";

interactiveFigures.define("shapes-explorer", (box) => {
  const { number } = interactiveFigures;
  const whole = (label, max, value) => box.slider({ label, min: 1, max, step: 1, value });
  const length = whole("Length", 20, 7);
  const batch = whole("Batch", 8, 3);
  const input = whole("Input size", 100, 12);
  const hidden = whole("Hidden size", 50, 8);
  const layers = whole("Layers", 4, 4);
  const yesOrNo = (label) => box.choice({ label, options: { no: "False", yes: "True" }, value: "no" });
  const bidirectional = yesOrNo("bidirectional");
  const batchFirst = yesOrNo("batch_first");

  const shapeOf = {
    x: box.readout("x"),
    output: box.readout("output"),
    state: box.readout("h_n, and h_0 if you pass one"),
  };
  const count = box.readout("Numbers that are learned");
  const drawing = box.drawing({ label: "The network, unrolled over time" });
  const weights = box.list("Weights and biases");

  const ROW = 26; // between the two directions of a layer
  const GAP = 52; // between two layers
  const EDGE = 15; // from a row to the frame of its layer
  const LEFT = 68;
  const TOP = 66;

  const written = (sizes) => `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;

  /* The weights of every layer and direction, by torch's names. */
  function allWeights(directions) {
    const found = [];
    let below = input.value;
    for (let layer = 0; layer < layers.value; layer += 1) {
      for (const end of ["", "_reverse"].slice(0, directions)) {
        const name = `l${layer}${end}`;
        found.push([`weight_ih_${name}`, [hidden.value, below]]);
        found.push([`weight_hh_${name}`, [hidden.value, hidden.value]]);
        found.push([`bias_ih_${name}`, [hidden.value]]);
        found.push([`bias_hh_${name}`, [hidden.value]]);
      }
      below = directions * hidden.value;
    }
    return found;
  }

  function line(d, attributes = {}) {
    return ["path", { d, fill: "none", stroke: "currentColor", "stroke-width": 1.5, ...attributes }];
  }

  function arrow(x1, y1, x2, y2, size = 4) {
    const [dx, dy] = [Math.sign(x2 - x1), Math.sign(y2 - y1)];
    const head = `M${x2},${y2}l${-size * (dx + dy)},${-size * (dx + dy)}M${x2},${y2}`
      + `l${-size * (dx - dy)},${size * (dx - dy)}`;
    return line(`M${x1},${y1}L${x2},${y2}${head}`);
  }

  const IN_STATE = "fill: var(--figure-2); stroke: var(--figure-2)";
  const FRAME = {
    style: "fill: none; stroke: var(--figure-1)",
    "stroke-width": 2,
    "stroke-dasharray": "6 4",
  };
  const LAYER = { style: "fill: none; stroke: var(--rule)", "stroke-width": 1.5 };

  function node(x, y, radius, filled) {
    const place = { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, rx: 2 };
    if (filled) return ["rect", { ...place, style: IN_STATE }];
    return ["rect", { ...place, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }];
  }

  function legend(layerCount) {
    const top = layerCount === 1 ? "every step" : "every step of the top layer";
    return [
      ["rect", { x: 2, y: 4, width: 16, height: 14, rx: 4, ...FRAME }],
      ["text", { x: 26, y: 16 }, `output: ${top}`],
      node(10, 34, 6, true),
      ["text", { x: 26, y: 39 }, "h_n: where each row ends"],
    ];
  }

  function unrolled(width, directions) {
    const steps = length.value;
    const pitch = (width - LEFT - 12) / steps;
    const radius = Math.min(8, pitch * 0.27);
    const atStep = (t) => LEFT + pitch * (t + 0.5);
    const block = GAP + ROW * (directions - 1);
    const atRow = (layer, direction) =>
      TOP + EDGE - 4 + (layers.value - 1 - layer) * block + direction * ROW;
    const lowest = atRow(0, directions - 1);
    const ground = lowest + GAP;

    const parts = legend(layers.value);
    for (let layer = 0; layer < layers.value; layer += 1) {
      const [top, bottom] = [atRow(layer, 0) - EDGE, atRow(layer, directions - 1) + EDGE];
      const frame = layer === layers.value - 1 ? FRAME : LAYER;
      const place = { x: LEFT, y: top, width: width - LEFT - 6, height: bottom - top, rx: 6 };
      parts.push(["rect", { ...place, ...frame }]);
      parts.push(["text", { x: 2, y: (top + bottom) / 2 + 4 }, `layer ${layer}`]);
      for (let t = 0; t < steps; t += 1) {
        const x = atStep(t);
        parts.push(arrow(x, layer ? atRow(layer - 1, 0) - EDGE : ground - 9, x, bottom + 2));
        for (let direction = 0; direction < directions; direction += 1) {
          const y = atRow(layer, direction);
          const ends = t === (direction ? 0 : steps - 1);
          parts.push(node(x, y, radius, ends));
          if (ends) continue;
          const way = direction ? -1 : 1;
          const reach = radius + 1;
          parts.push(arrow(x + way * reach, y, x + way * (pitch - reach), y, radius / 2));
        }
      }
    }
    for (let t = 0; t < steps; t += 1) {
      parts.push(["circle", { cx: atStep(t), cy: ground - 4, r: Math.min(3, radius), fill: "currentColor" }]);
    }
    parts.push(["text", { x: 2, y: ground }, "x"]);
    parts.push(["text", { x: atStep(0), y: ground + 18, "text-anchor": "middle" }, "0"]);
    if (steps > 1) {
      const last = { x: atStep(steps - 1), y: ground + 18, "text-anchor": "middle" };
      parts.push(["text", last, `${steps - 1}`]);
    }
    parts.push(["text", { x: 2, y: ground + 18 }, "step"]);
    const many = batch.value === 1 ? "one sequence" : `${batch.value} sequences, same weights`;
    parts.push(["text", { x: 2, y: ground + 40 }, many]);
    return { parts, height: ground + 48 };
  }

  box.update(() => {
    const directions = bidirectional.value === "yes" ? 2 : 1;
    const inOrder = (time, sequences, last) =>
      written(batchFirst.value === "yes" ? [sequences, time, last] : [time, sequences, last]);
    shapeOf.x.set(inOrder(length.value, batch.value, input.value));
    shapeOf.output.set(inOrder(length.value, batch.value, directions * hidden.value));
    shapeOf.state.set(written([directions * layers.value, batch.value, hidden.value]));

    const found = allWeights(directions);
    const numbers = found.map(([, sizes]) => sizes.reduce((product, size) => product * size));
    const total = numbers.reduce((sum, one) => sum + one);
    count.set(number(total, 6));
    weights.set(found.map(([name, sizes]) => `${name} ${written(sizes)}`));

    drawing.setHeight(unrolled(600, directions).height);
    drawing.set((width) => unrolled(width, directions).parts);
  });
});
