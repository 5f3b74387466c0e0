// What a calendar that is open shows: its month, its days, and the buttons that turn the page. Changes nothing.
const MONTH_NAMES = ['en', document.documentElement.lang || 'en', navigator.language].flatMap((lang) => {
  try { return ['long', 'short'].map((month) => Array.from({ length: 12 }, (_, i) => new Intl.DateTimeFormat(lang, { month, timeZone: 'UTC' }).format(new Date(Date.UTC(2024, i, 15))).toLowerCase().replace('.', ''))); } catch { return []; }
});
// The one month and year in a text, as [year, month]; null where there is none or several.
const monthIn = (text) => {
  const have = norm(text).toLowerCase(), years = [...new Set(have.match(/\b(19|20)\d\d\b/g) || [])], months = new Set();
  for (const names of MONTH_NAMES) names.forEach((name, i) => { if (new RegExp(`(?<![\\p{L}])${name}(?![\\p{L}])`, 'u').test(have)) months.add(i + 1); });
  return years.length === 1 && months.size === 1 ? [+years[0], [...months][0]] : null;
};
const dayCells = (box) => [...box.querySelectorAll('td,button,a,span,div,[role=gridcell],[role=option]')]
  .filter((e) => shown(e) && /^(0?[1-9]|[12]\d|3[01])$/.test(norm(e.innerText)) && ![...e.children].some((c) => norm(c.innerText) === norm(e.innerText)));
const calendars = () => {
  const counts = new Map();
  for (const cell of dayCells(document)) for (let e = up(cell); e && e !== document.body; e = up(e)) counts.set(e, (counts.get(e) || 0) + 1);
  const found = [...counts].filter(([e, days]) => days >= 28 && days <= 45 && e.querySelectorAll('*').length <= 600 && monthSaid(e)).map(([e]) => e);
  return found.filter((e) => !found.some((inner) => inner !== e && holds(e, inner)));
};
// Of the smallest texts that say a month and a year, in the calendar or chosen in its fields.
const monthSaid = (box) => {
  const chosen = [...box.querySelectorAll('select,input')].filter(shown).map((s) => (s.selectedOptions ? [...s.selectedOptions].map((o) => o.text).join(' ') : s.value)).join(' ');
  const texts = [...box.querySelectorAll('*')].filter((e) => shown(e) && norm(e.innerText).length <= 40).map((e) => e.innerText);
  return [chosen, ...texts, attr(box, 'aria-label')].map(monthIn).find(Boolean) || null;
};
const TURN = {
  next: /(^|[^a-z])(next|forward|following|right|successor|suivant|weiter|siguiente)([^a-z]|$)|^[›»>→▶❯]+$/i,
  previous: /(^|[^a-z])(prev|previous|back|backward|left|vorher|zur[uü]ck|pr[eé]c[eé]dent|anterior)([^a-z]|$)|^[‹«<←◀❮]+$/i,
};
const turning = (box, way) => {
  const able = [...box.querySelectorAll('button,a,th,span,div,[role=button]')].filter((e) => shown(e) && !e.matches(':disabled,[aria-disabled=true]') && e.innerText.length < 20 &&
    (INTERACTIVE.has(role(e)) || getComputedStyle(e).cursor === 'pointer' || e.tagName === 'A' || e.onclick));
  const ways = able.filter((e) => TURN[way].test(`${attr(e, 'aria-label')} ${attr(e, 'title')}`) || TURN[way].test(norm(e.innerText)) || TURN[way].test(attr(e, 'class').replace(/[_-]/g, ' ')));
  const monthly = ways.filter((e) => !/year|jahr|ann[eé]e|a[nñ]o/i.test(`${attr(e, 'aria-label')} ${attr(e, 'title')} ${attr(e, 'class')}`) && !/^[»«]$/.test(norm(e.innerText)) || ways.length === 1);
  return monthly.filter((e) => !monthly.some((inner) => inner !== e && holds(e, inner)));
};
// `day` is 0 to see only the month. The days that belong to the months beside it are not of it.
const calendar = (day) => {
  const open = calendars();
  if (open.length !== 1) return { open: open.length };
  const box = open[0], days = dayCells(box), first = days.findIndex((e) => +norm(e.innerText) === 1);
  let last = days.findIndex((e, i) => i > first && +norm(e.innerText) === 1);
  if (last < 0) last = days.length;
  const own = days.slice(Math.max(first, 0), last).find((e) => +norm(e.innerText) === day);
  const usable = own && !own.closest('[aria-disabled=true],:disabled,.disabled,.ui-state-disabled');
  const turn = Object.fromEntries(Object.keys(TURN).map((way) => { const found = turning(around(box), way); return [way, found.length === 1 ? pathOf(found[0]) : null]; }));
  return { open: 1, month: monthSaid(box), day: own ? pathOf(own) : null, usable: !!usable, ...turn };
};
// The buttons may stand outside of what holds the days.
const around = (box) => { let e = box; while (e.parentElement && e.parentElement !== document.body && e.parentElement.querySelectorAll('*').length < 700 && !turning(e, 'next').length) e = e.parentElement; return e; };
