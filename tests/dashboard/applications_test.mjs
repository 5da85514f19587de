// What traffic carries and by what names addresses are known, in a browser.
import assert from 'node:assert/strict';
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

test('The application mix comes from the store and leads to its flows', { skip: kSkip }, async () => {
  await at.go(`overview?${kRange}&mix=application`);
  const panel = page.locator('.panel-mix');
  await panel.getByText('TLS', { exact: true }).waitFor({ timeout: 60_000 });
  await at.picture('application-mix');
  await at.noSidewaysScroll();
  await panel.getByText('HTTP', { exact: true }).click();
  await page.waitForURL(/where=app%3Dhttp|where=app=http/);
});

test('Names stand beside addresses, and never instead of them', { skip: kSkip }, async () => {
  await at.go(`hosts?${kRange}`);
  const name = page.locator('.name-beside').first();
  await name.waitFor({ timeout: 60_000 });
  const row = page.locator('[data-row]', { has: name }).first();
  assert.match(await row.locator('a.mono').textContent(), /^[0-9a-f.:]+$/);
  assert.match(await name.getAttribute('title'), /: seen .+ to .+/, 'with the time that it was known');
  await at.picture('hosts-with-names');
  await at.noSidewaysScroll();
});

test('Flows are found by name and by evidence', { skip: kSkip }, async () => {
  await at.go(`explore?${kRange}&where=${encodeURIComponent('name=*.example.test and evidence=payload')}`);
  await at.rows().first().waitFor({ timeout: 60_000 });
  // Beside the values, which filter.
  await at
    .rows()
    .first()
    .click({ position: { x: 20, y: 10 } });
  const detail = page.getByRole('complementary');
  await detail.getByText('The first messages of the flow follow this protocol.').waitFor();
  await at.picture('flow-application');
});
