// The page as a model gets to see it: one row for each thing, with its box, bounded in time and number. Changes nothing.
const LIMITS = { large: 8000, above: 2, below: 4, depth: 300, rows: 20000, milliseconds: 3000, lines: 500, characters: 4e6 };
const STRUCTURE = new Set(['heading', 'list', 'listitem', 'table', 'row', 'cell', 'gridcell', 'columnheader', 'rowheader', 'grid', 'treegrid', 'navigation',
  'main', 'complementary', 'banner', 'contentinfo', 'dialog', 'alertdialog', 'article', 'status', 'alert', 'log', 'timer', 'progressbar', 'meter',
  'tabpanel', 'tablist', 'menu', 'menubar', 'toolbar', 'tree', 'radiogroup', 'search', 'listbox', 'tooltip', 'figure', 'math']);
const NAMED = new Set(['region', 'form', 'group', 'img']);
const OPEN = new Set(['treeitem', 'listbox']);
const CELLS = new Set(['cell', 'gridcell', 'columnheader', 'rowheader']);
const FIELDS = 'a[href],button,input,select,textarea,[role=button],[role=link],[contenteditable]';

const keys = new WeakMap();
let numbered = 0, elementOf = new Map(), rowsThen = new Map(), far = new WeakSet();
const keyOf = (e) => { if (!keys.has(e)) keys.set(e, ++numbered); return keys.get(e); };
const scrolls = (e, style) => /auto|scroll/.test(style.overflowY) && e.scrollHeight > e.clientHeight + 4 && e.clientHeight > 40 && e !== document.scrollingElement && e !== document.body;
const screens = (pixels, height) => Math.max(0, Math.round((pixels / (height || 1)) * 10) / 10);

