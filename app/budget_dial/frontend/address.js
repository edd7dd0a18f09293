// The steps of the browser's history. Streamlit makes one of every change of the address, also where a page that has just
// come puts the view behind its own name: Back would lead to the same page first.

const OF_WHOLE_VIEW = ["study", "budget"];

/**
 * Whether an address only completes the one before, which did not say all of the view.
 * @param {URL} before
 * @param {URL} after
 */
export function completes(before, after) {
  const [old, now] = [before.searchParams, after.searchParams];
  const isMore = OF_WHOLE_VIEW.some((name) => now.has(name) && !old.has(name));
  const isSamePage = before.origin === after.origin && before.pathname === after.pathname;
  return isMore && isSamePage && [...old].every(([name, value]) => now.getAll(name).includes(value));
}

/**
 * Whether two addresses say the same, in whatever order.
 * @param {string} one
 * @param {string} other
 */
export function saysTheSame(one, other) {
  const [a, b] = [one, other].map((text) => [...new URLSearchParams(text)].map((pair) => pair.join("=")).sort());
  return a.join("&") === b.join("&");
}

/** Let an address that completes the one before take its place, in this tab from now on. */
export function completeInPlace() {
  const push = history.pushState.bind(history);
  history.pushState = (data, unused, url) => {
    const isCompletion = completes(new URL(location.href), new URL(url ?? "", location.href));
    if (isCompletion) history.replaceState(data, unused, url);
    else push(data, unused, url);
  };
}
