"""The JavaScript that runs in pages.

The scripts that measure and read run in an isolated world: they see the page's document, but the
page cannot replace the functions that they use.
"""

#: Runs before any script of the page: no dialog can block the page, and open requests are counted.
PRELUDE = """
(() => {
  window.alert = window.print = () => {};
  window.confirm = () => false;
  window.prompt = () => null;
  let pending = 0;
  const done = () => { pending -= 1; };
  const fetch = window.fetch;
  window.fetch = function (...request) {
    pending += 1;
    const answer = fetch.apply(this, request);
    answer.then(done, done);
    return answer;
  };
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...body) {
    this.addEventListener('loadend', done, {once: true});
    pending += 1;
    try { return send.apply(this, body); } catch (error) { done(); throw error; }
  };
  Object.defineProperty(window, '__moodswarmPending', {get: () => pending});
})();
"""

#: `| 0` makes the value an integer, whatever the page has put there.
PENDING = "window.__moodswarmPending | 0"

#: Values that change while a page is loading: text, elements, height, readiness, resources.
STATE = """
(() => {
  const root = document.documentElement;
  return JSON.stringify([
    document.body ? document.body.textContent.length : 0,
    document.getElementsByTagName('*').length,
    root ? root.scrollHeight : 0,
    document.readyState,
    performance.getEntriesByType('resource').length,
  ]);
})()
"""

#: Scrolls down one screen, and returns whether the page moved.
SCROLL = """
(() => {
  const root = document.scrollingElement || document.documentElement;
  const before = root.scrollTop;
  root.scrollBy({top: innerHeight, behavior: 'instant'});
  return root.scrollTop > before;
})()
"""

#: `LIMIT` is a placeholder for the greatest number of characters of HTML to read.
READ = """
(() => {
  const entry = performance.getEntriesByType('navigation')[0];
  const html = document.documentElement ? document.documentElement.outerHTML : '';
  return {
    url: location.href,
    status: entry ? entry.responseStatus : 0,
    type: document.contentType,
    length: html.length,
    html: html.length <= LIMIT ? html : null,
  };
})()
"""
