// What "in the row of", "within" and "near" mean: they narrow the matches of one tier.
const ROWS = 'tr,li,article,[role=row],[role=listitem],[role=option],[role=treeitem],[role=article]';
const alike = (a, b) => a !== b && a.tagName === b.tagName && a.className && a.className === b.className;
const siblings = (e) => [...(e.parentElement ? e.parentElement.children : [])].filter((s) => s !== e);

// Climb from the text to the smallest container that also holds a match; never over into a neighbouring row.
const rowFrom = (text, matches) => {
  for (let at = text, below = null; at && at !== document.body && at !== document.documentElement; below = at, at = up(at)) {
    const inside = matches.filter((m) => holds(at, m)), row = at.matches(ROWS);
    if (inside.length) {
      if (row || at === text || siblings(at).some((s) => alike(s, at))) return inside;
      return inside.filter((m) => ![...at.children].some((c) => below && alike(c, below) && holds(c, m)));
    }
    if (row && siblings(at).some((s) => s.tagName === at.tagName && matches.some((m) => holds(s, m)))) return [];
  }
  return [];
};
const inRow = (wanted, matches) => {
  let texts = visibleText(wanted);
  if (!texts.length) texts = all().filter((e) => e.matches(ROWS) && shown(e) && level(norm(e.innerText), wanted) >= 0 && !all().some((x) => x !== e && x.matches(ROWS) && holds(e, x) && level(norm(x.innerText), wanted) >= 0));
  const found = new Set(texts.flatMap((text) => rowFrom(text, matches)));
  return matches.filter((m) => found.has(m));
};

const AREAS = 'fieldset,section,form,dialog,nav,aside,main,article,header,footer,table,details,[role=region],[role=dialog],[role=alertdialog],[role=form],' +
  '[role=group],[role=radiogroup],[role=navigation],[role=search],[role=toolbar],[role=tabpanel],[role=menu],[role=banner],[role=contentinfo],[role=complementary],[aria-label]';
const heading = (e) => [...e.querySelectorAll('h1,h2,h3,h4,h5,h6,[role=heading]')].find((h) => shown(h));
const containers = (wanted) => {
  const ranked = [];
  for (const e of all()) {
    if (!e.matches(AREAS) || INTERACTIVE.has(role(e))) continue;
    const first = heading(e), texts = [nameOf(e), first ? norm(first.innerText) : '', role(e), e.tagName.toLowerCase()];
    const best = Math.min(...texts.map((t, i) => [level(t, wanted), i]).filter(([n, i]) => n >= 0 && (i < 2 || n < 2)).map(([n]) => n));
    if (best < 9) ranked.push([e, best]);
  }
  for (const e of visibleText(wanted)) if (role(e) === 'heading') ranked.push([e, 5]);
  return ranked.sort((a, b) => a[1] - b[1]);
};
// The best-named container that holds a match; a heading stands for the smallest element around it that does.
const inAreas = (areas, matches) => {
  let best = null, found = new Set();
  for (const [area, rank] of areas) {
    if (best !== null && rank > best) break;
    let inside = matches.filter((m) => m !== area && holds(area, m));
    if (rank === 5) for (let at = up(area); at && at !== document.body && !inside.length; at = up(at)) inside = matches.filter((m) => m !== area && holds(at, m));
    if (inside.length) { best = rank; inside.forEach((m) => found.add(m)); }
  }
  return matches.filter((m) => found.has(m));
};

// From a text to a candidate. What stands on the same line is nearer than what touches from another line, and what
// follows a text is nearer than what precedes it.
const gap = (a, b) => {
  const x = Math.max(0, a.left - b.right, b.left - a.right), y = Math.max(0, a.top - b.bottom, b.top - a.bottom);
  const low = Math.min(a.height, b.height), shared = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const line = shared >= low / 2, before = line ? a.right <= b.left : a.bottom <= b.top + 1;
  return Math.hypot(x, line ? 0 : y + low / 2) * (before ? 2 : 1);
};
// The text's own box, not that of the element around it, which may hold the candidates as well.
const textBox = (e, wanted) => {
  const node = [...e.childNodes].find((n) => n.nodeType === 3 && level(norm(n.data), wanted) >= 0);
  if (!node) return e.getBoundingClientRect();
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect();
};
const nearest = (wanted, matches) => {
  const texts = visibleText(wanted).map((t) => [t, textBox(t, wanted)]);
  if (!texts.length) return [];
  const far = matches.map((m) => Math.min(...texts.filter(([t]) => !holds(m, t)).map(([, box]) => gap((viaOf(m) || m).getBoundingClientRect(), box))));
  const least = Math.min(...far);
  return matches.filter((m, i) => far[i] - least < 1);
};
