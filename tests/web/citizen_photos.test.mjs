// Photos from a browser, through the edge: kept to the pixel and shown the right way up, refused in words
// with what was typed kept; two tabs that send one form; subjects found as typed.  axe finds nothing on any
// of the citizen's pages, in both languages, light and dark, at 360 and 1920 px.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { axe, begin, browser, place } from './system.mjs';

begin('board_stack.py');

const MIB = 1024 * 1024;

const photo = (name) => readFileSync(fileURLToPath(new URL(`../data/photos/${name}`, import.meta.url)));

// A JPEG that lies on its side, as a camera says it: the Exif block right behind the start.
function turned(orientation) {
  const tiff = Buffer.from([0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
  const block = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const file = photo('plain.jpeg');
  return Buffer.concat([file.subarray(0, 2), Buffer.from([0xff, 0xe1, 0, block.length + 2]), block, file.subarray(2)]);
}

async function open(path, options = {}) {
  const context = await browser.newContext({ locale: 'tr', ...options });
  const page = await context.newPage();
  page.elsewhere = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(place.origin) && !request.url().startsWith('data:')) page.elsewhere.push(request.url());
  });
  await page.goto(place.origin + path);
  return page;
}

async function fill(page, photos = []) {
  await page.selectOption('select[name="attribute[tur]"]', { index: 1 });
  await page.fill('textarea[name=description]', 'Kapının önünde bekliyor');
  await page.selectOption('select[name=address_id]', 'fener');
  await page.fill('input[name=phone]', '0532 123 45 67');
  if (photos.length > 0)
    await page.setInputFiles('input[name=photo]', photos.map((buffer, n) => ({ name: `${n}.jpg`, mimeType: 'image/jpeg', buffer })),
      { timeout: 120000 });
}

const send = (page) => page.click('main form button');

async function track(page, number) {
  await page.goto(`${place.origin}/track?no=${number}`);
  await page.fill('input[name=digits]', '4567');
  await page.click('button');
}

// The pixels of a picture as the browser shows it.
const pixels = (page, src) => page.evaluate(async (from) => {
  const image = new Image();
  image.src = from;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d', { colorSpace: 'srgb' });
  context.drawImage(image, 0, 0);
  return [canvas.width, canvas.height, [...context.getImageData(0, 0, canvas.width, canvas.height).data]];
}, src);

test('photos are shown to the pixel, the right way up', { timeout: 120000 }, async () => {
  const page = await open('/report?subject=cop-alinmadi&lang=tr');
  const sent = [turned(6), photo('plain.png'), photo('alpha.webp')];
  await fill(page, sent);
  await send(page);
  await track(page, await page.innerText('.number'));
  const shown = await page.locator('.photos img').evaluateAll((all) => all.map((image) => image.src));
  assert.equal(shown.length, 3);
  for (const [n, kind] of ['jpeg', 'png', 'webp'].entries()) {
    const [width, height, data] = await pixels(page, shown[n]);
    const blank = await open('/track');   // a page of ours with another policy could not show data: pictures
    await blank.goto('about:blank');
    const was = await pixels(blank, `data:image/${kind};base64,${sent[n].toString('base64')}`);
    assert.deepEqual([width, height], n === 0 ? [32, 48] : [48, 32], kind);
    assert.deepEqual([width, height], was.slice(0, 2));
    const off = Math.max(...data.map((value, at) => Math.abs(value - was[2][at])));
    assert.ok(off <= 2, `${kind}: off by ${off}`);   // its profile, which says sRGB, has gone
    await blank.context().close();
  }
  assert.deepEqual(page.elsewhere, []);
  await page.context().close();
});

