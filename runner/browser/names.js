// What an element is called and whether it can be seen. Shared by every script that runs in a page; changes nothing there.
const norm = (s) => (s || '').replace(/[\u200b\u00ad]/g, '').replace(/\s+/g, ' ').trim();
const attr = (e, name) => norm(e.getAttribute(name));
const up = (e) => e.parentElement || (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null);
const holds = (outer, e) => { for (; e; e = up(e)) if (e === outer) return true; return false; };
// A page that gives its own for elements must show here: then the script is run in a world of its own.
const all = () => {
  const roots = [document], found = [];
  for (const root of roots) for (const e of root.querySelectorAll('*')) { found.push(e); if (e.shadowRoot) roots.push(e.shadowRoot); }
  return found;
};

const atPath = (path) => {
  let e = document;
  for (const k of path) e = e && (k < 0 ? e.shadowRoot : e.children[k]);
  return e || null;
};

const shown = (e) => {
  if (!e.checkVisibility({ visibilityProperty: true })) {
    return getComputedStyle(e).display === 'contents' && [...e.children].some(shown);
  }
  const box = e.getBoundingClientRect();
  return box.width > 0 && box.height > 0;
};

const INPUTS = {
  button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox', radio: 'radio', range: 'slider',
  number: 'spinbutton', search: 'searchbox', file: 'file', hidden: '',
};
const TAGS = {
  BUTTON: 'button', SUMMARY: 'button', TEXTAREA: 'textbox', OPTION: 'option', IMG: 'img', svg: 'img', UL: 'list', OL: 'list',
  LI: 'listitem', TABLE: 'table', TR: 'row', TD: 'cell', TH: 'columnheader', NAV: 'navigation', MAIN: 'main', ASIDE: 'complementary',
  FORM: 'form', FIELDSET: 'group', DETAILS: 'group', DIALOG: 'dialog', ARTICLE: 'article', SECTION: 'region', HEADER: 'banner',
  FOOTER: 'contentinfo', P: 'paragraph', PROGRESS: 'progressbar', METER: 'meter', OUTPUT: 'status', IFRAME: 'iframe',
  H1: 'heading', H2: 'heading', H3: 'heading', H4: 'heading', H5: 'heading', H6: 'heading',
};
const INTERACTIVE = new Set(['button', 'link', 'checkbox', 'radio', 'switch', 'textbox', 'searchbox', 'combobox', 'listbox', 'option', 'spinbutton',
  'slider', 'tab', 'menuitem', 'menuitemcheckbox', 'menuitemradio', 'treeitem', 'file']);
const FROM_CONTENT = new Set(['button', 'link', 'heading', 'tab', 'menuitem', 'menuitemcheckbox', 'menuitemradio', 'option', 'checkbox', 'radio',
  'switch', 'treeitem', 'cell', 'gridcell', 'columnheader', 'rowheader', 'row', 'tooltip']);
const contentEditable = (e) => e.isContentEditable && e.hasAttribute('contenteditable');
const role = (e) => {
  const given = attr(e, 'role').split(' ')[0];
  if (given && given !== 'none' && given !== 'presentation') return given;
  if (e.tagName === 'A' || e.tagName === 'AREA') return e.hasAttribute('href') ? 'link' : '';
  if (e.tagName === 'SELECT') return e.multiple || e.size > 1 ? 'listbox' : 'combobox';
  if (e.tagName === 'INPUT') return e.type in INPUTS ? INPUTS[e.type] : e.list ? 'combobox' : 'textbox';
  if (contentEditable(e)) return 'textbox';
  return TAGS[e.tagName] || '';
};

