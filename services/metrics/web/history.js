// The past: charts of the samples, and the same as a table.  Without uPlot the table is all there is.
import { $, make, setHidden, setText } from './dom.js';

const CHARTS = [
  { name: 'open', values: ['open', 'overdue'] },
  { name: 'flow', values: ['opened', 'ended'] },
  { name: 'calls', values: ['offered', 'abandoned'] },
  { name: 'level', values: ['level'], share: true },
];
const RETRY_MS = 10000;
const COLOURS = ['--accent', '--bad', '--good'];

const wide = matchMedia('(min-width: 1600px)'); // a wall, where everything is to be seen at once

let writer;
let rows = []; // [{ at, open, ... }], holes left out
let stepMs = 0;
let heard = -1; // version of what is shown
let wanted = 0;
let asking = false;
let library; // a promise of uPlot, or of null
const plots = new Map(); // name -> { figure, plot, key, told, chart, at }

const span = () => document.querySelector('#spans input:checked').value;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function load() {
  const style = make('link');
  style.rel = 'stylesheet';
  style.href = '/live/uplot.css';
  const script = make('script');
  script.src = '/live/uplot.js';
  document.head.append(style, script);
  return new Promise((resolve) => {
    script.onload = () => resolve(window.uPlot ?? null);
    script.onerror = () => resolve(null);
  });
}

// --- one chart ------------------------------------------------------------------------------------

function write(chart, value) {
  return chart.share ? writer.share(value) : writer.number(value ?? undefined);
}

function tell(chart, at) {
  const row = rows[at];
  const values = chart.values.map((name) => `${writer.word(`value.${name}`)} ${write(chart, row[name])}`);
  return `${writer.short.format(new Date(row.at))}: ${values.join(' · ')}`;
}

// A hole longer than a step is a gap in the line.
function columns(chart) {
  const x = [];
  const ys = chart.values.map(() => []);
  rows.forEach((row, i) => {
    if (i > 0 && row.at - rows[i - 1].at > 1.5 * stepMs) {
      x.push((rows[i - 1].at + stepMs) / 1000);
      ys.forEach((y) => y.push(null));
    }
    x.push(row.at / 1000);
    chart.values.forEach((name, k) => ys[k].push(row[name]));
  });
  return [x, ...ys];
}

function options(chart, width) {
  const stroke = colour('--soft');
  const font = '12px system-ui, "Noto Sans", "DejaVu Sans", sans-serif';
  const grid = { stroke: colour('--line'), width: 1 };
  const label = (s) => (span() === 'day' ? writer.hour : writer.dayMonth).format(new Date(s * 1000));
  return {
    width, height: wide.matches ? 104 : 130, legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: true },
      y: { range: (u, least, most) => (chart.share ? [0, 1000] : [0, Math.max(1, most ?? 1) * 1.08]) },
    },
    axes: [
      { stroke, font, grid: { show: false }, ticks: { show: false }, size: 24, space: 70,
        values: (u, splits) => splits.map((s, i) => (i > 0 && label(s) === label(splits[i - 1]) ? '' : label(s))) },
      { stroke, font, grid, ticks: { show: false }, size: 50, space: 34,
        values: (u, splits) => splits.map((v) => (chart.share ? writer.share(v)
          : Number.isInteger(v) ? writer.number(v) : '')) },
    ],
    series: [{}, ...chart.values.map((name, i) => ({ stroke: colour(COLOURS[i]), width: 2,
      dash: i > 0 ? [6, 3] : undefined, points: { show: rows.length < 3 } }))],
  };
}

function point(chart, p, to) {
  p.at = Math.min(Math.max(to, 0), rows.length - 1);
  p.chart.setCursor({ left: p.chart.valToPos(rows[p.at].at / 1000, 'x'), top: 10 });
  setText(p.told, tell(chart, p.at));
}

