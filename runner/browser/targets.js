// Which elements a query means. Ranks the elements of one frame; the best tier that has a visible match decides. Changes nothing.
const level = (text, wanted) => {
  if (!text) return -1;
  if (text === wanted) return 0;
  const have = text.toLowerCase(), want = wanted.toLowerCase(), bare = (s) => s.replace(/[\s:*….]+$/, '');
  if (bare(have) === bare(want)) return 1;
  return have.startsWith(want) ? 2 : have.includes(want) ? 3 : -1;
};

// The smallest elements that hold the text, each with how well it matches.
const textHits = (wanted) => {
  const want = wanted.toLowerCase(), hits = [];
  const visit = (e) => {
    if (SKIP.has(e.tagName) || !norm(e.textContent).toLowerCase().includes(want)) return false;
    let inner = false;
    for (const child of e.children) inner = visit(child) || inner;
    const own = norm([...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join(' '));
    // The text content is quick to ask for, but holds scripts and hidden words as well: it only rules out.
    const levels = (inner ? [own] : [own, norm(content(e))]).map((t) => level(t, wanted)).filter((n) => n >= 0);
    const best = levels.length ? Math.min(...levels) : -1;
    if (best >= 0 && e !== document.documentElement) hits.push([e, best]);
    return true;
  };
  const roots = [document.documentElement];
  for (const e of all()) if (e.shadowRoot) roots.push(...e.shadowRoot.children);
  roots.forEach(visit);
  return hits;
};
const visibleText = (wanted) => {
  const hits = textHits(wanted).filter(([e]) => shown(e)), best = Math.min(...hits.map(([, n]) => n));
  return hits.filter(([, n]) => n === best).map(([e]) => e);
};

const strength = (e, listeners) => {
  if (INTERACTIVE.has(role(e)) || contentEditable(e)) return 2;
  if (listeners.has(e) || e.hasAttribute('onclick') || e.hasAttribute('tabindex') || e.control) return 1;
  const outer = up(e);
  return getComputedStyle(e).cursor === 'pointer' && !(outer && getComputedStyle(outer).cursor === 'pointer') ? 1 : 0;
};

// Text before a field, or beside a box, that has no label of its own: the sibling next to it, or the cell next to its cell.
const neighbour = (e) => {
  if (labelElements(e).length || !(editable(e) || e.tagName === 'SELECT' || coverable(e) || e.type === 'file')) return '';
  for (let at = e, steps = 0; at && steps < 2; at = at.parentElement, steps++) {
    const way = coverable(e) && textFollows(at) ? 'nextSibling' : 'previousSibling';
    for (let next = at[way]; next && !(coverable(e) && breaks(next)); next = next[way]) {
      if (holdsField(next)) return '';
      if (norm(next.textContent)) return norm(next.textContent);
    }
  }
  return '';
};
const holdsField = (node) => node.nodeType === 1 && (node.matches('input,select,textarea,button') || !!node.querySelector('input,select,textarea,button'));
const holdsBox = (node) => node.nodeType === 1 && (coverable(node) || !!node.querySelector('input[type=checkbox],input[type=radio]'));
const breaks = (node) => node.nodeType === 1 && node.tagName === 'BR';
// On a line of boxes the texts stand after them all, or before them all: what the line ends with tells.
const textFollows = (at) => {
  let follows = false;
  for (let next = at.nextSibling; next && !breaks(next); next = next.nextSibling) {
    if (holdsBox(next)) follows = false;
    else if (!holdsField(next) && norm(next.textContent)) follows = true;
  }
  return follows;
};
// The words that whoever made the page wrote into it for himself: classes, ids, names of icons and of pictures.
const fileName = (url) => (url || '').split(/[?]/)[0].replace(/\.(svg|png|gif|jpe?g|webp|ico)$/i, '').split('/').slice(-2).join(' ');
const ownWords = (e) => [attr(e, 'class'), e.id, attr(e, 'name'), attr(e, 'data-icon'), attr(e, 'data-testid'), attr(e, 'icon'), attr(e, 'data-lucide'), attr(e, 'data-feather'),
  /^data:/.test(attr(e, 'src')) ? '' : fileName(attr(e, 'src')), e.tagName.toLowerCase() === 'use' ? fileName(attr(e, 'href') || attr(e, 'xlink:href')) : ''];
const wordsOf = (e) => {
  const parts = [e, ...[...e.querySelectorAll('svg,use,img,i,[class]')].slice(0, norm(e.textContent) ? 2 : 8)];
  return [...parts.flatMap(ownWords), ...(norm(e.textContent) ? [] : [attr(e, 'title'), attr(e, 'aria-label')])]
    .join(' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase().split(/[^a-z0-9]+/);
};
// Other words for the same little picture. Only where an icon is asked for, and none has the very word.
const PICTURES = [['delete', 'trash', 'remove', 'bin', 'garbage', 'trashcan', 'destroy'], ['close', 'x', 'times', 'cross', 'xmark', 'dismiss'], ['menu', 'hamburger', 'bars', 'burger'],
  ['settings', 'gear', 'cog', 'preferences'], ['search', 'magnifier', 'magnifying', 'loupe'], ['edit', 'pencil', 'pen'], ['add', 'plus'], ['home', 'house'],
  ['user', 'person', 'account', 'profile', 'avatar'], ['cart', 'basket', 'trolley'], ['mail', 'envelope', 'email'], ['calendar', 'date']];
const meansToo = (word) => PICTURES.filter((names) => names.includes(word)).flat();
const pictured = (e) => /^(svg|img|i|span)$/i.test(e.tagName) && !norm(e.textContent) && !e.parentElement?.closest('svg');

const ACCEPTS = {
  any: () => true,
  fill: editable,
  select: (e) => ['combobox', 'listbox'].includes(role(e)) || attr(e, 'aria-haspopup') === 'listbox',
  set: (e) => editable(e) || e.tagName === 'SELECT' || ['slider', 'spinbutton', 'combobox', 'listbox'].includes(role(e)),
  expand: (e) => e.tagName === 'SUMMARY' || role(e) === 'tab' || e.hasAttribute('aria-expanded'),
  check: (e) => ['checkbox', 'radio', 'switch', 'menuitemcheckbox', 'menuitemradio'].includes(role(e)) || e.hasAttribute('aria-pressed'),
  upload: (e) => e.type === 'file' || INTERACTIVE.has(role(e)),
};

const FIELDS = new Set(['fill', 'select', 'set', 'check', 'upload']);
const candidates = (q, listeners) => {
  const ranked = new Map(), elements = all(), accepts = ACCEPTS[q.purpose];
  const fits = (e) => accepts(e) && (q.roles ? q.roles.includes(role(e)) || (q.roles.includes('icon') && ['img', 'button', 'link'].includes(role(e))) :
    q.purpose !== 'any' || INTERACTIVE.has(role(e)));
  const add = (e, tier) => {
    if (q.purpose === 'upload' && e.type !== 'file') tier += 100;
    if (!ranked.has(e) || ranked.get(e) > tier) ranked.set(e, tier);
  };
  if (!q.text) {
    for (const e of elements) if (fits(e) && !(q.purpose === 'upload' && e.type !== 'file')) add(e, 0);
    return ranked;
  }
  const words = q.text.toLowerCase().split(/[^a-z0-9]+/).filter((w) => w && !['icon', 'button', 'the'].includes(w));
  for (const e of elements) {
    const fit = fits(e);
    if (!fit && (q.roles || q.purpose !== 'any')) continue;
    const texts = [fit ? nameOf(e) : '', ...(fit ? labelsOf(e).slice(0, 1) : [''])];
    const sources = [texts[0], texts[1] || '', attr(e, 'placeholder'), attr(e, 'title'), attr(e, 'alt') || (fit ? '' : attr(e, 'aria-label')), '', fit ? neighbour(e) : ''];
    sources.forEach((text, source) => { const n = level(text, q.text); if (n >= 0) add(e, n * 10 + source); });
    if (fit && words.length && !['any', 'expand'].includes(q.purpose)) { const own = wordsOf(e); if (words.every((w) => own.includes(w))) add(e, 90); }
  }
  if ((FIELDS.has(q.purpose) || (q.roles && q.roles.some((r) => ['textbox', 'combobox', 'checkbox'].includes(r)))) && ![...ranked].some(([e, tier]) => tier < 80 && shown(e))) {
    const fields = elements.filter((e) => (editable(e) || e.tagName === 'SELECT' || coverable(e) || (q.purpose !== 'any' && accepts(e))) && shown(e));
    for (const e of besideText(q.text, fields)) if (fits(e) && !labelElements(e).length && !attr(e, 'aria-label') && !attr(e, 'aria-labelledby') && !neighbour(e)) add(e, 80);
  }
  if (q.purpose === 'check' && q.roles && q.roles.includes('radio')) {
    // What is chosen may be an option of a list that is open.
    for (const e of elements) if (['option', 'menuitemradio'].includes(role(e)) && e.tagName !== 'OPTION' && shown(e)) { const n = level(nameOf(e), q.text); if (n >= 0) add(e, 200 + n * 10); }
  }
  if (q.purpose === 'any' || q.purpose === 'upload') {
    for (const [hit, n] of textHits(q.text)) {
      let e = hit;
      while (e && !fits(e)) e = up(e);
      if (e && shown(e)) add(e, n * 10 + 5);
      else if (hit.control && fits(hit.control)) add(hit.control, n * 10 + 5);
      else if (!q.roles && q.purpose === 'any') add(hit, n * 10 + 5);
      else if (q.loose) {
        // A link that looks like a button, or a button that looks like a link: by its full name only.
        for (e = hit; e && !['button', 'link'].includes(role(e));) e = up(e);
        if (e && n < 2) add(e, n * 10 + 7);
        else if (!e && (n < 2 || !q.roles.includes('icon')) && strength(hit, listeners)) add(hit, n * 10 + 7);
      }
    }
    if (q.scanned && q.purpose === 'any' && (!q.roles || q.loose)) {
      for (const e of elements) {
        if (ranked.has(e) || !words.length || e === document.body || e === document.documentElement) continue;
        const icon = q.roles && q.roles.includes('icon'), strong = strength(e, listeners) > 0;
        if (!strong && !(icon && pictured(e))) continue;
        const own = wordsOf(e);
        if (words.every((w) => own.includes(w))) add(e, strong ? 90 : 97);
        else if (icon && strong && words.every((w) => own.includes(w) || meansToo(w).some((other) => own.includes(other)))) add(e, 95);
      }
    }
  }
  return ranked;
};

// Nested matches are one: the inner of equals, else the stronger; and what can be acted on goes before plain text.
const distinct = (elements, listeners) => {
  const force = new Map(elements.map((e) => [e, strength(e, listeners)])), drop = new Set();
  for (const e of elements) {
    for (let outer = up(e); outer; outer = up(outer)) {
      if (!force.has(outer)) continue;
      drop.add(force.get(outer) > force.get(e) ? e : outer);
    }
  }
  const kept = elements.filter((e) => !drop.has(e)), most = Math.max(...kept.map((e) => force.get(e)));
  return kept.filter((e) => force.get(e) === most);
};
const order = (a, b) => { for (let i = 0; ; i++) { if (!(i in a)) return i in b ? -1 : 0; if (!(i in b)) return 1; if (a[i] !== b[i]) return a[i] - b[i]; } };
const sorted = (elements) => [...elements].sort((a, b) => a.getRootNode() !== b.getRootNode() ? order(pathOf(a), pathOf(b)) :
  a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);

const find = (q) => {
  const settled = document.readyState === 'complete' && performance.now() - performance.getEntriesByType('navigation')[0]?.loadEventEnd > 300;
  const nothing = { tier: null, matches: [], total: 0, settled };
  if (!innerWidth || !innerHeight || !document.documentElement) return nothing;
  const listeners = new Set((q.listeners || []).map(atPath)), ranked = candidates(q, listeners);
  const usable = (e) => shown(e) || (coverable(e) && viaOf(e)) || (e.type === 'file' && q.purpose === 'upload');
  const areas = q.within ? containers(q.within) : null;
  for (const tier of [...new Set(ranked.values())].sort((a, b) => a - b)) {
    let matches = [...ranked].filter(([e, t]) => t === tier && usable(e)).map(([e]) => e);
    if (areas) matches = inAreas(areas, matches);
    if (q.row && matches.length) matches = inRow(q.row, matches);
    if (q.column && matches.length) matches = inColumn(q.column, matches);
    if (!matches.length) continue;
    matches = sorted(q.counted ? matches.filter((e) => !(e.tagName === 'TR' || role(e) === 'row') || !headRow(e)) : distinct(matches, listeners));
    for (const side in SIDES) if (q[side] && matches.length) matches = onSide(side, q[side], matches, q.ordinal || q.counted);
    if (q.near) matches = nearest(q.near, matches);
    if (!matches.length) continue;
    if (q.purpose === 'any') matches = matches.map((e) => (shown(e) ? e : viaOf(e) || e));
    return { tier, matches: matches.slice(0, 200).map((e, i) => (i < 20 || i === matches.length - 1 || i === q.ordinal - 1 ? describe(e) : { path: pathOf(e) })), total: matches.length, settled };
  }
  return nothing;
};
const findAnew = (q) => { labelled = null; return find(q); };
const listed = (q) => {
  const seen = new Map();
  for (const e of candidates({ ...q, text: '' }, new Set()).keys()) {
    if (seen.size >= 300 || !(shown(e) || viaOf(e) || e.type === 'file')) continue;
    const d = { role: role(e), tag: e.tagName.toLowerCase(), name: (nameOf(e) || neighbour(e)).slice(0, 80) };
    seen.set(JSON.stringify(d), d);
  }
  return [...seen.values()];
};
const focused = () => {
  let e = document.activeElement;
  while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
  return e && document.hasFocus() && editable(e) ? describe(e) : null;
};
