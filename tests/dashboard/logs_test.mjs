// The pages Logs and Audit, against a real server: the dashboard's mock keeps no logs.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { enter, startBrowser } from './browser.mjs';
import { randomPassword, startServer } from './server.mjs';

const isReal = Boolean(process.env.NTA_SERVER_BINARY || process.env.NTA_SERVER_URL);
const options = {
  skip: isReal ? false : 'needs nta-server (NTA_SERVER_BINARY)',
};
let server;
let browser;
let page;
let scratch;

before(async () => {
  if (!isReal) return;
  scratch = await mkdtemp(join(tmpdir(), 'nta-logs-'));
  server = await startServer();
  browser = await startBrowser();
  page = browser.page;
  // Something for the security log.
  await fetch(`${server.url}/api/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'nobody', password: randomPassword() }),
  });
  await enter(page, server);
});
after(async () => {
  await browser?.close();
  await server?.close();
  if (scratch) await rm(scratch, { recursive: true, force: true });
});

const rows = () => page.locator('[data-row]');
const open = async (name) => {
  const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name });
  // A small screen shows four pages, and the others on request; a wide one shows them all, soon after it became wide.
  if (page.viewportSize().width < 700)
    await page.getByRole('button', { name: 'More pages and account' }).click();
  await link.click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
};
const saved = async (click, name) => {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  assert.equal(download.suggestedFilename(), name);
  await download.saveAs(join(scratch, name));
  return readFile(join(scratch, name), 'utf8');
};

test('Logs keeps kinds apart and filters by level and text', options, async () => {
  await open('Logs');
  await page.getByRole('radio', { name: 'Security' }).click();
  await rows().filter({ hasText: 'sign_in.failed' }).first().waitFor();
  await page.getByLabel('Level').selectOption('warning');
  await page.getByLabel('Component').fill('sign_in');
  await page.waitForFunction(() =>
    [...document.querySelectorAll('[data-row]')].every((row) => row.textContent.includes('warning')),
  );
  await page.getByLabel('Text', { exact: true }).fill('there is no such text');
  await page.getByText('No event matches these filters.').waitFor();
  assert.match(page.url(), /text=/, 'the address keeps the filter');
  await page.getByLabel('Text', { exact: true }).fill('');
  await rows().first().click();
  await page.getByRole('complementary', { name: 'Event' }).getByText('127.0.0.1').waitFor();
  await page.keyboard.press('Escape');
});

test('Logs shows a time that somebody chose, and older events on request', options, async () => {
  await page.getByLabel('Level').selectOption('debug');
  await page.getByLabel('Component').fill('');
  await page.getByLabel('Time', { exact: true }).selectOption('-15m');
  await rows().first().waitFor();
  assert.match(page.url(), /after=-15m/);
  await page.getByLabel('Time', { exact: true }).selectOption('own');
  await page.getByLabel('To', { exact: true }).fill('2001-01-01T00:00:00');
  await page.getByText('No event matches these filters.').waitFor();
  await page.getByLabel('Time', { exact: true }).selectOption('');
  await rows().first().waitFor();
});

test('Logs downloads what it shows', options, async () => {
  const text = await saved(() => page.getByRole('button', { name: 'Download' }).click(), 'security.log');
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(events.some((event) => event.component === 'sign_in.failed'));
  assert.ok(events.every((event) => event.kind === 'security'));
});

test('Logs changes its rotation and rotates now', options, async () => {
  await page.getByRole('button', { name: 'Rotation…' }).click();
  const dialog = page.getByRole('dialog', {
    name: 'Rotation of the log files',
  });
  await dialog.getByLabel('Files kept').fill('0');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Files kept').fill('7');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Rotation…' }).click();
  assert.equal(await dialog.getByLabel('Files kept').inputValue(), '7');
  await dialog.getByRole('button', { name: 'Put the files aside now' }).click();
  await dialog.waitFor({ state: 'detached' });
  // What was put aside is still read.
  await rows().first().waitFor();
});

test('Audit shows who did what, with the outcome', options, async () => {
  await open('Audit');
  await rows().filter({ hasText: 'log.rotation' }).filter({ hasText: 'done' }).first().waitFor();
  await page.getByLabel('Outcome').selectOption('refused');
  const refused = rows().filter({ hasText: 'session.sign_in' });
  await refused.first().waitFor();
  await page.getByLabel('Time', { exact: true }).selectOption('-1h');
  await refused.first().click();
  await page.getByRole('complementary', { name: 'Record' }).getByText('401').waitFor();
  await page.keyboard.press('Escape');
  await page.getByLabel('Outcome').selectOption('');
  await page.getByLabel('Time', { exact: true }).selectOption('');
  // By who acted, and by any text of the record.
  await page.getByLabel('Who').fill('nobody-of-that-name');
  await page.getByText('No record is like that.').waitFor();
  await page.getByLabel('Who').fill(server.username);
  await page.getByLabel('Text', { exact: true }).fill('logs/rotation');
  await rows().filter({ hasText: 'log.rotation' }).first().waitFor();
  await rows().filter({ hasText: 'session.sign_in' }).first().waitFor({ state: 'detached' });
  await page.getByLabel('Who').fill('');
  await page.getByLabel('Text', { exact: true }).fill('');
  await rows().filter({ hasText: 'session.sign_in' }).first().waitFor();
  // What was asked for stands with how it ended.
  await rows().filter({ hasText: 'log.rotation' }).filter({ hasText: 'done' }).first().click();
  const record = page.getByRole('complementary', { name: 'Record' });
  await record.getByText('keep', { exact: true }).waitFor();
  await record.getByText('200', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
});

test('Audit verifies and says the result in words', options, async () => {
  await page.getByRole('button', { name: 'Verify' }).click();
  const verdict = page.getByRole('status').filter({ hasText: 'The trail is as it was written.' });
  await verdict.waitFor();
  assert.match(await verdict.textContent(), /sealed by this server.*None was cut off/);
  await page.getByRole('button', { name: 'Close the result' }).click();
});

test('Audit exports, and the export is in the trail', options, async () => {
  const text = await saved(
    () => page.getByRole('button', { name: 'Export', exact: true }).click(),
    'audit.csv',
  );
  assert.match(text, /^sequence,time,actor,role,address,act,target,outcome,about,details\n/);
  assert.match(text, /audit\.verify/);
  await page.getByRole('button', { name: 'Reload' }).click();
  await rows().filter({ hasText: 'audit.export' }).first().waitFor();
});

test('Logs and Audit fit a small screen', options, async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of ['Logs', 'Audit']) {
    await open(name);
    await rows().first().waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, `${name} does not scroll sideways`);
    if (process.env.NTA_SCREENSHOTS)
      await page.screenshot({
        path: join(process.env.NTA_SCREENSHOTS, `${name.toLowerCase()}-390.png`),
      });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const name of ['Logs', 'Audit']) {
    await open(name);
    await rows().first().waitFor();
    if (process.env.NTA_SCREENSHOTS)
      await page.screenshot({
        path: join(process.env.NTA_SCREENSHOTS, `${name.toLowerCase()}-1440.png`),
      });
  }
  assert.deepEqual(browser.complaints, []);
});
