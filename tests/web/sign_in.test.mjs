// Signing in, in headless Chromium through the edge: without JavaScript, by keyboard, in both languages, on
// a phone and on a desk, light and dark; axe finds nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { begin, browser, place, tell } from './system.mjs';

begin('board_stack.py');

const AXE = readFileSync(fileURLToPath(new URL('node_modules/axe-core/axe.min.js', import.meta.url)), 'utf8');

async function newUser(name, role = 'viewer') {
  return tell(`user ${name} ${role}`);
}

async function newPage(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.elsewhere = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(place.origin)) page.elsewhere.push(request.url());
  });
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) page.elsewhere.push(message.text());
  });
  return page;
}

async function look(page, what) {
  if (process.env.TURUNC_TEST_SHOTS) {
    await page.screenshot({ path: `${process.env.TURUNC_TEST_SHOTS}/${page.seen}-${what}.png` });
  }
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const result = await window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
  });
  assert.deepEqual(found, [], what);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${what}: ${wide} px wider than the window`);
}

const WORDS = {
  tr: { wrong: 'Kullanıcı adı veya parola hatalı.', button: 'Giriş yap', changed: 'Parolanız değiştirildi.',
    out: 'Çıkış yap', left: 'Oturumunuz kapatıldı.', other: 'English' },
  en: { wrong: 'The user name or the password is wrong.', button: 'Sign in', changed: 'Your password was changed.',
    out: 'Sign out', left: 'You have signed out.', other: 'Türkçe' },
};
const SEEN = [
  { name: 'phone-tr-light', lang: 'tr', scheme: 'light', viewport: { width: 360, height: 740 } },
  { name: 'phone-en-dark', lang: 'en', scheme: 'dark', viewport: { width: 360, height: 740 } },
  { name: 'desk-tr-dark', lang: 'tr', scheme: 'dark', viewport: { width: 1920, height: 1080 } },
  { name: 'desk-en-light', lang: 'en', scheme: 'light', viewport: { width: 1920, height: 1080 } },
];

for (const [number, seen] of SEEN.entries()) {
  test(`in, the password changed, and out: ${seen.name}`, async () => {
    const words = WORDS[seen.lang];
    const name = `kisi${number}`;
    const password = await newUser(name);
    const page = await newPage({ viewport: seen.viewport, locale: seen.lang, colorScheme: seen.scheme });
    page.seen = seen.name;
    await page.goto(`${place.origin}/desk/password?a=1`);
    assert.equal(new URL(page.url()).pathname, '/desk/sign-in', 'a stranger is asked who they are');
    await look(page, 'sign-in');
    await page.fill('input[name=name]', name);
    await page.fill('input[name=password]', 'not this one');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role=alert]');
    assert.equal(await page.innerText('[role=alert]'), words.wrong);
    assert.equal(await page.inputValue('input[name=name]'), name, 'what was typed is kept');
    assert.equal(await page.inputValue('input[name=password]'), '', 'but for the password');
    await look(page, 'wrong');
    // By keyboard alone, from the top.
    await page.evaluate(() => document.activeElement.blur());
    const reached = [];
    for (let step = 0; step < 8 && !reached.includes('password'); step++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement.name || document.activeElement.textContent));
    }
    assert.deepEqual(reached, ['Turunç', words.other, 'name', 'password']);
    await page.keyboard.type(password);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), words.button);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${place.origin}/desk/password?a=1`);
    await look(page, 'password');

    await page.fill('input[name=old]', password);
    await page.fill('input[name=new]', 'another four words');
    await page.fill('input[name=again]', 'another four words');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role=status]');
    assert.match(await page.innerText('[role=status]'), new RegExp(words.changed));
    await look(page, 'changed');
    await page.click(`text="${words.out}"`);
    await page.waitForSelector('[role=status]');
    assert.equal(await page.innerText('[role=status]'), words.left);
    await look(page, 'left');
    assert.deepEqual((await page.context().cookies()).map((cookie) => cookie.name), [], 'no cookie stays');
    await page.goto(`${place.origin}/desk/password`);
    assert.equal(new URL(page.url()).pathname, '/desk/sign-in', 'nor does the page');
    assert.deepEqual(page.elsewhere, []);
  });
}

