// Where this frame is among those of its parents, -1 for one that nobody counts.
const chain = () => {
  const found = [];
  for (let w = window; w !== w.parent; w = w.parent) found.unshift(Array.from({ length: w.parent.length }, (_, i) => w.parent[i]).indexOf(w));
  return found.join(',');
};
