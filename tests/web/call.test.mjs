// The call-taker's page in headless Chromium through the edge: a call rings and is registered with the
// keyboard alone, hints come as one types, one key joins, a draft outlives browser and service; without
// scripts all of it works by buttons; axe finds nothing, in both languages, light and dark, at 360 and 1920 px.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, begin, browser, place, tell } from './system.mjs';

begin('call_stack.py');

const SHOTS = process.env.TURUNC_TEST_SHOTS;

async function desk(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: false, ...options });
  const page = await context.newPage();
  page.wrong = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(place.origin)) page.wrong.push(`elsewhere: ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (401|503|404|409|400)/.test(message.text())) page.wrong.push(message.text());
  });
  page.on('pageerror', (error) => page.wrong.push(String(error)));
  await page.goto(`${place.origin}/call/?lang=${options?.lang ?? 'tr'}`);
  await page.fill('input[name=name]', options?.head ? place.administrator : place.user);
  await page.fill('input[name=password]', options?.head ? place.administrator_password : place.password);
  await page.click('main form button');
  await page.waitForSelector('form#call');
  if (options?.lang) await page.goto(`${place.origin}/call/?lang=${options.lang}`);
  return page;
}

async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/call-${name}.png`, fullPage: true });
}

const number = async (page) => (await page.innerText('.done .number')).trim();

