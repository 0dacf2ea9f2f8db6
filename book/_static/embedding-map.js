/* Words on a map, while skip-gram learns where they belong.

   The page hands over, for each text and each group of words: their names, where they are after
   each of the steps, which two are forms of one word, and how many questions come out right. */

"use strict";

movingFigures.define("embedding-map", (box) => {
  const HEIGHT = 400;
  const LETTER = 7.4; // pixels, about
  const data = box.data();
  const group = box.choice({
    label: "Words",
    options: { animals: "animals", verbs: "verbs", kinds: "some of each kind" },
    value: "animals",
  });
  const text = box.choice({
    label: "Trained on",
    options: { whole: "the whole text", cut: "the text without words of number" },
    value: "whole",
  });
  const step = box.slider({
    label: "Training steps",
    min: 0,
    max: data.steps.length - 1,
    step: 1,
    value: data.steps.length - 1,
    format: (n) => String(data.steps[n]),
    play: true,
  });
  const right = box.readout("Questions that come out right");
  const map = box.drawing({ label: "Words as named points in a plane", height: HEIGHT });

  function overlap(a, b) {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    return wide > 0 && high > 0 ? wide * high : 0;
  }

  /* The name right of its point, left of it, above or below: where it hides least. */
  function label(name, x, y, taken, width) {
    const long = LETTER * name.length;
    const middle = x - long / 2;
    const places = [[x + 8, y - 7], [x - 8 - long, y - 7], [middle, y - 22], [middle, y + 8]];
    const boxes = places.map(([left, top]) => ({ left, top, right: left + long, bottom: top + 14 }));
    const hidden = boxes.map((one) => {
      const outside = Math.max(0, -one.left) + Math.max(0, one.right - width);
      return 1e4 * outside + taken.reduce((sum, other) => sum + overlap(one, other), 0);
    });
    const best = boxes[hidden.indexOf(Math.min(...hidden))];
    taken.push(best);
    return ["text", { x: best.left + long / 2, y: best.top + 11, "text-anchor": "middle" }, name];
  }

  /* From one form of a word to the other, short of both points; too short an arrow is none. */
  function arrow([x, y], [toX, toY]) {
    const length = Math.hypot(toX - x, toY - y);
    if (length < 18) return [];
    const [alongX, alongY] = [(toX - x) / length, (toY - y) / length];
    const tip = [toX - 7 * alongX, toY - 7 * alongY];
    const barb = (side) =>
      `L${tip[0] - 7 * alongX + side * 4 * alongY},${tip[1] - 7 * alongY - side * 4 * alongX}`;
    const line = `M${x + 7 * alongX},${y + 7 * alongY}L${tip}`;
    const d = `${line}${barb(1)}M${tip}${barb(-1)}`;
    return [["path", { d, fill: "none", stroke: "var(--figure-1)", "stroke-width": 1.8 }]];
  }

  function dot([x, y], filled) {
    const fill = filled ? "var(--figure-2)" : "none";
    return ["circle", { cx: x, cy: y, r: 4.5, fill, stroke: "var(--figure-2)", "stroke-width": 2 }];
  }

  box.update(() => {
    const shown = data[text.value][group.value];
    const now = shown.at[step.value];
    const reach = Math.max(...shown.at.flat(2).map(Math.abs));
    right.set(shown.asked ? `${shown.right[step.value]} of ${shown.asked}` : "not asked here");
    map.set((width) => {
      const scale = [(width / 2 - 50) / reach, (HEIGHT / 2 - 30) / reach];
      const at = now.map(([x, y]) => [width / 2 + scale[0] * x, HEIGHT / 2 - scale[1] * y]);
      const taken = at.map(([x, y]) => ({ left: x - 5, top: y - 5, right: x + 5, bottom: y + 5 }));
      const second = new Set(shown.couples.map(([, to]) => to));
      return [
        ...shown.couples.flatMap(([from, to]) => arrow(at[from], at[to])),
        ...at.map((place, n) => dot(place, second.has(n))),
        ...at.map(([x, y], n) => label(shown.names[n], x, y, taken, width)),
      ];
    });
  });
});
