// The live board in headless Chromium, on a real system: figures arrive, nodes stay, age is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, begin, browser, place, tell } from './system.mjs';

begin('board_stack.py');

const REPORT = { service_code: 'cadde-supurme', lat: '36.872345', long: '30.723456',
  description: 'Çöp toplanmadı' };

// Asks from outside the page: its policy lets nothing be evaluated inside, waiting helpers included.
async function until(page, condition, argument, limitMs = 60000) {
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
  await until(page, () => document.querySelector('#health').dataset.state === 'live', null, 40000);
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

test('a ticket posted through Open311 is on the board by itself', async () => {
  const { context, page } = await board();
  const had = Number(await figure(page, 'today'));
  await post();
  const posted = performance.now();
  await until(page, (n) => document.querySelector('[data-k="today"]').textContent === `${n}`, had + 1);
  console.log(`# on the board ${Math.round(performance.now() - posted)} ms after the answer`);
  await context.close();
});

test('a patch touches only what changed: nodes, focus, selection and scroll survive', async () => {
  const { context, page } = await board('', { viewport: { width: 390, height: 500 } });
  const had = Number(await figure(page, 'today'));
  await page.evaluate(() => {
    // Charts and alarms come and go by themselves.
    window.fixed = () => [...document.querySelectorAll('main *')].filter((e) => !e.closest('#past, #alarms'));
    window.kept = window.fixed();
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
    const now = window.fixed();
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
    // However late one looks: what is told goes with the age that stands beside it.
    for (let told = '', age = 0; told === ''; await page.waitForTimeout(20)) {
      [told, age] = await page.evaluate(() => [document.querySelector('#banner').textContent,
        parseInt(document.querySelector('#age').textContent, 10)]);
      assert.ok(told === '' ? age <= 10 : age >= 10 && told.startsWith('10 saniyeden uzun'), `${age} ${told}`);
    }
    assert.equal(await page.locator('#health').getAttribute('data-state'), 'stale');
    assert.equal(await page.locator('#state').textContent(), 'Veri gelmiyor');
    assert.match(await page.locator('.tile').first().evaluate((e) => getComputedStyle(e).backgroundImage),
      /repeating-linear-gradient/);
    assert.deepEqual(await axe(page), []);
    assert.notEqual(await figure(page, 'open'), '—');
    assert.match(await page.locator('#age').textContent(), /^([1-9][0-9] sn|[1-9] dk.*)$/);
  } finally {
    await tell('resume metrics');
  }
  await until(page, () => document.querySelector('#health').dataset.state === 'live', null, 40000);
  await until(page, () => document.querySelector('#banner').textContent === '');
  await context.close();
}, { timeout: 180000 });

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
        .filter((e) => !e.matches('.skip, .quiet') && !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1)
        .map((e) => e.outerHTML.slice(0, 80)));
      assert.deepEqual(over, []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      assert.deepEqual(await page.evaluate(brokenHeadings), []);
      await context.close();
    }
  });
}

/* Headings of columns with a word that is wider than its column, or that goes on in the next line. */
function brokenHeadings() {
  return [...document.querySelectorAll('thead th')].filter((th) => th.checkVisibility()).flatMap((th) => {
    const text = th.firstChild, wide = th.scrollWidth > th.clientWidth;
    return [...th.textContent.matchAll(/\S+/g)].filter(({ 0: word, index }) => {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      return wide || range.getClientRects().length > 1;
    }).map(([word]) => word);
  });
}

test('the tables have headers, banner and alarms alone are live, states have words', async () => {
  const { context, page } = await board();
  await page.waitForSelector('#rows tr');
  assert.equal(await page.locator('#departments thead th[scope="col"]').count(), 5);
  assert.equal(await page.locator('tbody tr').count(), await page.locator('tbody th[scope="row"]').count());
  assert.deepEqual(await page.locator('[aria-live]').evaluateAll((all) => all.map((e) => e.id)), ['banner', 'alarm-said']);
  assert.equal(await page.locator('#state').textContent(), 'Canlı');
  assert.match(await page.locator('#overdue-note').textContent(), /Geciken iş yok|birimde/);
  await context.close();
});

const ALARM = "insert into turunc.board_alarm (kind, about, value, bound, raised_us, seen_us) select 'surge', "
  + "'fener/cop-alinmadi', 12, 5, m, m from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as m) s";

test('an alarm is shown with its words, said once, and leads to the desk until somebody has it', async () => {
  const { context, page } = await board();
  await until(page, () => document.querySelector('#alarms-none').textContent === 'Açık alarm yok');
  await tell(`sql ${ALARM}`);
  try {
    await until(page, () => document.querySelectorAll('#alarms li').length === 1);
    const line = page.locator('#alarms li');
    assert.match(await line.textContent(), /Yoğunlaşan bildirim.*Fener: Çöp toplanmadı.*son 1 saatte 12 bildirim.*kimse üstlenmedi/);
    assert.equal(await page.locator('#alarm-said').textContent(), 'Yeni alarm: Yoğunlaşan bildirim');
    assert.equal(await page.locator('#alarms-none').isVisible(), false);
    assert.equal(await line.locator('a').getAttribute('href'), '/desk/alarms?lang=tr');
    assert.deepEqual(await axe(page), []);
    await line.evaluate((e) => { window.line = e; });
    await tell("sql update turunc.board_alarm set acknowledged_us = raised_us, acknowledged_by = 'oya'");
    await until(page, () => /üstlenildi, /.test(document.querySelector('#alarms li').textContent));
    assert.ok(await page.evaluate(() => window.line === document.querySelector('#alarms li')));
    assert.equal(await line.locator('a').isVisible(), false);
    await page.click('#lang');
    assert.match(await line.textContent(), /Surge of reports.*Fener: Rubbish not collected.*acknowledged, /);
  } finally {
    await tell('sql delete from turunc.board_alarm');
  }
  await until(page, () => document.querySelector('#alarms-none').textContent === 'No alarm is open');
  await context.close();
});