const SKIP = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD']);
const content = (e, except) => {
  let text = '';
  for (const node of e.shadowRoot ? e.shadowRoot.childNodes : e.tagName === 'SLOT' && e.assignedNodes().length ? e.assignedNodes() : e.childNodes) {
    if (node.nodeType === 3) text += node.data;
    if (node.nodeType !== 1 || node === except || SKIP.has(node.tagName) || attr(node, 'aria-hidden') === 'true') continue;
    const style = getComputedStyle(node);
    if (style.display === 'none' || style.visibility === 'hidden') continue;
    const inner = attr(node, 'aria-label') || (node.tagName === 'IMG' ? attr(node, 'alt') : '') || content(node, except);
    text += style.display.startsWith('inline') ? inner : ` ${inner} `;
  }
  return text;
};
// Asking each element for its labels walks the page each time; asking each label for its element does so once.
let labelled = null;
const labelElements = (e) => {
  if (!labelled) {
    labelled = new Map();
    for (const label of all()) if (label.tagName === 'LABEL' && label.control) labelled.set(label.control, [...(labelled.get(label.control) || []), label]);
  }
  return labelled.get(e) || [];
};
const labelsOf = (e) => labelElements(e).map((label) => norm(content(label, e))).filter(Boolean);
const nameOf = (e) => {
  const root = e.getRootNode();
  const by = attr(e, 'aria-labelledby').split(' ').filter(Boolean).map((id) => root.getElementById && root.getElementById(id));
  const named = norm(by.filter(Boolean).map((x) => attr(x, 'aria-label') || content(x, e)).join(' '));
  if (named) return named;
  if (attr(e, 'aria-label')) return attr(e, 'aria-label');
  const tag = e.tagName, own = role(e);
  if (tag === 'INPUT' && own === 'button') {
    const text = e.type === 'image' ? attr(e, 'alt') : norm(e.value) || { submit: 'Submit', reset: 'Reset' }[e.type];
    if (text) return text;
  }
  const labels = labelsOf(e).join(' ');
  if (labels) return labels;
  const part = { FIELDSET: 'legend', TABLE: 'caption', FIGURE: 'figcaption', svg: 'title', DETAILS: 'summary' }[tag];
  const caption = part && e.querySelector(`:scope > ${part}`);
  if (caption) return norm(caption.textContent);
  if ((tag === 'IMG' || tag === 'AREA') && attr(e, 'alt')) return attr(e, 'alt');
  const text = FROM_CONTENT.has(own) && tag !== 'INPUT' ? norm(content(e)) : '';
  return text || attr(e, 'title') || attr(e, 'placeholder');
};

const SECRET = /^(current-password|new-password|one-time-code|cc-.*)$/;
const secret = (e) => e.type === 'password' || attr(e, 'autocomplete').split(' ').some((word) => SECRET.test(word));
const editable = (e) => e.tagName === 'TEXTAREA' || contentEditable(e) ||
  (e.tagName === 'INPUT' && !['button', 'submit', 'reset', 'image', 'checkbox', 'radio', 'file', 'hidden'].includes(e.type));
const rowOf = (e) => { for (let r = up(e); r; r = up(r)) if (r.matches('tr,li,article,[role=row],[role=listitem],[role=article]')) return r; return null; };
const moving = (e) => document.getAnimations().some((a) => a.playState === 'running' && a.effect && a.effect.target &&
  Number.isFinite(a.effect.getComputedTiming().endTime) && holds(a.effect.target, e));
const boxOf = (e) => { const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height].map(Math.round); };
const coverable = (e) => e.tagName === 'INPUT' && (e.type === 'checkbox' || e.type === 'radio');
const viaOf = (e) => {
  if (!coverable(e)) return null;
  const b = e.getBoundingClientRect(), inside = b.x >= 0 && b.y >= 0 && b.bottom <= innerHeight && b.right <= innerWidth;
  const top = shown(e) && inside ? e.getRootNode().elementFromPoint(b.x + b.width / 2, b.y + b.height / 2) : e;
  return shown(e) && (top === e || !top) ? null : labelElements(e).find(shown) || null;
};
// Whether every browser and library computes this very name: one plain text of its own or of its one label, and nothing else.
const bare = (e, box = false) => (e.children.length === 0 || box) && !/[\u200b\u00ad\u00a0]/.test(e.textContent) &&
  ['::before', '::after'].every((part) => ['none', 'normal'].includes(getComputedStyle(e, part).content));
const sure = (e) => {
  if (!/^(BUTTON|A|INPUT|SELECT|TEXTAREA)$/.test(e.tagName) || [...e.attributes].some((a) => /^(aria-|role$|title$)/.test(a.name))) return false;
  if (e.tagName === 'BUTTON' || e.tagName === 'A') return bare(e);
  const labels = labelElements(e);
  const own = labels.length === 1 && labels[0].children.length === 1 && labels[0].firstElementChild === e && coverable(e);
  return labels.length === 1 && bare(labels[0], own) && ![...labels[0].attributes].some((a) => /^(aria-|role$)/.test(a.name));
};
const optionsOf = (e) => e.tagName === 'SELECT' && e.options.length <= 200 ?
  [...e.options].map((o) => ({ label: norm(o.label), value: o.value, enabled: !o.disabled && !o.closest('optgroup:disabled') })) : null;
const describe = (e) => {
  const row = rowOf(e), via = viaOf(e);
  return {
    path: pathOf(e), via: via ? pathOf(via) : null, role: role(e), name: nameOf(e).slice(0, 200) || norm(e.innerText).slice(0, 80), tag: e.tagName.toLowerCase(),
    classes: attr(e, 'class').slice(0, 60), secret: secret(e), row: row ? norm(row.innerText).slice(0, 60) : '', box: boxOf(via || e),
    enabled: !e.matches(':disabled') && !e.closest('[aria-disabled=true]'), editable: editable(e) && !e.readOnly, moving: moving(e),
    sure: sure(e), checked: coverable(e) ? e.checked : null, options: optionsOf(e),
  };
};
