// The desk, made live and quick.  Every page works without this file; nothing here is drawn anew: a row
// that changed is patched where it stands, so that nothing moves under whoever points at it.

const english = document.documentElement.lang === 'en';
const say = (turkish, inEnglish) => (english ? inEnglish : turkish);
const $ = (selector) => document.querySelector(selector);
const table = $('main table.queue');
const ticket = $('.ticket');
const choosable = document.querySelector('.pick') !== null;

// --- what changes ---------------------------------------------------------------------------------

const fresh = new Set(); // numbers of tickets that are not on this page yet
let banner;

function show(text, withButton) {
  if (!banner) {
    banner = document.createElement('p');
    banner.className = 'live';
    banner.setAttribute('role', 'status');
    $('main').append(banner);
  }
  const said = document.createElement('span');
  said.textContent = text;
  banner.replaceChildren(said);
  if (withButton) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = say('Yenile (r)', 'Reload (r)');
    button.addEventListener('click', () => location.reload());
    banner.append(button);
  }
}

function parseRow(markup) {
  const holder = document.createElement('template');
  holder.innerHTML = `<table><tbody>${markup}</tbody></table>`;
  return holder.content.querySelector('tr');
}

// The cells take the new content; the row, its place, its choice and the focus stay.
function patch(row, next) {
  const chosen = row.querySelector('.pick input');
  const coming = next.querySelector('.pick input');
  row.dataset.v = next.dataset.v;
  const here = row.classList.contains('here');
  row.className = next.className;
  if (here) row.classList.add('here');
  const cells = [...row.cells];
  [...next.cells].forEach((cell, i) => {
    const old = cells[i];
    if (!old || old.innerHTML === cell.innerHTML) return;
    if (old.classList.contains('pick')) {
      // What was ticked was another version: it has to be looked at again.
      if (chosen && coming) {
        chosen.value = coming.value;
        chosen.checked = false;
        chosen.disabled = false;
      }
    } else if (!old.contains(document.activeElement)) {
      old.replaceChildren(...cell.childNodes);
    } else {
      const link = cell.querySelector('.status');
      const now = old.querySelector('.status');
      if (link && now) now.textContent = link.textContent;
    }
  });
  void row.offsetWidth; // restarts the animation
  row.classList.add('changed');
}

function onRow(event) {
  const { n, v, html } = JSON.parse(event.data);
  if (ticket) {
    if (v > Number(ticket.dataset.v)) {
      show(say('Bu başvuru bu arada değişti.', 'This ticket has changed meanwhile.'), true);
    }
    return;
  }
  const row = document.getElementById(`t-${n}`);
  if (row) {
    const next = parseRow(html);
    if (next && v > Number(row.dataset.v)) patch(row, next);
  } else if (!fresh.has(n)) {
    fresh.add(n);
    show(say(`${fresh.size} başvuru eklendi ya da değişti.`, `${fresh.size} more tickets.`), true);
  }
}

function onGone(event) {
  const row = document.getElementById(`t-${JSON.parse(event.data).n}`);
  fresh.delete(JSON.parse(event.data).n);
  if (!row) return;
  row.classList.add('gone');
  const choice = row.querySelector('.pick input');
  if (choice) {
    choice.checked = false;
    choice.disabled = true;
  }
}

function listen() {
  const main = $('main');
  if ((!table && !ticket && !$('.empty')) || !main.dataset.since) return;
  const query = new URLSearchParams({ since: main.dataset.since, lang: english ? 'en' : 'tr' });
  if (ticket) query.set('ticket', ticket.dataset.n);
  else query.set('department', main.dataset.department ?? '');
  if (choosable) query.set('choose', '1');
  const source = new EventSource(`/desk/events?${query}`);
  source.addEventListener('row', onRow);
  source.addEventListener('gone', onGone);
  source.addEventListener('many', () => show(
    say('Çok sayıda değişiklik oldu.', 'A great deal has changed.'), true));
  let lost;
  source.addEventListener('open', () => {
    clearTimeout(lost);
    lost = undefined;
    if (banner?.dataset.lost) {
      banner.remove();
      banner = undefined;
    }
  });
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) {
      show(say('Bu sayfa artık canlı değil.', 'This page is not live any more.'), true);
      return;
    }
    lost ??= setTimeout(() => {
      show(say('Bağlantı koptu; gördükleriniz eski olabilir.',
        'The connection is lost; what you see may be old.'));
      banner.dataset.lost = '1';
    }, 10000);
  });
  window.addEventListener('pagehide', () => source.close());
}

