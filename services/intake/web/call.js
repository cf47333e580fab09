// The call-taker's page with scripts: calls as they ring, hints as one types, drafts, single keys.
// Everything works without it; the form and its buttons are the same.
"use strict";

(() => {
  const LIVE_MS = 2000, HINTS_AFTER_MS = 350, DRAFT_AFTER_MS = 1500;
  const form = document.getElementById("call");
  const live = document.getElementById("live");
  const lang = document.documentElement.lang === "en" ? "en" : "tr";
  if (!form || !live) return;

  const field = (name) => form.elements.namedItem(name);
  const csrf = field("csrf").value;
  const body = () => new URLSearchParams(new FormData(form));
  const post = (where, more) => fetch(`/call/${where}?lang=${lang}`, {
    method: "POST", body: body(), headers: { "X-CSRF-Token": csrf, Accept: "text/html" }, ...more });

  // --- calls: at most one look at a time, none while the page is hidden ---

  let shown = "", looking = false;
  const look = async () => {
    if (looking || document.hidden) return;
    looking = true;
    try {
      const answer = await fetch(`/call/live?lang=${lang}`, { headers: { Accept: "text/html" } });
      if (answer.redirected || answer.status === 401) { location.reload(); return; }
      const text = await answer.text();
      // Nothing moves under the hand: the list stays while one of it has the focus or the mouse.
      if (answer.ok && text !== shown && !live.contains(document.activeElement) && !live.matches(":hover")) {
        const parts = new DOMParser().parseFromString(text, "text/html").body.childNodes;
        live.replaceChildren(...parts);
        shown = text;
      }
      live.classList.toggle("stale", !answer.ok);
    } catch {
      live.classList.add("stale");
    } finally {
      looking = false;
    }
  };
  setInterval(look, LIVE_MS);
  document.addEventListener("visibilitychange", look);

  // --- hints: questions of the subject, whose business it is, what is like it ---

  const after = (ms, work) => {
    let timer = 0;
    return () => { clearTimeout(timer); timer = setTimeout(work, ms); };
  };
  let asked = 0, subject = field("service_code") ? field("service_code").value : "";
  const hint = async () => {
    const mine = ++asked;
    const chosen = field("service_code").value;
    try {
      const answer = await post("hints");
      if (!answer.ok || mine !== asked) return;
      const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
      const similar = document.getElementById("similar");
      if (!similar.contains(document.activeElement))
        similar.replaceChildren(...parts.getElementById("similar").childNodes);
      if (chosen !== subject) {
        document.getElementById("questions").replaceChildren(...parts.getElementById("questions").childNodes);
        subject = chosen;
      }
    } catch { /* the button still asks */ }
  };
  const hintSoon = after(HINTS_AFTER_MS, hint);

  // --- drafts: in the browser at once, in the record soon ---

  const kept = "turunc-call-draft";
  const parts = (data) => [...data].filter(([name, value]) => value !== ""
    && !["csrf", "q", "join", "disposition"].includes(name));
  const saveHere = () => {
    try {
      if (field("description").value !== "" || field("phone").value !== "")
        localStorage.setItem(kept, JSON.stringify({ at: Date.now(), user: form.dataset.user, fields: parts(body()) }));
    } catch { /* private windows have none */ }
  };
  let sent = "";
  const saveThere = after(DRAFT_AFTER_MS, async () => {
    const now = parts(body()).join("&");
    if (now === sent || field("description").value === "") return;
    try {
      const answer = await post("draft");
      if (answer.ok) sent = now;
    } catch { /* kept here */ }
  });
  const forget = () => { try { localStorage.removeItem(kept); } catch { /* none there */ } };

  document.querySelectorAll(".who form").forEach((out) => out.addEventListener("submit", forget));

  // What a browser that died had: offered back when this page is empty.
  const restore = () => {
    let old = null;
    try { old = JSON.parse(localStorage.getItem(kept)); } catch { /* nothing of ours */ }
    const fresh = document.querySelector(".done");
    if (fresh) { forget(); return; }
    if (!old || old.user !== form.dataset.user || Date.now() - old.at > 12 * 3600 * 1000) return;
    if (field("description").value !== "" || field("call")) return;
    for (const [name, value] of old.fields) {
      const at = field(name);
      if (at && "value" in at && name !== "csrf" && (at.value === "" || name === "token")) at.value = value;
    }
    hintSoon();
  };

  form.addEventListener("input", (event) => {
    saveHere();
    saveThere();
    if (["service_code", "address_id", "address_string"].includes(event.target.name)) hintSoon();
  });

  // --- one press, one form: the second press of an impatient hand is not sent ---

  let leaving = false;
  form.addEventListener("submit", (event) => {
    if (leaving) event.preventDefault();
    leaving = true;
  });
  addEventListener("pageshow", () => { leaving = false; });

  // --- single keys, which may be turned off ---

  const keys = document.getElementById("keys");
  try { keys.checked = localStorage.getItem("turunc-call-keys") !== "off"; } catch { keys.checked = true; }
  keys.addEventListener("change", () => {
    try { localStorage.setItem("turunc-call-keys", keys.checked ? "on" : "off"); } catch { /* for now only */ }
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (target.matches("input:not([type=checkbox]), textarea, select")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (!keys.checked || event.ctrlKey || event.altKey || event.metaKey) return;
    const at = form.querySelector(`[data-key="${CSS.escape(event.key.toLocaleLowerCase("en"))}"]`);
    if (!at) return;
    event.preventDefault();
    if (at.matches("input")) at.focus();
    else at.click();
  });

  restore();
})();
