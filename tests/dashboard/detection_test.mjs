// The inbox of alerts in a browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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

test('Alerts inbox shows evidence, takes a note and an acknowledgement by key', { skip: kSkip }, async () => {
  await at.go(`alerts?${kRange}`);
  await at.rows().first().waitFor({ timeout: 120_000 });
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary', { name: 'Alert detail' });
  await detail.waitFor();
  assert.ok((await detail.locator('.lead').textContent()).length > 20, 'a sentence says why');
  await detail.getByRole('img', { name: /^Observed .*, expected / }).waitFor();
  assert.match(await detail.getByRole('link', { name: 'Show these flows' }).getAttribute('href'), /explore/);
  // The packets that passed before it, as a file that other programs read.
  const saving = page.waitForEvent('download');
  await detail.getByRole('button', { name: /^Save \d+\s+packets? \(pcap\)$/ }).click();
  const file = await saving;
  assert.match(file.suggestedFilename(), /\.pcapng$/);
  assert.equal((await readFile(await file.path())).readUInt32LE(0), 0x0a0d0d0a, 'a pcapng file');
  await detail.getByLabel('Note').fill('known <b>scanner</b>');
  await detail.getByRole('button', { name: 'Add note' }).click();
  await detail.locator('.alert-notes').getByText('known <b>scanner</b>').waitFor();
  await detail.locator('.lead').scrollIntoViewIfNeeded();
  await at.picture('alerts');
  // Typing in the note must not have been taken for keys.
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('a');
  await page.getByText('Acknowledged; it is under All.').waitFor();
  await detail.locator('.lead').waitFor({ state: 'detached' });
  await page.getByRole('radio', { name: 'All', exact: true }).click();
  await detail.getByText(/^.+ looks after it since/).waitFor();
  await at.noSidewaysScroll();
});

test('Threats are counted by class and lead to their alerts', { skip: kSkip }, async () => {
  await at.go(`alerts?${kRange}&box=threats`);
  const link = page.getByRole('table').getByRole('button').first();
  const name = (await link.textContent()).trim();
  // All classes are in sight: the page scrolls, not a box in it.
  const height = await page
    .getByRole('table')
    .evaluate((table) => getComputedStyle(table.parentElement).maxHeight);
  assert.equal(height, 'none');
  await at.picture('threats');
  await link.click();
  await at.rows().first().waitFor();
  assert.equal(new Set(await page.locator('[data-row] td:nth-child(3)').allTextContents()).size, 1);
  assert.ok(name.length > 3);
});

test('Suppress hides the pair until a date, by key', { skip: kSkip }, async () => {
  await at.go(`alerts?${kRange}&box=all`);
  await at.rows().first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog', {
    name: 'Suppress alerts like this one',
  });
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Suppress' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('How long').selectOption('date');
  await dialog.getByLabel('Last day (UTC)').fill('2099-12-31');
  await dialog.getByLabel('Reason').fill('our own scanner');
  await at.picture('suppress');
  await dialog.getByRole('button', { name: 'Suppress' }).click();
  await dialog.waitFor({ state: 'detached' });
  await at.go('rules?part=suppressions');
  const card = page.getByRole('listitem').filter({ hasText: 'our own scanner' });
  await card.getByText('0 hidden').waitFor();
  assert.match(await card.textContent(), /2099/);
  await at.picture('suppressions');
  await card.getByRole('button', { name: 'Remove our own scanner' }).click();
  await page.getByText('Nothing is suppressed.').waitFor();
});
