/* Gradient against lag, as measured in the chapter: five random matrices, scaled to one radius.

   data: {radii: [r], lags: [k], factors: {activation: [factor a step, for each radius]},
   curves: {activation: [[low, middle, high] for each radius]}}, each curve a list of log10 of the
   norms, one for each lag. */

"use strict";

interactiveFigures.define("clipping-lag", (box) => {
  const { fixed, number } = interactiveFigures;
  const { radii, lags, factors, curves } = box.data();
  const LOW = 1e-8; // the ends of the axis
  const HIGH = 1e8;
  const NAMES = { tanh: "tanh", relu: "ReLU", sigmoid: "sigmoid", none: "none" };

  const radius = box.slider({
    label: "Spectral radius of W",
    min: 0,
    max: radii.length - 1,
    step: 1,
    value: radii.indexOf(0.9),
    format: (index) => fixed(radii[index], 1),
  });
  const activation = box.choice({ label: "Activation", options: NAMES, value: "tanh" });

  const factor = box.readout("A step back multiplies by (lag 20 to 60)");
  const ten = box.readout("Left after 10 steps");
  const all = box.readout(`Left after ${lags.at(-1)} steps`);
  const plot = box.plot({
    label: "Norm of the gradient against the lag, on a logarithmic axis",
    x: { label: "lag, in steps", min: 0, max: lags.at(-1) },
    y: { label: "gradient, lag 0 is 1", min: LOW, max: HIGH, log: true },
    height: 300,
  });
  const middle = plot.line({ label: "middle of five matrices", style: "solid", marker: "circle" });
  const low = plot.line({ label: "smallest of five", style: "dotted" });
  const high = plot.line({ label: "largest of five", style: "dotted", marker: "triangle" });
  const rule = plot.line({ label: "radius multiplied once a step", style: "dashed" });

  box.update(() => {
    const r = radii[radius.value];
    const measured = curves[activation.value][radius.value];
    // A curve that leaves the axis ends there.
    const shown = (curve) => curve.filter(([, value]) => value >= LOW && value <= HIGH);
    const points = measured.map((powers) => shown(powers.map((power, i) => [lags[i], 10 ** power])));
    low.set(points[0]);
    middle.set(points[1]);
    high.set(points[2]);
    rule.set(shown(lags.map((k) => [k, r ** k])));
    const at = (lag) => measured[1][lags.indexOf(lag)];
    factor.set(fixed(factors[activation.value][radius.value], 2));
    ten.set(number(10 ** at(10)));
    all.set(number(10 ** at(lags.at(-1))));
  });
});
