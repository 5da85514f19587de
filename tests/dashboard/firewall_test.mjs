// The page Firewall against a real server whose rules are kept in memory: nothing of this machine changes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fillFirstRun, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

let server;
let browser;
let page;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  page = browser.page;
});
after(async () => {
  try {
    await browser?.close();
  } finally {
    await server?.close();
  }
});

const isOwn = () => Boolean(process.env.NTA_SERVER_BINARY) && !process.env.NTA_SERVER_URL;
const button = (name) => page.getByRole('button', { name, exact: true });
const rule = (id) => page.locator(`[data-rule="${id}"]`);

async function addRule(name, port) {
  await button('New rule').click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Protocol').selectOption('tcp');
  await page.getByLabel('To ports').fill(port);
  await button('Add to the draft').click();
  await rule(name).waitFor();
}

async function apply(time) {
  await button('Apply…').click();
  await page.getByRole('radio', { name: time }).click();
  await page.getByLabel('Your password').fill(server.password);
  await button('Apply').click();
  await button('Keep').waitFor();
}

test('Firewall says that there are no rules and that nothing is enforced', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await page.goto(server.url);
  await page.getByLabel('Bootstrap token').waitFor();
  await fillFirstRun(page, server);
  await page.getByRole('link', { name: 'Firewall' }).click();
  await page.getByText('There are no rules').waitFor();
  await page.getByText('Not enforced.').waitFor();
});

test('Firewall drafts a rule and tells what is wrong with one', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await addRule('no-telnet', '23');
  await page.getByText('+ rule no-telnet: drop in tcp to port 23').first().waitFor();
  await button('New rule').click();
  await page.getByLabel('Name').fill('a;drop');
  await button('Add to the draft').click();
  const alert = page.getByRole('dialog').getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.textContent(), /rule id "a;drop"/);
  assert.equal(await page.getByLabel('Name').inputValue(), 'a;drop', 'nothing typed is lost');
  await page.keyboard.press('Escape');
});

test('Firewall rehearses the draft in words', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('Rehearse').click();
  const result = page.getByRole('status', { name: 'Result of the rehearsal' });
  await result.waitFor();
  assert.match(await result.textContent(), /would have been cut|no flows/);
});

test('Firewall takes a change back before the eyes of whoever does not keep it', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await apply('10 s');
  const first = Number.parseInt(await page.locator('.countdown').textContent(), 10);
  assert.ok(first > 0 && first <= 10, `counts down from 10, shows ${first}`);
  await page.getByText('packets').first().waitFor();
  await page.getByText('Rolled back.').waitFor({ timeout: 20_000 });
  assert.match(await page.getByRole('alert').first().textContent(), /not confirmed in time/);
  // The draft is still there, and not in force.
  await rule('no-telnet').getByText('not in force').waitFor();
});

test('Firewall keeps a change that is kept', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await apply('1 min');
  await button('Keep').click();
  await page.getByText('Kept the new rules.').waitFor();
  await page.getByText('same as the rules in force').waitFor();
  await rule('no-telnet').getByText('not hit so far').waitFor();
});

test('Firewall rolls a change back by hand', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await addRule('no-ftp', '21');
  await apply('1 min');
  await button('Roll back').click();
  await rule('no-ftp').getByText('not in force').waitFor();
});

test('Firewall blocks an address for a time and lifts it', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await button('Block an address…').click();
  await page.getByRole('textbox', { name: 'Address' }).fill('203.0.113.9');
  await page.getByRole('radio', { name: '10 min' }).click();
  await button('Block').click();
  const block = page.locator('[data-block="203.0.113.9"]');
  await block.waitFor();
  assert.match(await block.textContent(), /left/);
  await button('Unblock 203.0.113.9').click();
  await page.getByText('Nobody is blocked').waitFor();
});

test('Explore blocks the source of a flow', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await page.getByRole('link', { name: 'Explore' }).click();
  await page.getByRole('heading', { name: 'Flows', exact: true }).waitFor();
  // At the edge, where no value is that would be filtered by.
  await page
    .locator('[data-row]')
    .first()
    .click({ position: { x: 20, y: 10 }, timeout: 60_000 });
  await page.getByRole('complementary', { name: 'Flow detail' }).waitFor();
  const blocker = page.getByRole('button', { name: /^Block .+…$/ }).first();
  const address = /^Block (.+)…$/.exec((await blocker.textContent()).trim())[1];
  await blocker.click();
  await button(`Block ${address}`).click();
  // A protected address is refused in words; any other is blocked.
  await page
    .getByText(`Blocked ${address}.`)
    .or(page.getByRole('dialog').getByRole('alert'))
    .first()
    .waitFor();
});

test('Firewall fits a small screen', async (t) => {
  if (!isOwn()) return t.skip('needs a server of its own');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${server.url}/#/firewall`);
  await rule('no-telnet').waitFor();
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
});
