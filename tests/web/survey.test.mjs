// Satisfaction's pages in headless Chromium, without JavaScript and through the edge: an invitation is answered,
// taken back, and after closing opens another ticket; the ladder is read.  axe finds nothing, in both languages,
// light and dark, at 360 and 1920 px.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, begin, browser, place } from './system.mjs';

begin('survey_stack.py');

const SHOTS = process.env.TURUNC_SHOTS;

async function page(options) {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  const made = await context.newPage();
  made.elsewhere = [];
  made.on('request', (request) => {
    if (!request.url().startsWith(place.origin)) made.elsewhere.push(request.url());
  });
  return made;
}

async function shot(at, name) {
  if (SHOTS) await at.screenshot({ path: `${SHOTS}/survey-${name}.png`, fullPage: true });
}

test('an invitation is answered once and taken back with the keyboard alone', async () => {
  const at = await page({ locale: 'tr', viewport: { width: 390, height: 844 } });
  await at.goto(`${place.origin}/anket/${place.tokens[0]}`);
  assert.match(await at.innerText('main'), new RegExp(place.numbers[0]));
  await at.focus('input[name=score]');
  await at.keyboard.press('ArrowDown');
  await at.keyboard.press('Tab');
  await at.keyboard.press('Space');
  await at.keyboard.press('Tab');
  await at.keyboard.type('Sağ olun');
  await at.keyboard.press('Tab');
  await at.keyboard.press('Enter');
  await at.waitForSelector('summary');
  assert.match(await at.innerText('main'), /Yanıtınız: 4 · Memnunum/);
  await at.goto(`${place.origin}/anket/${place.tokens[0]}`);
  assert.equal(await at.locator('input[name=score]').count(), 0, 'it is not asked again');
  await at.click('summary');
  await at.fill('details textarea', 'Yine oldu');
  await at.click('details button');
  assert.match(await at.innerText('main'), /çözülmediğini bildirdiniz/);
  assert.equal(await at.locator('summary').count(), 0);
  assert.deepEqual(at.elsewhere, []);
  await at.context().close();
});

test('after closing, not solved asks for words and opens a ticket', async () => {
  const at = await page({ locale: 'en' });
  await at.goto(`${place.origin}/survey/${place.closed}?lang=en`);
  await at.check('input[name=score][value="1"]');
  await at.check('input[name=solved][value=no]');
  await at.click('main form button');
  assert.match(await at.innerText('[role=alert]'), /write what is missing/);
  assert.ok(await at.isChecked('input[name=score][value="1"]'), 'what was chosen is kept');
  await at.fill('textarea', 'It was never collected');
  await at.click('main form button');
  assert.match(await at.innerText('main'), /Opened since this was not solved: \d\d-\d{7}-\d/);
  await at.context().close();
});

for (const scheme of ['light', 'dark'])
  for (const lang of ['tr', 'en'])
    for (const width of [360, 1920])
      test(`axe finds nothing ${scheme} ${lang} ${width}`, async () => {
        const at = await page({ javaScriptEnabled: true, colorScheme: scheme, viewport: { width, height: 800 } });
        // A dozen wrong links from one address, and right ones wait as well: half of them at each width.
        const wrong = width === 360 ? ['wrong', '/anket/x'] : ['stop-wrong', '/anket-istemiyorum/x'];
        for (const [name, path] of [['ask', `/anket/${place.tokens[1]}`], ['thank', `/anket/${place.tokens[0]}`], wrong,
          ['stop', `/anket-istemiyorum/${place.stop}`], ['ladder', '/live/satisfaction']]) {
          await at.goto(`${place.origin}${path}?lang=${lang}`);
          const size = await at.locator('html').evaluate((e) => [e.scrollWidth, e.clientWidth]);
          assert.ok(size[0] <= size[1], `nothing sticks out of ${name}`);
          await shot(at, `${name}-${scheme}-${lang}-${width}`);
          assert.deepEqual(await axe(at), [], name);
        }
        await at.context().close();
      });

test('surveys by e-mail are ended and asked for again with the keyboard alone', async () => {
  const at = await page({ locale: 'tr', viewport: { width: 390, height: 844 } });
  await at.goto(`${place.origin}/anket-istemiyorum/${place.stop}`);
  await at.focus('main button');
  await at.keyboard.press('Enter');
  await at.waitForSelector('input[name=again]', { state: 'attached' });
  assert.match(await at.innerText('main'), /artık memnuniyet anketi gönderilmeyecektir/);
  await shot(at, 'stopped');
  await at.click('main button');
  await at.waitForSelector('input[name=List-Unsubscribe]', { state: 'attached' });
  assert.match(await at.innerText('main'), /gönderilmektedir/);
  assert.deepEqual(at.elsewhere, []);
  await at.context().close();
});

test('the ladder says what it counts', async () => {
  const at = await page({ locale: 'tr' });
  await at.goto(`${place.origin}/live/memnuniyet`);
  const text = await at.innerText('main');
  assert.match(text, /Mart 2026/);
  assert.match(text, /Memnuniyet: %\d+,\d \(%\d+,\d – %\d+,\d\)/);
  assert.match(text, /Yanıtlamayan hiçbir yerde memnun sayılmaz/);
  await at.context().close();
});