function build(chart) {
  const title = make('figcaption', '');
  const key = make('ul', 'key', ...chart.values.map((_, i) => make('li', `line${i}`)));
  const plot = make('div', 'plot');
  const told = make('p', 'told');
  const figure = make('figure', '', title, key, plot, told);
  const p = { figure, title, key, plot, told, chart: null, at: -1 };
  plot.tabIndex = 0;
  plot.setAttribute('role', 'group');
  told.setAttribute('role', 'status');
  plot.addEventListener('keydown', (event) => {
    const to = { ArrowRight: p.at + 1, ArrowLeft: p.at < 0 ? rows.length - 1 : p.at - 1, Home: 0,
      End: rows.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey || rows.length === 0) return;
    event.preventDefault();
    point(chart, p, to);
  });
  plot.addEventListener('mousemove', () => {
    const left = p.chart?.cursor.left ?? -1;
    if (left < 0 || rows.length === 0) return;
    const at = p.chart.posToVal(left, 'x') * 1000;
    const near = rows.reduce((best, row, i) => (Math.abs(row.at - at) < Math.abs(rows[best].at - at) ? i : best), 0);
    if (near !== p.at) { p.at = near; setText(told, tell(chart, near)); }
  });
  new ResizeObserver(() => { if (p.chart && p.chart.width !== plot.clientWidth) draw(); }).observe(plot);
  $('charts').append(figure);
  return p;
}

function label(chart, p) {
  setText(p.title, writer.word(`chart.${chart.name}`));
  chart.values.forEach((name, i) => setText(p.key.children[i], writer.word(`value.${name}`)));
  p.plot.setAttribute('aria-label', `${writer.word(`chart.${chart.name}`)}. ${writer.word('chart.help')}`);
}

async function draw() {
  library ??= load();
  const uPlot = await library;
  setHidden($('charts'), uPlot === null || rows.length === 0);
  if (uPlot === null || rows.length === 0) return;
  for (const chart of CHARTS) {
    if (!plots.has(chart.name)) plots.set(chart.name, build(chart));
    const p = plots.get(chart.name);
    label(chart, p);
    p.chart?.destroy();
    p.chart = new uPlot(options(chart, Math.max(160, p.plot.clientWidth)), columns(chart), p.plot);
    p.at = -1;
    setText(p.told, tell(chart, rows.length - 1));
  }
}

// --- the table ------------------------------------------------------------------------------------

function drawTable() {
  const names = CHARTS.flatMap((chart) => chart.values.map((name) => ({ name, chart })));
  const head = make('tr', '', make('th', '', writer.word('past.from')),
    ...names.map(({ name }) => make('th', 'n', writer.word(`value.${name}`))));
  for (const cell of head.children) cell.scope = 'col';
  const body = rows.toReversed().map((row) => {
    const from = make('th', '', writer.short.format(new Date(row.at)));
    from.scope = 'row';
    return make('tr', '', from, ...names.map(({ name, chart }) => make('td', 'n', write(chart, row[name]))));
  });
  $('past-table').replaceChildren(make('thead', '', head), make('tbody', '', ...body));
}

function show() {
  setHidden($('past-none'), rows.length > 0);
  setHidden($('twin'), rows.length === 0);
  if ($('twin').open) drawTable();
  draw();
}

async function ask() {
  if (asking) return;
  asking = true;
  const [version, which] = [wanted, span()];
  try {
    const answer = await fetch(`/live/history.json?span=${which}`, { cache: 'no-store' });
    if (!answer.ok) throw new Error(answer.status);
    const news = await answer.json();
    stepMs = news.step_us / 1000;
    rows = news.rows.map(([us, ...values]) => ({ at: us / 1000,
      ...Object.fromEntries(news.names.map((name, i) => [name, values[i]])) }));
    heard = version;
    setText($('past-none'), writer.word('past.none'));
    show();
  } catch {
    setText($('past-none'), writer.word('past.failed'));
    setHidden($('past-none'), false);
    setTimeout(ask, RETRY_MS);
  } finally {
    asking = false;
  }
  if (heard !== wanted || which !== span()) setTimeout(ask, 0);
}

// --- from outside ---------------------------------------------------------------------------------

// The server's history has reached that version.
export function historyHas(version, withCharts) {
  if (!withCharts) library ??= Promise.resolve(null);
  wanted = version;
  if (version !== heard) ask();
}

export function speakHistory(newWriter) {
  writer = newWriter;
  if (heard >= 0) show();
}

export function redrawHistory() {
  if (heard >= 0) draw();
}

export function beginHistory(firstWriter) {
  writer = firstWriter;
  $('spans').addEventListener('change', () => { heard = -1; ask(); });
  $('twin').addEventListener('toggle', () => { if ($('twin').open) drawTable(); });
}
