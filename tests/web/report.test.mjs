// The report's pages and those of open data in headless Chromium, through the edge: all content without JavaScript,
// each chart beside the table that it is drawn from and walked through with the keyboard, paper, both languages,
// light and dark, from 360 to 1920 px.  axe finds nothing, and nothing is asked of anybody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, begin, browser, place } from './system.mjs';

begin('report_stack.py');

const SHOTS = process.env.TURUNC_SHOTS;
const PAGES = [['index', '/reports/'], ['march', '/reports/2026-03'], ['press', '/reports/2026-03/press'],
  ['data', '/open-data/'], ['month', '/open-data/2026-03']];

async function page(options) {
  const context = await browser.newContext(options);
  const made = await context.newPage();
  made.wrong = [];
  made.on('request', (request) => {
    if (!request.url().startsWith(place.origin)) made.wrong.push(request.url());
  });
  made.on('console', (message) => {
    if (message.type() === 'error') made.wrong.push(message.text());
  });
  made.on('pageerror', (error) => made.wrong.push(String(error)));
  return made;
}

async function shot(at, name) {
  if (SHOTS) await at.screenshot({ path: `${SHOTS}/report-${name}.png`, fullPage: true });
}

test('without JavaScript everything is there', async () => {
  const at = await page({ locale: 'tr', javaScriptEnabled: false });
  await at.goto(`${place.origin}/reports/`);
  await at.click('text=Mart 2026');
  const text = await at.innerText('main');
  for (const words of ['21.219', '11.651', '%95,3', 'Çöp toplanmadı', 'Güzeloba', 'Şubat 2026', 'Pazartesi'])
    assert.ok(text.includes(words), words);
  assert.equal(await at.locator('figure.chart:visible').count(), 0, 'no empty frames');
  assert.equal(await at.locator('#hours td.heat').count(), 7 * 24);
  await at.click('text=Basın bülteni');
  assert.match(await at.innerText('article'), /21\.219’u yanıtlandı \(%97,3\)/);
  assert.deepEqual(at.wrong, []);
  await at.context().close();
});

test('charts are drawn from their tables and walked through with the keyboard', async () => {
  const at = await page({ locale: 'tr', viewport: { width: 1280, height: 900 } });
  await at.goto(`${place.origin}/reports/2026-03?lang=tr`);
  await at.waitForSelector('.plot canvas');
  const charts = await at.locator('figure.chart').evaluateAll((all) => all.map((one) => one.dataset.table));
  assert.deepEqual(charts, ['hours', 'subjects', 'departments', 'days', 'ages']);
  for (const name of charts) {
    assert.ok(await at.locator(`#${name}`).isVisible(), `the table of ${name} stays`);
    await at.locator(`figure[data-table=${name}] .plot`).focus();
    await at.keyboard.press('End');
    await at.keyboard.press('Home');
    const told = await at.innerText(`figure[data-table=${name}] .told`);
    const head = await at.innerText(name === 'hours' ? '#hours thead th.hour' : `#${name} tbody th`);
    const first = await at.innerText(name === 'hours' ? '#hours tbody td.heat' : `#${name} tbody td.number`);
    assert.ok(told.startsWith(head) && told.includes(first), `${name}: ${told} begins as its table: ${head} ${first}`);
    await at.keyboard.press('ArrowRight');
    assert.notEqual(await at.innerText(`figure[data-table=${name}] .told`), told);
  }
  assert.deepEqual(at.wrong, []);
  await at.context().close();
});

test('on paper there are all figures and no charts', async () => {
  const at = await page({ locale: 'tr' });
  await at.goto(`${place.origin}/reports/2026-03?lang=tr`);
  await at.waitForSelector('.plot canvas');
  await at.emulateMedia({ media: 'print' });
  assert.equal(await at.locator('figure.chart:visible').count(), 0);
  assert.ok(await at.locator('#subjects .then').first().isVisible());
  const pdf = await at.pdf({ preferCSSPageSize: true, ...(SHOTS ? { path: `${SHOTS}/report.pdf` } : {}) });
  const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages >= 3 && pages <= 14, `${pages} pages`);
  await at.context().close();
});

for (const scheme of ['light', 'dark'])
  for (const lang of ['tr', 'en'])
    for (const width of [360, 1920])
      test(`axe finds nothing ${scheme} ${lang} ${width}`, async () => {
        const at = await page({ colorScheme: scheme, viewport: { width, height: 800 } });
        // The small pages differ in words and colours alone: half of the pairs see all of both.
        const some = PAGES.filter(([name]) => name === 'march' || (scheme === 'light') === (lang === 'tr'));
        for (const [name, path] of some) {
          await at.goto(`${place.origin}${path}?lang=${lang}`);
          if (name === 'march') await at.waitForSelector('.plot canvas');
          const size = await at.locator('html').evaluate((e) => [e.scrollWidth, e.clientWidth]);
          assert.ok(size[0] <= size[1], `nothing sticks out of ${name}: ${size}`);
          await shot(at, `${name}-${scheme}-${lang}-${width}`);
          assert.deepEqual(await axe(at), [], name);
        }
        assert.deepEqual(at.wrong, []);
        await at.context().close();
      });
