// The citizen's pages in headless Chromium, without JavaScript and through the edge: a report is made,
// looked up, added to and withdrawn, in both languages, on a phone and on a desk.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, browser, place } from './system.mjs';

begin('board_stack.py');

async function plainPage(options) {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  const page = await context.newPage();
  page.elsewhere = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(place.origin)) page.elsewhere.push(request.url());
  });
  return page;
}

async function lookUp(page, number) {
  await page.goto(`${place.origin}/?no=${number}`);
  assert.equal(await page.inputValue('input[name=no]'), number, 'the link of a message knows the number');
  await page.fill('input[name=digits]', '4567');
  await page.click('button');
}

// Its history grows as the router gets to it.
async function lookUpUntil(page, number, words) {
  for (const end = Date.now() + 60000; ;) {
    await lookUp(page, number);
    const text = await page.innerText('main');
    if (text.includes(words)) return text;
    assert.ok(Date.now() < end, `${words} is not in: ${text}`);
  }
}

const PEOPLE = [
  { name: 'in Turkish on a desk', lang: 'tr', viewport: { width: 1280, height: 900 }, subject: 'Eski eşya alımı',
    routed: 'İlgili birime gönderildi', note: 'Not ya da fotoğraf ekle', withdraw: 'Başvurudan vazgeç', gone: 'Vazgeçildi' },
  { name: 'in English on a phone', lang: 'en', viewport: { width: 390, height: 844 }, subject: 'Collection of bulky items',
    routed: 'Sent to the department in charge', note: 'Add a note or photo', withdraw: 'Withdraw the report', gone: 'Withdrawn' },
];

for (const person of PEOPLE) {
  test(`a report is made, looked up and withdrawn ${person.name}`, async () => {
    const page = await plainPage({ viewport: person.viewport, locale: person.lang });
    await page.goto(`${place.origin}/`);
    await page.click('a[href="/report"]');
    await page.click(`text="${person.subject}"`);
    await page.check('input[value=koltuk]');
    await page.fill('input[name="attribute[adet]"]', '2');
    await page.fill('input[name="attribute[gun]"]', '2026-12-05T10:30');
    await page.fill('textarea[name=description]', 'İki koltuk, kapının önünde');
    await page.selectOption('select[name=address_id]', 'fener');
    await page.fill('input[name=phone]', '12');
    await page.click('main form button');
    assert.equal(await page.locator('[role=alert] li').count(), 1, 'only the phone is wrong');
    assert.ok(await page.isChecked('input[value=koltuk]'), 'what was right is kept');
    await page.fill('input[name=phone]', '0532 123 45 67');
    await page.click('main form button');
    const number = await page.innerText('.number');
    assert.match(number, /^\d\d-\d{7}-\d$/);

    await lookUpUntil(page, number, person.routed);
    const width = await page.locator('html').evaluate((e) => [e.scrollWidth, e.clientWidth]);
    assert.ok(width[0] <= width[1], 'nothing sticks out to the right');
    await page.click(`summary:has-text("${person.note}")`);
    await page.fill('details[open] textarea', 'Şimdi üç oldu');
    await page.click('details[open] button');
    await page.click('a.button');
    await page.fill('input[name=digits]', '4567');
    await page.click('button');
    await page.click(`summary:has-text("${person.withdraw}")`);
    await page.click('details[open] button');
    await lookUpUntil(page, number, person.gone);
    assert.deepEqual(page.elsewhere, [], 'nothing is asked of anybody else');
    await page.context().close();
  });
}

test('the wrong digits are told in words, and the page can be used by keyboard alone', async () => {
  const page = await plainPage({ locale: 'tr' });
  await page.goto(`${place.origin}/track`);
  for (let key = 0; key < 3; key++) await page.keyboard.press('Tab');
  await page.keyboard.type('26-0000001-4');
  await page.keyboard.press('Tab');
  await page.keyboard.type('0000');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  assert.match(await page.innerText('[role=alert]'), /son dört rakamını denetleyin/);
  await page.context().close();
});
