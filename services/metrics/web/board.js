// The live board: built once, then patched by key.  Only what changed is touched, so that focus,
// selection and scrolling survive; nothing is ever drawn anew.
import { Writer } from './words.js';

const STALE_MS = 10000;
const SILENT_MS = 20000; // then the connection is taken for dead
const LIVE = ['opened', 'triage', 'routed', 'accepted', 'in_progress', 'waiting'];
const ENDED = ['resolved', 'rejected', 'forwarded', 'duplicate', 'withdrawn'];
const CHANNELS = ['call', 'web', 'open311', 'email', 'cimer', 'desk', 'bus', 'sms', 'other'];
const UNASSIGNED = '-';

const $ = (id) => document.getElementById(id);
const values = new Map(); // name -> number; absent: not known
const cells = new Map(); // name -> [{ element, write }]
const rows = new Map(); // department code -> { row, title, bar, names }
let said = { state: 'wait', ageMs: null, nowUs: null, at: 0 }; // the last event, and when it came
let departments = []; // as the last snapshot named them
let writer;
let source;
let openedAt = 0;

// --- touching the page only where it differs -----------------------------------------------------

function setText(element, text) {
  const node = element.firstChild;
  if (node === null) element.append(text);
  else if (node.nodeValue !== text) node.nodeValue = text;
  else return false;
  return true;
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function toggle(element, name, on) {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on);
}

function setVariable(element, name, value) {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

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
  toggle($('tile-overdue'), 'alarm', known && overdue > 0);
  toggle($('tile-overdue'), 'calm', known && overdue === 0);
  let note = '—';
  if (known) {
    note = overdue > 0 ? writer.word('overdue.some', { n: writer.number(late) })
      : writer.word('overdue.none');
  }
  setText($('overdue-note'), note);
  setVariable($('calls-bar'), '--share', share(get('calls.answered'), get('calls.offered')));
  setVariable($('calls-lost'), '--share', share(get('calls.abandoned'), get('calls.offered')));
  deriveLists(get);
}

function deriveLists(get) {
  const most = Math.max(1, ...LIVE.concat(ENDED).map((name) => get(`status.${name}`)));
  for (const item of $('statuses').children) {
    setVariable(item, '--share', share(get(`status.${item.dataset.name}`), most));
  }
  for (const item of $('channels').children) {
    toggle(item, 'gone', get(`today.${item.dataset.name}`) === 0);
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

function remembered() {
  try {
    return localStorage.getItem('turunc.lang');
  } catch {
    return null;
  }
}

function language() {
  return document.documentElement.lang;
}

function speak(lang) {
  document.documentElement.lang = lang;
  writer = new Writer(lang);
  try {
    localStorage.setItem('turunc.lang', lang);
  } catch {
    // Then it is not remembered.
  }
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
  for (const item of document.querySelectorAll('#channels > li')) {
    setText(item.firstChild, writer.words.channel[item.dataset.name]);
  }
  if (departments.length > 0) arrange();
  for (const name of cells.keys()) refresh(name, true);
  derive();
}

function begin() {
  const asked = new URLSearchParams(location.search).get('lang') ?? remembered();
  speak(asked === 'en' ? 'en' : 'tr');
  buildTiles();
  buildList('statuses', LIVE, 'status', 'live');
  buildList('statuses', ENDED, 'status', 'ended');
  buildList('channels', CHANNELS, 'today', '');
  relabel();
  $('lang').addEventListener('click', (event) => {
    event.preventDefault();
    const lang = writer.words.otherLang;
    history.replaceState(null, '', `?lang=${lang}`);
    speak(lang);
    relabel();
    tick();
  });
  connect();
  setInterval(tick, 500);
  tick();
}

begin();
