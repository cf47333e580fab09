// What a file of tests runs against: a private system, and a browser.  The program named to begin() makes the
// system: it prints one line of JSON when all is ready, obeys what it is told line by line, and ends with its
// standard input.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'];
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let system;
let answers;

export let place; // what that line says
export let browser;

export function begin(program) {
  before(async () => {
    const script = fileURLToPath(new URL(program, import.meta.url));
    system = spawn('/usr/bin/python3', ['-B', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    answers = createInterface({ input: system.stdout })[Symbol.asyncIterator]();
    place = JSON.parse((await answers.next()).value);
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  }, { timeout: 180000 });

  after(async () => {
    await browser?.close();
    system.stdin.end();
    await new Promise((resolve) => system.once('exit', resolve));
  });
}

export async function tell(words) {
  system.stdin.write(`${words}\n`);
  return JSON.parse((await answers.next()).value);
}

// What axe finds.  It runs in a world of its own, for the page's policy lets nobody add scripts.
export async function axe(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Page.enable');
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld',
    { frameId: frameTree.frame.id });
  const run = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate',
      { expression, contextId, awaitPromise: true, returnByValue: true });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  };
  await run(`${readFileSync(AXE, 'utf8')}; 0`);
  const found = await run(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`
    + '.then((r) => r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" ")}`))');
  await session.detach();
  return found;
}
