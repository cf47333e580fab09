// The desk in headless Chromium, through the edge: a clerk works a queue with and without JavaScript, by
// keyboard alone, while others change it; and axe finds nothing on any page, light or dark, large or small.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { begin, browser, place, tell } from './system.mjs';

begin('desk_stack.py');

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
const PHOTO = readFileSync(fileURLToPath(new URL('../data/photos/plain.jpeg', import.meta.url)));
const TURKISH = { viewport: { width: 1280, height: 900 }, locale: 'tr-TR' };

// Somebody at their desk; what goes elsewhere, and what goes wrong, is written down.
async function someone(name, options) {
  const context = await browser.newContext({ ...TURKISH, ...options });
  const page = await context.newPage();
  page.elsewhere = [];
  page.wrong = [];
  page.bytes = 0;
  page.on('request', (request) => {
    if (!request.url().startsWith(place.origin)) page.elsewhere.push(request.url());
  });
  page.on('pageerror', (error) => page.wrong.push(error.message));
  page.on('console', (message) => message.type() === 'error' && !/status of 4\d\d/.test(message.text())
    && page.wrong.push(message.text()));
  await page.goto(`${place.origin}/desk/`);
  await page.fill('input[name=name]', name);
  await page.fill('input[name=password]', place.password);
  await page.click('main form button');
  await page.waitForSelector('.mast');
  return page;
}

async function leave(page) {
  assert.deepEqual(page.elsewhere, [], 'every request stays here');
  assert.deepEqual(page.wrong, [], 'nothing goes wrong');
  await page.context().close();
}

