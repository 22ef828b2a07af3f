/* A log stays at its end while lines come, unless the person scrolled up to read. */
function atEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 24;
}

const following = new WeakMap();

function follow(root) {
  for (const log of root.querySelectorAll("[data-follow]")) {
    if (following.get(log) === undefined) {
      following.set(log, true);
      log.addEventListener("scroll", () => following.set(log, atEnd(log)), { passive: true });
    }
    if (following.get(log)) log.scrollTop = log.scrollHeight;
  }
}

follow(document);
document.addEventListener("renewed", () => follow(document));
