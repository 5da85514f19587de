// Alerts, rules and notifications in a browser, before nta-server: the mock of the dashboard does not know them.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fillFirstRun, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

const kSkip = process.env.NTA_SERVER_BINARY ? false : 'needs NTA_SERVER_BINARY';
let server;
let browser;
let page;

before(async () => {
  if (kSkip) return;
  server = await startServer();
  browser = await startBrowser();
  page = browser.page;
  await page.goto(server.url);
  await fillFirstRun(page, server);
  await navigation().waitFor();
});
after(async () => {
  try {
    await browser?.close();
  } finally {
    await server?.close();
  }
});

const navigation = () => page.getByRole('navigation', { name: 'Main' });
const go = async (hash) => {
  await page.goto(`${server.url}/#/${hash}`);
};
const rows = () => page.locator('[data-row]');
const kRange = 'since=-1h&until=now';
// NTA_SCREENSHOTS=DIRECTORY keeps pictures of what people see.
async function picture(name) {
  const directory = process.env.NTA_SCREENSHOTS;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
  ]) {
    for (const theme of ['light', 'dark']) {
      await page.setViewportSize({ width, height });
      await page.evaluate((value) => document.documentElement.setAttribute('data-theme', value), theme);
      await page.waitForTimeout(150);
      await page.screenshot({
        path: `${directory}/${name}-${width}-${theme}.png`,
      });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.evaluate(() => document.documentElement.removeAttribute('data-theme'));
}
const noSidewaysScroll = async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await page.setViewportSize({ width: 1440, height: 900 });
  assert.ok(wide <= 0, `the page is ${wide} px too wide on a phone`);
};

test('Alerts inbox shows evidence, takes a note and an acknowledgement by key', { skip: kSkip }, async () => {
  await go(`alerts?${kRange}`);
  await rows().first().waitFor({ timeout: 60_000 });
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary', { name: 'Alert detail' });
  await detail.waitFor();
  assert.ok((await detail.locator('.lead').textContent()).length > 20, 'a sentence says why');
  await detail.getByRole('img', { name: /^Observed .*, expected / }).waitFor();
  assert.match(await detail.getByRole('link', { name: 'Show these flows' }).getAttribute('href'), /explore/);
  await detail.getByLabel('Note').fill('known <b>scanner</b>');
  await detail.getByRole('button', { name: 'Add note' }).click();
  await detail.locator('.alert-notes').getByText('known <b>scanner</b>').waitFor();
  await detail.locator('.lead').scrollIntoViewIfNeeded();
  await picture('alerts');
  // Typing in the note must not have been taken for keys.
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('e');
  await page.getByText('Acknowledged; it is under All.').waitFor();
  await detail.locator('.lead').waitFor({ state: 'detached' });
  await page.getByRole('radio', { name: 'All', exact: true }).click();
  await detail.getByText(/^.+ looks after it since/).waitFor();
  await noSidewaysScroll();
});

test('Threats are counted by class and lead to their alerts', { skip: kSkip }, async () => {
  await go(`alerts?${kRange}&box=threats`);
  const link = page.getByRole('table').getByRole('button').first();
  const name = (await link.textContent()).trim();
  await picture('threats');
  await link.click();
  await rows().first().waitFor();
  assert.equal(new Set(await page.locator('[data-row] td:nth-child(3)').allTextContents()).size, 1);
  assert.ok(name.length > 3);
});

test('Suppress hides the pair until a date, by key', { skip: kSkip }, async () => {
  await go(`alerts?${kRange}&box=all`);
  await rows().first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  const dialog = page.getByRole('dialog', {
    name: 'Suppress alerts like this one',
  });
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Suppress' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('How long').selectOption('date');
  await dialog.getByLabel('Last day (UTC)').fill('2099-12-31');
  await dialog.getByLabel('Reason').fill('our own scanner');
  await picture('suppress');
  await dialog.getByRole('button', { name: 'Suppress' }).click();
  await dialog.waitFor({ state: 'detached' });
  await go('rules?part=suppressions');
  const card = page.getByRole('listitem').filter({ hasText: 'our own scanner' });
  await card.getByText('0 hidden').waitFor();
  assert.match(await card.textContent(), /2099/);
  await picture('suppressions');
  await card.getByRole('button', { name: 'Remove our own scanner' }).click();
  await page.getByText('Nothing is suppressed.').waitFor();
});