for (const [lang, words, kept] of [['tr', /1\. fotoğraf çok büyük: en çok 10 MB/, /yeniden seçin/],
  ['en', /Photo 1 is too large: 10 MB/, /choose the photos again/]]) {
  test(`a photo too large and a phone that is none are named, and what was typed is kept: ${lang}`, async () => {
    const page = await open(`/report?subject=cop-alinmadi&lang=${lang}`, { javaScriptEnabled: false });
    await fill(page, [Buffer.concat([photo('plain.jpeg'), Buffer.alloc(10 * MIB)])]);
    await page.fill('input[name=phone]', '12');
    await send(page);
    const said = await page.innerText('[role=alert]');
    assert.match(said, words);
    assert.match(said, kept);
    assert.equal(await page.locator('[role=alert] li').count(), 2, said);
    assert.equal(await page.inputValue('textarea[name=description]'), 'Kapının önünde bekliyor');
    assert.equal(await page.inputValue('select[name=address_id]'), 'fener');
    await page.fill('input[name=phone]', '0532 123 45 67');
    await page.setInputFiles('input[name=photo]', { name: 'a.jpg', mimeType: 'image/jpeg', buffer: photo('plain.jpeg') });
    await send(page);
    assert.match(await page.innerText('.number'), /^\d\d-\d{7}-\d$/, 'mended, it goes');
    await page.context().close();
  });
}

test('more than can be taken at all is said on a page, and going back finds the form as it was', async () => {
  const page = await open('/report?subject=cop-alinmadi&lang=tr', { javaScriptEnabled: false });
  await fill(page, [Buffer.alloc(20 * MIB), Buffer.alloc(20 * MIB), Buffer.alloc(9 * MIB)]);
  await send(page);
  assert.match(await page.innerText('[role=alert]'), /Gönderdikleriniz çok büyük/);
  await page.goBack();
  assert.equal(await page.inputValue('textarea[name=description]'), 'Kapının önünde bekliyor');
  await page.context().close();
});

test('with scripts, photos too many or too large are named before anything is sent', async () => {
  const page = await open('/report?subject=cop-alinmadi&lang=tr');
  await fill(page, Array(4).fill(photo('plain.jpeg')));
  const complaint = () => page.$eval('input[name=photo]', (input) => input.validationMessage);
  assert.equal(await complaint(), 'En çok üç fotoğraf gönderilebilir.');
  await send(page);
  assert.equal(await page.locator('.number').count(), 0, 'it was not sent');
  await fill(page, [photo('plain.jpeg'), Buffer.alloc(10 * MIB + 1)]);
  assert.equal(await complaint(), '2. fotoğraf çok büyük.');
  await fill(page, [photo('plain.jpeg')]);
  assert.equal(await complaint(), '');
  await page.context().close();
});

test('two tabs that send one form make one report', async () => {
  const page = await open('/report?subject=cop-alinmadi&lang=tr', { javaScriptEnabled: false });
  await fill(page, [photo('plain.jpeg')]);
  const token = await page.inputValue('input[name=token]');
  const other = await page.context().newPage();
  // A duplicated tab: the same form, filled in the same way.
  await other.route('**/report?subject=*', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/name="token" value="[^"]+"/, `name="token" value="${token}"`) });
  });
  await other.goto(page.url());
  await fill(other, [photo('plain.jpeg')]);
  await Promise.all([send(page), send(other)]);
  await Promise.all([page.waitForSelector('.number'), other.waitForSelector('.number')]);
  assert.equal(await page.innerText('.number'), await other.innerText('.number'));
  await track(page, await page.innerText('.number'));
  assert.equal(await page.locator('.photos img').count(), 1);
  await page.context().close();
});

