// The live board: built once, then patched by key.  Only what changed is touched, so that focus,
// selection and scrolling survive; nothing is ever drawn anew.
import { showAlarms } from './alarms.js';
import { $, make, setAttribute, setText, setVariable, toggle } from './dom.js';
import { beginHistory, historyHas, redrawHistory, speakHistory } from './history.js';
import { Writer } from './words.js';

const STALE_MS = 10000;
const SILENT_MS = 20000; // then the connection is taken for dead
const LIVE = ['opened', 'triage', 'routed', 'accepted', 'in_progress', 'waiting'];
const ENDED = ['resolved', 'rejected', 'forwarded', 'duplicate', 'withdrawn'];
const CHANNELS = ['call', 'web', 'open311', 'email', 'cimer', 'desk', 'bus', 'sms', 'other'];
const UNASSIGNED = '-';

const values = new Map(); // name -> number; absent: not known
const cells = new Map(); // name -> [{ element, write }]
const rows = new Map(); // department code -> { row, title, bar, names }
let said = { state: 'wait', ageMs: null, nowUs: null, at: 0 }; // the last event, and when it came
let departments = []; // as the last snapshot named them
let alarms = null; // likewise
let targets = {};
let build = null; // of the page's files, as the first snapshot named it
let writer;
let source;
let openedAt = 0;

function flash(element) {
  element.classList.remove('changed');
  void element.offsetWidth; // restarts the animation
  element.classList.add('changed');
}

// --- figures ---------------------------------------------------------------------------------------

function show(name, element, write) {
  if (!cells.has(name)) cells.set(name, []);
  cells.get(name).push({ element, write });
  setText(element, write(values.get(name)));
}

function refresh(name, quietly) {
  for (const cell of cells.get(name) ?? []) {
    if (setText(cell.element, cell.write(values.get(name))) && !quietly) flash(cell.element);
  }
}

function take(changes, whole) {
  const names = new Set(Object.keys(changes));
  if (whole) for (const name of values.keys()) names.add(name);
  const touched = [];
  for (const name of names) {
    const value = changes[name] ?? undefined;
    if (values.get(name) === value) continue;
    if (value === undefined) values.delete(name);
    else values.set(name, value);
    touched.push(name);
  }
  for (const name of touched) refresh(name, whole);
  if (touched.length > 0) derive();
}

function share(part, whole) {
  return whole > 0 ? `${Math.round((1000 * part) / whole) / 10}%` : '0%';
}

// What follows from several figures at once.
function derive() {
  const get = (name) => values.get(name) ?? 0;
  const known = values.has('open');
  let late = 0;
  let most = 1;
  for (const code of rows.keys()) {
    most = Math.max(most, get(`d.${code}.open`));
    if (get(`d.${code}.overdue`) > 0) late += 1;
  }
  for (const [code, r] of rows) {
    const open = get(`d.${code}.open`);
    setVariable(r.bar, '--share', share(open, most));
    toggle(r.row, 'idle', known && open === 0);
    toggle(r.came, 'zero', get(`d.${code}.in`) === 0);
    toggle(r.ended, 'zero', get(`d.${code}.out`) === 0);
    toggle(r.row, 'late', get(`d.${code}.overdue`) > 0);
  }
  const overdue = get('overdue');
  let note = '—';
  if (known && targets.overdue_percent !== undefined) {
    note = overdue > 0 ? writer.word('overdue.some', { n: writer.number(late),
      share: writer.share(Math.floor((1000 * overdue) / Math.max(1, get('open')))),
      most: writer.share(10 * targets.overdue_percent) }) : writer.word('overdue.none');
  }
  setText($('overdue-note'), note);
  setVariable($('calls-bar'), '--share', share(get('calls.answered'), get('calls.offered')));
  setVariable($('calls-lost'), '--share', share(get('calls.abandoned'), get('calls.offered')));
  deriveLists(get);
  deriveTargets(get);
}