async function findings(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const sideways = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(sideways, 0, `${page.url()} scrolls sideways`);
  return found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`);
}

test('a ticket is worked to its end without JavaScript', { timeout: 180000 }, async () => {
  const number = await tell('open cop-alinmadi fener');
  const page = await someone('ayse', { javaScriptEnabled: false });
  await page.click(`text=${number}`);
  await page.click('text=İncelemeye al');
  assert.match(await page.innerText('.notice'), /İncelemeye alındı/);
  await page.click('summary:has-text("Beklemeye al")');
  await page.selectOption('details:has-text("Beklemeye al") select[name=reason]', 'hava');
  await page.click('details:has-text("Beklemeye al") button');
  assert.match(await page.innerText('.ticket .status'), /Beklemede/);
  await page.click('text=Çalışmayı sürdür');
  await page.click('summary:has-text("Çözüldü olarak kapat")');
  const form = 'details:has-text("Çözüldü olarak kapat")';
  await page.fill(`${form} textarea`, 'Ekip temizledi, iyi günler dileriz.');
  await page.click(`${form} button`);
  assert.match(await page.innerText('.complaint'), /neden seçin/);
  assert.equal(await page.inputValue(`${form} textarea`), 'Ekip temizledi, iyi günler dileriz.', 'what was typed is kept');
  await page.selectOption(`${form} select[name=reason]`, 'yapildi');
  await page.click(`${form} button`);
  assert.match(await page.innerText('.ticket .status'), /Çözüldü/);
  assert.match(await page.innerText('.history'), /Ekip temizledi/);
  await leave(page);
});

test('evidence goes with the solution', { timeout: 180000 }, async () => {
  for (const options of [{ javaScriptEnabled: false }, { viewport: { width: 360, height: 740 } }]) {
    const number = await tell('open cop-alinmadi fener');
    const page = await someone('ayse', options);
    await page.goto(`${place.origin}/desk/ticket/${number}`);
    await page.click('summary:has-text("Çözüldü olarak kapat")');
    const form = 'details:has-text("Çözüldü olarak kapat")';
    const send = async (name, buffer) => {
      await page.setInputFiles(`${form} input[type=file]`, [{ name, mimeType: 'image/jpeg', buffer }]);
      await page.click(`${form} button`);
    };
    await page.fill(`${form} textarea`, 'Ekip temizledi, iyi günler dileriz.');
    await page.selectOption(`${form} select[name=reason]`, 'yapildi');
    await send('a.jpg', Buffer.from('bu bir fotoğraf değil'));
    assert.match(await page.innerText('.complaint'), /1\. dosya fotoğraf değil/);
    assert.equal(await page.inputValue(`${form} textarea`), 'Ekip temizledi, iyi günler dileriz.', 'what was typed is kept');
    assert.equal(await page.inputValue(`${form} select[name=reason]`), 'yapildi');
    if (options.viewport) assert.deepEqual(await findings(page), []);
    await send('b.jpg', PHOTO);
    assert.match(await page.innerText('.ticket .status'), /Çözüldü/);
    assert.match(await page.innerText('.photos'), /Kanıt fotoğrafı · ayse/);
    if (options.viewport) assert.deepEqual(await findings(page), []);
    await leave(page);
  }
});

test('rows change under the clerk without moving what is pointed at', { timeout: 180000 }, async () => {
  const numbers = [];
  for (let i = 0; i < 3; i += 1) numbers.push(await tell('open konteyner-hasar balbey'));
  const page = await someone('ayse');
  await page.goto(`${place.origin}/desk/?neighbourhood=balbey`);
  const [first, second, third] = numbers.map((n) => `#t-${n}`);
  await page.check(`${second} .pick input`);
  await page.focus(`${second} a`);
  const places = () => page.evaluate(() => [...document.querySelectorAll('tbody tr')].map((r) => [r.id, r.offsetTop]));
  await page.evaluate((id) => { document.querySelector(id).kept = true; }, first);
  const where = await places();
  assert.equal(await tell(`step ${numbers[0]} accept`), 303);
  // waitForFunction() would need eval, which the pages do not allow.
  await page.locator(`${first} .status`, { hasText: 'İnceleniyor' }).waitFor();
  assert.deepEqual(await places(), where, 'nothing moved');
  assert.ok(await page.evaluate((id) => document.querySelector(id).kept, first), 'the row is the same');
  assert.ok(await page.isChecked(`${second} .pick input`), 'what was chosen is chosen');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').id), second.slice(1), 'the focus stays');
  assert.equal(await page.inputValue(`${first} .pick input`), `${numbers[0]}:3`, 'the choice is of the new version');
  // What leaves stays where it was, and can be chosen no more.
  assert.equal(await tell(`step ${numbers[2]} transfer department=fen reason=konu-yanlis`), 303);
  await page.waitForSelector(`${third}.gone`);
  assert.ok(await page.isDisabled(`${third} .pick input`));
  assert.deepEqual(await places(), where);
  // What is new is announced, and shown when asked for.
  const fresh = await tell('open cop-alinmadi balbey');
  await page.waitForSelector('.live');
  assert.equal(await page.locator(`#t-${fresh}`).count(), 0);
  await page.keyboard.press('r');
  await page.waitForSelector(`#t-${fresh}`);
  await leave(page);
});

test('somebody changed this', { timeout: 180000 }, async () => {
  const number = await tell('open cop-alinmadi fener');
  const page = await someone('ayse');
  await page.goto(`${place.origin}/desk/ticket/${number}`);
  assert.equal(await tell(`step ${number} accept`), 303);
  await page.waitForSelector('.live');
  await page.click('summary:has-text("Not ekle")');
  await page.fill('details:has-text("Not ekle") textarea', 'Uzun uzun yazılmış not');
  await page.click('details:has-text("Not ekle") button');
  assert.match(await page.innerText('.complaint'), /başka biri/);
  assert.equal(await page.inputValue('details:has-text("Not ekle") textarea'), 'Uzun uzun yazılmış not');
  assert.match(await page.innerText('.history .new'), /İncelemeye alındı/);
  assert.deepEqual(await findings(page), []);
  await page.click('details:has-text("Not ekle") button');
  assert.match(await page.innerText('.notice'), /Not eklendi/);
  await leave(page);
});

