// Channels, routes and the bell in a browser.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { kSkip, open } from './detection_page.mjs';

let at;
let page;

before(async () => {
  if (kSkip) return;
  at = await open();
  page = at.page;
});
after(() => at?.close());

const kRange = 'since=-1h&until=now';

test('A channel is made, tested and routed; its secret does not come back', { skip: kSkip }, async () => {
  const receiver = createSocket('udp4');
  await new Promise((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const message = new Promise((resolve) => receiver.once('message', resolve));
  await at.go('notifications');
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
  await at.picture('notifications');
  await at.noSidewaysScroll();
  assert.doesNotMatch(await page.content(), /canary-secret/);
});

test('The bell counts, leads to the alert, and is cleared', { skip: kSkip }, async () => {
  await at.go(`overview?${kRange}`);
  const bell = page.getByRole('button', { name: /^Notifications/ });
  await bell.waitFor();
  await bell.click();
  const panel = page.getByRole('dialog', { name: /^Notifications/ });
  await panel.waitFor();
  await at.picture('bell');
  if ((await panel.getByRole('listitem').count()) > 0) {
    await panel.getByRole('link').first().click();
    await page.getByRole('complementary', { name: 'Alert detail' }).waitFor();
    await bell.click();
    await panel.getByRole('button', { name: 'Clear' }).click();
  }
  await panel.getByText('Nothing new. Alerts appear here.').waitFor();
});