// What the server says of a figure against its target: in words, beside the colour.
function deriveTargets(get) {
  const has = targets.wait_s !== undefined;
  setText($('wait-target'), has ? writer.word('wait.target', { limit: writer.span(1000 * targets.wait_s) }) : '');
  setText($('level-target'), has ? writer.word('level.target',
    { s: writer.span(1000 * targets.answer_within_s), most: writer.share(10 * targets.answer_percent) }) : '');
  for (const element of document.querySelectorAll('[data-state^="state."]')) {
    const name = element.dataset.state;
    const state = values.get(name);
    const words = writer.words[name === 'state.wait' ? 'verdict.wait'
      : name === 'state.cimer' ? 'verdict.cimer' : 'verdict'];
    for (const [i, to] of ['met', 'near', 'missed'].entries()) toggle(element, to, state === i);
    setText(element.querySelector('.verdict'), state === undefined ? '' : words[state]);
  }
  for (const element of document.querySelectorAll('.trend')) {
    setText(element, trendOf(values.get(element.dataset.now), values.get(element.dataset.then),
      element.dataset.f === 'points'));
  }
}

function trendOf(now, then, points) {
  if (now === undefined || then === undefined) return writer.word('then.none');
  const written = points ? writer.share(then) : writer.number(then);
  if (now === then) return writer.word('then.same', { then: written });
  return writer.word('then', { then: written,
    change: `${now > then ? '▲' : '▼'} ${writer.change(now - then, points)}` });
}

function deriveLists(get) {
  const most = Math.max(1, ...LIVE.concat(ENDED).map((name) => get(`status.${name}`)));
  for (const item of $('statuses').children) {
    setVariable(item, '--share', share(get(`status.${item.dataset.name}`), most));
  }
  for (const row of $('channel-rows').children) {
    const name = row.dataset.name;
    toggle(row, 'gone', get(`today.${name}`) === 0 && get(`open.${name}`) === 0 && name !== 'cimer');
    toggle(row, 'late', get(`late.${name}`) > 0);
  }
}

// --- building, once -------------------------------------------------------------------------------

function buildTiles() {
  for (const element of document.querySelectorAll('[data-k]')) {
    const form = element.dataset.f ?? 'number';
    show(element.dataset.k, element, (n) => writer[form](n));
  }
}

function buildList(list, names, kind, className) {
  for (const name of names) {
    const label = make('span', 'label');
    const count = make('b', 'count');
    const item = make('li', className, label, count);
    item.dataset.name = name;
    $(list).append(item);
    show(`${kind}.${name}`, count,
      (n) => writer.number(values.has('open') ? n ?? 0 : undefined));
  }
}

function buildChannels() {
  const zero = (n) => writer.number(values.has('open') ? n ?? 0 : undefined);
  for (const name of CHANNELS) {
    const cell = () => make('td', 'n');
    const title = make('th', '');
    title.scope = 'row';
    const [today, open, due, late] = [cell(), cell(), cell(), cell()];
    const row = make('tr', '', title, today, open, due, late);
    row.dataset.name = name;
    due.className = 'n due';
    late.append(make('span', 'num badge'));
    $('channel-rows').append(row);
    show(`today.${name}`, today, zero);
    show(`open.${name}`, open, zero);
    show(`late.${name}`, late.firstChild, zero);
  }
}

function buildRow(code) {
  const bar = make('i', 'bar');
  bar.setAttribute('aria-hidden', 'true');
  const title = make('th', '');
  title.scope = 'row';
  const open = make('span', 'num');
  const oldest = make('time', '');
  const overdue = make('span', 'num badge');
  const came = make('span', 'came');
  const ended = make('span', 'went');
  const row = make('tr', '', title, make('td', 'n open', bar, open), make('td', 'n', oldest),
    make('td', 'n', overdue), make('td', 'n rate', came, ended));
  row.dataset.code = code;
  const zero = (n) => writer.number(values.has('open') ? n ?? 0 : undefined);
  show(`d.${code}.open`, open, zero);
  show(`d.${code}.overdue`, overdue, zero);
  show(`d.${code}.in`, came, (n) => writer.plus(values.has('open') ? n ?? 0 : undefined));
  show(`d.${code}.out`, ended, (n) => writer.minus(values.has('open') ? n ?? 0 : undefined));
  show(`d.${code}.oldest`, oldest, (us) => waiting(us));
  return { row, title, bar, oldest, came, ended, names: null };
}

