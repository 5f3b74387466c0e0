// What "in the row of", "within" and "near" mean: they narrow the matches of one tier.
const ROWS = 'tr,li,article,[role=row],[role=listitem],[role=option],[role=treeitem],[role=article]';
// One of several that repeat: of the same class, or, where there are no classes, beginning with the same kind of element.
const head = (e) => (e.childElementCount > 1 ? `${e.firstElementChild.tagName} ${attr(e.firstElementChild, 'class')}` : '');
const alike = (a, b) => a !== b && a.tagName === b.tagName && attr(a, 'class') === attr(b, 'class') && !!(attr(a, 'class') || (head(a) && head(a) === head(b)));
const siblings = (e) => [...(e.parentElement ? e.parentElement.children : [])].filter((s) => s !== e);

// Climb from the text to the smallest container that also holds a match; never over into a neighbouring row.
const term = (e) => e.closest('dt,dd');
// A term of a definition list and what is said of it are a row.
const entryOf = (e) => {
  let first = e;
  while (first.tagName === 'DD' && first.previousElementSibling) first = first.previousElementSibling;
  const entry = [first];
  for (let next = first.nextElementSibling; next && (next.tagName === 'DD' || entry.at(-1).tagName === 'DT'); next = next.nextElementSibling) entry.push(next);
  return entry;
};
const rowFrom = (text, matches) => {
  if (term(text)) {
    const entry = entryOf(term(text)), inside = matches.filter((m) => entry.some((e) => holds(e, m)));
    if (inside.length || siblings(term(text)).some((s) => s.tagName === 'DT' && !entry.includes(s))) return inside;
  }
  for (let at = text, below = null; at && at !== document.body && at !== document.documentElement; below = at, at = up(at)) {
    // A cell that is asked for does not end the row that its own text names.
    if (at.matches(CELLS) && matches.includes(at) && at.closest('tr,[role=row]')) continue;
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
// What stands under a heading, up to the next one of its rank.
const rank = (e) => (role(e) === 'heading' ? +(attr(e, 'aria-level') || e.tagName[1] || 2) : 9);
const under = (heading) => {
  const found = [];
  for (let next = heading.nextElementSibling; next && rank(next) > rank(heading); next = next.nextElementSibling) found.push(next);
  return found;
};
// The best-named container that holds a match; a heading stands for the smallest element around it that does.
const inAreas = (areas, matches) => {
  let best = null, found = new Set();
  for (const [area, rated] of areas) {
    if (best !== null && rated > best) break;
    let inside = matches.filter((m) => m !== area && holds(area, m));
    if (rated === 5) { const parts = under(area); inside = matches.filter((m) => parts.some((part) => holds(part, m))); }
    if (rated === 5) for (let at = up(area); at && at !== document.body && !inside.length; at = up(at)) inside = matches.filter((m) => m !== area && holds(at, m));
    if (inside.length) { best = rated; inside.forEach((m) => found.add(m)); }
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
// On which side of a text an element stands: what is straight across before what is askew, then the nearest. A counted
// one is counted among all of that side.
const SIDES = {
  above: (m, t) => [t.top - m.bottom, Math.min(m.right, t.right) - Math.max(m.left, t.left), t.left - m.right, m.left - t.right],
  below: (m, t) => [m.top - t.bottom, Math.min(m.right, t.right) - Math.max(m.left, t.left), t.left - m.right, m.left - t.right],
  left_of: (m, t) => [t.left - m.right, Math.min(m.bottom, t.bottom) - Math.max(m.top, t.top), t.top - m.bottom, m.top - t.bottom],
  right_of: (m, t) => [m.left - t.right, Math.min(m.bottom, t.bottom) - Math.max(m.top, t.top), t.top - m.bottom, m.top - t.bottom],
};
const onSide = (side, wanted, matches, counted) => {
  const texts = visibleText(wanted).map((t) => [t, textBox(t, wanted)]), far = new Map();
  for (const m of matches) {
    const box = (viaOf(m) || m).getBoundingClientRect();
    for (const [t, text] of texts) {
      if (holds(m, t)) continue;
      const [away, shared, before, after] = SIDES[side](box, text);
      if (away < -2) continue;
      const distance = shared > 0 ? away : 1e6 + Math.hypot(away, Math.max(before, after, 0));
      if (!far.has(m) || far.get(m) > distance) far.set(m, distance);
    }
  }
  const least = Math.min(...far.values());
  return matches.filter((m) => far.has(m) && (counted ? (far.get(m) < 1e6) === (least < 1e6) : far.get(m) - least < 1));
};

// Table cells by the header of their column.
const CELLS = 'td,th,[role=cell],[role=gridcell],[role=columnheader],[role=rowheader]';
const cellsIn = (row) => [...row.querySelectorAll(CELLS)].filter((c) => c.closest('tr,[role=row]') === row)
  .flatMap((c) => Array(Math.max(1, Math.min(c.colSpan || 1, 50))).fill(c));
const inColumn = (wanted, matches) => {
  const tables = new Set(matches.map((m) => m.closest('table,[role=table],[role=grid],[role=treegrid]')).filter(Boolean)), spans = [];
  for (const table of tables) {
    const rows = [...table.querySelectorAll('tr,[role=row]')].filter((r) => r.closest('table,[role=table],[role=grid],[role=treegrid]') === table).map(cellsIn);
    for (const row of rows.filter((cells, i) => i === 0 || cells.some((c) => c.matches('thead *,[role=columnheader]') || (c.tagName === 'TH' && c.scope !== 'row')))) {
      row.forEach((c, i) => { const n = level(norm(c.innerText), wanted); if (n >= 0) spans.push([n, i, rows, c]); });
    }
  }
  const best = Math.min(...spans.map(([n]) => n)), found = new Set();
  for (const [n, i, rows, header] of spans) {
    if (n === best) for (const row of rows) if (row[i] && row[i] !== header) matches.filter((m) => holds(row[i], m)).forEach((m) => found.add(m));
  }
  return matches.filter((m) => found.has(m));
};
const headRow = (row) => { const cells = cellsIn(row); return cells.length > 0 && cells.every((c) => c.tagName === 'TH' || role(c) === 'columnheader' || !!c.closest('thead')); };

// A field without a label of its own is called by the text left of it or above it, and a box by the one right of it.
const REACH = 150;
const besideText = (wanted, fields) => {
  const found = [];
  for (const text of visibleText(wanted)) {
    if (level(norm(text.innerText), wanted) > 1 || text.closest('label')?.control) continue;
    const box = textBox(text, wanted), costs = new Map();
    for (const e of fields) {
      const f = e.getBoundingClientRect(), aside = coverable(e) ? box.left - f.right : f.left - box.right, under = f.top - box.bottom;
      if (Math.min(f.bottom, box.bottom) > Math.max(f.top, box.top) && aside >= -2 && aside <= REACH) costs.set(e, Math.max(aside, 0));
      else if (!coverable(e) && Math.min(f.right, box.right) > Math.max(f.left, box.left) && under >= -2 && under <= REACH / 1.5) costs.set(e, under * 1.5);
    }
    const least = Math.min(...costs.values());
    for (const [e, cost] of costs) if (cost - least < 1) found.push(e);
  }
  return found;
};

const nearest = (wanted, matches) => {
  const texts = visibleText(wanted).map((t) => [t, textBox(t, wanted)]);
  if (!texts.length) return [];
  const far = matches.map((m) => Math.min(...texts.filter(([t]) => !holds(m, t)).map(([, box]) => gap((viaOf(m) || m).getBoundingClientRect(), box))));
  const least = Math.min(...far);
  return matches.filter((m, i) => far[i] - least < 1);
};
