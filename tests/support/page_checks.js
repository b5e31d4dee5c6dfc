// What a checker of accessibility looks at first, for our own pages: names, labels, headings, contrast.
(() => {
  const faults = [];
  const seen = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden";
  const say = (what, e) => faults.push(`${what}: ${e.outerHTML.slice(0, 120)}`);
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title) faults.push("no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  let level = 0;
  for (const e of document.querySelectorAll("h1,h2,h3,h4,h5,h6")) {
    const now = Number(e.tagName[1]);
    if (now > level + 1) say(`heading jumps from ${level} to ${now}`, e);
    if (!e.textContent.trim()) say("empty heading", e);
    level = now;
  }
  for (const e of document.querySelectorAll("input:not([type=hidden]),select,textarea"))
    if (!e.labels?.length && !e.getAttribute("aria-label")) say("no label", e);
  for (const e of document.querySelectorAll("a,button,summary"))
    if (!e.textContent.trim() && !e.getAttribute("aria-label")) say("no name", e);
  for (const e of document.querySelectorAll("[aria-labelledby],[aria-details],[aria-describedby]"))
    for (const key of ["aria-labelledby", "aria-details", "aria-describedby"])
      for (const id of (e.getAttribute(key) ?? "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) say(`${key} names nothing`, e);
  for (const e of document.querySelectorAll("table"))
    if (!e.caption || !e.querySelector("th[scope]")) say("table without caption or headers", e);
  const light = (text) => {
    const [r, g, b] = text.match(/[\d.]+/g).map((part) => Number(part) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)" && colour !== "transparent") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !seen(e) || e.closest("svg") || e.disabled) continue;
    const style = getComputedStyle(e);
    const [one, other] = [light(style.color), light(behind(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}`, e);
  }
  return [...new Set(faults)].slice(0, 20);
})()