// Rows are made, moved and taken away; those that stay are the same elements.
function arrange() {
  const collator = new Intl.Collator(writer.words.locale);
  const names = new Map(departments.map((d) => [d.code, d]));
  const wanted = departments.toSorted((a, b) => collator.compare(shortName(a), shortName(b)))
    .map((d) => d.code).concat(UNASSIGNED);
  for (const code of [...rows.keys()].filter((c) => !wanted.includes(c))) {
    rows.get(code).row.remove();
    rows.delete(code);
    for (const part of ['open', 'overdue', 'in', 'out', 'oldest']) cells.delete(`d.${code}.${part}`);
  }
  let before = null;
  for (const code of wanted) {
    if (!rows.has(code)) rows.set(code, buildRow(code));
    const r = rows.get(code);
    r.names = names.get(code) ?? null;
    setText(r.title, nameOf(r));
    const place = before === null ? $('rows').firstChild : before.nextSibling;
    if (r.row !== place) $('rows').insertBefore(r.row, place);
    before = r.row;
  }
}

function nameOf(r) {
  return r.names === null ? writer.word('unassigned') : shortName(r.names);
}

// The kind of office is the same for nearly all and is said by the column.
function shortName(names) {
  return names[language()].replace(/ Müdürlüğü$/, '').replace(/^Directorate of /, '');
}

// --- time -------------------------------------------------------------------------------------------

function nowMs() {
  return said.nowUs === null ? Date.now() : said.nowUs / 1000 + (performance.now() - said.at);
}

function waiting(us) {
  return us === undefined ? '—' : writer.waited(Math.max(0, nowMs() - us / 1000));
}

// What is left until a moment, or how long it is over.
function left(us, word, lateWord) {
  const ms = us / 1000 - nowMs();
  return ms >= 0 ? writer.word(word, { left: writer.span(ms) }) : writer.word(lateWord, { late: writer.span(-ms) });
}

function tickClocks() {
  for (const row of $('channel-rows').children) {
    const us = values.get(`due.${row.dataset.name}`);
    const cell = row.querySelector('.due');
    setText(cell, us === undefined ? '—' : left(us, 'due', 'due.late'));
    if (us !== undefined) setAttribute(cell, 'title', writer.moment.format(new Date(us / 1000)));
  }
  const us = values.get('due.cimer');
  let said = us === undefined ? writer.word('cimer.none') : left(us, 'cimer.left', 'cimer.late');
  const soon = values.get('soon.cimer') ?? 0;
  if (soon > 0) said += ` · ${writer.word('cimer.soon', { n: writer.number(soon), days: targets.legal_days })}`;
  setText($('cimer-said'), values.has('open') ? said : '—');
  const longest = values.get('calls.longest');
  setText($('longest'), longest === undefined ? '—' : writer.span(Math.max(0, nowMs() - longest / 1000)));
}

function ageMs() {
  return said.ageMs === null ? null : said.ageMs + (performance.now() - said.at);
}

function stateNow() {
  const age = ageMs();
  const silent = performance.now() - said.at > STALE_MS;
  if (said.at === 0 || (source && source.readyState !== EventSource.OPEN && silent)) return 'wait';
  if (said.state === 'live' && (silent || age === null || age > STALE_MS)) return 'stale';
  return silent ? 'stale' : said.state;
}

function tick() {
  const now = new Date(nowMs());
  const age = ageMs();
  const state = stateNow();
  if (said.nowUs !== null) {
    setText($('clock'), writer.clock.format(now));
    setAttribute($('clock'), 'datetime', now.toISOString());
    setText($('date'), writer.date.format(now));
  }
  setText($('age'), age === null ? writer.word('none') : writer.span(age));
  setText($('state'), writer.word(`state.${state}`));
  setAttribute($('health'), 'data-state', state);
  const quiet = state === 'live' || (said.at === 0 && performance.now() < STALE_MS);
  setText($('banner'), quiet ? '' : writer.word(`banner.${state}`));
  toggle($('banner'), 'shown', !quiet);
  toggle(document.body, 'old', state !== 'live' && said.at !== 0);
  for (const [code, r] of rows) {
    const us = values.get(`d.${code}.oldest`);
    setText(r.oldest, waiting(us));
    if (us !== undefined) {
      setAttribute(r.oldest, 'datetime', new Date(us / 1000).toISOString());
      setAttribute(r.oldest, 'title', writer.moment.format(new Date(us / 1000)));
    }
  }
  tickClocks();
  if (source.readyState === EventSource.CLOSED
    || performance.now() - Math.max(said.at, openedAt) > SILENT_MS) connect();
}