test('a call rings and is registered with the keyboard alone', async () => {
  const page = await desk();
  await tell('ring ayse 05321230001 c-1');
  await page.waitForSelector('#live .ringing >> text=+905321230001', { timeout: 15000 });
  await tell('ring ayse 05321230001 c-1 answered');
  await page.focus('#live a');
  await page.keyboard.press('Enter');
  await page.waitForSelector('input[name=phone][value="+905321230001"]');
  await page.focus('select[name=service_code]');
  await page.keyboard.type('Terk');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Fener');
  await page.keyboard.press('Tab');
  await page.keyboard.type('1964 sokak no 5');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Terk edilmiş, lastiği yok');
  await page.waitForSelector('#questions [name^="attribute"]', { timeout: 15000 });
  for (let i = 0; i < 30 && await page.evaluate(() => document.activeElement.getAttribute('formaction')?.includes('/ticket')) !== true; i++)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.done .number');
  assert.match(await number(page), /^\d\d-\d{7}-\d$/);
  assert.ok(!(await page.innerText('#live')).includes('+905321230001'), 'nothing is left to finish');
  assert.equal(await page.evaluate(() => localStorage.getItem('turunc-call-draft')), null, 'nothing typed is left behind');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('similar tickets come as one types, and one key joins', async () => {
  const other = await tell('report sokak-tabelasi Fener Mah. 1966. sokak no:7');
  const page = await desk();
  await page.fill('input[name=phone]', '0532 123 00 02');
  await page.fill('textarea[name=description]', 'Tabela düştü');
  await page.selectOption('select[name=service_code]', 'sokak-tabelasi');
  await page.fill('input[name=address_string]', '1966 SOKAK 7');
  await page.waitForSelector(`#similar >> text=${other}`, { timeout: 15000 });
  await shot(page, 'similar');
  await page.keyboard.press('Escape'); // out of the field
  await page.keyboard.press('b');
  await page.waitForSelector('.done .number');
  assert.equal(await number(page), other);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('number keys finish a call, a slash searches, and both may be turned off', async () => {
  const page = await desk();
  await tell('ring ayse 05321230003 c-3');
  await tell('ring ayse 05321230003 c-3 answered');
  await page.click('#live >> text=+905321230003', { timeout: 15000 });
  await page.waitForSelector('input[name=call_id]', { state: 'attached' });
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'q');
  await page.keyboard.type('1');
  assert.equal(await page.inputValue('input[name=q]'), '1', 'in a field a key is a letter');
  await page.keyboard.press('Escape');
  await page.uncheck('#keys');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('1');
  assert.equal(await page.locator('input[name=call_id]').count(), 1, 'turned off');
  await page.check('#keys');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('1');
  await page.waitForSelector('.done >> text=Çağrı bitirildi');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a draft outlives the service, and another browser finds it', async () => {
  const page = await desk();
  await page.fill('input[name=phone]', '0532 123 00 04');
  const saved = page.waitForResponse((r) => r.url().includes('/call/draft') && r.status() === 204, { timeout: 20000 });
  await page.type('textarea[name=description]', 'Yarım kalan söz');
  await saved;
  await tell('kill intake');
  // The same browser: what was typed is still there.
  await page.goto(`${place.origin}/call/?lang=tr`);
  await page.waitForSelector('form#call');
  assert.equal(await page.inputValue('textarea[name=description]'), 'Yarım kalan söz');
  await page.context().close();
  // The browser has died: another one.
  const other = await desk({ javaScriptEnabled: false });
  await other.click('.drafts summary');
  await other.click('.drafts a >> text=+905321230004');
  assert.equal(await other.inputValue('textarea[name=description]'), 'Yarım kalan söz');
  await other.context().close();
});

test('without scripts everything works by buttons', async () => {
  const other = await tell('report sokak-tabelasi Fener Mah. 1968. sokak no:9');
  const page = await desk({ javaScriptEnabled: false });
  await page.fill('input[name=phone]', '12');
  await page.selectOption('select[name=service_code]', 'sokak-tabelasi');
  await page.fill('input[name=address_string]', '1968 sokak 9');
  await page.fill('textarea[name=description]', 'Tabela');
  await page.click('text=Soruları ve benzerlerini göster');
  assert.match(await page.innerText('#similar'), new RegExp(other));
  assert.equal(await page.inputValue('textarea[name=description]'), 'Tabela', 'what was typed is kept');
  await page.click('text=Kaydı aç ve çağrıyı bitir');
  assert.match(await page.innerText('main'), /Telefonu\n/);
  await page.fill('input[name=phone]', '0532 123 00 05');
  await page.click('text=Soruları ve benzerlerini göster');
  await page.click('text=Arayanı buna ekle');
  assert.equal(await number(page), other);
  await page.fill('input[name=q]', other);
  await page.keyboard.press('Enter');
  await page.locator('main', { hasText: 'Bulunanlar' }).waitFor();
  await page.context().close();
});

for (const lang of ['tr', 'en'])
  for (const [size, viewport] of [['phone', { width: 360, height: 740 }], ['wide', { width: 1920, height: 1080 }]])
    for (const colorScheme of ['light', 'dark'])
      test(`axe finds nothing: ${lang}, ${size}, ${colorScheme}`, async () => {
        const other = await tell('report sokak-tabelasi Fener Mah. 1972. sokak no:1');
        await tell(`ring ayse 0532123${Math.floor(1000 + Math.random() * 8999)} c-${lang}-${size}-${colorScheme}`);
        const page = await desk({ viewport, colorScheme, lang });
        await page.waitForSelector('#live .ringing', { timeout: 15000 });
        assert.deepEqual(await axe(page), []);
        await page.fill('input[name=phone]', '12');
        await page.fill('textarea[name=description]', 'Tabela düştü, kaldırımda duruyor');
        await page.selectOption('select[name=service_code]', 'sokak-tabelasi');
        await page.selectOption('select[name=address_id]', 'fener');
        await page.fill('input[name=address_string]', 'Atatürk Blv. 1');
        await page.fill('input[name=address_string]', '1972 sokak 1');
        await page.waitForSelector(`#similar >> text=${other}`, { timeout: 15000 });
        await shot(page, `${lang}-${size}-${colorScheme}`);
        assert.deepEqual(await axe(page), []);
        const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(width[0] <= width[1], `nothing sticks out: ${width}`);
        await page.click('button.first');
        await page.waitForSelector('.complaint');
        assert.deepEqual(await axe(page), []);
        assert.deepEqual(page.wrong, []);
        await page.context().close();
      });

for (const [lang, size, viewport, colorScheme] of [['tr', 'phone', { width: 360, height: 740 }, 'dark'],
  ['en', 'wide', { width: 1920, height: 1080 }, 'light'], ['tr', 'wide', { width: 1920, height: 1080 }, 'dark']])
  test(`messages without a ticket: ${lang}, ${size}, ${colorScheme}`, async () => {
    const name = `${lang}-${size}-${colorScheme}`;
    await tell(`loose ${name}`);
    const page = await desk({ viewport, colorScheme, lang, head: true });
    await page.goto(`${place.origin}/desk/?lang=${lang}`);
    await page.click(`text=${lang === 'tr' ? 'Başvurusuz iletiler' : 'Without a ticket'}`);
    const mail = page.locator('.loose > li', { hasText: `Sayaç ${name}` });
    assert.match(await mail.innerText(), /uzun\.adli\.bir\.makine\.hesabi@sayaclar/);
    assert.equal(await mail.locator('.raw a').count(), 1);
    await shot(page, `loose-${name}`);
    assert.deepEqual(await axe(page), []);
    const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(width[0] <= width[1], `nothing sticks out: ${width}`);
    const spare = page.locator('.loose > li', { hasText: `yanmıyor ${name}` });
    await spare.locator('select').selectOption('dealt_with');
    await spare.locator('button').nth(1).click();
    await page.waitForSelector('.done');
    assert.equal(await page.locator('.loose > li', { hasText: `yanmıyor ${name}` }).count(), 0);
    await page.click(`text=${lang === 'tr' ? 'Listeden çıkarılanlar' : 'Those taken off the list'}`);
    await shot(page, `loose-off-${name}`);
    assert.deepEqual(await axe(page), []);
    assert.match(await spare.innerText(), lang === 'tr' ? /Başka yoldan sonuçlandı/ : /Dealt with otherwise/);
    await spare.locator('button').nth(1).click();
    await page.waitForSelector('.done');
    await mail.locator('button').first().click();
    await page.waitForSelector('.done .number');
    assert.equal(await page.locator('.loose > li', { hasText: `Sayaç ${name}` }).count(), 0);
    assert.equal(await page.locator('.loose > li', { hasText: `yanmıyor ${name}` }).count(), 1);
    await shot(page, `loose-made-${name}`);
    assert.deepEqual(await axe(page), []);
    await page.click('.done .number');
    await page.locator('main', { hasText: `Sayaç ${name}` }).waitFor();
    await page.context().close();
  });
