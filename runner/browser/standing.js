// Whether an element still stands for what it stood for when it was looked at: a page may give it to another row.
const MOST_WORDS = 300, SHORT = 60, ALIKE = 0.5;
const HOLDS_CHOICES = new Set(['combobox', 'listbox', 'textbox', 'searchbox', 'spinbutton', 'slider']);
const wordsOf = (e) => {
  const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
  let text = '';
  while (text.length < MOST_WORDS && walk.nextNode()) text = `${text} ${walk.currentNode.data.slice(0, MOST_WORDS)}`.trimEnd();
  return norm(text).slice(0, MOST_WORDS);
};
const calledOf = (e) => attr(e, 'aria-label') || (HOLDS_CHOICES.has(role(e)) || coverable(e) ? '' : wordsOf(e));
const standingOf = (e, known) => {
  const row = rowOf(e);
  if (row && !known.has(row)) known.set(row, wordsOf(row));
  return { called: calledOf(e), row: row ? known.get(row) : '' };
};
const alike = (a, b) => {
  const had = new Set(a.split(' ')), has = new Set(b.split(' '));
  return [...had].filter((word) => has.has(word)).length / Math.max(had.size, has.size);
};
// Its own words must be the same, unless they are long; those of its row may change, as a clock does, but not into another row's.
const stands = (then, now, rows) => {
  if (then.called !== now.called && (Math.min(then.called.length, now.called.length) <= SHORT || alike(then.called, now.called) < ALIKE)) return false;
  if (then.row === now.row) return true;
  const same = alike(then.row, now.row);
  return same >= ALIKE && rows.every((row) => row === then.row || alike(row, now.row) < same);
};
