/* One element of a GRU's state: it starts at 0.8, while the input asks for something negative.

   g_t = tanh(-0.7 + r 1.5 h_(t-1)); h_t = k h_(t-1) + (1 - k) g_t, where the share k that is kept
   is z for torch and Cho 2014, and 1 - z for Chung 2014. */

"use strict";

interactiveFigures.define("gru-mixing", (box) => {
  const { fixed, percent } = interactiveFigures;
  const STEPS = 20;
  const START = 0.8;
  const INPUT = -0.7;
  const WEIGHT = 1.5;
  const gate = (label, value) =>
    box.slider({ label, min: 0, max: 1, step: 0.01, value, format: (v) => fixed(v, 2) });
  const update = gate("Update gate z", 0.8);
  const reset = gate("Reset gate r", 0);
  const form = box.choice({
    label: "Formula of",
    options: { keeps: "torch, Cho 2014", replaces: "Chung 2014" },
    value: "keeps",
  });

  const shares = box.readout("At each step the new state is");
  const end = box.readout(`State after ${STEPS} steps`);
  const towards = box.readout("Candidate at the first step and at the last");
  const plot = box.plot({
    label: "State and candidate over 20 steps",
    x: { label: "step", min: 0, max: STEPS },
    y: { label: "value", min: -1, max: 1 },
  });
  const state = plot.line({ label: "state h", style: "solid", marker: "circle" });
  const candidate = plot.line({ label: "candidate g", style: "dashed", marker: "square" });
  const kept = plot.line({ label: "what is carried over of the first state", style: "dotted" });

  box.update(() => {
    const keep = form.value === "keeps" ? update.value : 1 - update.value;
    const states = [[0, START]];
    const candidates = [];
    for (let t = 1; t <= STEPS; t += 1) {
      const before = states.at(-1)[1];
      const wish = Math.tanh(INPUT + reset.value * WEIGHT * before);
      candidates.push([t, wish]);
      states.push([t, keep * before + (1 - keep) * wish]);
    }
    state.set(states);
    candidate.set(candidates);
    kept.set(states.map(([t]) => [t, START * keep ** t]));
    shares.set(`${percent(keep)} old state + ${percent(1 - keep)} candidate`);
    end.set(fixed(states.at(-1)[1], 3));
    towards.set(`${fixed(candidates[0][1], 2)} and ${fixed(candidates.at(-1)[1], 2)}`);
  });
});
