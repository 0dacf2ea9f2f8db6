/* One element of an LSTM's cell state: a pulse is written at step 0, then only the gates act.

   c_0 = i, afterwards c_t = f c_(t-1); h_t = o tanh(c_t). */

"use strict";

interactiveFigures.define("lstm-memory", (box) => {
  const { fixed, percent } = interactiveFigures;
  const STEPS = 30;
  const gate = (label, value) =>
    box.slider({ label, min: 0, max: 1, step: 0.01, value, format: (v) => fixed(v, 2) });
  const forget = gate("Forget gate f", 0.5);
  const input = gate("Input gate i", 1);
  const output = gate("Output gate o", 0.5);

  const half = box.readout("Half of the pulse is gone");
  const left = box.readout(`Of the pulse, after ${STEPS} steps, is left`);
  const plot = box.plot({
    label: "Cell state and hidden state over 30 steps",
    x: { label: "step", min: 0, max: STEPS },
    y: { label: "value", min: 0, max: 1 },
  });
  const cell = plot.line({ label: "cell state c", style: "solid", marker: "circle" });
  const hidden = plot.line({ label: "hidden state h", style: "dashed", marker: "square" });
  const level = plot.line({ label: "half of the pulse", style: "dotted" });

  function halfLife(f) {
    if (f === 1) return "never";
    if (f <= 0.5) return "after 1 step";
    const steps = Math.log(0.5) / Math.log(f);
    return `after ${fixed(steps, 1)} steps`;
  }

  box.update(() => {
    const f = forget.value;
    const start = input.value;
    const states = Array.from({ length: STEPS + 1 }, (_, t) => [t, start * f ** t]);
    cell.set(states);
    hidden.set(states.map(([t, c]) => [t, output.value * Math.tanh(c)]));
    level.set([[0, start / 2], [STEPS, start / 2]]);
    half.set(start === 0 ? "nothing was written" : halfLife(f));
    left.set(start === 0 ? "nothing was written" : percent(f ** STEPS));
  });
});
