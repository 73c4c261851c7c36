// Points that are picked on a map: shown below it, and the only ones left in the lists of queries of the same run.
(() => {
  const { data, all, views, galleries, drawChart, showPicture, onDrawn } = report;
  const AROUND = 24;
  const STEP = 12;
  const MOST_CLASSES = 4;
  const HOW = "Drag over the map to pick points, or choose here: the queries behind them are shown, and the lists of queries in this report keep only these.";

  function written(kind, name, text) {
    const element = document.createElement(kind);
    element.className = name;
    element.textContent = text;
    return element;
  }

  // A name may be broken where its parts end, instead of anywhere.
  function breakable(kind, name, text) {
    const parts = text.split(/(?<=[_/])(?=\w)/);
    const element = written(kind, name, parts[0]);
    for (const part of parts.slice(1)) element.append(document.createElement("wbr"), part);
    return element;
  }

  function card([name, label, text, picture, right, distance]) {
    const verdict = right === null ? "" : right ? " right" : " wrong";
    const shown = written("div", `card${verdict}`, "");
    if (picture !== null) {
      const image = document.createElement("img");
      Object.assign(image, { alt: name, width: 96, height: 96 });
      image.dataset.picture = picture;
      shown.append(image);
      showPicture(image);
    }
    if (text) shown.append(written("q", "", text));
    shown.append(breakable("span", "name", name));
    if (label) shown.append(breakable("span", "class", label));
    if (right !== null) shown.append(written("span", "mark", `${right ? "✓ right" : "✗ wrong"}, at ${distance}`));
    return shown;
  }

  function entry([, query, ...found]) {
    const shown = document.createElement("li");
    const [asked, answered] = [written("div", "asked", ""), written("div", "found", "")];
    asked.append(card(query));
    answered.append(...found.map(card));
    shown.append(asked, answered);
    return shown;
  }

  const labelOf = ([, query]) => query[1];
  const isWrong = ([, , found]) => found !== undefined && found[4] === false;

  function counted(points) {
    const counts = new Map();
    for (const point of points) counts.set(labelOf(point), (counts.get(labelOf(point)) ?? 0) + 1);
    return [...counts].filter(([name]) => name).sort((one, two) => two[1] - one[1]);
  }

  function picking(group) {
    const points = data.points[Number(group.dataset.points)];
    const section = group.closest("section");
    const scope = group.closest("article, main");
    const places = all("[data-chart]", section).map((holder) => Number(holder.dataset.chart));
    const marks = data.charts[places[0]].data.values;
    const [form, told, list, more] = ["form", "[data-told]", "ol", "[data-more]"].map((name) => group.querySelector(name));
    const [ofClass, nearest, near, clear, names] = ["[data-class]", "[data-nearest]", "[data-near]", "[data-clear]", "datalist"].map((name) => form.querySelector(name));
    let area = null;  // {chart, ends of each axis}
    let most = STEP;

    function around(name) {
      const centre = points.findIndex(([, query]) => query[0] === name);
      if (centre < 0) return null;
      const away = (place) => Math.hypot(marks[place].c0 - marks[centre].c0, marks[place].c1 - marks[centre].c1);
      return new Set([...points.keys()].sort((one, two) => away(one) - away(two)).slice(0, AROUND));
    }

    function passing() {
      const close = near.value ? around(near.value) : null;
      const free = area === null && ofClass.value === "" && nearest.value === "" && close === null;
      if (free) return null;
      const inside = (place) => area === null || Object.entries(area.ends).every(([axis, [low, high]]) => marks[place][axis] >= low && marks[place][axis] <= high);
      return [...points.keys()].filter((place) => inside(place)
        && (ofClass.value === "" || labelOf(points[place]) === ofClass.value)
        && (nearest.value === "" || isWrong(points[place]) === (nearest.value === "wrong"))
        && (close === null || close.has(place)));
    }

    function say(picked, kept) {
      const wrong = picked.filter(isWrong).length;
      const classes = counted(picked);
      const few = classes.slice(0, MOST_CLASSES).map(([name, count]) => `${name} (${count})`).join(", ");
      const rest = classes.length > MOST_CLASSES ? ` and ${classes.length - MOST_CLASSES} more` : "";
      const [some, whole, bad] = [picked.length, points.length, wrong].map((count) => count.toLocaleString("en"));
      told.textContent = `${some} of ${whole} points picked, ${bad} with a wrong nearest item.`;
      if (classes.length) told.append(` Classes: ${few}${rest}.`);
      const lists = kept.filter(({ count }) => count > 0);
      if (lists.length) told.append(" Also in: ");
      lists.forEach(({ group: found, count }, place) => {
        const link = written("a", "", found.closest("section").querySelector("h1, h2, h3").textContent);
        link.href = `#${found.id}`;
        told.append(place ? ", " : "", link, ` (${count})`);
      });
    }

    function show() {
      const picked = passing();
      for (const place of places) views.get(place)?.view.signal("picked", picked).runAsync();
      const rows = picked && new Set(picked.map((place) => points[place][0]));
      const kept = galleries.filter((one) => scope.contains(one.group)).map((one) => ({ ...one, count: one.pick(rows) }));
      const shown = (picked ?? []).map((place) => points[place]).sort((one, two) => isWrong(two) - isWrong(one));
      if (picked) say(shown, kept);
      else told.textContent = near.value ? `No query named “${near.value}” is drawn.` : HOW;
      list.replaceChildren(...shown.slice(0, most).map(entry));
      more.hidden = shown.length <= most;
    }

    function brushed(place, ends) {
      const empty = Object.keys(ends).length === 0;
      if (empty && area?.chart !== place) return;
      if (area && area.chart !== place) drawChart(area.chart);  // only one area at a time
      area = empty ? null : { chart: place, ends };
      most = STEP;
      show();
    }

    for (const [name] of counted(points).sort((one, two) => one[0].localeCompare(two[0]))) {
      ofClass.append(new Option(name, name));
    }
    names.append(...points.map(([, query]) => new Option(query[0])));
    form.hidden = false;
    form.addEventListener("change", () => { most = STEP; show(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    more.addEventListener("click", () => { most += STEP; show(); });
    clear.addEventListener("click", () => {
      form.reset();
      if (area) drawChart(area.chart);
      area = null;
      show();
    });
    onDrawn((place, view) => {
      if (!places.includes(place)) return;
      let waiting = 0;
      view.addSignalListener("brush", (name, ends) => {
        clearTimeout(waiting);
        waiting = setTimeout(() => brushed(place, ends), 100);
      });
      view.signal("picked", passing()).runAsync();
    });
    show();
  }

  for (const group of all("[data-points]")) picking(group);
})();
