// Draws the charts of a report from the tables below them, which hold all there is to know: every number drawn
// is the data-value of a cell.  With the keyboard: Tab to a chart, then the arrows, Home and End walk through its
// values, which are also told in words.
(() => {
  'use strict';
  if (!window.uPlot) return;

  const english = document.documentElement.lang === 'en';
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const number = new Intl.NumberFormat(english ? 'en' : 'tr');
  const HELP = english ? 'Chart. The arrow keys walk through its values; the table below has them all.'
    : 'Grafik. Ok tuşlarıyla değerler gezilir; tümü alttaki tablodadır.';
  const LINES = ['#c2570c', '#0f766e', '#1d4ed8', '#7c3aed', '#b91c1c', '#4d7c0f', '#475569'];
  const LINES_DARK = ['#ffb066', '#5eead4', '#93c5fd', '#c4b5fd', '#fca5a5', '#bef264', '#cbd5e1'];
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const BARS_MOST = 15;

  const rowsOf = (table) => [...table.querySelectorAll('tbody tr')];
  const valuesOf = (row, selector) => [...row.querySelectorAll(selector)].map((cell) => Number(cell.dataset.value));
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  // What each kind of chart shows: names along x, and lines of values.
  function read(kind, table) {
    const rows = rowsOf(table);
    if (kind === 'hours')
      return {
        names: [...table.querySelectorAll('thead th.hour')].map((cell) => `${cell.textContent}:00`),
        lines: rows.map((row) => ({ name: row.querySelector('th').textContent, values: valuesOf(row, 'td.heat') })),
      };
    const some = kind === 'bars' ? rows.slice(0, BARS_MOST) : rows;
    return {
      names: some.map((row) => row.querySelector('th').textContent),
      lines: [{ name: '', values: some.map((row) => valuesOf(row, 'td.number')[0]) }],
    };
  }

  function axes(kind, names, width) {
    const stroke = colour('--soft');
    const grid = { stroke: colour('--grid'), width: 1 };
    const font = '12px system-ui, "Noto Sans", "DejaVu Sans", sans-serif';
    const along = { stroke, grid: { show: false }, ticks: { show: false }, font };
    const up = { stroke, grid, ticks: { show: false }, font, size: 52,
      values: (u, splits) => splits.map((v) => (Number.isInteger(v) ? number.format(v) : '')) };
    if (kind === 'bars')
      return [
        { ...along, scale: 'x', side: 3, size: Math.min(240, width * 0.42), splits: () => names.map((_, i) => i),
          values: () => names.map((name) => cut(name, width < 500 ? 18 : 34)) },
        { ...up, scale: 'y', side: 2, size: 30, space: 70 },
      ];
    const every = Math.ceil(names.length / Math.max(2, Math.floor((width - 60) / (kind === 'hours' ? 48 : 60))));
    const apart = kind === 'columns' && names.length > 20 ? Math.max(every, Math.ceil(names.length / (width / 34))) : every;
    return [
      { ...along, scale: 'x', splits: () => names.map((_, i) => i),
        values: () => names.map((name, i) => (i % apart === 0 ? cut(name, 12) : '')) },
      { ...up, scale: 'y' },
    ];
  }

  function options(kind, data, width) {
    const bars = kind !== 'hours';
    const colours = dark.matches ? LINES_DARK : LINES;
    const room = bars ? 0.6 : 0.2;
    const most = Math.max(1, ...data.lines.flatMap((line) => line.values));
    const across = kind === 'bars';
    return {
      width,
      height: across ? Math.max(160, data.names.length * 26 + 50) : 280,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: !across }, x: !across, y: across },
      scales: {
        x: { time: false, range: [-room, data.names.length - 1 + room], ori: across ? 1 : 0, dir: across ? -1 : 1 },
        y: { range: [0, most * 1.05], ori: across ? 0 : 1, dir: 1 },
      },
      axes: axes(kind, data.names, width),
      series: [{}, ...data.lines.map((line, i) => (bars
        ? { fill: colour('--bar'), stroke: colour('--accent'), width: 1, points: { show: false },
            paths: window.uPlot.paths.bars({ size: [0.7, 60] }) }
        : { stroke: colours[i % colours.length], width: 2, points: { show: false },
            dash: i > 4 ? [8, 4] : undefined }))],
    };
  }

  // The colours of the lines, in words: a list beside the chart.
  function keyOf(data) {
    const list = document.createElement('ul');
    list.className = 'key';
    data.lines.forEach((line, i) => {
      const item = document.createElement('li');
      item.className = `line${i}`;
      item.textContent = line.name;
      list.append(item);
    });
    return list;
  }

  function tell(data, at) {
    const values = data.lines.map((line) => `${line.name ? `${line.name} ` : ''}${number.format(line.values[at])}`);
    return `${data.names[at]}: ${values.join(' · ')}`;
  }

  function show(figure) {
    const table = document.getElementById(figure.dataset.table);
    const data = read(figure.dataset.chart, table);
    if (data.names.length === 0) return;
    const plot = document.createElement('div');
    const told = document.createElement('p');
    const title = figure.querySelector('figcaption');
    let chart;
    let at = -1;

    plot.className = 'plot';
    plot.tabIndex = 0;
    plot.setAttribute('role', 'group');
    plot.setAttribute('aria-label', `${title.textContent}. ${HELP}`);
    told.className = 'told';
    told.setAttribute('role', 'status');
    figure.append(plot);
    if (data.lines.length > 1) figure.append(keyOf(data));
    figure.append(told);
    figure.hidden = false;

    const draw = () => {
      const width = Math.max(240, plot.clientWidth);
      chart?.destroy();
      chart = new window.uPlot(options(figure.dataset.chart, data, width),
        [data.names.map((_, i) => i), ...data.lines.map((line) => line.values)], plot);
    };
    const point = (to) => {
      at = Math.min(Math.max(to, 0), data.names.length - 1);
      const place = chart.valToPos(at, 'x');
      chart.setCursor(figure.dataset.chart === 'bars' ? { left: 10, top: place } : { left: place, top: 10 });
      told.textContent = tell(data, at);
    };
    plot.addEventListener('keydown', (event) => {
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0,
        End: data.names.length - 1 }[event.key];
      if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      point(to);
    });
    plot.addEventListener('mousemove', () => {
      const now = chart.cursor.idx;
      if (now != null && now !== at) { at = now; told.textContent = tell(data, at); }
    });
    let width = 0;
    new ResizeObserver(() => {
      if (plot.clientWidth === width) return;
      width = plot.clientWidth;
      draw();
    }).observe(plot);
    dark.addEventListener('change', draw);
  }

  document.querySelectorAll('figure.chart').forEach(show);
})();
