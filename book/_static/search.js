/* The order of what a search finds, and a piece of text for each page.

   Sphinx's index (searchindex.js) says which pages have a word; searchtext.js has their text, the
   terms that they explain, and what readers ask for in other words. Both are scripts, so that a
   search also works in a site that is opened from a folder. */
"use strict";

(() => {
  const HAN = /\p{Script=Han}/u;
  const LENGTH = 240;
  const POINTS = { title: 12, partOfTitle: 6, text: 4, partOfText: 1, heading: 6 };
  const MEANT = { asked: 60, term: 40, termElsewhere: 25, partOfTerm: 15 };
  const CHAPTER = 3;

  const stemmer = new Stemmer();
  const stems = (text) => splitQuery(text.toLowerCase()).map((word) => stemmer.stemWord(word));
  const own = (table, key) => (Object.hasOwn(table, key) ? [table[key]].flat() : []);

  // The pages that have a word, by number, with what that is worth. Part of a word counts, too, from
  // three letters on; a Chinese word of any length stands inside others.
  const pagesWith = (word) => {
    const { terms, titleterms } = Search._index;
    const found = new Map();
    const add = (files, points) => {
      files.forEach((file) => found.set(file, Math.max(points, found.get(file) ?? 0)));
    };
    const look = (table, whole, part) => {
      add(own(table, word), whole);
      if (word.length > 2 || HAN.test(word)) {
        const around = Object.keys(table).filter((key) => key.includes(word));
        around.forEach((key) => add(own(table, key), part));
      }
    };
    look(titleterms, POINTS.title, POINTS.partOfTitle);
    look(terms, POINTS.text, POINTS.partOfText);
    return found;
  };

  const same = (a, b) => a.length === b.length && a.every((word, k) => word === b[k]);

  const isPart = (a, b) => a.every((word) => b.includes(word));

  // What a page is worth for the question as a whole, by its name.
  const meant = (query) => {
    const asked = stems(query);
    const worth = new Map();
    const add = (page, points) => worth.set(page, Math.max(points, worth.get(page) ?? 0));
    Object.entries(COURSE.terms).forEach(([term, pages]) => {
      const words = stems(term);
      if (same(words, asked)) {
        pages.forEach((page, k) => add(page, k ? MEANT.termElsewhere : MEANT.term));
      } else if (isPart(asked, words) || (HAN.test(query) && term.includes(query))) {
        pages.forEach((page) => add(page, MEANT.partOfTerm));
      }
    });
    const entry = Object.entries(COURSE.asked).find(([words]) => same(stems(words), asked));
    const [page, anchor] = entry ? entry[1].split("#") : [];
    if (page) add(page, MEANT.asked);
    return { worth, page, anchor };
  };

  const count = (text, part) => text.toLowerCase().split(part).length - 1;

  // The section that has most of what is asked: [anchor, heading, text].
  const bestSection = (sections, phrase, words) => {
    const points = ([, heading, text]) => {
      const inHeading = stems(heading);
      return (
        words.filter((word) => inHeading.includes(word)).length * POINTS.heading +
        Math.min(count(text, phrase), 5) +
        words.filter((word) => text.toLowerCase().includes(word)).length
      );
    };
    return sections.reduce((best, one) => (points(one) > points(best) ? one : best), sections[0]);
  };

  const find = (query, words) => {
    const chapters = new Set(Object.values(COURSE.terms).flat());
    const phrase = query.toLowerCase().trim();
    const names = Search._index.docnames;
    const { worth, page: askedPage, anchor } = meant(phrase);
    // A word that no page has asks for nothing.
    const tables = words.map(pagesWith).filter((table) => table.size);
    const has = (file) => tables.filter((table) => table.has(file)).length;
    const files = names.map((_, file) => file);
    const most = Math.max(1, ...files.map(has));
    const isMeant = (file) => (worth.get(names[file]) ?? 0) > MEANT.partOfTerm;
    return files
      .filter((file) => COURSE.pages[names[file]])
      .filter((file) => has(file) === most || isMeant(file))
      .map((file) => {
        const name = names[file];
        const sections = COURSE.pages[name];
        const whole = sections.map(([, , text]) => text).join(" ");
        const score =
          tables.reduce((sum, table) => sum + (table.get(file) ?? 0), 0) +
          (worth.get(name) ?? 0) +
          2 * Math.log2(1 + count(whole, phrase)) +
          (chapters.has(name) ? CHAPTER : 0);
        const section =
          (name === askedPage && sections.find(([id]) => id === anchor)) ||
          bestSection(sections, phrase, words);
        return { name, title: Search._index.titles[file], score, section };
      })
      .sort((a, b) => b.score - a.score || place(a.name) - place(b.name));
  };

  const place = (name) => Object.keys(COURSE.pages).indexOf(name);

  // The text around the first place where the question, or one of its words, stands.
  const piece = (text, phrase, words) => {
    const lower = text.toLowerCase();
    const places = [phrase, ...words].map((part) => lower.indexOf(part)).filter((at) => at >= 0);
    const middle = places.length ? places[0] : 0;
    const start = middle < 100 ? 0 : lower.indexOf(" ", middle - 100) + 1 || middle;
    const end = start + LENGTH;
    return (start ? "… " : "") + text.slice(start, end).trim() + (end < text.length ? " …" : "");
  };

  const show = ({ name, title, section: [anchor, heading, text] }, phrase, words) => {
    const root = document.documentElement.dataset.content_root;
    const page = root + name + DOCUMENTATION_OPTIONS.LINK_SUFFIX;
    const item = Search.output.appendChild(document.createElement("li"));
    const link = item.appendChild(document.createElement("a"));
    link.href = page;
    link.innerHTML = title; // Sphinx has escaped it
    const context = item.appendChild(document.createElement("p"));
    context.className = "context";
    if (heading) {
      const section = context.appendChild(document.createElement("a"));
      section.href = `${page}#${anchor}`;
      section.textContent = heading;
      context.append(": ");
    }
    context.append(piece(text, phrase, words));
  };

  Search.query = (query) => {
    const words = [...Search._parseQuery(query)[1]];
    const results = find(query, words);
    results.forEach((result) => show(result, query.toLowerCase().trim(), words));
    _finishSearch(results.length);
  };
})();
