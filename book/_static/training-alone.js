/* Trained networks that go on alone, after hearing more or fewer values of a wave.

   The page hands over: given, how many values were heard; truth, the wave after them;
   alone[network][given], what that network said on its own; middle[network][given], after how
   many steps the median of many waves was lost; limit, how far away counts as lost; steps,
   how long those waves were. */

"use strict";

interactiveFigures.define("training-alone", (box) => {
  const { given, truth, alone, middle, limit, steps } = box.data();
  const heard = box.slider({
    label: "Values heard before",
    min: 0,
    max: given.length - 1,
    step: 1,
    value: 0,
    format: (index) => String(given[index]),
  });
  const network = box.choice({
    label: "Network",
    options: Object.fromEntries(alone.map((_, index) => [index, String(index)])),
    value: "0",
  });
  const here = box.readout("This wave is lost");
  const usual = box.readout("The median of 200 waves is lost");
  const plot = box.plot({
    label: "The true wave and what the network says on its own",
    x: { label: "step without help", min: 0, max: truth.length - 1 },
    y: { label: "value", min: -1.5, max: 1.5 },
  });
  const wave = plot.line({ label: "true wave", style: "dotted" });
  const said = plot.line({ label: "network alone", style: "solid", marker: "circle" });
  wave.set(truth.map((value, step) => [step, value]));

  function after(count, end) {
    if (count === end) return `not in ${end} steps`;
    return count === 0 ? "at once" : `after ${count} step${count === 1 ? "" : "s"}`;
  }

  box.update(() => {
    const values = alone[network.value][heard.value];
    said.set(values.map((value, step) => [step, value]));
    const lost = values.findIndex((value, step) => Math.abs(value - truth[step]) > limit);
    here.set(after(lost < 0 ? truth.length : lost, truth.length));
    usual.set(after(middle[network.value][heard.value], steps));
  });
});
