// What the visitor of visitor.py sees of a page, as functions of `look`; in every window from its start.

const look = window.look = {};

// The rows of GET /api/lcd as a canvas shows them: a dot is opaque, its shadow is not, each is a
// square of whole pixels of the canvas.
look.glass = ([id, columns, rows]) => {
  const canvas = typeof id === "string" ? document.getElementById(id) : id;
  const cell = canvas.width / columns, pen = canvas.getContext("2d");
  if (canvas.height !== rows * cell || cell !== Math.floor(cell)) return ["not " + rows + " rows"];
  const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  const at = (x, y) => data[4 * (y * cell * canvas.width + x * cell) + 3] === 255 ? "#" : ".";
  return Array.from({length: rows}, (_, y) => Array.from({length: columns}, (_, x) => at(x, y)).join(""));
};

// How many pixels of a plot have one of the page's colours.
look.colour = ([id, name]) => {
  const canvas = document.getElementById(id), probe = document.createElement("canvas");
  probe.width = probe.height = 1;
  const drop = probe.getContext("2d");
  drop.fillStyle = getComputedStyle(document.body).getPropertyValue(name).trim();
  drop.fillRect(0, 0, 1, 1);
  const [r, g, b] = drop.getImageData(0, 0, 1, 1).data;
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const near = (a, b) => Math.abs(a - b) < 40;  // lines are smoothed at their edges
  let found = 0;
  for (let n = 0; n < data.length; n += 4)
    if (near(data[n], r) && near(data[n + 1], g) && near(data[n + 2], b) && data[n + 3] > 180) found++;
  return found;
};

// The colour of a dot of the glass.
look.dot = ([x, y]) => {
  const canvas = document.getElementById("lcd"), cell = canvas.width / 128;
  return [...canvas.getContext("2d").getImageData(x * cell, y * cell, 1, 1).data].slice(0, 3);
};

// [text, its contrast, what it should be] of each visible text, WCAG 2.1, 1.4.3; in drawings, to the
// shape that a point in the text's middle meets, the least of a gradient's stops.
look.contrasts = () => {
  const probe = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    probe.clearRect(0, 0, 1, 1); probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(k => top[k] * top[3] + below[k] * (1 - top[3])).concat(1);
  const linear = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + .05) / (low + .05);
  };
  const behind = element => {
    let found = [0, 0, 0, 0];
    for (let at = element; at; at = at.parentElement) {
      const own = rgba(getComputedStyle(at).backgroundColor);
      found = found[3] === 1 ? found : over(found, own).slice(0, 3).concat(found[3] + own[3] * (1 - found[3]));
      if (own[3] === 1) break;
    }
    return found;
  };
  const hues = fill => {
    const gradient = fill.match(/url\("?#(.+?)"?\)/);
    const stops = gradient && [...document.querySelectorAll(`#${gradient[1]} stop`)];
    return (stops ? stops.map(stop => getComputedStyle(stop).stopColor) : [fill]).map(rgba);
  };
  const found = [];
  const tell = (element, text, value) => {
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const large = size >= 24 || size >= 18.66 && +style.fontWeight >= 700;
    found.push([text.trim().slice(0, 40), Math.round(100 * value) / 100, large ? 3 : 4.5]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement, text = node.textContent;
    if (!text.trim() || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (element.closest("script, style, option, :disabled, .unseen, title")) continue;
    if (element.namespaceURI.endsWith("svg")) {
      const isCovered = element.closest(".meter:not(.terminal-open) #terminals");
      if (!element.closest(".case") || isCovered) continue;
      const box = element.getBoundingClientRect();
      const stack = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2)
        .filter(one => one.tagName !== "text");
      const shape = stack.find(one => !["none", "transparent"].includes(getComputedStyle(one).fill) &&
        !getComputedStyle(one).fill.includes("#glare") && one.closest(".case") && one.tagName !== "svg");
      if (shape) tell(element, text, Math.min(...hues(getComputedStyle(shape).fill)
        .map(hue => ratio(rgba(getComputedStyle(element).fill), hue))));
      continue;
    }
    const ground = behind(element);
    tell(element, text, ratio(over(rgba(getComputedStyle(element).color), ground), ground));
  }
  return found;
};

// The page's time stands still until look.resume: what a hand does meanwhile takes none.
look.halt = () => {
  const later = window.setTimeout, at_ms = performance.now(), waiting = [];
  performance.now = () => at_ms;
  window.setTimeout = (...timer) => waiting.push(timer);
  look.resume = () => {
    delete performance.now;
    window.setTimeout = later;
    waiting.forEach(timer => later(...timer));
  };
};

// Whether an element has had a class since look.mind was asked to mind that.
look.mind = ([id, name]) => {
  const element = document.getElementById(id);
  look.minded = element.classList.contains(name);
  new MutationObserver(() => { look.minded ||= element.classList.contains(name); })
    .observe(element, {attributeFilter: ["class"]});
};

// The colours of edges and curves, and what lies behind them.
look.edges = () => {
  const style = getComputedStyle(document.body), card = style.getPropertyValue("--card").trim();
  return ["--edge", "--accent", "--l1", "--l2", "--l3", "--in", "--out", "--ink"].map(name =>
    [name, style.getPropertyValue(name).trim(), card]);
};

// How much wider than its window the page is, and what sticks out.
look.tooWide = () => {
  const wide = [...document.querySelectorAll("main *, header *, footer *")].filter(one =>
    one.checkVisibility() && !one.closest(".scroll, svg, .unseen") &&
    one.getBoundingClientRect().right > innerWidth + 1);
  return [document.documentElement.scrollWidth - innerWidth, wide.map(one => one.id || one.outerHTML.slice(0, 60))];
};

// Controls that are too small to be touched.
look.small = ([controls, least]) => [...document.querySelectorAll(controls)].filter(one => {
  const box = (one.closest("label.check") || one).getBoundingClientRect();
  const inline = one.matches("a, button.plain");  // what stands in a text is left out there, too
  return one.checkVisibility() && !inline && (box.width < least || box.height < least);
}).map(one => one.id || one.outerHTML.slice(0, 60));

// Remember which controls the focus reaches, and which of them do not show it.
look.watch = controls => {
  const reached = look.reached = new Set(), dull = look.dull = [];
  look.wanted = [...document.querySelectorAll(controls)].filter(one => 
    one.checkVisibility({visibilityProperty: true}) && !one.disabled);
  document.addEventListener("focusin", ({target}) => {
    reached.add(target);
    const {outlineStyle, outlineWidth} = getComputedStyle(target);
    if (outlineStyle === "none" || parseFloat(outlineWidth) < 1) dull.push(target.outerHTML.slice(0, 60));
  });
  document.activeElement.blur();
  return look.wanted.length;
};
look.missed = () => look.wanted.filter(one => !look.reached.has(one) && one.isConnected)
  .map(one => one.id || one.outerHTML.slice(0, 80));
