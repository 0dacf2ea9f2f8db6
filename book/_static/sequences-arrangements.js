/* Five arrangements of reading and answering, one column a step. What a trained network might say is
   made up; the shapes are those of the cells of the page. */

"use strict";

interactiveFigures.define("sequences-arrangements", (box) => {
  const STEPS = 7;
  const HEIGHT = 206;
  const ROW = { answers: 24, state: 88, reads: 152 }; // upper edges of the boxes
  const TALL = 32;
  const one = (reads, answers, name = "") => ({ reads, answers, name });
  const texts = (reads, answers) => reads.map((text, t) => one(text, answers[t]));
  const CASES = {
    one: [one("noon", "rain")],
    oneMany: texts(["calm", ...Array(6).fill("")], ["C", "D", "E", "G", "E", "D", "C"]),
    manyOne: texts("the film is not bad at all".split(" "), [...Array(6).fill(""), "good"]),
    delayed: [
      ...[..."我等你"].map((word) => one(word, "", "encoder")),
      ..."I wait for you".split(" ").map((word) => one("", word, "decoder")),
    ],
    inStep: texts(
      Array.from({ length: STEPS }, (_, t) => `f${t + 1}`),
      ["sit", "sit", "rise", "walk", "walk", "walk", "sit"]
    ),
  };
  const shapes = box.data();

  const arrangement = box.choice({
    label: "Arrangement",
    options: {
      one: "one → one",
      oneMany: "one → many",
      manyOne: "many → one",
      delayed: "many → many, delayed",
      inStep: "many → many, in step",
    },
    value: "manyOne",
  });
  const whole = box.readout("Shapes in the cells below");
  const step = box.slider({ label: "Step", min: 1, max: STEPS, step: 1, value: 1, play: true });
  const drawing = box.drawing({ label: "Boxes that read, keep a state and answer", height: HEIGHT });
  const now = box.readout("At this step");

  const line = (active) => ({ stroke: "currentColor", "stroke-width": active ? 3 : 1.5, fill: "none" });

  function arrow(x1, y1, x2, y2, active) {
    const head = y1 === y2 ? `M${x2 - 6},${y2 - 4}l6,4l-6,4` : `M${x2 - 4},${y2 + 6}l4,-6l4,6`;
    return ["path", { d: `M${x1},${y1}L${x2},${y2}${head}`, ...line(active) }];
  }

  /* A box, thick and filled at the present step, dashed as long as its step is to come. */
  function boxed(x, y, width, when, text) {
    const look = { x, y, width, height: TALL, rx: 5, ...line(when === 0) };
    if (when === 0) Object.assign(look, { fill: "var(--figure-1)", "fill-opacity": 0.22 });
    if (when > 0) look["stroke-dasharray"] = "3 4";
    const middle = { x: x + width / 2, y: y + TALL / 2 + 5, "text-anchor": "middle" };
    return [["rect", look], ["text", middle, text]];
  }

  function column({ reads, answers }, t, x, width, present) {
    const when = t - present; // below 0: past
    const middle = x + width / 2;
    const parts = boxed(x, ROW.state, width, when, "h");
    if (reads) {
      parts.push(...boxed(x, ROW.reads, width, when, reads));
      if (when <= 0) parts.push(arrow(middle, ROW.reads - 2, middle, ROW.state + TALL + 3, when === 0));
    }
    if (answers) {
      parts.push(...boxed(x, ROW.answers, width, when, when > 0 ? "?" : answers));
      if (when <= 0) parts.push(arrow(middle, ROW.state - 2, middle, ROW.answers + TALL + 3, when === 0));
    }
    return parts;
  }

  function layOut(columns, present, width) {
    const each = Math.min(100, (width - 4) / STEPS);
    const gap = Math.min(18, each * 0.24);
    const left = (t) => 2 + t * each;
    const label = (text, y, x = 2) => ["text", { x, y }, text];
    const parts = [label("answers", 14), label("reads", HEIGHT - 8)];
    columns.forEach((one, t) => {
      parts.push(...column(one, t, left(t), each - gap, present));
      if (t > 0 && t <= present) {
        const y = ROW.state + TALL / 2;
        parts.push(arrow(left(t) - gap + 1, y, left(t) - 2, y, t === present));
      }
    });
    const decoder = columns.findIndex(({ name }) => name === "decoder");
    if (decoder > 0) {
      parts.push(label("encoder", ROW.state - 8));
      parts.push(label("decoder", ROW.state + TALL + 18, left(decoder)));
    }
    return parts;
  }

  function said(columns, present) {
    if (present >= columns.length) return "nothing; one step was all";
    const { reads, answers } = columns[present];
    const read = reads ? `reads “${reads}”` : "reads nothing";
    const answer = answers ? `answers “${answers}”` : "answers nothing";
    return `${read}, ${answer}`;
  }

  const shape = (sizes) => `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;

  box.update(() => {
    const columns = CASES[arrangement.value];
    const present = step.value - 1;
    drawing.set((width) => layOut(columns, present, width));
    now.set(said(columns, present));
    const { reads, answers } = shapes[arrangement.value];
    whole.set(`reads ${shape(reads)}, answers ${shape(answers)}`);
  });
});