test('Rules mark the mistake in place, run dry, and are saved', { skip: kSkip }, async () => {
  await go('overview');
  await navigation().getByRole('link', { name: 'Rules' }).click();
  await page.getByText('There are no rules of your own yet.').waitFor();
  await page.getByRole('button', { name: 'New rule' }).click();
  const dialog = page.getByRole('dialog', { name: 'New alert rule' });
  const rule = dialog.getByLabel('Rule', { exact: true });
  await dialog.getByLabel('Title').fill('Busy host');
  await rule.fill('count() > 20 per source_address in 60s where dprt=22');
  await dialog.getByText('did you mean "dport"?').waitFor();
  const [line, mark] = (await dialog.locator('.rule-verdict pre').textContent()).split('\n');
  assert.equal(line.slice(mark.indexOf('^')).startsWith('dprt'), true, 'the mark stands under the mistake');
  await picture('rule-mistake');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('alert').waitFor();
  await rule.fill('count() > 20 per source_address in 60s');
  await dialog.getByText('counts each flow as it begins').waitFor();
  await dialog.getByLabel('Over which flows').selectOption('-8760h');
  await dialog.getByRole('button', { name: 'Try it' }).click();
  await dialog.locator('.dry-run-lead').waitFor({ timeout: 30_000 });
  assert.match(await dialog.locator('.dry-run-lead').textContent(), /^\d+ alerts? in [\d,.\s]+ flows/);
  await picture('rule-dry-run');
  const threshold = dialog.locator('.dry-run .text-button').last();
  if (await threshold.isVisible()) {
    await threshold.click();
    assert.doesNotMatch(await rule.inputValue(), /> 20 per/);
  }
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.waitFor({ state: 'detached' });
  const card = page.getByRole('listitem').filter({ hasText: 'Busy host' });
  await card.getByRole('button', { name: 'Let it rest' }).click();
  await card.getByText('rests', { exact: true }).waitFor();
  await picture('rules');
  await noSidewaysScroll();
  await card.getByRole('button', { name: 'Delete Busy host' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete Busy host' }).click();
  await page.getByText('There are no rules of your own yet.').waitFor();
});

test('Detectors are turned off and tuned', { skip: kSkip }, async () => {
  await go('rules?part=detectors');
  const card = page.getByRole('listitem').filter({ hasText: 'Port scan' });
  await card.getByRole('radio', { name: 'High' }).click();
  await card.locator('[role=radio][aria-checked=true]', { hasText: 'High' }).waitFor();
  await card.getByRole('checkbox', { name: 'On' }).click();
  await card.getByText('is off').waitFor();
  await picture('detectors');
  await card.getByRole('checkbox', { name: 'On' }).click();
  await card.getByText('is off').waitFor({ state: 'detached' });
});

test('A channel is made, tested and routed; its secret does not come back', { skip: kSkip }, async () => {
  const receiver = createSocket('udp4');
  await new Promise((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const message = new Promise((resolve) => receiver.once('message', resolve));
  await go('notifications');
  await page.getByText('Alerts are shown here only.').waitFor();
  await page.getByRole('button', { name: 'New channel' }).click();
  let dialog = page.getByRole('dialog', { name: 'New channel' });
  await dialog.getByRole('radio', { name: 'Syslog' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Log server');
  await dialog.getByLabel('Server').fill('127.0.0.1');
  await dialog.getByLabel('Port', { exact: true }).fill(String(receiver.address().port));
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  const card = page.getByRole('listitem').filter({ hasText: 'Log server' }).first();
  await card.getByRole('button', { name: 'Test' }).click();
  await card.getByText('Sent; over UDP nobody says whether it has come.').waitFor();
  assert.match(String(await message), /notifications arrive/);
  receiver.close();
  await page.getByRole('button', { name: 'Add a route' }).click();
  await page.getByLabel('Severity').selectOption('medium');
  await page.getByLabel('How often').selectOption('3600');

  await page.getByRole('button', { name: 'New channel' }).click();
  dialog = page.getByRole('dialog', { name: 'New channel' });
  await dialog.getByRole('radio', { name: 'Webhook' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Chat');
  await dialog.getByLabel('Address').fill('http://127.0.0.1:9/hook');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').waitFor();
  assert.match(await dialog.getByRole('alert').textContent(), /no public address/);
  assert.equal(await dialog.getByLabel('Address').inputValue(), 'http://127.0.0.1:9/hook', 'nothing is lost');
  await dialog.getByLabel('Address').fill('https://hooks.example.com/x');
  await dialog.getByLabel('Secret').fill('canary-secret');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Change Chat' }).click();
  assert.equal(await page.getByLabel('Secret').inputValue(), '');
  await page.getByText('Leave empty to keep the one that is stored.').waitFor();
  await page.keyboard.press('Escape');
  await picture('notifications');
  await noSidewaysScroll();
  assert.doesNotMatch(await page.content(), /canary-secret/);
});

test('The bell counts, leads to the alert, and is cleared', { skip: kSkip }, async () => {
  await go(`overview?${kRange}`);
  const bell = page.getByRole('button', { name: /^Notifications/ });
  await bell.waitFor();
  await bell.click();
  const panel = page.getByRole('dialog', { name: /^Notifications/ });
  await panel.waitFor();
  await picture('bell');
  if ((await panel.getByRole('listitem').count()) > 0) {
    await panel.getByRole('link').first().click();
    await page.getByRole('complementary', { name: 'Alert detail' }).waitFor();
    await bell.click();
    await panel.getByRole('button', { name: 'Clear' }).click();
  }
  await panel.getByText('Nothing new. Alerts appear here.').waitFor();
});