// --- events ---------------------------------------------------------------------------------------

function heard(event, whole) {
  const news = JSON.parse(event.data);
  said = { state: news.state, ageMs: news.age_ms, nowUs: news.now_us, at: performance.now() };
  if (whole) {
    departments = news.departments;
    arrange();
    if (news.municipality) setText($('municipality'), news.municipality);
    // The page is not what the server has any more.
    if (build !== null && build !== news.build) location.reload();
    build = news.build;
    targets = news.targets;
    alarms = news.alarms;
    showAlarms(alarms, writer, language());
    historyHas(news.history, news.charts);
  }
  if (news.values) take(news.values, whole);
  if (whole) for (const name of cells.keys()) refresh(name, true);
  if (whole) derive();
  setText($('seq'), writer.number(news.seq));
  tick();
}

function connect() {
  if (source) source.close();
  openedAt = performance.now();
  source = new EventSource('/live/events');
  source.addEventListener('snapshot', (event) => heard(event, true));
  source.addEventListener('patch', (event) => heard(event, false));
  source.addEventListener('beat', (event) => heard(event, false));
}

// --- language -------------------------------------------------------------------------------------

function remembered(what) {
  try {
    return localStorage.getItem(`turunc.${what}`);
  } catch {
    return null;
  }
}

function remember(what, value) {
  try {
    localStorage.setItem(`turunc.${what}`, value);
  } catch {
    // Then it is not remembered.
  }
}

function language() {
  return document.documentElement.lang;
}

function speak(lang) {
  document.documentElement.lang = lang;
  writer = new Writer(lang);
  remember('lang', lang);
  document.title = `Turunç · ${writer.word('title')}`;
  for (const element of document.querySelectorAll('[data-t]')) {
    setText(element, writer.word(element.dataset.t));
  }
  const link = $('lang');
  const other = writer.words.otherLang;
  setText(link, writer.words.other);
  setAttribute(link, 'href', `?lang=${other}`);
  setAttribute(link, 'hreflang', other);
  setAttribute(link, 'lang', other);
}

function relabel() {
  for (const item of document.querySelectorAll('#statuses > li')) {
    setText(item.firstChild, writer.words.status[item.dataset.name]);
  }
  for (const row of $('channel-rows').children) {
    setText(row.firstChild, writer.words.channel[row.dataset.name]);
  }
  showAlarms(alarms, writer, language());
  speakHistory(writer);
  setAttribute($('tables'), 'href', `/live/tables?lang=${language()}`);
  setText($('theme'), writer.word(`theme.${theme}`));
  if (departments.length > 0) arrange();
  for (const name of cells.keys()) refresh(name, true);
  derive();
}

// --- light and dark -------------------------------------------------------------------------------

const THEMES = ['auto', 'light', 'dark'];
let theme = 'auto';

function wear(name) {
  theme = THEMES.includes(name) ? name : 'auto';
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  redrawHistory();
}

function begin() {
  const asked = new URLSearchParams(location.search).get('lang') ?? remembered('lang');
  toggle(document.body, 'wall', new URLSearchParams(location.search).has('wall'));
  wear(new URLSearchParams(location.search).get('theme') ?? remembered('theme'));
  speak(asked === 'en' ? 'en' : 'tr');
  beginHistory(writer);
  buildTiles();
  buildChannels();
  buildList('statuses', LIVE, 'status', 'live');
  buildList('statuses', ENDED, 'status', 'ended');
  relabel();
  $('lang').addEventListener('click', (event) => {
    event.preventDefault();
    const lang = writer.words.otherLang;
    const query = new URLSearchParams(location.search);
    query.set('lang', lang);
    history.replaceState(null, '', `?${query}`);
    speak(lang);
    relabel();
    tick();
  });
  $('theme').addEventListener('click', () => {
    wear(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
    remember('theme', theme);
    setText($('theme'), writer.word(`theme.${theme}`));
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawHistory);
  connect();
  setInterval(tick, 500);
  tick();
}

begin();