test('from the keyboard alone', { timeout: 180000 }, async () => {
  const number = await tell('open cadde-supurme altindag');
  const page = await someone('ayse');
  await page.goto(`${place.origin}/desk/?neighbourhood=altindag`);
  await page.keyboard.press('?');
  assert.ok(await page.isVisible('dialog'));
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press('Escape');
  assert.ok(!await page.isVisible('dialog'));
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  assert.ok(await page.isChecked(`#t-${number} .pick input`));
  // The keys mean something once the page has been loaded.
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/desk/ticket/${number}*`, { waitUntil: 'load' });
  await page.keyboard.press('a');
  await page.waitForURL(/done=accept/, { waitUntil: 'load' });
  await page.keyboard.press('n');
  await page.keyboard.type('Klavyeyle: a, b, c ve ?');
  assert.equal(await page.inputValue('details:has-text("Not ekle") textarea'), 'Klavyeyle: a, b, c ve ?');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.type), 'file');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/done=note/, { waitUntil: 'load' });
  assert.match(await page.innerText('.history'), /Klavyeyle: a, b, c ve \?/);
  await page.keyboard.press('/');
  await page.keyboard.type('gülşen');
  await page.keyboard.press('Enter');
  await page.waitForURL(/desk\/search/, { waitUntil: 'load' });
  await leave(page);
});

test('a ticket on paper: what was said and done, and nothing to press', { timeout: 180000 }, async () => {
  const number = await tell('open cop-alinmadi balbey');
  const page = await someone('ayse', { colorScheme: 'dark' });
  await page.goto(`${place.origin}/desk/ticket/${number}`);
  assert.ok(await page.locator('main button:visible, main summary:visible').count() > 0, 'there are steps on the screen');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  assert.equal(await page.locator('button:visible, input:visible, select:visible, summary:visible').count(), 0);
  const text = await page.innerText('main');
  for (const words of [number, 'Çöp toplanmadı', 'Üç gündür çöpler alınmadı', 'Gülşen Işık', '1234. Sokak'])
    assert.ok(text.includes(words), words);
  assert.ok(await page.locator('.history').isVisible());
  const colours = await page.evaluate(() => {
    const style = getComputedStyle(document.body);
    return [style.backgroundColor, style.color];
  });
  assert.deepEqual(colours, ['rgb(255, 255, 255)', 'rgb(0, 0, 0)'], 'ink on paper, also where the screen is dark');
  const pdf = await page.pdf({ format: 'A4' });
  assert.equal(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length, 1);
  await leave(page);
});

test('several at once, and back', { timeout: 180000 }, async () => {
  const numbers = [];
  for (let i = 0; i < 2; i += 1) numbers.push(await tell('open cop-alinmadi barbaros'));
  const page = await someone('oya');
  await page.goto(`${place.origin}/desk/?department=temizlik&neighbourhood=barbaros`);
  await page.check('th.pick input');
  await page.selectOption('.bulk select[name=department]', 'fen');
  await page.selectOption('.bulk select[name=reason]', 'konu-yanlis');
  await page.click('.bulk button[value=transfer]');
  assert.match(await page.innerText('.notice'), /Seçilen: 2, yapılan: 2\./);
  assert.deepEqual(await findings(page), []);
  await page.click('text=Aktarmayı geri al');
  assert.match(await page.innerText('.notice'), /Seçilen: 2, yapılan: 2\./);
  await page.goto(`${place.origin}/desk/?department=temizlik&neighbourhood=barbaros`);
  assert.equal(await page.locator('tbody tr').count(), 2);
  await leave(page);
});

test('axe finds nothing, and pages are small', { timeout: 120000 }, async () => {
  const number = await tell('open evde-saglik fener');
  await tell('open - fener');
  const kinds = [
    { viewport: { width: 360, height: 780 }, colorScheme: 'dark', locale: 'en-GB' },
    { viewport: { width: 1920, height: 1080 }, colorScheme: 'light' },
  ];
  for (const kind of kinds) {
    const page = await someone('oya', kind);
    for (const path of ['', '?department=temizlik', `ticket/${number}`, 'search?q=konteyner', 'search?q=yokboylebirsey',
      'failed', 'alarms']) {
      let bytes = 0;
      const weigh = async (answer) => { bytes += (await answer.body().catch(() => '')).length; };
      page.on('response', weigh);
      await page.goto(`${place.origin}/desk/${path}`);
      await page.waitForLoadState('load');
      page.off('response', weigh);
      assert.ok(bytes < 150 * 1024, `${path} weighs ${bytes}`);
      assert.deepEqual(await findings(page), [], `${path} ${kind.colorScheme}`);
    }
    await leave(page);
  }
});
