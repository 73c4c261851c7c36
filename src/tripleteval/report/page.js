"use strict";
// Everything from data is text: it arrives in one JSON island and leaves through textContent.
const report = (() => {
  if (window.trustedTypes) {
    // The chart library empties its containers with innerHTML = ""; nothing else may be written that way.
    trustedTypes.createPolicy("default", { createHTML: (text) => (text === "" ? "" : null) });
  }
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const tip = document.getElementById("tip");
  const views = new Map();
  const galleries = [];  // what the map filters: {group, pick(rows or null)}
  const drawnHandlers = [];
  const STEP = 8;

  function showTip(text, x, y) {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(x + 12, innerWidth - box.width - 8))}px`;
    tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(8, y - box.height - 10) : y + 18}px`;
  }
  const hideTip = () => { tip.hidden = true; };

  function explainTerms() {
    for (const term of all(".term")) {
      const meaning = document.getElementById(term.getAttribute("aria-describedby"));
      const show = () => {
        const box = term.getBoundingClientRect();
        showTip(meaning.textContent, box.left, box.bottom - 12);
      };
      term.addEventListener("mouseenter", show);
      term.addEventListener("focus", show);
      term.addEventListener("mouseleave", hideTip);
      term.addEventListener("blur", hideTip);
    }
    addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
    addEventListener("scroll", hideTip, { passive: true });
  }

  function isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  // Only sizes and places: colours that are not data come from the style sheet, for light, dark and paper.
  function look(width) {
    const { fontFamily } = getComputedStyle(document.body);
    const words = { labelFont: fontFamily, titleFont: fontFamily };
    const narrow = width < 560;
    const layout = { top: { anchor: "start", direction: narrow ? "vertical" : "horizontal" } };
    return {
      background: null,
      font: fontFamily,
      axis: { ...words, titleFontWeight: "normal", labelFontSize: 11, titleFontSize: 11 },
      legend: { ...words, labelFontSize: 11, columns: narrow ? 2 : 4, labelLimit: Math.min(160, width / 2 - 30), layout },
      view: { stroke: null },
    };
  }

  function onValue(handler, event, item, value) {
    if (value === null || value === undefined || value === "") return hideTip();
    const lines = typeof value === "object" ? Object.entries(value).map(([name, shown]) => `${name}: ${shown}`) : [String(value)];
    showTip(lines.join("\n"), event.clientX, event.clientY);
  }

  async function drawChart(place) {
    const holder = document.querySelector(`[data-chart="${place}"]`);
    if (views.has(place)) views.get(place).finalize();
    const options = { ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: onValue, config: look(holder.clientWidth) };
    const drawn = await vegaEmbed(holder, data.charts[place], options);
    views.set(place, drawn);
    // The holder says in words what it shows; its hundreds of marks would only be read out one by one.
    holder.querySelector("svg").setAttribute("aria-hidden", "true");
    holder.dataset.drawn = "yes";
    const slider = document.querySelector(`[data-for="${place}"] input`);
    if (slider) slider.dispatchEvent(new Event("input"));
    for (const handler of drawnHandlers) handler(place, drawn.view);
  }

  async function drawAll() {
    for (let place = 0; place < data.charts.length; place += 1) {
      await drawChart(place);
      await new Promise((next) => { setTimeout(next); });  // the page stays answerable in between
    }
    document.body.dataset.ready = "yes";
  }

  function moveSliders() {
    for (const group of all(".slider")) {
      const place = Number(group.dataset.for);
      const slider = data.sliders[place];
      const input = group.querySelector("input");
      input.addEventListener("input", () => {
        const at = Number(input.value);
        for (const reading of all("[data-reading]", group)) {
          reading.textContent = slider.readings[reading.dataset.reading][at];
        }
        input.setAttribute("aria-valuetext", group.querySelector("output").textContent);
        if (views.has(place)) views.get(place).view.signal("place", slider.places[at]).runAsync();
      });
    }
  }

  function sortKey(text) {
    const number = Number(text.replace(/[,\s%]/g, "").replace("−", "-"));
    return text.trim() && !Number.isNaN(number) ? number : null;
  }

  function compare(one, two) {
    const [a, b] = [sortKey(one), sortKey(two)];
    if (a !== null && b !== null) return a - b;
    if (a !== null || b !== null) return a !== null ? -1 : 1;
    return one.localeCompare(two);
  }

  function sortTables() {
    for (const table of all("section > .wide table")) {
      const body = table.tBodies[0];
      if (body.rows.length < 4) continue;
      all("thead th", table).forEach((head, column) => {
        if (head.textContent.trim() === "") return;
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        // A link inside a button cannot be reached; in a head that sorts, its meaning stays in the glossary.
        for (const link of all("a", button)) link.replaceWith(...link.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
          const up = head.getAttribute("aria-sort") !== "ascending";
          for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
          head.setAttribute("aria-sort", up ? "ascending" : "descending");
          const rows = [...body.rows].sort((one, two) => compare(one.cells[column].textContent, two.cells[column].textContent));
          body.append(...(up ? rows : rows.reverse()));
        });
      });
    }
  }

  function chooseCases() {
    for (const group of all(".cases:not([data-points])")) {
      const form = group.querySelector("form");
      const list = group.querySelector("ol");
      const cases = [...list.children];
      const more = group.querySelector("[data-more]");
      const unpick = form.querySelector("[data-unpick]");
      let most = STEP;
      let picked = null;
      const [filter, sort, descending] = ["[data-filter]", "[data-sort]", "[data-descending]"].map((name) => form.querySelector(name));
      const fact = (entry) => {
        const text = entry.querySelectorAll("[data-fact]")[Number(sort.value)].dataset.fact;
        return text === "" ? null : Number(text);
      };
      const order = () => {
        const turned = descending.checked ? -1 : 1;
        const known = cases.filter((entry) => fact(entry) !== null).sort((one, two) => turned * (fact(one) - fact(two)));
        list.append(...known, ...cases.filter((entry) => fact(entry) === null));
      };
      const show = () => {
        const passes = (entry) => (filter.value === "" || entry.dataset.class === filter.value)
          && (picked === null || picked.has(Number(entry.dataset.query ?? NaN)));
        const passing = [...list.children].filter(passes);
        unpick.hidden = picked === null;
        for (const entry of cases) entry.hidden = true;
        for (const entry of passing.slice(0, most)) entry.hidden = false;
        more.hidden = passing.length <= most;
        form.querySelector("[data-count]").textContent = `${Math.min(most, passing.length)} of ${passing.length} shown`;
      };
      form.hidden = false;
      descending.checked = fact(cases[0]) > fact(cases.at(-1));
      more.addEventListener("click", () => { most += STEP; show(); });
      form.addEventListener("change", () => { order(); show(); });
      form.addEventListener("submit", (event) => event.preventDefault());
      const pick = (rows) => {
        picked = rows;
        show();
        return cases.filter((entry) => rows !== null && rows.has(Number(entry.dataset.query ?? NaN))).length;
      };
      unpick.addEventListener("click", () => pick(null));
      galleries.push({ group, pick });
      show();
    }
  }

  const showPicture = (picture) => { picture.src = `data:image/webp;base64,${data.pictures[Number(picture.dataset.picture)]}`; };

  function showPictures() {
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((one) => one.isIntersecting)) {
        showPicture(entry.target);
        seen.unobserve(entry.target);
      }
    }, { rootMargin: "400px" });
    for (const picture of all("[data-picture]")) seen.observe(picture);
    addEventListener("beforeprint", () => all("[data-picture]:not([src])").forEach(showPicture));
  }

  function switchTheme() {
    const button = document.getElementById("theme");
    const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      document.documentElement.dataset.theme = isDark() ? "light" : "dark";
      name();
    });
  }

  explainTerms();
  moveSliders();
  sortTables();
  chooseCases();
  showPictures();
  switchTheme();
  drawAll();
  return {
    data, all, views, galleries, drawChart, showPicture,
    onDrawn: (handler) => drawnHandlers.push(handler),
  };
})();