test('a subject is found as it is typed, by keyboard alone', async () => {
  const page = await open('/report?lang=tr');
  const all = await page.locator('.subjects li:visible').count();
  await page.focus('input[type=search]');
  await page.keyboard.type('ÇÖP topl');
  const some = await page.locator('.subjects li:visible').count();
  assert.ok(some > 0 && some < all);
  assert.equal(await page.innerText('#found'), `Bulunan konu: ${some}.`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('textarea[name=description]');
  await page.goto(`${place.origin}/report?lang=tr`);
  await page.fill('input[type=search]', 'xyzzy');
  assert.match(await page.innerText('#found'), /bulunamadı/);
  assert.equal(await page.locator('section:visible').count(), 0);
  await page.fill('input[type=search]', '');
  assert.equal(await page.locator('.subjects li:visible').count(), all);
  await page.context().close();
});

test('a click on the map gives position and neighbourhood; both can be typed, and nobody else is asked', async () => {
  const page = await open('/report?subject=cop-alinmadi&lang=tr', { viewport: { width: 1280, height: 1000 } });
  if (await page.locator('.map').count() === 0) {   // built without npm
    await page.context().close();
    return;
  }
  const before = await page.evaluate(() => performance.getEntriesByType('resource').some((entry) => entry.name.includes('leaflet')));
  assert.equal(before, false, 'it comes when it is opened');
  await page.click('details.map-box summary');
  await page.waitForSelector('.map path');
  assert.ok(await page.locator('.map path').count() >= 55);
  const box = await page.locator('.map').boundingBox();
  await page.click('.map', { position: { x: box.width / 2, y: box.height / 2 } });
  const [lat, long, code] = [await page.inputValue('input[name=lat]'), await page.inputValue('input[name=long]'),
    await page.inputValue('select[name=address_id]')];
  assert.ok(Math.abs(Number(lat) - 36.89) < 0.03 && Math.abs(Number(long) - 30.74) < 0.05, `${lat} ${long}`);
  assert.notEqual(code, '', 'the neighbourhood is chosen with it');
  assert.match(await page.innerText('.map'), /resmî mahalle sınırı değildir/);
  await page.fill('input[name=lat]', 'kuzey');
  await fill(page);
  await page.selectOption('select[name=address_id]', code);
  await send(page);
  assert.match(await page.innerText('[role=alert]'), /Enlem: Sayı olmalı/);
  assert.equal(await page.inputValue('input[name=long]'), long);
  await page.fill('input[name=lat]', lat);
  await send(page);
  assert.match(await page.innerText('.number'), /^\d\d-\d{7}-\d$/);
  assert.deepEqual(page.elsewhere, []);
  await page.context().close();
});

for (const lang of ['tr', 'en'])
  for (const width of [360, 1920])
    for (const colorScheme of ['light', 'dark'])
      test(`axe finds nothing: ${lang}, ${width}, ${colorScheme}`, { timeout: 180000 }, async () => {
        const page = await open(`/report?lang=${lang}`, { viewport: { width, height: 900 }, colorScheme, locale: lang });
        const look = async (name) => {
          assert.deepEqual(await axe(page), [], name);
          const [full, seen] = await page.locator('html').evaluate((e) => [e.scrollWidth, e.clientWidth]);
          assert.ok(full <= seen, `${name}: ${full - seen} px stick out`);
        };
        await look('subjects');
        await page.goto(`${place.origin}/report?lang=${lang}&q=xyzzy`);
        await look('nothing found');
        await page.goto(`${place.origin}/aydinlatma-metni?lang=${lang}`);
        await look('information');
        await page.goto(`${place.origin}/report?subject=cop-alinmadi&lang=${lang}`);
        await look('form');
        await page.click('details.map-box summary');
        if (await page.locator('.map').count() > 0) await page.waitForSelector('.map path');
        await look('form with its map');
        await fill(page, [Buffer.from('no photo')]);
        await page.fill('input[name=phone]', '12');
        await send(page);
        await look('complaints');
        await fill(page, [photo('plain.jpeg'), photo('plain.png')]);
        await send(page);
        await look('receipt');
        await page.click('a.button');
        await look('look-up');
        await page.fill('input[name=digits]', '4567');
        await page.click('button');
        await page.waitForSelector('.photos img');
        for (const summary of await page.locator('summary').all()) await summary.click();
        await look('ticket');
        await page.context().close();
      });
