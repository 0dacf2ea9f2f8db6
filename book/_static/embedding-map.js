/* Words on a map, while skip-gram learns where they belong.

   The page hands over, for each text and each group of words: their names, where they are after
   each of the steps, which two are forms of one word, and how many questions come out right, by
   two rules. */

"use strict";

interactiveFigures.define("embedding-map", (box) => {
  const HEIGHT = 400;
  const LETTER = 7.4; // pixels, about
  const EDGE = { x: 72, y: 30 }; // room for names
  const data = box.data();
  const group = box.choice({
    label: "Words",
    options: { animals: "animals", verbs: "verbs", kinds: "mixed" },
    value: "animals",
  });
  const text = box.choice({
    label: "Trained on",
    options: { whole: "whole text", cut: "no words of number" },
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
  const strict = box.readout("With no word left out");
  const map = box.drawing({ label: "Words as named points in a plane", height: HEIGHT });

  function overlap(a, b) {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    return wide > 0 && high > 0 ? wide * high : 0;
  }

  /* A name beside its point, where it hides least: on the side away from the arrow if it can. */
  function label(name, [x, y], side, taken, width) {
    const long = LETTER * name.length;
    const beside = { left: x - 9 - long, right: x + 9 };
    const other = side === "left" ? "right" : "left";
    const places = [[side, -7], [other, -7], ["", -22], ["", 8]];
    for (const where of [side, other]) places.push([where, -16], [where, 2]);
    const boxes = places.map(([where, down]) => {
      const left = beside[where] ?? x - long / 2;
      return { left, top: y + down, right: left + long, bottom: y + down + 14 };
    });
    const hidden = boxes.map((one) => {
      const outside = Math.max(0, -one.left) + Math.max(0, one.right - width);
      return 1e4 * outside + taken.reduce((sum, part) => sum + overlap(one, part), 0);
    });
    const best = boxes[hidden.indexOf(Math.min(...hidden))];
    taken.push(best);
    return ["text", { x: best.left + long / 2, y: best.top + 11, "text-anchor": "middle" }, name];
  }

  /* Small boxes along an arrow, for names to keep clear of. */
  function trail([x, y], [toX, toY]) {
    const count = Math.ceil(Math.hypot(toX - x, toY - y) / 8);
    return Array.from({ length: count }, (_, n) => {
      const [left, top] = [x + ((toX - x) * n) / count - 2, y + ((toY - y) * n) / count - 2];
      return { left, top, right: left + 4, bottom: top + 4 };
    });
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

  function point([x, y], form) {
    const line = { stroke: "var(--figure-2)", "stroke-width": 2 };
    if (form === "none") return ["rect", { x: x - 4, y: y - 4, width: 8, height: 8, fill: "none", ...line }];
    const fill = form === "second" ? "var(--figure-2)" : "none";
    return ["circle", { cx: x, cy: y, r: 4.5, fill, ...line }];
  }

  /* As far as any of these words is ever from the middle, in either text: one scale for both. */
  function reach(axis) {
    const all = ["whole", "cut"].flatMap((one) => data[one][group.value].at.flat());
    return Math.max(...all.map((place) => Math.abs(place[axis])));
  }

  function layOut({ names, couples }, now, width) {
    const across = (width / 2 - EDGE.x) / reach(0);
    const up = (HEIGHT / 2 - EDGE.y) / reach(1);
    const at = now.map(([x, y]) => [width / 2 + across * x, HEIGHT / 2 - up * y]);
    const form = names.map(() => "none");
    for (const [from, to] of couples) [form[from], form[to]] = ["first", "second"];
    const taken = at.map(([x, y]) => ({ left: x - 6, top: y - 6, right: x + 6, bottom: y + 6 }));
    taken.push(...couples.flatMap(([from, to]) => trail(at[from], at[to])));
    return [
      ...couples.flatMap(([from, to]) => arrow(at[from], at[to])),
      ...at.map((place, n) => point(place, form[n])),
      ...at.map((place, n) => {
        return label(names[n], place, form[n] === "first" ? "left" : "right", taken, width);
      }),
    ];
  }

  box.update(() => {
    const shown = data[text.value][group.value];
    const count = (found) => (shown.asked ? `${found[step.value]} of ${shown.asked}` : "not asked");
    right.set(count(shown.right));
    strict.set(count(shown.strict));
    map.set((width) => layOut(shown, shown.at[step.value], width));
  });
});
