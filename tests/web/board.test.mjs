// The live board in headless Chromium, on a real system: figures arrive, nodes stay, age is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, browser, place, tell } from './system.mjs';

begin('board_stack.py');

const REPORT = { service_code: 'cadde-supurme', lat: '36.872345', long: '30.723456',
  description: 'Çöp toplanmadı' };

// Asks from outside the page: its policy lets nothing be evaluated inside, waiting helpers included.
async function until(page, condition, argument, limitMs = 10000) {
  const end = Date.now() + limitMs;
  while (!await page.evaluate(condition, argument)) {
    assert.ok(Date.now() < end, `not within ${limitMs} ms: ${condition}`);
    await page.waitForTimeout(20);
  }
}

// A page of its own, that notes what it asks for and what it complains of.
async function board(query = '', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, ...options });
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error') seen.complaints.push(message.text());
  });
  page.on('pageerror', (error) => seen.complaints.push(String(error)));
  await page.addInitScript(() => {
    window.violations = [];
    addEventListener('securitypolicyviolation', (e) => window.violations.push(e.violatedDirective));
  });
  await page.goto(`${place.origin}/live/${query}`);
  await until(page, () => document.querySelector('#health').dataset.state === 'live');
  return { context, page, seen };
}

async function post() {
  const body = new URLSearchParams({ ...REPORT, api_key: place.key });
  const answer = await fetch(`${place.origin}/open311/v2/requests.json`, { method: 'POST', body });
  assert.equal(answer.status, 201, await answer.clone().text());
}

function figure(page, name) {
  return page.locator(`[data-k="${name}"]`).first().textContent();
}

test('a ticket posted through Open311 is on the board within two seconds', async () => {
  const { context, page } = await board();
  const had = Number(await figure(page, 'today'));
  await post();
  await until(page, (n) => document.querySelector('[data-k="today"]').textContent === `${n}`,
    had + 1, 2000);
  await context.close();
});

test('a patch touches only what changed: nodes, focus, selection and scroll survive', async () => {
  const { context, page } = await board('', { viewport: { width: 390, height: 500 } });
  const had = Number(await figure(page, 'today'));
  await page.evaluate(() => {
    window.kept = [...document.querySelectorAll('main *')];
    window.texts = window.kept.map((e) => e.firstChild);
    document.querySelector('#lang').focus({ preventScroll: true });
    getSelection().selectAllChildren(document.querySelector('#departments-title'));
    scrollTo(0, 300);
    window.touched = new Set();
    new MutationObserver((all) => all.forEach((m) => window.touched.add(
      m.target.parentElement?.dataset.k ?? m.target.parentElement?.closest('[data-k]')?.dataset.k)))
      .observe(document.querySelector('main'), { characterData: true, subtree: true });
  });
  await post();
  await until(page, (n) => document.querySelector('[data-k="today"]').textContent === `${n}`,
    had + 1);
  const after = await page.evaluate(() => {
    const now = [...document.querySelectorAll('main *')];
    return { same: now.length === window.kept.length && now.every((e, i) => e === window.kept[i]),
      texts: window.kept.every((e, i) => e.firstChild === window.texts[i]),
      focus: document.activeElement.id, selection: getSelection().toString(), scroll: scrollY,
      touched: [...window.touched] };
  });
  assert.deepEqual({ same: after.same, texts: after.texts, focus: after.focus, scroll: after.scroll },
    { same: true, texts: true, focus: 'lang', scroll: 300 });
  assert.equal(after.selection.trim(), 'Birimler');
  assert.ok(after.touched.includes('today') && !after.touched.includes('calls.offered'),
    String(after.touched));
  await context.close();
});