const walker = (listeners) => {
  const until = performance.now() + LIMITS.milliseconds, large = document.getElementsByTagName('*').length > LIMITS.large;
  const lowest = -LIMITS.above * innerHeight, highest = (1 + LIMITS.below) * innerHeight;
  const state = { away: [0, 0], cut: '', nodes: 0, far: new WeakSet(), seen: 0, characters: 0 };
  let active = document.activeElement;
  while (active && active.shadowRoot && active.shadowRoot.activeElement) active = active.shadowRoot.activeElement;
  if (active === document.body) active = null;

  const node = (e, box, role, name, more) => {
    state.nodes++;
    return { key: keyOf(e), e, role, name, notes: '', value: '', act: false, kids: [], quiet: false, box: [box.x, box.y, box.width, box.height].map(Math.round), ...more };
  };
  const tired = () => {
    if (!state.cut && (state.nodes >= LIMITS.rows || (++state.seen % 64 === 0 && performance.now() > until))) state.cut = 'large';
    return state.cut === 'large';
  };
  const seal = (out) => { if (out.length) out[out.length - 1].sealed = true; };
  const say = (text, e, out) => {
    const lines = /^pre/.test(getComputedStyle(e).whiteSpace) ? text.split('\n', LIMITS.lines + 1) : [text];
    if (lines.length > LIMITS.lines) { lines.pop(); state.cut = state.cut || 'long'; }
    const most = (MOST.text + margin) * 4, box = lines.length > 1 ? e.getBoundingClientRect() : null;
    lines.forEach((line, i) => {
      if (i) seal(out);
      const last = out[out.length - 1], piece = line.slice(0, most);
      if (last && last.role === 'text' && !last.sealed) { if (last.value.length < most) last.value += piece; return; }
      if (!piece.trim()) return;
      const at = box ? { x: box.x, y: box.y + (box.height * i) / lines.length, width: box.width, height: box.height / lines.length } : e.getBoundingClientRect();
      out.push({ ...node(e, at, 'text', '', { value: piece }), key: 0 });
    });
  };
  const below = (e) => (e.shadowRoot ? e.shadowRoot.childNodes : e.tagName === 'SLOT' && e.assignedNodes().length ? e.assignedNodes() : e.childNodes);
  const children = (e, out, how) => {
    for (const child of below(e)) {
      if (tired()) return;
      if (child.nodeType === 3) { if (!how.inner && !how.mute && !how.unseen && child.data) say(child.data, e, out); }
      else if (child.nodeType === 1) visit(child, out, how);
    }
  };
  // A thing that only its listener or its cursor tells of; what holds much, or other things to act on, is no button.
  const acts = (e, style, how) => {
    if (how.inner || e === document.body || e === document.documentElement) return false;
    const hand = style.cursor === 'pointer' && !how.hand, heard = listeners.has(e) || e.hasAttribute('onclick');
    if (!hand && !heard && !(e.tabIndex >= 0 && e.hasAttribute('tabindex'))) return false;
    if (e.tagName === 'LABEL' && e.control) return false;
    return e.children.length < 12 && (!e.querySelector(FIELDS) || (style.cursor === 'pointer' && heard && e.textContent.length < 300));
  };
  const control = (e, role, box, out, how) => {
    const closed = !OPEN.has(role) || e.tagName === 'SELECT', editor = role === 'textbox' || role === 'searchbox';
    const name = !closed || (hidden(e) && role === 'button') ? namedBy(e) : clean(nameOf(e));
    const item = node(e, box, role, name, { act: true, value: valued(e, role), notes: bounds(e, role) + states(e, active), quiet: how.quiet });
    if (!name) item.notes = `${sign(e) ? ` ${sign(e)}` : ''}${item.notes} at (${item.box[0]}, ${item.box[1]})`;
    out.push(item);
    if (!(editor || e.tagName === 'SELECT')) children(e, item.kids, { ...how, inner: closed, hand: true });
  };
  const plain = (e, style, box, out, how) => {
    const label = e.tagName === 'LABEL' && e.control && (coverable(e.control) || shown(e.control)), next = { ...how, mute: how.mute || label, hand: how.hand || style.cursor === 'pointer' };
    if (style.display.startsWith('inline') || style.display === 'contents') return children(e, out, next);
    seal(out);
    const kids = [], like = (s) => s && s.tagName === e.tagName && s.className === e.className;
    children(e, kids, next);
    const wraps = kids.length > 1 && kids.some((kid) => kid.act) && (like(e.nextElementSibling) || like(e.previousElementSibling));
    if (wraps) out.push(node(e, box, 'generic', '', { kids, quiet: how.quiet })); else for (const kid of kids) out.push(kid);
    seal(out);
  };
  const structure = (e, role, style, box, out, how) => {
    const part = { FIELDSET: 'LEGEND', TABLE: 'CAPTION' }[e.tagName], caption = part && [...e.children].find((c) => c.tagName === part);
    const name = role === 'heading' ? clean(content(e)) : (caption ? clean(caption.textContent) : '') || namedBy(e);
    const scrolling = scrolls(e, style), roll = scrolling ? ` [scrolls: ${screens(e.scrollTop, e.clientHeight)} above, ${screens(e.scrollHeight - e.clientHeight - e.scrollTop, e.clientHeight)} below]` : '';
    if (NAMED.has(role) && !name && !roll) return plain(e, style, box, out, how);
    seal(out);
    const level = role === 'heading' ? ` [level=${given(e, 'aria-level') || e.tagName.slice(1)}]` : '';
    const item = node(e, box, role || 'generic', name, { notes: level + roll + (role === 'dialog' || role === 'alertdialog' ? states(e, active) : ''), value: valued(e, role), act: scrolling, quiet: how.quiet });
    const hand = how.hand || style.cursor === 'pointer';
    for (const child of below(e)) {
      if (child === caption || tired()) continue;
      if (child.nodeType === 3) { if (role !== 'heading' && !how.mute) say(child.data, e, item.kids); }
      else if (child.nodeType === 1) visit(child, item.kids, { ...how, mute: how.mute || role === 'heading', hand });
    }
    out.push(item);
    seal(out);
  };
  const walk = (e, out, how) => {
    if (SKIP.has(e.tagName) || tired()) return;
    const whole = e.getBoundingClientRect();
    if (large && whole.width > 0 && whole.height > 0 && (whole.bottom < lowest || whole.top > highest)) {
      state.away[whole.bottom < lowest ? 0 : 1] += 1 + e.getElementsByTagName('*').length;
      state.far.add(e);
      return;
    }
    const style = getComputedStyle(e), own = roleOf(e);
    const via = coverable(e) && !shown(e) ? labelElements(e).find(shown) : null, kept = via || own === 'file';
    if (!kept && style.display !== 'contents' && !e.checkVisibility()) return;
    if (how.deep > LIMITS.depth) { state.cut = state.cut || 'deep'; return; }
    const box = via ? via.getBoundingClientRect() : whole, seen = box.width > 0 && box.height > 0;
    if (!seen && !kept && style.display !== 'contents' && style.overflow !== 'visible') return;
    const visible = style.visibility === 'visible' && seen;
    if (given(e, 'aria-hidden') === 'true' && !(visible && e.querySelector(FIELDS)) && !listeners.has(e)) return;
    const next = { ...how, deep: how.deep + 1, quiet: how.quiet || far.has(e), mute: how.mute || style.opacity === '0', unseen: style.visibility !== 'visible' };
    if (visible || kept) {
      if (INTERACTIVE.has(own) && !(how.inner && own === 'option')) return control(e, own, box, out, next);
      if (e.tagName === 'IFRAME' || e.tagName === 'FRAME') {
        if (box.width > 4 && box.height > 4) out.push(node(e, box, 'iframe', clean(given(e, 'title') || given(e, 'name')), { frame: true }));
        return seal(out);
      }
      if (acts(e, style, next)) {
        const holds = !!e.querySelector(FIELDS), name = holds ? '' : clean(nameOf(e) || e.innerText);
        const item = node(e, box, own && own !== 'img' ? own : e.tagName.toLowerCase(), name, { act: true, quiet: next.quiet, notes: states(e, active) });
        if (!name) item.notes = `${sign(e) ? ` ${sign(e)}` : ''}${item.notes} at (${item.box[0]}, ${item.box[1]})`;
        children(e, item.kids, { ...next, hand: true, inner: !holds });
        out.push(item);
        return;
      }
      if (how.inner) return children(e, out, next);
      if (own === 'img') {
        const name = e.tagName === 'IMG' ? clean(given(e, 'alt') || given(e, 'title')) : clean(nameOf(e));
        if (name) out.push(node(e, box, 'img', name));
        return;
      }
      if (['CANVAS', 'VIDEO', 'AUDIO', 'EMBED', 'OBJECT'].includes(e.tagName) && box.width > 40) {
        out.push(node(e, box, e.tagName.toLowerCase(), namedBy(e), { notes: ` at (${Math.round(box.x)}, ${Math.round(box.y)}), ${Math.round(box.width)}x${Math.round(box.height)}` }));
        return;
      }
      if (STRUCTURE.has(own) || NAMED.has(own) || scrolls(e, style)) return structure(e, own, style, box, out, next);
      return plain(e, style, box, out, next);
    }
    children(e, out, next);
  };
  // Nesting without end, or a page that has put its own in the place of what scripts need, costs only the part where it is.
  const visit = (e, out, how) => { try { walk(e, out, how); } catch { state.cut = state.cut || 'deep'; } };
  return { visit, state };
};

