// The alarms, as the server decided them: a line each, kept by its number.
import { $, make, setAttribute, setHidden, setText, toggle } from './dom.js';

const lines = new Map(); // id -> its elements
let known = null; // ids of the last list, null: none was heard

function build(id) {
  const what = make('b', 'what');
  const place = make('span', 'place');
  const value = make('span', 'value');
  const since = make('span', 'since');
  const who = make('span', 'who');
  const link = make('a', 'take');
  const line = make('li', '', what, place, value, since, who, link);
  line.dataset.id = id;
  return { line, what, place, value, since, who, link };
}

function measure(alarm, n, writer) {
  switch (alarm.kind) {
    case 'wait': return writer.span(n * 1000);
    case 'triage': return writer.span(n * 60000);
    case 'level': case 'overdue': return writer.share(n);
    default: return writer.number(n);
  }
}

function whatOf(alarm, writer) {
  return writer.words[`alarm.${alarm.kind}`] ?? alarm.kind;
}

function toldOf(alarm, writer) {
  const value = measure(alarm, alarm.value, writer);
  if (!(`alarm.told.${alarm.kind}` in writer.words)) return value;
  return writer.word(`alarm.told.${alarm.kind}`, { value, bound: measure(alarm, alarm.bound, writer) });
}

function write(l, alarm, writer, lang) {
  const seen = alarm.acknowledged_us !== null;
  setText(l.what, whatOf(alarm, writer));
  setText(l.place, alarm.place === null ? '' : alarm.place[lang]);
  setText(l.value, toldOf(alarm, writer));
  setText(l.since, writer.word('alarm.since', { time: writer.short.format(new Date(alarm.raised_us / 1000)) }));
  setText(l.who, seen ? writer.word('alarm.by',
    { time: writer.hour.format(new Date(alarm.acknowledged_us / 1000)) }) : writer.word('alarm.nobody'));
  toggle(l.line, 'seen', seen);
  setText(l.link, writer.word('alarm.take'));
  setAttribute(l.link, 'href', `/desk/alarms?lang=${lang}`);
  setAttribute(l.link, 'aria-label', `${writer.word('alarm.take')}: ${whatOf(alarm, writer)} ${l.place.textContent}`);
  setHidden(l.link, seen);
}

// alarms: null while the server does not know them itself.
export function showAlarms(alarms, writer, lang) {
  const list = $('alarms');
  const wanted = (alarms ?? []).map((alarm) => alarm.id);
  for (const [id, l] of lines) {
    if (wanted.includes(id)) continue;
    l.line.remove();
    lines.delete(id);
  }
  let before = null;
  for (const alarm of alarms ?? []) {
    if (!lines.has(alarm.id)) lines.set(alarm.id, build(alarm.id));
    const l = lines.get(alarm.id);
    write(l, alarm, writer, lang);
    const place = before === null ? list.firstChild : before.nextSibling;
    if (l.line !== place) list.insertBefore(l.line, place);
    before = l.line;
  }
  setHidden(list, wanted.length === 0);
  setHidden($('alarms-none'), wanted.length > 0);
  setText($('alarms-none'), writer.word(alarms === null ? 'alarms.wait' : 'alarms.none'));
  toggle($('alarms-none').parentElement, 'some', wanted.length > 0);
  const fresh = known === null ? [] : (alarms ?? []).filter((alarm) => !known.has(alarm.id));
  if (fresh.length > 0) {
    setText($('alarm-said'), writer.word('alarm.new', { what: fresh.map((a) => whatOf(a, writer)).join(', ') }));
  }
  if (alarms !== null) known = new Set(wanted);
}