// --- from the keyboard ----------------------------------------------------------------------------

const KEYS = [
  ['j / k', 'Sonraki / önceki başvuru', 'Next / previous ticket'],
  ['Enter', 'Başvuruyu aç', 'Open the ticket'],
  ['x', 'Seç, bırak', 'Choose, or not'],
  ['/', 'Numara ya da sözcük ara', 'Find by number or word'],
  ['q', 'Başvuru listesi', 'The queue'],
  ['r', 'Yenile', 'Reload'],
  ['a', 'İncelemeye al', 'Accept'],
  ['z', 'İş sırasına geri bırak', 'Put back into the queue'],
  ['b', 'Çalışmaya başla, sürdür', 'Start, resume'],
  ['w', 'Beklemeye al', 'Put on hold'],
  ['t', 'Başka birime aktar', 'Transfer'],
  ['c', 'Çözüldü', 'Resolve'],
  ['y', 'Yanıt yaz', 'Answer'],
  ['n', 'Not ekle', 'Add a note'],
  ['p', 'Yazdır', 'Print'],
  ['?', 'Bu liste', 'This list'],
  ['Esc', 'Kapat', 'Close'],
];

function help() {
  let dialog = $('dialog');
  if (!dialog) {
    dialog = document.createElement('dialog');
    dialog.setAttribute('aria-label', say('Klavye kısayolları', 'Keyboard shortcuts'));
    const list = document.createElement('dl');
    for (const [keys, turkish, inEnglish] of KEYS) {
      const term = document.createElement('dt');
      const key = document.createElement('kbd');
      key.textContent = keys;
      term.append(key);
      const what = document.createElement('dd');
      what.textContent = say(turkish, inEnglish);
      list.append(term, what);
    }
    const close = document.createElement('button');
    close.type = 'button';
    close.textContent = say('Kapat', 'Close');
    close.addEventListener('click', () => dialog.close());
    const title = document.createElement('h2');
    title.textContent = say('Klavye kısayolları', 'Keyboard shortcuts');
    dialog.append(title, list, close);
    document.body.append(dialog);
  }
  dialog.showModal();
}

function rows() {
  return table ? [...table.querySelectorAll('tbody tr')] : [];
}

function go(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.classList.contains('here'));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  all[at]?.classList.remove('here');
  next.classList.add('here');
  next.querySelector('a')?.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

function step(key) {
  const found = $(`.steps [data-key="${key}"]`);
  if (!found) return false;
  if (found.tagName === 'DETAILS') {
    found.open = true;
    found.querySelector('select, textarea, input:not([type=hidden])')?.focus();
  } else {
    found.focus();
    found.click();
  }
  return true;
}

const COMMANDS = {
  '?': help,
  '/': () => $('#find')?.focus(),
  j: () => go(1),
  k: () => go(-1),
  x: () => $('tr.here .pick input')?.click(),
  q: () => $('.home')?.click(),
  r: () => location.reload(),
  p: () => print(),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest('input:not([type=checkbox]), textarea, select, dialog');
  if (typing) {
    if (event.key === 'Escape' && !event.target.closest('dialog')) event.target.blur();
    return;
  }
  if ((event.key.length === 1 && step(event.key)) || COMMANDS[event.key]) {
    event.preventDefault();
    if (!$(`.steps [data-key="${CSS.escape(event.key)}"]`)) COMMANDS[event.key]?.();
  } else if (event.key === 'Escape') {
    document.querySelectorAll('.steps details[open]').forEach((d) => { d.open = false; });
  }
});

// A form is sent once, however often its button is pressed.
document.addEventListener('submit', (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = '1';
});
window.addEventListener('pageshow', () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// One tick for the whole list.
const all = $('th.pick');
if (all && choosable) {
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.setAttribute('aria-label', say('Hepsini seç', 'Choose all'));
  box.addEventListener('change', () => {
    for (const one of document.querySelectorAll('td.pick input:not(:disabled)')) one.checked = box.checked;
  });
  all.append(box);
}

listen();