const SAMPLES = "insert into turunc.board_sample select m - k::bigint * 300000000, 100 + k, 5, 1, 7, 3, 9, 8, 1, 50, 0, 850 from "
  + "(select max(at_us) as m from turunc.board_sample) s, generate_series(1, 2000) k on conflict do nothing";

test('history is drawn, walked through with the keyboard, and the same as a table', async () => {
  const { context, page } = await board('', { viewport: { width: 1280, height: 900 } });
  await until(page, () => document.querySelector('#past-none').textContent !== '');
  await tell(`sql ${SAMPLES}`);
  // What was put there from outside is read at the next start.
  await tell('restart metrics');
  await page.goto(`${place.origin}/live/`);
  await until(page, () => document.querySelectorAll('#charts canvas').length === 4, null, 20000);
  await page.locator('#charts .plot').first().focus();
  await page.keyboard.press('Home');
  const told = await page.locator('#charts .told').first().textContent();
  assert.match(told, /: Açık \d+ · Süresi geçen 5$/);
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await page.locator('#charts .told').first().textContent(), told);
  // The spans are radio buttons: arrows choose, Tab goes on.
  await page.locator('#spans input').first().focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator('#spans input:checked').inputValue(), 'week');
  await page.locator('#twin summary').focus();
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelectorAll('#past-table tbody tr').length > 80);
  const row = await page.locator('#past-table tbody tr').nth(40).locator('td').allTextContents();
  assert.deepEqual(row.slice(1), ['5', '7', '3', '9', '1', '%85']);
  const history = await (await fetch(`${place.origin}/live/history.json?span=week`)).json();
  assert.equal(await page.locator('#past-table tbody tr').count(), history.rows.length);
  assert.deepEqual(await axe(page), []);
  await context.close();
}, { timeout: 300000 });

test('a chosen theme stays, whatever the system says', async () => {
  const { context, page } = await board('', { colorScheme: 'light' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.locator('#theme').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#theme').textContent(), 'Görünüm: koyu');
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.goto(`${place.origin}/live/`);
  assert.equal(await ground(), dark);
  assert.deepEqual(await axe(page), []);
  await context.close();
});

test('a screen on a wall comes in by its key, and nothing on it is for hands', async () => {
  const key = await tell('key duvar board');
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  const end = Date.now() + 20000;
  while ((await page.goto(`${place.origin}/live/wall/${key}`)).status() !== 200) assert.ok(Date.now() < end);
  assert.equal(page.url(), `${place.origin}/live/?wall`);
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.name, cookie.path, cookie.httpOnly], ['turunc_wall', '/live/', true]);
  await until(page, () => document.querySelector('#health').dataset.state === 'live', null, 40000);
  assert.deepEqual(await page.locator('a:visible, button:visible, summary:visible').allTextContents(), []);
  await context.close();
});

test('a page of another build is loaded anew', async () => {
  const state = await (await fetch(`${place.origin}/live/state.json`)).json();
  const context = await browser.newContext();
  const page = await context.newPage();
  let asked = 0;
  await page.route('**/live/events', (route) => {
    asked += 1;
    if (asked > 1) return route.continue();
    const body = `retry: 100\n\nevent: snapshot\ndata: ${JSON.stringify({ ...state, build: 'of yesterday' })}\n\n`;
    return route.fulfill({ contentType: 'text/event-stream', body });
  });
  await page.goto(`${place.origin}/live/`);
  await page.evaluate(() => { window.former = true; });
  const end = Date.now() + 15000;
  while (await page.evaluate(() => window.former).catch(() => true)) {
    assert.ok(Date.now() < end);
    await page.waitForTimeout(50);
  }
  await until(page, () => document.querySelector('#health').dataset.state === 'live', null, 40000);
  await context.close();
});

test('without scripts the same is there as tables, in both languages', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${place.origin}/live/`);
  await page.click('noscript a >> text=Pano, tablo olarak');
  assert.equal(await page.locator('h1').textContent(), 'Canlı pano, tablo olarak');
  assert.ok(await page.locator('table').count() >= 5);
  await context.close();
  for (const colorScheme of ['light', 'dark']) {
    const seen = await browser.newContext({ colorScheme, viewport: { width: 360, height: 800 } });
    const tables = await seen.newPage();
    await tables.goto(`${place.origin}/live/tables?lang=en&span=week`);
    assert.deepEqual(await axe(tables), []);
    assert.ok(await tables.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await seen.close();
  }
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing on the board, ${colorScheme}`, async () => {
    for (const width of [360, 1920]) {
      const { context, page } = await board('', { colorScheme, viewport: { width, height: 1080 } });
      await page.waitForSelector('#rows tr');
      assert.deepEqual(await axe(page), []);
      await context.close();
    }
  });
}
