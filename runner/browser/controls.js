// What one element says of itself in an observation: its name, state, value and bounds. No value of a secret field; every text is cut.
const MASK = '********';
const MOST = { text: 1000, note: 80, options: 6 };
// Texts are cut by whoever can see that no secret is cut in two: so much more of them than is wanted is told.
let margin = 0;
// What nobody sees but a model would read: controls, marks of direction, letters of private fonts, tags.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ue000-\uf8ff\ufeff\ufff9-\ufffc]|\udb40[\udc00-\udfff]/g;
const tidy = (s) => norm((s || '').replace(UNSEEN, ''));
const clean = (s) => tidy(String(s || '').slice(0, (MOST.text + margin) * 4)).slice(0, MOST.text + margin + 1);
const brief = (s) => { const text = clean(s); return text.length > MOST.note ? `${text.slice(0, MOST.note).replace(/\S*$/, '')}…` : text; };
const given = (e, name) => (e.getAttribute(name) || '').slice(0, 1000).trim();
const secrets = new WeakSet();
// A field stays secret when its page begins to show what was typed.
const hidden = (e) => { if (secret(e)) secrets.add(e); return secrets.has(e); };

const LONE = new Set(['presentation', 'none', 'generic']);
const roleOf = (e) => (LONE.has(given(e, 'role').split(' ')[0]) && !['A', 'BUTTON', 'INPUT', 'SELECT', 'TEXTAREA'].includes(e.tagName) ? '' : role(e));
const STATES = { checked: 'checked', pressed: 'pressed', selected: 'selected', invalid: 'invalid', current: 'current', required: 'required', readonly: 'read only' };
const states = (e, active) => {
  const found = [], native = e.tagName === 'INPUT' || e.tagName === 'SELECT' || e.tagName === 'TEXTAREA';
  if (coverable(e) ? e.checked : e.tagName === 'OPTION' && e.selected) found.push(coverable(e) ? 'checked' : 'selected');
  for (const [name, word] of Object.entries(STATES)) {
    const value = given(e, `aria-${name}`);
    if (value === 'mixed') found.push(`${word}=mixed`);
    else if (value && value !== 'false' && !found.includes(word)) found.push(word);
  }
  const open = e.tagName === 'SUMMARY' && e.parentElement && e.parentElement.tagName === 'DETAILS' ? String(e.parentElement.open) : given(e, 'aria-expanded');
  if (open === 'true') found.push('expanded');
  if (open === 'false') found.push('collapsed');
  if (e.matches(':disabled') || e.closest('[aria-disabled=true]')) found.push('disabled');
  if (native && e.required && !found.includes('required')) found.push('required');
  if (native && e.readOnly && !coverable(e) && !found.includes('read only')) found.push('read only');
  if (e === active) found.push('active');
  return found.map((word) => ` [${word}]`).join('');
};

const DATES = { date: 'YYYY-MM-DD', month: 'YYYY-MM', week: 'YYYY-Www', time: 'hh:mm', 'datetime-local': 'YYYY-MM-DDThh:mm' };
const some = (labels, total) => {
  const first = labels.slice(0, MOST.options).map((label) => JSON.stringify(brief(label)));
  return first.length ? ` (options: ${first.join(', ')}${total > first.length ? ` and ${total - first.length} more` : ''})` : '';
};
const between = (least, most, step) => {
  const range = least && most ? `${least} to ${most}` : least ? `from ${least}` : most ? `up to ${most}` : '';
  return [range, step && step !== 'any' && step !== '1' ? `step ${step}` : ''].filter(Boolean).join(', ');
};
const first = (options, most) => Array.from({ length: Math.min(options.length, most) }, (_, i) => options[i]);
const bounds = (e, own) => {
  if (e.tagName === 'SELECT') return hidden(e) ? '' : some(first(e.options, MOST.options).map((o) => o.label), e.options.length);
  if (e.tagName === 'INPUT' && e.list) return some(first(e.list.options, MOST.options).map((o) => o.label || o.value), e.list.options.length);
  const attr = (name) => brief(given(e, name));
  if (e.tagName === 'INPUT' && e.type in DATES) return ` (${['as ' + DATES[e.type], between(attr('min'), attr('max'), '')].filter(Boolean).join(', ')})`;
  const range = e.tagName === 'INPUT' && e.type === 'range' ? between(attr('min') || '0', attr('max') || '100', attr('step'))
    : e.tagName === 'INPUT' && e.type === 'number' ? between(attr('min'), attr('max'), attr('step'))
    : own === 'slider' || own === 'spinbutton' ? between(attr('aria-valuemin'), attr('aria-valuemax'), '') : '';
  if (range) return ` (${range})`;
  return e.tagName === 'INPUT' && e.type === 'file' && attr('accept') ? ` (takes ${attr('accept')}${e.multiple ? ', several' : ''})` : '';
};
const valued = (e, own) => {
  if (e.tagName === 'INPUT' && (coverable(e) || ['button', 'submit', 'reset', 'image'].includes(e.type))) return '';
  if (e.tagName === 'INPUT' && e.type === 'file') return clean(first(e.files, 5).map((file) => file.name).join(', '));
  if (e.tagName === 'SELECT') return hidden(e) ? MASK : clean(first(e.selectedOptions, 5).map((o) => o.label).join(', '));
  if (e.tagName === 'INPUT' || e.tagName === 'TEXTAREA') return hidden(e) ? (e.value ? MASK : '') : clean(e.value);
  if (e.tagName === 'PROGRESS' || e.tagName === 'METER') return e.hasAttribute('value') ? `${e.value} of ${e.max}` : '';
  if (own === 'textbox' || own === 'searchbox') return hidden(e) ? (e.textContent ? MASK : '') : clean(e.innerText);
  return ['slider', 'spinbutton', 'progressbar', 'meter', 'scrollbar'].includes(own) ? clean(given(e, 'aria-valuetext') || given(e, 'aria-valuenow')) : '';
};
const namedBy = (e) => {
  const root = e.getRootNode(), ids = given(e, 'aria-labelledby').split(/\s+/).filter(Boolean).slice(0, 5);
  const named = ids.map((id) => root.getElementById && root.getElementById(id)).filter(Boolean).map((x) => given(x, 'aria-label') || x.textContent.slice(0, 1000)).join(' ');
  return clean(named || given(e, 'aria-label') || given(e, 'title'));
};
const href = (s) => { const path = s.split(/[?#]/)[0]; return path.length > MOST.note ? '' : path; };
const sign = (e) => {
  const parts = [e.tagName === 'A' ? href(given(e, 'href')) : '', ...given(e, 'class').split(/\s+/).slice(0, 4).map((c) => `.${c}`)];
  return brief(parts.filter((part) => part && part !== '.').join(' ').replace(/ \./g, '.'));
};