// Parents of one text say it themselves, rows of plain cells are one line, and what says nothing is left out.
const refined = (item) => {
  item.kids = item.kids.map(refined).filter(Boolean);
  if (item.role === 'text') return (item.value = clean(item.value)) ? item : null;
  const lone = item.kids.length === 1 && item.kids[0].role === 'text' && !item.value && item.role !== 'iframe';
  if (lone) { item.value = item.kids[0].value; item.kids = []; }
  if (item.value && item.value === item.name) item.value = '';
  if (item.role === 'row' && item.kids.length && item.kids.every((kid) => CELLS.has(kid.role) && !kid.act && !kid.kids.length)) {
    item.value = item.kids.map((kid) => kid.value || kid.name).join(' | ');
    item.kids = [];
  }
  // A heading that is a link, a cell or an item of a list with nothing but a button: one line says both.
  const only = item.kids.length === 1 && item.kids[0].act && !item.act && !item.value ? item.kids[0] : null;
  if (only && item.role === 'heading' && only.name === item.name) return { ...only, notes: only.notes + item.notes };
  if (only && (CELLS.has(item.role) || item.role === 'listitem') && !item.name) return only;
  const empty = !item.kids.length && !item.value && !item.name && !item.act && !item.frame;
  return empty && !CELLS.has(item.role) && !['canvas', 'video', 'audio', 'embed', 'object'].includes(item.role) ? null : item;
};
// A sign that was cut in two, or that a page has only half of, is none that could be told.
const whole = (text) => text.toWellFormed();
const flat = (item, depth, rows, state) => {
  state.characters += item.name.length + item.notes.length + item.value.length;
  if (state.characters > LIMITS.characters) { state.cut = 'large'; return; }
  if (item.act || item.frame) elementOf.set(item.key, { kept: new WeakRef(item.e), then: standingOf(item.e, rowsThen) });
  rows.push([depth, item.key, item.role, whole(item.name), whole(item.notes), whole(item.value), item.act, !!item.frame, item.quiet, item.box]);
  for (const kid of item.kids) flat(kid, depth + 1, rows, state);
};
const look = (asked) => {
  const { paths, more } = JSON.parse(asked);
  labelled = null;
  margin = more;
  elementOf = new Map();
  rowsThen = new Map();
  const { visit, state } = walker(new Set(paths.map(atPath).filter(Boolean))), out = [], rows = [];
  const root = document.body && document.body.tagName === 'BODY' ? document.body : document.documentElement;
  if (root) visit(root, out, { deep: 0, inner: false, mute: false, unseen: false, hand: false, quiet: false });
  for (const item of out.map(refined).filter(Boolean)) flat(item, 0, rows, state);
  far = state.far;
  rowsThen = new Set(rowsThen.values());
  const page = document.scrollingElement || document.documentElement || { scrollTop: 0, scrollHeight: 0 };
  return plainly({
    rows, cut: state.cut, away: state.away, pdf: document.contentType === 'application/pdf', height: innerHeight,
    above: screens(page.scrollTop, innerHeight), below: screens(page.scrollHeight - innerHeight - page.scrollTop, innerHeight),
  });
};
const owner = (e) => keyOf(e);
const again = (key) => {
  const known = elementOf.get(key), e = known && known.kept.deref();
  labelled = null;
  if (!e || !e.isConnected) return null;
  return { ...describe(e), secret: hidden(e), changed: !stands(known.then, standingOf(e, new Map()), [...rowsThen]) };
};