for (const [number, seen] of SEEN.entries()) {
  test(`turned away in words: ${seen.name}`, async () => {
    const name = `uzak${number}`;
    const password = await newUser(name);
    const page = await newPage({ viewport: seen.viewport, locale: seen.lang, colorScheme: seen.scheme });
    page.seen = seen.name;
    await page.goto(`${place.origin}/desk/sign-in?next=/desk/password`);
    await page.fill('input[name=name]', name);
    await page.fill('input[name=password]', password);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${place.origin}/desk/password`);
    assert.equal((await page.goto(`${place.origin}/call/`)).status(), 403, 'a viewer takes no calls');
    await look(page, 'not-yours');
    assert.equal(await page.locator('.button').count(), 0, 'no way back to the same page');
    assert.equal(await page.locator('.who button').count(), 1, 'but a way out');
    await page.goto(`${place.origin}/desk/password`);
    const [cookie] = await page.context().cookies();
    await page.context().addCookies([{ ...cookie, value: `${cookie.value[0] === 'A' ? 'B' : 'A'}${cookie.value.slice(1)}` }]);
    await page.fill('input[name=old]', password);
    await page.fill('input[name=new]', 'another four words');
    await page.fill('input[name=again]', 'another four words');
    const [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    assert.equal(answer.status(), 401, 'a form after the session');
    await look(page, 'over');
    await page.goto(`${place.origin}/desk/password`);
    assert.match(await page.innerText('[role=alert]'), seen.lang === 'tr' ? /Oturumunuz sona erdi/ : /session has ended/);
    await look(page, 'expired');
    for (let wrong = 0; wrong < 11; wrong++) {
      await page.fill('input[name=name]', name);
      await page.fill('input[name=password]', 'not this one');
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    }
    assert.match(await page.innerText('[role=alert]'), seen.lang === 'tr' ? /dakika sonra/ : /too many wrong/);
    await look(page, 'locked');
    assert.deepEqual(page.elsewhere, []);
  });
}

test('without JavaScript, once for both services, and in the other language', async () => {
  const password = await newUser('ikisi', 'operator');
  const page = await newPage({ javaScriptEnabled: false, locale: 'tr', viewport: { width: 390, height: 844 } });
  await page.goto(`${place.origin}/call/sign-in?next=/call/password`);
  await page.click('text="English"');
  assert.equal(await page.locator('h1').innerText(), 'Staff sign-in');
  await page.fill('input[name=name]', 'Ikisi');
  await page.fill('input[name=password]', password);
  await page.click('form button');
  await page.waitForURL(`${place.origin}/call/password`);
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map((c) => [c.name, c.httpOnly, c.sameSite, c.path]), [['turunc', true, 'Strict', '/']]);
  await page.goto(`${place.origin}/desk/password`);
  assert.equal(new URL(page.url()).pathname, '/desk/password', 'the desk knows them too');
  await page.click('.who button');
  await page.waitForURL(/left=1/);
  await page.goto(`${place.origin}/call/password`);
  assert.equal(new URL(page.url()).pathname, '/call/sign-in');
});

test('a link from another site leads on', async () => {
  const password = await newUser('baglanti', 'operator');
  const page = await newPage({ locale: 'tr' });
  await page.goto(`${place.origin}/desk/sign-in?next=/desk/password`);
  await page.fill('input[name=name]', 'baglanti');
  await page.fill('input[name=password]', password);
  await page.click('form button');
  await page.waitForURL(`${place.origin}/desk/password`);
  // "localhost" is another site than 127.0.0.1: the cookie stays behind, and the page offers to go on.
  const port = new URL(place.origin).port;
  await page.route(`http://localhost:${port}/mail`, (route) => route.fulfill({
    contentType: 'text/html', body: `<a href="${place.origin}/desk/password">ticket</a>` }));
  await page.goto(`http://localhost:${port}/mail`);
  await page.click('a');
  await page.waitForURL(/sign-in\?next=/);
  await page.click('text="Zaten giriş yaptıysanız buradan sürdürün"');
  await page.waitForURL(`${place.origin}/desk/password`);
});