test('ten seconds without data are told, and their end too', async () => {
  const { context, page } = await board();
  assert.equal(await page.locator('#banner').textContent(), '');
  await tell('pause metrics');
  try {
    await page.waitForTimeout(6000);
    assert.equal(await page.locator('#banner').textContent(), '');
    await until(page, () => document.querySelector('#banner').textContent
      .startsWith('10 saniyeden uzun'), null, 8000);
    assert.equal(await page.locator('#health').getAttribute('data-state'), 'stale');
    assert.equal(await page.locator('#state').textContent(), 'Veri gelmiyor');
    assert.notEqual(await figure(page, 'open'), '—');
    assert.match(await page.locator('#age').textContent(), /^1[0-9] sn$/);
  } finally {
    await tell('resume metrics');
  }
  await until(page, () => document.querySelector('#health').dataset.state === 'live');
  await until(page, () => document.querySelector('#banner').textContent === '');
  await context.close();
}, { timeout: 60000 });

test('nothing from elsewhere, nothing inline, no complaint', async () => {
  const { context, page, seen } = await board('?lang=en');
  await page.click('#lang');
  assert.deepEqual(seen.requests.filter((url) => !url.startsWith(`${place.origin}/live/`)), []);
  assert.deepEqual(await page.evaluate(() => window.violations), []);
  assert.deepEqual(seen.complaints, []);
  const probe = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.inline = true';
    document.body.append(script);
    return new Promise((resolve) => { setTimeout(() => resolve([window.inline, window.violations.length]), 100); });
  });
  assert.deepEqual(probe, [undefined, 1]);
  await context.close();
});

test('both languages, remembered, and numbers as each writes them', async () => {
  const { context, page } = await board();
  assert.equal(await page.locator('h1').textContent(), 'Canlı pano');
  assert.equal(await page.locator('html').getAttribute('lang'), 'tr');
  await page.click('#lang');
  assert.equal(await page.locator('h1').textContent(), 'Live board');
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.goto(`${place.origin}/live/`);
  assert.equal(await page.locator('h1').textContent(), 'Live board');
  await page.waitForSelector('#rows tr');
  const listed = await page.locator('#rows tr:not([data-code="-"]) th').allTextContents();
  assert.deepEqual(listed, listed.toSorted((a, b) => a.localeCompare(b, 'en')));
  const written = await page.evaluate(async () => {
    const { Writer } = await import('/live/words.js');
    const [tr, en] = [new Writer('tr'), new Writer('en')];
    const moment = new Date('2026-03-01T22:30:00Z');
    return [tr.number(12345), en.number(12345), tr.number(undefined), tr.span(59999),
      tr.span(3600000 * 27), en.span(90 * 60000), tr.lag(1500), en.lag(1500), en.waited(59000),
      tr.date.format(moment), en.date.format(moment), tr.clock.format(moment), tr.minus(3)];
  });
  assert.deepEqual(written, ['12.345', '12,345', '—', '59 sn', '1 g 3 sa', '1 h 30 min', '1,5 sn',
    '1.5 s', 'under 1 min', '2 Mart 2026 Pazartesi', 'Monday, 2 March 2026', '01:30:00', '−3']);
  await context.close();
});

for (const width of [360, 390, 768, 1280, 1920]) {
  test(`no horizontal scroll at ${width} px, in both languages`, async () => {
    for (const lang of ['tr', 'en']) {
      const { context, page } = await board(`?lang=${lang}`, { viewport: { width, height: 800 } });
      await page.waitForSelector('#rows tr');
      const over = await page.evaluate(() => [...document.querySelectorAll('body, body *')]
        .filter((e) => !e.matches('.skip, .quiet') && e.getBoundingClientRect().right > innerWidth + 1)
        .map((e) => e.outerHTML.slice(0, 80)));
      assert.deepEqual(over, []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await context.close();
    }
  });
}

test('the table has headers, the banner alone is live, states have words', async () => {
  const { context, page } = await board();
  await page.waitForSelector('#rows tr');
  assert.equal(await page.locator('thead th[scope="col"]').count(), 5);
  assert.equal(await page.locator('tbody tr').count(), await page.locator('tbody th[scope="row"]').count());
  assert.deepEqual(await page.locator('[aria-live]').evaluateAll((all) => all.map((e) => e.id)), ['banner']);
  assert.equal(await page.locator('#state').textContent(), 'Canlı');
  assert.match(await page.locator('#overdue-note').textContent(), /Geciken iş yok|birimde/);
  await context.close();
});
