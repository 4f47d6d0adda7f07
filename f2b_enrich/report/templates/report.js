// Draws the charts anew, as wide as the page, when they come into sight. Without this
// the page has its pictures and tables all the same.
const data = JSON.parse(document.getElementById("data").textContent);
const MAP = "map", TALL = 0.46, CLOSEST = 24, ERRORS = 1;
const NARROW = 420, LEGEND = 68;

function filled(part) {
  if (part === null || typeof part !== "object") return part;
  if (Array.isArray(part)) return part.map(filled);
  if (part.url === data.at) return { values: data.outlines, format: part.format };
  const found = {};
  for (const [key, value] of Object.entries(part)) {
    found[key] = key === "datasets" ? value : filled(value);
  }
  return found;
}

async function draw(box) {
  const name = box.dataset.chart;
  const spec = filled(data.charts[name]);
  spec.width = box.clientWidth;
  const narrow = spec.width < NARROW;
  for (const one of spec.params ?? []) {
    if (one.name === "upright") one.value = narrow;
    if (one.name === "names") one.value = Math.min(one.value, spec.width * 0.4);
  }
  // On a phone the legend is below the map, and names over fields stand upright.
  if (name === MAP) spec.height = Math.round(spec.width * TALL) + (narrow ? LEGEND : 0);
  else if (narrow && spec.padding) spec.padding = 4;
  const target = document.createElement("div");
  // The interpreter needs no `eval`, so that the page can forbid it.
  const { view } = await vegaEmbed(target, spec, {
    mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false,
    config: data.config, hover: false, logLevel: ERRORS, tooltip: { disableDefaultStyle: true, theme: "own" },
  });
  target.querySelector("svg")?.setAttribute("aria-hidden", "true");
  views.get(box)?.finalize();
  views.set(box, view);
  box.classList.add("live");
  box.replaceChildren(target);
  box.dataset.width = box.clientWidth;
  if (name === MAP) move(box, view);
}

const views = new Map();
const seen = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target).catch(console.error);
  }
}, { rootMargin: "600px" });
for (const box of document.querySelectorAll("[data-chart]")) seen.observe(box);

let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    for (const box of views.keys()) {
      if (box.clientWidth !== Number(box.dataset.width)) draw(box).catch(console.error);
    }
  }, 200);
});

// What scrolls on this screen is reached by keyboard; what does not is passed over.
const sizes = new ResizeObserver(entries => {
  for (const { target } of entries) reach(target.closest(".scroll"));
});
for (const box of document.querySelectorAll("main .scroll")) {
  sizes.observe(box);
  sizes.observe(box.firstElementChild);
}

function reach(box) {
  if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) {
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", label(box));
  } else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
}

// Several tables are called alike, each in a section of its own.
function label(box) {
  const section = box.closest("section");
  const around = section.parentElement.closest("section") ?? section;
  return `${around.querySelector("h2, h3, h4").textContent}: ${box.querySelector("caption").textContent}`;
}

const place = { zoom: 1, x: 0, y: 0 };

function show(view) {
  const { zoom } = place;
  const room = (1 - 1 / zoom) / 2;
  place.x = Math.min(room, Math.max(-room, place.x));
  place.y = Math.min(room * TALL, Math.max(-room * TALL, place.y));
  view.signal("zoom", zoom).signal("shift_x", place.x).signal("shift_y", place.y);
  return view.runAsync();
}

// Keeps what is under the pointer there.
function closer(view, factor, x = 0, y = 0) {
  const zoom = Math.min(CLOSEST, Math.max(1, place.zoom * factor));
  place.x += x / zoom - x / place.zoom;
  place.y += y / zoom - y / place.zoom;
  place.zoom = zoom;
  return show(view);
}

const BUTTONS = [
  ["+", "Zoom in", view => closer(view, 2)],
  ["\u2212", "Zoom out", view => closer(view, 1 / 2)],
  ["\u2190", "Move west", view => shift(view, 1, 0)],
  ["\u2192", "Move east", view => shift(view, -1, 0)],
  ["\u2191", "Move north", view => shift(view, 0, 1)],
  ["\u2193", "Move south", view => shift(view, 0, -1)],
  ["Whole world", "Show the whole world", view => closer(view, 0)],
];

function shift(view, x, y) {
  place.x += x * 0.2 / place.zoom;
  place.y += y * 0.2 * TALL / place.zoom;
  return show(view);
}

function move(box, view) {
  const target = box.firstChild;
  const width = box.clientWidth;
  const from = event => {
    const { left, top } = target.getBoundingClientRect();
    return [(event.clientX - left) / width - 0.5, (event.clientY - top) / width - 0.575 * TALL];
  };
  target.classList.add("movable");
  target.addEventListener("wheel", event => {
    // The page scrolls on; with Ctrl, or two fingers, the map comes closer.
    if (!event.ctrlKey) return;
    event.preventDefault();
    closer(view, 2 ** (-event.deltaY / 200), ...from(event));
  }, { passive: false });
  target.addEventListener("dblclick", event => closer(view, 2, ...from(event)));
  let last = null;
  target.addEventListener("pointerdown", event => { last = from(event); });
  target.addEventListener("pointermove", event => {
    if (last === null || !event.buttons) return;
    const now = from(event);
    place.x += (now[0] - last[0]) / place.zoom;
    place.y += (now[1] - last[1]) / place.zoom;
    last = now;
    show(view);
  });
  for (const name of ["pointerup", "pointerleave"]) {
    target.addEventListener(name, () => { last = null; });
  }
  show(view);
  controls(box, view);
}

function controls(box, view) {
  document.querySelector(".controls")?.remove();
  const bar = document.createElement("div");
  bar.className = "controls";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Map");
  for (const [text, label, act] of BUTTONS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.title = label;
    button.addEventListener("click", () => act(view));
    bar.append(button);
  }
  box.after(bar);
}
